package edxml

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"

	"antin/internal/text"
)

// WriteOptions are the freedoms of the dialect. The zero value is what the
// national axis's software does.
type WriteOptions struct {
	// Raw leaves attachments as they are instead of wrapping each in a ZIP archive.
	Raw bool
	// MaxAttachment bounds one attachment, in bytes; 0 means the package's default.
	MaxAttachment int64
}

// Write writes m in the dialect of the national axis. The same message gives the
// same bytes. Attachments stream through; on an error w holds part of a message.
//
// An incomplete or unwritable message is invalid-input and names what is wrong, an
// attachment past its bound is too-large; other errors are w's or an attachment's.
func Write(w io.Writer, m *Message, o WriteOptions) error {
	if err := writable(m); err != nil {
		return err
	}
	if o.MaxAttachment <= 0 {
		o.MaxAttachment = MaxAttachment
	}
	e := newEmitter(w, m.Extra)
	e.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	e.open(`edXML xmlns="` + Namespace + `"`)
	e.open(`edXML:edXMLEnvelope xmlns:edXML="` + Namespace + `"`)
	e.open("edXML:edXMLHeader")
	e.header(m)
	e.trace(m)
	if m.Signature != nil {
		e.element(m.Signature, "", Namespace, 0)
	}
	e.kept(pathHeader, "edXML:")
	e.close("edXML:edXMLHeader")
	attachments := withContentIDs(m)
	e.body(m, attachments)
	e.kept(pathEnvelope, "edXML:")
	e.close("edXML:edXMLEnvelope")
	if err := e.attachmentsOf(attachments, o); err != nil {
		return err
	}
	e.rootExtras()
	e.close("edXML")
	return e.flush()
}

// writable refuses a message that its receiver could not use.
func writable(m *Message) error {
	missing := func(name string) error {
		return text.Detailed(text.InvalidInput, nil, keyWriteMissing, name)
	}
	switch {
	case m.From.OrganID == "":
		return missing("From/OrganId")
	case m.Kind == Status && (m.Report == nil || len(m.ResponseFor) == 0):
		return missing("ResponseFor")
	case m.Kind == Status && !m.Report.Code.Known():
		return text.Detailed(text.InvalidInput, nil, keyWriteStatus, string(m.Report.Code))
	case m.Kind == Status:
		return nil
	case m.Kind != Edoc:
		return missing("MessageHeader")
	case len(m.To) == 0:
		return missing("To")
	case m.DocumentID == "":
		return missing("DocumentId")
	}
	for _, to := range m.To {
		if to.OrganID == "" {
			return missing("To/OrganId")
		}
	}
	seen := map[string]bool{}
	for _, a := range m.Attachments {
		id := StripCID(a.ContentID)
		if id != "" && seen[id] {
			return text.Detailed(text.InvalidInput, nil, keyWriteTwice, id)
		}
		seen[id] = true
	}
	return nil
}

// withContentIDs returns the attachments with identifiers where they had none,
// made from the document so that writing twice gives the same.
func withContentIDs(m *Message) []Attachment {
	out := make([]Attachment, len(m.Attachments))
	for i, a := range m.Attachments {
		if a.ContentID == "" {
			a.ContentID = "cid:" + madeUUID("content", m.From.OrganID, m.DocumentID, strconv.Itoa(i), a.Name)
		}
		out[i] = a
	}
	return out
}

// madeUUID is a UUID of version 8 (RFC 9562, 5.8) over its arguments.
func madeUUID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
	}
	u := h.Sum(nil)[:16]
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80
	s := hex.EncodeToString(u)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// body writes the manifest. Without references of its own an edoc gets one for
// each attachment; a status has no body.
func (e *emitter) body(m *Message, attachments []Attachment) {
	refs := m.References
	if len(refs) == 0 {
		for _, a := range attachments {
			refs = append(refs, Reference{ContentID: a.ContentID, ContentType: a.ContentType, Description: a.Description, Name: a.Name})
		}
	}
	if m.Kind != Edoc && len(refs) == 0 && !e.holds(pathBody) && !e.holds(pathManifest) {
		return
	}
	e.open("edXML:edXMLBody")
	e.open(`edXML:edXMLManifest version="1.0"`)
	for i, r := range refs {
		e.group("Reference", indexed(pathManifest, "Reference", i+1), true, func() {
			e.field("ContentId", r.ContentID)
			e.field("ContentType", r.ContentType)
			e.field("Description", r.Description)
			e.field("AttachmentName", r.Name)
		})
	}
	e.kept(pathManifest, "edXML:")
	e.close("edXML:edXMLManifest")
	e.kept(pathBody, "edXML:")
	e.close("edXML:edXMLBody")
}

// rootExtras writes what is kept at the root, and last what stood in a place
// that this message does not have.
func (e *emitter) rootExtras() {
	e.kept(pathRoot, "")
	for _, path := range sortedKeys(e.extra) {
		e.kept(path, "")
	}
}
