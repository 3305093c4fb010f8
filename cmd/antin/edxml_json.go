package main

import (
	"encoding/json"
	"time"

	"antin/exchange/edxml"
	"antin/internal/text"
)

// messageJSON is an edXML message as `antin edxml` shows it, writes it beside unpacked
// files and packs it again. Its keys are the format's own words in snake_case; what a
// message does not say is left out. Dates are days in Vietnam, times carry their zone.
type messageJSON struct {
	Kind         edxml.Kind         `json:"kind"`
	Dialect      edxml.Dialect      `json:"dialect,omitempty"` // as read; packing writes one dialect only
	From         organizationJSON   `json:"from"`
	To           []organizationJSON `json:"to,omitempty"`
	DocumentID   string             `json:"document_id,omitempty"`
	Code         codeJSON           `json:"code,omitzero"`
	Promulgation promulgationJSON   `json:"promulgation,omitzero"`
	Type         documentTypeJSON   `json:"document_type,omitzero"`
	Subject      string             `json:"subject,omitempty"`
	Content      string             `json:"content,omitempty"`
	Signer       signerJSON         `json:"signer,omitzero"`
	DueDate      day                `json:"due_date,omitzero"`
	Other        otherJSON          `json:"other,omitzero"`
	ResponseFor  []responseForJSON  `json:"response_for,omitempty"`
	Steering     number             `json:"steering,omitzero"`
	ToPlaces     []string           `json:"to_places,omitempty"`
	TaskCodes    []string           `json:"task_codes,omitempty"`
	Status       *statusJSON        `json:"status,omitempty"`
	Trace        []traceJSON        `json:"trace,omitempty"`
	Business     *businessJSON      `json:"business,omitempty"`
	Signature    *elementJSON       `json:"signature,omitempty"`
	References   []referenceJSON    `json:"references,omitempty"`
	Attachments  []attachmentJSON   `json:"attachments,omitempty"`
	Extra        []extraJSON        `json:"extra,omitempty"`
}

type organizationJSON struct {
	OrganID   string `json:"organ_id"`
	InCharge  string `json:"in_charge,omitempty"`
	Name      string `json:"name,omitempty"`
	Address   string `json:"address,omitempty"`
	Email     string `json:"email,omitempty"`
	Telephone string `json:"telephone,omitempty"`
	Fax       string `json:"fax,omitempty"`
	Website   string `json:"website,omitempty"`
}

type codeJSON struct {
	Number   string `json:"number"`
	Notation string `json:"notation,omitempty"`
}

type promulgationJSON struct {
	Place string `json:"place,omitempty"`
	Date  day    `json:"date,omitzero"`
}

type documentTypeJSON struct {
	Type   number `json:"type,omitzero"`
	Detail number `json:"detail,omitzero"`
	Name   string `json:"name,omitempty"`
}

type signerJSON struct {
	Competence string `json:"competence,omitempty"`
	Position   string `json:"position,omitempty"`
	FullName   string `json:"full_name,omitempty"`
}

type otherJSON struct {
	Priority           number       `json:"priority,omitzero"`
	Sphere             string       `json:"sphere,omitempty"`
	TyperNotation      string       `json:"typer_notation,omitempty"`
	PromulgationAmount number       `json:"promulgation_amount,omitzero"`
	PageAmount         number       `json:"page_amount,omitzero"`
	Direction          *bool        `json:"direction,omitempty"`
	ReplyFors          *elementJSON `json:"reply_fors,omitempty"`
	ReferenceCodes     *elementJSON `json:"reference_codes,omitempty"`
	Appendixes         []string     `json:"appendixes,omitempty"`
}

type responseForJSON struct {
	OrganID    string `json:"organ_id,omitempty"`
	Code       string `json:"code,omitempty"`
	DocumentID string `json:"document_id,omitempty"`
	Date       day    `json:"date,omitzero"`
}

type statusJSON struct {
	Code        edxml.StatusCode `json:"code"`
	Description string           `json:"description,omitempty"`
	Staff       staffJSON        `json:"staff,omitzero"`
	Time        time.Time        `json:"time,omitzero"`
}

type staffJSON struct {
	DepartmentID string `json:"department_id,omitempty"`
	Department   string `json:"department,omitempty"`
	StaffID      string `json:"staff_id,omitempty"`
	Staff        string `json:"staff,omitempty"`
	Email        string `json:"email,omitempty"`
	Mobile       string `json:"mobile,omitempty"`
}

type traceJSON struct {
	OrganID string    `json:"organ_id"`
	Time    time.Time `json:"time,omitzero"`
}

type businessJSON struct {
	Type         int               `json:"type"` // 0 new, 1 revoke, 2 update, 3 replace
	DocumentID   string            `json:"document_id,omitempty"`
	Reason       string            `json:"reason,omitempty"`
	Paper        number            `json:"paper,omitzero"`
	Update       *updateJSON       `json:"update,omitempty"`
	Replacements []replacementJSON `json:"replacements,omitempty"`
	Staff        staffJSON         `json:"staff,omitzero"`
}

type updateJSON struct {
	DocumentInfo     number               `json:"document_info,omitzero"`
	DocumentReceiver number               `json:"document_receiver,omitzero"`
	Receivers        []receiverChangeJSON `json:"receivers,omitempty"`
}

type receiverChangeJSON struct {
	OrganID string `json:"organ_id"`
	Type    number `json:"type,omitzero"`
}

type replacementJSON struct {
	DocumentID string   `json:"document_id"`
	OrganIDs   []string `json:"organ_ids,omitempty"`
}

type referenceJSON struct {
	ContentID   string `json:"content_id"`
	ContentType string `json:"content_type,omitempty"`
	Description string `json:"description,omitempty"`
	Name        string `json:"name,omitempty"`
}

// attachmentJSON is one file. File is where it lies beside the header, and the only
// thing of it, besides name, that packing needs; what follows it is found by reading.
type attachmentJSON struct {
	ContentID   string `json:"content_id,omitempty"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	File        string `json:"file,omitempty"`

	Bytes     int64         `json:"bytes,omitempty"`
	SHA256    string        `json:"sha256,omitempty"`
	MediaType string        `json:"media_type,omitempty"` // by its first bytes
	Wrapped   bool          `json:"wrapped,omitempty"`
	Destroyed *text.Message `json:"destroyed,omitempty"` // why it cannot be what was sent
}

type extraJSON struct {
	Parent  string       `json:"parent"`
	Element *elementJSON `json:"element"`
}

// elementJSON is an XML element that is only kept.
type elementJSON struct {
	Space    string         `json:"space,omitempty"`
	Name     string         `json:"name"`
	Attrs    []attrJSON     `json:"attrs,omitempty"`
	Text     string         `json:"text,omitempty"`
	Children []*elementJSON `json:"children,omitempty"`
}

type attrJSON struct {
	Space string `json:"space,omitempty"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// number is an integer that may be absent: the zero value is.
type number edxml.Number

// IsZero reports whether the number is absent.
func (n number) IsZero() bool { return !n.Set }

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) { return json.Marshal(n.Value) }

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	n.Set = string(b) != "null"
	return json.Unmarshal(b, &n.Value)
}

// day is a date as messages carry it: midnight in Vietnam.
type day struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (d day) MarshalJSON() ([]byte, error) {
	return json.Marshal(edxml.Local(d.Time).Format(time.DateOnly))
}

// UnmarshalJSON implements json.Unmarshaler. It takes the forms seen in messages.
func (d *day) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	t, ok := edxml.ParseTime(s)
	if !ok && s != "" {
		return text.Detailed(text.InvalidInput, nil, "edxml.cmd.date", s)
	}
	d.Time = t
	return nil
}
