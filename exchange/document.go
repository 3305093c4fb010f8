package exchange

import (
	"time"
)

// Security is the degree of state secrecy of a document (độ mật).
type Security string

// The degrees. Anything but SecurityOrdinary is outside every exchange network.
const (
	SecurityOrdinary     Security = "thuong"
	SecurityConfidential Security = "mat"
	SecuritySecret       Security = "toi_mat"
	SecurityTopSecret    Security = "tuyet_mat"
)

// DocumentKind is a kind of administrative document (thể loại): the code of
// QCVN 102 and the name. The name decides where the two disagree.
type DocumentKind struct {
	Code int    `json:"code"`
	Name string `json:"name"`
}

// pdfType is the media type of every file that is signed here.
const pdfType = "application/pdf"

// Document is one outgoing document (văn bản đi) of an agency.
type Document struct {
	ID        ID           `json:"id"`
	Agency    AgencyCode   `json:"agency"`
	Version   int          `json:"-"` // grows with each save; the store's column is the truth
	UpdatedAt time.Time    `json:"-"` // when what is seen of it changed last; the store's column is the truth
	CreatedAt time.Time    `json:"created_at"`
	CreatedBy Actor        `json:"created_by"`
	Kind      DocumentKind `json:"kind"`
	Notation  string       `json:"notation"` // ký hiệu, "UBND-VP"
	Subject   string       `json:"subject"`  // trích yếu
	Security  Security     `json:"security"`
	Priority  int          `json:"priority"`          // 0 thường … 4 hỏa tốc hẹn giờ
	DueDate   time.Time    `json:"due_date,omitzero"` // zero: none
	Places    []string     `json:"places,omitempty"`  // nơi nhận, free text for filing
	FileName  string       `json:"file_name"`
	Issuance  Issuance     `json:"issuance"`
	// Imported is true for a PDF that was signed and sealed before it came here; only
	// its sending is ours.
	Imported bool `json:"imported,omitempty"`
	// DocumentID is the edXML DocumentId, set with the number.
	DocumentID string `json:"document_id,omitempty"`
	// Message is the edXML message as it leaves, zero before the first Send. One
	// message serves all its receivers.
	Message Blob `json:"message,omitzero"`
	Sent    Fact `json:"sent,omitzero"`
	// Source is what a composed draft was made of, as JSON; zero for a PDF made elsewhere.
	Source Blob `json:"source,omitzero"`
	// Receivers are the names of the agencies it was sent to, for lists and the register.
	Receivers string `json:"receivers,omitempty"`
	// Replaces and ReplacedBy link the documents of a chain of replacements.
	Replaces      ID     `json:"replaces,omitempty"`
	ReplaceReason string `json:"replace_reason,omitempty"`
	ReplacedBy    ID     `json:"replaced_by,omitempty"`
	// Hand is set for a document that went out outside the network: it has no file here.
	Hand ByHand `json:"hand,omitzero"`
}

// ByHand is what a văn thư wrote down of a document that came or went on paper or
// by another channel. The zero value is a document of the network.
type ByHand struct {
	Channel string  `json:"channel"` // "giấy", "Zalo", in the clerk's words
	Columns Columns `json:"columns,omitzero"`
}

// Blobs returns every blob that d keeps alive.
func (d Document) Blobs() []Blob {
	return present(d.Issuance.Draft, d.Issuance.Signed, d.Issuance.Final, d.Message, d.Source)
}

// Result is one dossier result (kết quả giải quyết thủ tục hành chính) issued as
// a signed PDF. Approved, signed, numbered, sealed and issued are separate facts.
type Result struct {
	ID        ID         `json:"id"`
	Agency    AgencyCode `json:"agency"`
	Version   int        `json:"-"`
	UpdatedAt time.Time  `json:"-"`
	CreatedAt time.Time  `json:"created_at"`
	CreatedBy Actor      `json:"created_by"`
	Form      ResultForm `json:"form"`
	// Token is the unguessable part of the verification address in the QR.
	Token    string   `json:"token"`
	FileName string   `json:"file_name"`
	Issuance Issuance `json:"issuance"`
	// Revoked is set when the agency took the result back, with the reason.
	Revoked      Fact   `json:"revoked,omitzero"`
	RevokeReason string `json:"revoke_reason,omitempty"`
	// Replaces and ReplacedBy link a result to the one issued in its place. A result
	// counts as replaced once its successor is issued.
	Replaces      ID     `json:"replaces,omitempty"`
	ReplaceReason string `json:"replace_reason,omitempty"`
	ReplacedBy    ID     `json:"replaced_by,omitempty"`
}

// Blobs returns every blob that r keeps alive.
func (r Result) Blobs() []Blob {
	return present(r.Issuance.Draft, r.Issuance.Signed, r.Issuance.Final)
}

// ResultForm is what a dossier result says.
type ResultForm struct {
	Dossier       string       `json:"dossier"`        // mã hồ sơ, "H15.50.05.13-261008-0975"
	Procedure     string       `json:"procedure"`      // mã thủ tục, "2.000635"
	ProcedureName string       `json:"procedure_name"` // tên thủ tục
	Owner         string       `json:"owner"`          // chủ hồ sơ
	Kind          DocumentKind `json:"kind"`
	Notation      string       `json:"notation"`
	Subject       string       `json:"subject"`
	Body          string       `json:"body"`   // plain text, a line per paragraph
	Places        []string     `json:"places"` // nơi nhận
	Received      time.Time    `json:"received,omitzero"`
	ValidUntil    time.Time    `json:"valid_until,omitzero"`
}

func present(blobs ...Blob) []Blob {
	var out []Blob
	for _, b := range blobs {
		if !b.IsZero() {
			out = append(out, b)
		}
	}
	return out
}
