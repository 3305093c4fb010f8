package edxml

import (
	"strings"
	"time"
)

// Namespace is the one namespace of the dialect that Write emits.
const Namespace = "http://www.mic.gov.vn/TBT/QCVN_102_2016"

// Kind tells the two sorts of message apart.
type Kind string

// The two sorts of message.
const (
	Edoc   Kind = "edoc"   // carries a document
	Status Kind = "status" // reports what became of one
)

// Dialect names the form in which a message was written.
type Dialect string

// The dialects that Read tells apart. Write emits DialectSDK only.
const (
	DialectSDK  Dialect = "sdk"  // the national axis's client software
	DialectSOAP Dialect = "soap" // the 2014 guide's SOAP envelope (Business, dd/MM/yyyy)
	DialectNone Dialect = "none" // no namespace known to us
)

// Message is one edXML message. The zero value is empty and cannot be written.
// A Message is not safe for concurrent change; its attachments may be opened
// from several goroutines when the source allows that.
type Message struct {
	Kind Kind
	// Dialect is set by Read and ignored by Write.
	Dialect Dialect

	From Organization
	// To has at least one entry in an edoc and none in a status.
	To []Organization
	// DocumentID is the sender's business identifier; its form is not fixed, so
	// it is compared as a whole. Empty in a status, where ResponseFor names it.
	DocumentID   string
	Code         Code
	Promulgation Promulgation
	Type         DocumentType
	Subject      string
	Content      string
	Signer       SignerInfo
	DueDate      time.Time
	Other        OtherInfo
	// ResponseFor are the documents that this one answers, or the one document
	// that a status is about. An empty ResponseFor element is left out.
	ResponseFor []ResponseFor
	Steering    Number
	ToPlaces    []string
	TaskCodes   []string

	// Report is what a status says; nil in an edoc.
	Report *Report

	Trace []TraceHeader
	// Business is nil when the block is absent, which means a new document.
	Business *Business
	// Signature is the XML signature of the envelope as found. It proves nothing
	// and is written back unchanged. Nil when absent.
	Signature *Element

	References  []Reference
	Attachments []Attachment

	// Extra are elements that Read does not know, or whose value it could not
	// understand (a date that is none). They are written back at the end of
	// their parent.
	Extra []Extra
}

// Organization is an agency as a message names it.
type Organization struct {
	OrganID      string
	InCharge     string // cơ quan chủ quản
	Name         string
	Address      string
	Email        string
	Telephone    string
	Fax, Website string
}

// Code is a document's number and notation.
type Code struct{ Number, Notation string }

// String is the full number, "7816/VPCP-TTĐT".
func (c Code) String() string {
	if c.Notation == "" {
		return c.Number
	}
	return c.Number + "/" + c.Notation
}

// Promulgation is where and when a document was issued. Date is midnight of the
// day in Vietnam, in UTC.
type Promulgation struct {
	Place string
	Date  time.Time
}

// DocumentType is the sort of document. Senders fill the numbers carelessly:
// Name counts first.
type DocumentType struct {
	Type   Number
	Detail Number
	Name   string
}

// SignerInfo is the competent person named in the header. It is a statement of
// the sender, not a verified signer.
type SignerInfo struct{ Competence, Position, FullName string }

// OtherInfo holds the secondary facts of a document.
type OtherInfo struct {
	Priority           Number // 0 normal … 4 express at a set hour
	Sphere             string
	TyperNotation      string
	PromulgationAmount Number
	PageAmount         Number
	Direction          Flag
	// ReplyFors and ReferenceCodes are kept as found; their inside is not fixed.
	ReplyFors      *Element
	ReferenceCodes *Element
	Appendixes     []string
}

// ResponseFor names another document by its issuer's identifiers.
type ResponseFor struct {
	OrganID    string
	Code       string // full number
	DocumentID string
	Date       time.Time // midnight of the day in Vietnam, in UTC
}

// IsZero reports whether r names nothing.
func (r ResponseFor) IsZero() bool {
	return r.OrganID == "" && r.Code == "" && r.DocumentID == "" && r.Date.IsZero()
}

// StatusCode is what a receiver, or a sender who takes back, says of a document.
type StatusCode string

// The status codes in use on the national axis.
const (
	StatusArrived        StatusCode = "01" // in the receiver's software
	StatusRefused        StatusCode = "02" // returned, reason in the description
	StatusAccepted       StatusCode = "03" // entered in the register
	StatusAssigned       StatusCode = "04"
	StatusProcessing     StatusCode = "05"
	StatusFinished       StatusCode = "06"
	StatusTakeBack       StatusCode = "13" // the sender asks to take it back
	StatusTakeBackAgreed StatusCode = "15"
	StatusTakeBackDenied StatusCode = "16"
)

// Known reports whether c is one of the codes in use.
func (c StatusCode) Known() bool {
	switch c {
	case StatusArrived, StatusRefused, StatusAccepted, StatusAssigned, StatusProcessing,
		StatusFinished, StatusTakeBack, StatusTakeBackAgreed, StatusTakeBackDenied:
		return true
	}
	return false
}

// Report is the body of a status message.
type Report struct {
	Code        StatusCode
	Description string
	Staff       StaffInfo
	Time        time.Time // UTC, whole seconds
}

// StaffInfo is the person to ask. Telephone numbers are text.
type StaffInfo struct {
	DepartmentID, Department string
	StaffID, Staff           string
	Email, Mobile            string
}

// IsZero reports whether s names nobody.
func (s StaffInfo) IsZero() bool { return s == StaffInfo{} }

// TraceHeader is one hop. OrganID may be empty or wrong in messages from the
// axis. Time is UTC, whole seconds.
type TraceHeader struct {
	OrganID string
	Time    time.Time
}

// BusinessType is what a message does to an earlier document.
type BusinessType int

// The four business types.
const (
	New     BusinessType = 0
	Revoke  BusinessType = 1 // thu hồi
	Update  BusinessType = 2 // cập nhật
	Replace BusinessType = 3 // thay thế
)

// Business is the block that the format spells Bussiness.
type Business struct {
	// DocumentID is the document revoked or updated.
	DocumentID string
	Type       BusinessType
	Reason     string
	Paper      Number // 1: a paper copy follows
	// Update is set for type Update, Replacements for type Replace.
	Update       *UpdateInfo
	Replacements []Replacement
	Staff        StaffInfo
}

// UpdateInfo says what an update changes.
type UpdateInfo struct {
	DocumentInfo     Number // 1: the document's particulars
	DocumentReceiver Number // 1: the receivers
	Receivers        []ReceiverChange
}

// ReceiverChange adds (type 1) or removes (type 0) one receiver.
type ReceiverChange struct {
	OrganID string
	Type    Number
}

// Replacement names a document that this one replaces, and at which agencies.
type Replacement struct {
	DocumentID string
	OrganIDs   []string
}

// BusinessType is the type of m's business block; without a block it is New.
func (m *Message) BusinessType() BusinessType {
	if m.Business == nil {
		return New
	}
	return m.Business.Type
}

// Reference is an entry of the manifest. ContentType is the sender's claim of
// the unwrapped type.
type Reference struct {
	ContentID   string
	ContentType string
	Description string
	Name        string
}

// Extra is an element kept for the way back. Parent is the path of the element
// that holds it, counted from the envelope's parts ("MessageHeader/To[1]").
type Extra struct {
	Parent  string
	Element *Element
}

// Reference returns the manifest entry of an attachment, comparing content
// identifiers without their cid: prefix.
func (m *Message) Reference(a *Attachment) (Reference, bool) {
	want := StripCID(a.ContentID)
	for _, r := range m.References {
		if StripCID(r.ContentID) == want {
			return r, true
		}
	}
	return Reference{}, false
}

// StripCID removes the scheme of a content identifier; producers disagree on it.
func StripCID(id string) string {
	if len(id) >= 4 && strings.EqualFold(id[:4], "cid:") {
		return id[4:]
	}
	return id
}

// Number is an integer that may be absent. The zero value is absent.
type Number struct {
	Value int
	Set   bool
}

// Num returns n as a present Number.
func Num(n int) Number { return Number{Value: n, Set: true} }

// Flag is a truth value that may be absent. The zero value is absent.
type Flag struct {
	Value bool
	Set   bool
}
