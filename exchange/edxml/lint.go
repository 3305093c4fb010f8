package edxml

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"antin/internal/text"
)

// Severity is how much a finding matters.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"   // receivers are right to refuse
	SeverityWarning Severity = "warning" // some receivers refuse or misread it
	SeverityInfo    Severity = "info"    // good to know
)

// Finding is one thing that Lint has to say.
type Finding struct {
	Path     string       `json:"path"` // of the element concerned
	Line     int          `json:"line,omitempty"`
	Severity Severity     `json:"severity"`
	Code     text.Key     `json:"code"`
	Message  text.Message `json:"message"`
}

// The lengths past which one vendor's receiver refuses, in characters.
const (
	lintSubject  = 500
	lintAppendix = 250
	lintPlace    = 150
	lintID       = 255
)

// Lint reports what is wrong or unusual in a message that could be read, in the
// order of the message. It opens no attachment.
func Lint(m *Message) []Finding {
	l := &linter{m: m}
	l.form()
	l.addresses()
	if m.Kind == Status {
		l.status()
	} else {
		l.document()
	}
	l.routing()
	l.files()
	l.extras()
	return l.found
}

type linter struct {
	m     *Message
	found []Finding
}

func (l *linter) add(path string, s Severity, key text.Key, args ...any) {
	l.found = append(l.found, Finding{Path: path, Severity: s, Code: key, Message: text.Get(key, args...)})
}

func (l *linter) missing(path string, s Severity, absent bool) {
	if absent {
		l.add(path, s, "edxml.lint.missing", path[strings.LastIndexByte(path, '/')+1:])
	}
}

func (l *linter) long(path, value string, most int) {
	if n := utf8.RuneCountInString(value); n > most {
		l.add(path, SeverityWarning, "edxml.lint.long", n, most)
	}
}

func (l *linter) form() {
	if l.m.Dialect != "" && l.m.Dialect != DialectSDK {
		l.add(pathRoot, SeverityWarning, "edxml.lint.dialect")
	}
	if l.m.Signature != nil {
		l.add(pathHeader+"/Signature", SeverityInfo, "edxml.lint.signature")
	}
}

func (l *linter) addresses() {
	l.missing(pathMessage+"/From/OrganName", SeverityWarning, l.m.From.Name == "")
	seen := map[string]bool{}
	for i, to := range l.m.To {
		path := indexed(pathMessage, "To", i+1)
		l.missing(path+"/OrganId", SeverityError, to.OrganID == "")
		if to.OrganID != "" && seen[to.OrganID] {
			l.add(path+"/OrganId", SeverityError, "edxml.lint.receiver-twice", to.OrganID)
		}
		seen[to.OrganID] = true
	}
}

func (l *linter) document() {
	m := l.m
	l.missing(pathMessage+"/DocumentId", SeverityError, m.DocumentID == "")
	l.long(pathMessage+"/DocumentId", m.DocumentID, lintID)
	l.missing(pathMessage+"/Code/CodeNumber", SeverityWarning, m.Code.Number == "")
	l.missing(pathMessage+"/Code/CodeNotation", SeverityWarning, m.Code.Notation == "")
	l.missing(pathMessage+"/PromulgationInfo/PromulgationDate", SeverityWarning, m.Promulgation.Date.IsZero())
	l.missing(pathMessage+"/Subject", SeverityError, m.Subject == "")
	l.long(pathMessage+"/Subject", m.Subject, lintSubject)
	l.long(pathMessage+"/Content", m.Content, lintSubject)
	l.documentType()
	for i, a := range m.Other.Appendixes {
		l.long(indexed(pathMessage+"/OtherInfo/Appendixes", "Appendix", i+1), a, lintAppendix)
	}
	for i, p := range m.ToPlaces {
		l.long(indexed(pathMessage+"/ToPlaces", "Place", i+1), p, lintPlace)
	}
}

// typeNames are the administrative kinds whose codes the standard's annex fixes.
var typeNames = map[int]string{
	1: "nghị quyết", 2: "quyết định", 3: "chỉ thị", 4: "quy chế", 5: "quy định", 6: "thông cáo", 7: "thông báo",
	8: "hướng dẫn", 9: "chương trình", 18: "công văn", 19: "công điện", 20: "bản ghi nhớ", 25: "giấy mời", 26: "giấy giới thiệu",
}

func (l *linter) documentType() {
	t := l.m.Type
	l.missing(pathMessage+"/DocumentType/TypeName", SeverityWarning, t.Name == "")
	want, known := typeNames[t.Type.Value]
	if t.Type.Set && known && t.Name != "" && !strings.HasPrefix(strings.ToLower(t.Name), want) {
		l.add(pathMessage+"/DocumentType", SeverityWarning, "edxml.lint.type", t.Name, t.Type.Value)
	}
}

func (l *linter) status() {
	m, r := l.m, l.m.Report
	l.missing(pathMessage+"/ResponseFor", SeverityError, len(m.ResponseFor) == 0)
	for i, f := range m.ResponseFor {
		path := indexed(pathMessage, "ResponseFor", i+1)
		l.missing(path+"/OrganId", SeverityError, f.OrganID == "")
		l.missing(path+"/DocumentId", SeverityWarning, f.DocumentID == "")
	}
	if !r.Code.Known() {
		l.add(pathMessage+"/StatusCode", SeverityError, "edxml.lint.status", string(r.Code))
	}
	reason := r.Code == StatusRefused || r.Code == StatusTakeBack || r.Code == StatusTakeBackDenied
	if reason && r.Description == "" {
		l.add(pathMessage+"/Description", SeverityError, "edxml.lint.reason", string(r.Code))
	}
	l.missing(pathMessage+"/Timestamp", SeverityWarning, r.Time.IsZero())
}

func (l *linter) routing() {
	for i, h := range l.m.Trace {
		if h.OrganID == "" || h.OrganID == "null" {
			l.add(indexed(pathTrace, "TraceHeader", i+1)+"/OrganId", SeverityInfo, "edxml.lint.trace")
		}
	}
	b := l.m.Business
	if b == nil {
		return
	}
	if b.Type < New || b.Type > Replace {
		l.add(pathBusiness+"/BussinessDocType", SeverityError, "edxml.lint.business", int(b.Type))
	}
	targeted := b.DocumentID != "" || len(l.m.ResponseFor) > 0
	if (b.Type == Revoke || b.Type == Update) && !targeted {
		l.add(pathBusiness+"/DocumentId", SeverityError, "edxml.lint.business-target")
	}
	l.missing(pathBusiness+"/BussinessDocumentInfo", SeverityWarning, b.Type == Update && b.Update == nil)
	l.missing(pathBusiness+"/ReplacementInfoList", SeverityWarning, b.Type == Replace && len(b.Replacements) == 0)
}

func (l *linter) files() {
	attached := map[string]bool{}
	for i := range l.m.Attachments {
		a := &l.m.Attachments[i]
		attached[StripCID(a.ContentID)] = true
		path := indexed(pathAttachments, "Attachment", i+1)
		if _, ok := l.m.Reference(a); !ok && len(l.m.References) > 0 {
			l.add(path, SeverityWarning, "edxml.lint.no-reference", a.Name)
		}
		l.missing(path+"/AttachmentName", SeverityWarning, a.Name == "")
		if a.PayloadSize > 0 && !a.Wrapped {
			l.add(path, SeverityInfo, "edxml.lint.raw", a.Name)
		}
	}
	for i, r := range l.m.References {
		if !attached[StripCID(r.ContentID)] {
			l.add(indexed(pathManifest, "Reference", i+1), SeverityError, "edxml.lint.no-attachment", r.ContentID)
		}
	}
}

// extras tells elements that are unknown from known ones with a strange value.
func (l *linter) extras() {
	for _, x := range l.m.Extra {
		f := Finding{Path: fmt.Sprintf("%s/%s", x.Parent, x.Element.Name), Line: x.Element.Line, Severity: SeverityInfo, Code: "edxml.lint.unknown"}
		f.Message = text.Get(f.Code, x.Element.Name)
		if valued[canonical(x.Element.Name)] {
			f.Severity, f.Code = SeverityWarning, "edxml.lint.value"
			f.Message = text.Get(f.Code, visible([]byte(x.Element.Text)))
		}
		l.found = append(l.found, f)
	}
}

// valued are the elements that Read keeps only when it cannot understand them.
var valued = map[string]bool{
	"PromulgationDate": true, "DueDate": true, "Timestamp": true, "Type": true, "TypeDetail": true, "Priority": true,
	"PromulgationAmount": true, "PageAmount": true, "Direction": true, "SteeringType": true, "BussinessDocType": true,
	"Paper": true, "DocumentInfo": true, "DocumentReceiver": true, "ReceiverType": true,
}
