package edxml

// Limits bound what Read accepts. A zero field means its default.
type Limits struct {
	// Message bounds the whole file, in bytes.
	Message int64
	// Structure bounds everything but attachments' content, in bytes.
	Structure int64
	// Attachment bounds one attachment, encoded in base64 or unwrapped from its
	// ZIP, in decoded bytes.
	Attachment int64
	// Attachments bounds their number.
	Attachments int
}

// The defaults of Limits.
const (
	// MaxMessage leaves room for one attachment of the greatest size in base64
	// and some smaller ones.
	MaxMessage int64 = 200 << 20
	// MaxStructure is far over any real header (30 KB); it bounds the memory
	// that the element tree may take.
	MaxStructure int64 = 16 << 20
	// MaxAttachment is over every scanned document seen on the axis and small
	// enough that a clerk's office line carries it.
	MaxAttachment int64 = 100 << 20
	// MaxAttachments bounds the entries that one message makes a receiver store.
	MaxAttachments = 200
)

// The fixed limits of the XML reader; no real message comes near them.
const (
	maxDepth      = 64      // stack and quadratic path work
	maxAttributes = 128     // per element: duplicate search is quadratic
	maxName       = 1 << 10 // bytes of one name
	maxTokens     = 1 << 18 // elements, attributes, comments, text runs: 1,000 receivers take 30,000
	maxEntity     = 16      // bytes between & and ;
)

// The limits of unwrapping a ZIP.
const (
	// zipRatioFree is how much may come out before the ratio counts: a small
	// file of blanks packs far better than 100 to 1.
	zipRatioFree int64 = 1 << 20
	// zipRatio is over what any document format reaches and far under a bomb.
	zipRatio int64 = 100
	// zipName bounds the entry's name.
	zipName = 4 << 10
)

func (l Limits) withDefaults() Limits {
	if l.Message <= 0 {
		l.Message = MaxMessage
	}
	if l.Structure <= 0 {
		l.Structure = MaxStructure
	}
	if l.Attachment <= 0 {
		l.Attachment = MaxAttachment
	}
	if l.Attachments <= 0 {
		l.Attachments = MaxAttachments
	}
	return l
}
