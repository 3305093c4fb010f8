package edxml

import (
	"maps"
	"slices"
	"strconv"
)

func sortedKeys(m map[string][]*Element) []string { return slices.Sorted(maps.Keys(m)) }

func (e *emitter) number(name string, n Number) {
	if n.Set {
		e.field(name, strconv.Itoa(n.Value))
	}
}

func (e *emitter) organization(name, path string, o Organization) {
	e.group(name, path, true, func() {
		e.field("OrganId", o.OrganID)
		e.field("OrganizationInCharge", o.InCharge)
		e.field("OrganName", o.Name)
		e.field("OrganAdd", o.Address)
		e.field("Email", o.Email)
		e.field("Telephone", o.Telephone)
		e.field("Fax", o.Fax)
		e.field("Website", o.Website)
	})
}

func (e *emitter) header(m *Message) {
	e.open("edXML:MessageHeader")
	e.organization("From", pathMessage+"/From", m.From)
	for i, o := range m.To {
		e.organization("To", indexed(pathMessage, "To", i+1), o)
	}
	if m.Kind == Status {
		e.report(m)
	} else {
		e.document(m)
	}
	e.kept(pathMessage, "edXML:")
	e.close("edXML:MessageHeader")
}

// document writes the header of an edoc in the SDK's order.
func (e *emitter) document(m *Message) {
	e.field("DocumentId", m.DocumentID)
	e.group("Code", pathMessage+"/Code", m.Code != Code{}, func() {
		e.field("CodeNumber", m.Code.Number)
		e.field("CodeNotation", m.Code.Notation)
	})
	e.group("PromulgationInfo", pathMessage+"/PromulgationInfo", m.Promulgation != Promulgation{}, func() {
		e.field("Place", m.Promulgation.Place)
		e.field("PromulgationDate", formatDate(m.Promulgation.Date))
	})
	e.group("DocumentType", pathMessage+"/DocumentType", m.Type != DocumentType{}, func() {
		e.number("Type", m.Type.Type)
		e.number("TypeDetail", m.Type.Detail)
		e.field("TypeName", m.Type.Name)
	})
	e.field("Subject", m.Subject)
	e.field("Content", m.Content)
	e.group("SignerInfo", pathMessage+"/SignerInfo", m.Signer != SignerInfo{}, func() {
		e.field("Competence", m.Signer.Competence)
		e.field("Position", m.Signer.Position)
		e.field("FullName", m.Signer.FullName)
	})
	e.field("DueDate", formatDate(m.DueDate))
	e.other(m.Other)
	e.responses(m)
	e.number("SteeringType", m.Steering)
	e.list("ToPlaces", "Place", pathMessage+"/ToPlaces", m.ToPlaces)
	e.list("ResponseForTask", "TaskCode", pathMessage+"/ResponseForTask", m.TaskCodes)
}

func (e *emitter) list(name, item, path string, values []string) {
	e.group(name, path, len(values) > 0, func() {
		for _, v := range values {
			e.field(item, v)
		}
	})
}

func (e *emitter) other(o OtherInfo) {
	const path = pathMessage + "/OtherInfo"
	some := o.Priority.Set || o.Sphere != "" || o.TyperNotation != "" || o.PromulgationAmount.Set || o.PageAmount.Set ||
		o.Direction.Set || o.ReplyFors != nil || o.ReferenceCodes != nil || len(o.Appendixes) > 0
	e.group("OtherInfo", path, some, func() {
		e.number("Priority", o.Priority)
		e.field("SphereOfPromulgation", o.Sphere)
		e.field("TyperNotation", o.TyperNotation)
		e.number("PromulgationAmount", o.PromulgationAmount)
		e.number("PageAmount", o.PageAmount)
		if o.Direction.Set {
			e.field("Direction", strconv.FormatBool(o.Direction.Value))
		}
		for _, x := range []*Element{o.ReplyFors, o.ReferenceCodes} {
			if x != nil {
				e.element(x, "edXML:", Namespace, 0)
			}
		}
		e.list("Appendixes", "Appendix", path+"/Appendixes", o.Appendixes)
	})
}

// responses keeps the SDK's order of children: identifier before date.
func (e *emitter) responses(m *Message) {
	for i, r := range m.ResponseFor {
		path := indexed(pathMessage, "ResponseFor", i+1)
		e.group("ResponseFor", path, !r.IsZero(), func() {
			e.field("OrganId", r.OrganID)
			e.field("Code", r.Code)
			e.field("DocumentId", r.DocumentID)
			e.field("PromulgationDate", formatDate(r.Date))
		})
	}
}

func (e *emitter) report(m *Message) {
	e.responses(m)
	e.staff(m.Report.Staff, pathMessage+"/StaffInfo")
	e.field("StatusCode", string(m.Report.Code))
	e.field("Description", m.Report.Description)
	e.field("Timestamp", formatStamp(m.Report.Time))
}

func (e *emitter) staff(s StaffInfo, path string) {
	e.group("StaffInfo", path, !s.IsZero(), func() {
		e.field("DepartmentId", s.DepartmentID)
		e.field("Department", s.Department)
		e.field("StaffId", s.StaffID)
		e.field("Staff", s.Staff)
		e.field("Email", s.Email)
		e.field("Mobile", s.Mobile)
	})
}

func (e *emitter) trace(m *Message) {
	e.group("TraceHeaderList", pathTrace, len(m.Trace) > 0 || m.Business != nil, func() {
		for i, h := range m.Trace {
			e.group("TraceHeader", indexed(pathTrace, "TraceHeader", i+1), true, func() {
				e.field("OrganId", h.OrganID)
				e.field("Timestamp", formatStamp(h.Time))
			})
		}
		if m.Business != nil {
			e.business(m.Business)
		}
	})
}

func (e *emitter) business(b *Business) {
	e.group("Bussiness", pathBusiness, true, func() {
		e.field("DocumentId", b.DocumentID)
		e.field("BussinessDocType", strconv.Itoa(int(b.Type)))
		e.field("BussinessDocReason", b.Reason)
		e.number("Paper", b.Paper)
		e.update(b.Update)
		e.replacements(b.Replacements)
		e.staff(b.Staff, pathBusiness+"/StaffInfo")
	})
}

func (e *emitter) update(u *UpdateInfo) {
	if u == nil {
		return
	}
	const path = pathBusiness + "/BussinessDocumentInfo"
	e.group("BussinessDocumentInfo", path, true, func() {
		e.number("DocumentInfo", u.DocumentInfo)
		e.number("DocumentReceiver", u.DocumentReceiver)
		e.group("ReceiverList", path+"/ReceiverList", len(u.Receivers) > 0, func() {
			for i, r := range u.Receivers {
				e.group("Receiver", indexed(path+"/ReceiverList", "Receiver", i+1), true, func() {
					e.field("OrganId", r.OrganID)
					e.number("ReceiverType", r.Type)
				})
			}
		})
	})
}

func (e *emitter) replacements(list []Replacement) {
	const path = pathBusiness + "/ReplacementInfoList"
	e.group("ReplacementInfoList", path, len(list) > 0, func() {
		for i, r := range list {
			at := indexed(path, "ReplacementInfo", i+1)
			e.group("ReplacementInfo", at, true, func() {
				e.field("DocumentId", r.DocumentID)
				e.list("OrganIdList", "OrganId", at+"/OrganIdList", r.OrganIDs)
			})
		}
	})
}
