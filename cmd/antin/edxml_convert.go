package main

import (
	"antin/exchange/edxml"
)

// newMessageJSON is m without what only reading its attachments tells.
func newMessageJSON(m *edxml.Message) *messageJSON {
	o := m.Other
	j := &messageJSON{
		Kind: m.Kind, Dialect: m.Dialect, From: organizationJSON(m.From), To: each(m.To, func(o edxml.Organization) organizationJSON { return organizationJSON(o) }),
		DocumentID: m.DocumentID, Code: codeJSON(m.Code), Promulgation: promulgationJSON{m.Promulgation.Place, day{m.Promulgation.Date}},
		Type:    documentTypeJSON{number(m.Type.Type), number(m.Type.Detail), m.Type.Name},
		Subject: m.Subject, Content: m.Content, Signer: signerJSON(m.Signer), DueDate: day{m.DueDate},
		Other: otherJSON{Priority: number(o.Priority), Sphere: o.Sphere, TyperNotation: o.TyperNotation, PromulgationAmount: number(o.PromulgationAmount),
			PageAmount: number(o.PageAmount), ReplyFors: newElementJSON(o.ReplyFors), ReferenceCodes: newElementJSON(o.ReferenceCodes), Appendixes: o.Appendixes},
		ResponseFor: each(m.ResponseFor, func(f edxml.ResponseFor) responseForJSON {
			return responseForJSON{f.OrganID, f.Code, f.DocumentID, day{f.Date}}
		}),
		Steering: number(m.Steering), ToPlaces: m.ToPlaces, TaskCodes: m.TaskCodes, Business: newBusinessJSON(m.Business),
		Trace:      each(m.Trace, func(h edxml.TraceHeader) traceJSON { return traceJSON(h) }),
		Signature:  newElementJSON(m.Signature),
		References: each(m.References, func(r edxml.Reference) referenceJSON { return referenceJSON(r) }),
		Extra:      each(m.Extra, func(x edxml.Extra) extraJSON { return extraJSON{x.Parent, newElementJSON(x.Element)} }),
	}
	if o.Direction.Set {
		j.Other.Direction = &o.Direction.Value
	}
	if r := m.Report; r != nil {
		j.Status = &statusJSON{r.Code, r.Description, staffJSON(r.Staff), r.Time}
	}
	for _, a := range m.Attachments {
		j.Attachments = append(j.Attachments, attachmentJSON{ContentID: a.ContentID, Name: a.Name, Description: a.Description,
			ContentType: a.ContentType, Wrapped: a.Wrapped})
	}
	return j
}

func newBusinessJSON(b *edxml.Business) *businessJSON {
	if b == nil {
		return nil
	}
	j := &businessJSON{Type: int(b.Type), DocumentID: b.DocumentID, Reason: b.Reason, Paper: number(b.Paper), Staff: staffJSON(b.Staff),
		Replacements: each(b.Replacements, func(r edxml.Replacement) replacementJSON { return replacementJSON(r) })}
	if u := b.Update; u != nil {
		j.Update = &updateJSON{number(u.DocumentInfo), number(u.DocumentReceiver),
			each(u.Receivers, func(r edxml.ReceiverChange) receiverChangeJSON { return receiverChangeJSON{r.OrganID, number(r.Type)} })}
	}
	return j
}

func newElementJSON(e *edxml.Element) *elementJSON {
	if e == nil {
		return nil
	}
	return &elementJSON{e.Space, e.Name, each(e.Attrs, func(a edxml.Attr) attrJSON { return attrJSON(a) }), e.Text, each(e.Children, newElementJSON)}
}

// message is the message that j describes, without attachments.
func (j *messageJSON) message() *edxml.Message {
	o := j.Other
	m := &edxml.Message{
		Kind: j.Kind, From: edxml.Organization(j.From), To: each(j.To, func(o organizationJSON) edxml.Organization { return edxml.Organization(o) }),
		DocumentID: j.DocumentID, Code: edxml.Code(j.Code), Promulgation: edxml.Promulgation{Place: j.Promulgation.Place, Date: j.Promulgation.Date.Time},
		Type:    edxml.DocumentType{Type: edxml.Number(j.Type.Type), Detail: edxml.Number(j.Type.Detail), Name: j.Type.Name},
		Subject: j.Subject, Content: j.Content, Signer: edxml.SignerInfo(j.Signer), DueDate: j.DueDate.Time,
		Other: edxml.OtherInfo{Priority: edxml.Number(o.Priority), Sphere: o.Sphere, TyperNotation: o.TyperNotation,
			PromulgationAmount: edxml.Number(o.PromulgationAmount), PageAmount: edxml.Number(o.PageAmount),
			ReplyFors: o.ReplyFors.element(), ReferenceCodes: o.ReferenceCodes.element(), Appendixes: o.Appendixes},
		ResponseFor: each(j.ResponseFor, func(f responseForJSON) edxml.ResponseFor {
			return edxml.ResponseFor{OrganID: f.OrganID, Code: f.Code, DocumentID: f.DocumentID, Date: f.Date.Time}
		}),
		Steering: edxml.Number(j.Steering), ToPlaces: j.ToPlaces, TaskCodes: j.TaskCodes, Business: j.Business.business(),
		Trace:      each(j.Trace, func(h traceJSON) edxml.TraceHeader { return edxml.TraceHeader(h) }),
		Signature:  j.Signature.element(),
		References: each(j.References, func(r referenceJSON) edxml.Reference { return edxml.Reference(r) }),
		Extra:      each(j.Extra, func(x extraJSON) edxml.Extra { return edxml.Extra{Parent: x.Parent, Element: x.Element.element()} }),
	}
	if o.Direction != nil {
		m.Other.Direction = edxml.Flag{Value: *o.Direction, Set: true}
	}
	if s := j.Status; s != nil {
		m.Report = &edxml.Report{Code: s.Code, Description: s.Description, Staff: edxml.StaffInfo(s.Staff), Time: s.Time.UTC()}
	}
	return m
}

func (j *businessJSON) business() *edxml.Business {
	if j == nil {
		return nil
	}
	b := &edxml.Business{Type: edxml.BusinessType(j.Type), DocumentID: j.DocumentID, Reason: j.Reason, Paper: edxml.Number(j.Paper),
		Staff: edxml.StaffInfo(j.Staff), Replacements: each(j.Replacements, func(r replacementJSON) edxml.Replacement { return edxml.Replacement(r) })}
	if u := j.Update; u != nil {
		b.Update = &edxml.UpdateInfo{DocumentInfo: edxml.Number(u.DocumentInfo), DocumentReceiver: edxml.Number(u.DocumentReceiver),
			Receivers: each(u.Receivers, func(r receiverChangeJSON) edxml.ReceiverChange {
				return edxml.ReceiverChange{OrganID: r.OrganID, Type: edxml.Number(r.Type)}
			})}
	}
	return b
}

func (j *elementJSON) element() *edxml.Element {
	if j == nil {
		return nil
	}
	return &edxml.Element{Space: j.Space, Name: j.Name, Attrs: each(j.Attrs, func(a attrJSON) edxml.Attr { return edxml.Attr(a) }),
		Text: j.Text, Children: each(j.Children, (*elementJSON).element)}
}

// each is list with convert applied to every entry; nil stays nil.
func each[A, B any](list []A, convert func(A) B) []B {
	if list == nil {
		return nil
	}
	out := make([]B, len(list))
	for i, a := range list {
		out[i] = convert(a)
	}
	return out
}
