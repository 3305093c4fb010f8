package edxml

import (
	"fmt"
	"strconv"
	"time"
)

// field reads one known child. A known child that may stand once is refused when
// it stands twice, since programs disagree on which one counts.
type field struct {
	many bool
	read func(*Element) error
}

// fields are the known children of an element by canonical name.
type fields map[string]field

func one(read func(*Element) error) field  { return field{read: read} }
func many(read func(*Element) error) field { return field{many: true, read: read} }

// fields reads e's children; what is not known is kept under path.
func (d *decoder) fields(e *Element, path string, known fields) error {
	seen := map[string]bool{}
	for _, c := range e.Children {
		name := canonical(c.Name)
		f, ok := known[name]
		if !ok {
			d.keep(path, c)
			continue
		}
		if seen[name] && !f.many {
			return malformedAt(c.Line, c.prefixed, keyTwice)
		}
		seen[name] = true
		before := len(d.m.Extra)
		if err := f.read(c); err != nil {
			return err
		}
		// What a reader could not understand it kept without knowing its place.
		for i := before; i < len(d.m.Extra); i++ {
			if d.m.Extra[i].Parent == "" {
				d.m.Extra[i].Parent = path
			}
		}
	}
	return nil
}

func (d *decoder) keep(path string, e *Element) { d.m.Extra = append(d.m.Extra, Extra{path, e}) }

func indexed(path, name string, n int) string { return fmt.Sprintf("%s/%s[%d]", path, name, n) }

// leaf calls read with the text of an element without children; an element with
// children, or one that read does not understand, is kept as found.
func (d *decoder) leaf(read func(s string) bool) field {
	return one(func(e *Element) error {
		if len(e.Children) > 0 || e.Text != "" && !read(e.Text) {
			d.keep("", e)
		}
		return nil
	})
}

func (d *decoder) text(to *string) field {
	return d.leaf(func(s string) bool { *to = s; return true })
}

func (d *decoder) texts(to *[]string) field {
	f := d.leaf(func(s string) bool { *to = append(*to, s); return true })
	f.many = true
	return f
}

func (d *decoder) number(to *Number) field {
	return d.leaf(func(s string) bool {
		n, err := strconv.ParseInt(s, 10, 32)
		if err == nil {
			*to = Num(int(n))
		}
		return err == nil
	})
}

func (d *decoder) flag(to *Flag) field {
	return d.leaf(func(s string) bool {
		switch s {
		case "true", "1":
			*to = Flag{true, true}
		case "false", "0":
			*to = Flag{false, true}
		default:
			return false
		}
		return true
	})
}

func (d *decoder) time(to *time.Time) field {
	return d.leaf(func(s string) (ok bool) {
		t, ok := ParseTime(s)
		*to = t
		return ok
	})
}

func (d *decoder) organization(o *Organization, path string) field {
	return one(func(e *Element) error {
		return d.fields(e, path, fields{
			"OrganId": d.text(&o.OrganID), "OrganizationInCharge": d.text(&o.InCharge),
			"OrganName": d.text(&o.Name), "OrganAdd": d.text(&o.Address), "Email": d.text(&o.Email),
			"Telephone": d.text(&o.Telephone), "Fax": d.text(&o.Fax), "Website": d.text(&o.Website),
		})
	})
}

// header reads the MessageHeader of both kinds; a status code tells them apart.
func (d *decoder) header(e *Element) error {
	m := d.m
	var report Report
	known := d.documentFields()
	known["From"] = d.organization(&m.From, pathMessage+"/From")
	known["To"] = many(func(c *Element) error {
		var o Organization
		err := d.organization(&o, indexed(pathMessage, "To", len(m.To)+1)).read(c)
		m.To = append(m.To, o)
		return err
	})
	known["ResponseFor"] = many(d.response)
	known["StaffInfo"] = d.staff(&report.Staff, pathMessage+"/StaffInfo")
	known["StatusCode"] = d.text((*string)(&report.Code))
	known["Description"] = d.text(&report.Description)
	known["Timestamp"] = d.time(&report.Time)
	if err := d.fields(e, pathMessage, known); err != nil {
		return err
	}
	m.Kind = Edoc
	if report != (Report{}) {
		m.Kind, m.Report = Status, &report
	}
	return d.required(e)
}

// required refuses a message that cannot be attributed or answered.
func (d *decoder) required(e *Element) error {
	switch m := d.m; {
	case m.From.OrganID == "":
		return malformedAt(e.Line, e.prefixed, keyMissing, "From/OrganId")
	case m.Kind == Edoc && len(m.To) == 0:
		return malformedAt(e.Line, e.prefixed, keyMissing, "To/OrganId")
	case m.Kind == Status && m.Report.Code == "":
		return malformedAt(e.Line, e.prefixed, keyMissing, "StatusCode")
	}
	return nil
}

func (d *decoder) documentFields() fields {
	m := d.m
	return fields{
		"DocumentId": d.text(&m.DocumentID),
		"Code": one(func(c *Element) error {
			return d.fields(c, pathMessage+"/Code", fields{
				"CodeNumber": d.text(&m.Code.Number), "CodeNotation": d.text(&m.Code.Notation)})
		}),
		"PromulgationInfo": one(func(c *Element) error {
			date := d.time(&m.Promulgation.Date)
			return d.fields(c, pathMessage+"/PromulgationInfo", fields{
				"Place": d.text(&m.Promulgation.Place), "PromulgationDate": date, "Date": date})
		}),
		"DocumentType": one(func(c *Element) error {
			return d.fields(c, pathMessage+"/DocumentType", fields{
				"Type": d.number(&m.Type.Type), "TypeDetail": d.number(&m.Type.Detail), "TypeName": d.text(&m.Type.Name)})
		}),
		"Subject": d.text(&m.Subject),
		"Content": d.text(&m.Content),
		"SignerInfo": one(func(c *Element) error {
			return d.fields(c, pathMessage+"/SignerInfo", fields{
				"Competence": d.text(&m.Signer.Competence), "Position": d.text(&m.Signer.Position),
				"FullName": d.text(&m.Signer.FullName)})
		}),
		"DueDate":      d.time(&m.DueDate),
		"OtherInfo":    one(d.other),
		"SteeringType": d.number(&m.Steering),
		"ToPlaces": one(func(c *Element) error {
			return d.fields(c, pathMessage+"/ToPlaces", fields{"Place": d.texts(&m.ToPlaces)})
		}),
		"ResponseForTask": one(func(c *Element) error {
			return d.fields(c, pathMessage+"/ResponseForTask", fields{"TaskCode": d.texts(&m.TaskCodes)})
		}),
	}
}

func (d *decoder) other(e *Element) error {
	o := &d.m.Other
	const path = pathMessage + "/OtherInfo"
	return d.fields(e, path, fields{
		"Priority": d.number(&o.Priority), "SphereOfPromulgation": d.text(&o.Sphere),
		"TyperNotation": d.text(&o.TyperNotation), "PromulgationAmount": d.number(&o.PromulgationAmount),
		"PageAmount": d.number(&o.PageAmount), "Direction": d.flag(&o.Direction),
		"ReplyFors":      one(func(c *Element) error { o.ReplyFors = c; return nil }),
		"ReferenceCodes": one(func(c *Element) error { o.ReferenceCodes = c; return nil }),
		"Appendixes": one(func(c *Element) error {
			return d.fields(c, path+"/Appendixes", fields{"Appendix": d.texts(&o.Appendixes)})
		}),
	})
}

func (d *decoder) response(e *Element) error {
	var r ResponseFor
	date := d.time(&r.Date)
	extras := len(d.m.Extra)
	path := indexed(pathMessage, "ResponseFor", len(d.m.ResponseFor)+1)
	err := d.fields(e, path, fields{
		"OrganId": d.text(&r.OrganID), "Code": d.text(&r.Code), "DocumentId": d.text(&r.DocumentID),
		"PromulgationDate": date, "Date": date,
	})
	if !r.IsZero() || len(d.m.Extra) > extras {
		d.m.ResponseFor = append(d.m.ResponseFor, r)
	}
	return err
}

func (d *decoder) staff(s *StaffInfo, path string) field {
	return one(func(e *Element) error {
		return d.fields(e, path, fields{
			"DepartmentId": d.text(&s.DepartmentID), "Department": d.text(&s.Department),
			"StaffId": d.text(&s.StaffID), "Staff": d.text(&s.Staff),
			"Email": d.text(&s.Email), "Mobile": d.text(&s.Mobile),
		})
	})
}
