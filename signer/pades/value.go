package pades

import (
	"math"
	"time"

	"antin/signer/pdf"
)

// addField turns a signature field into a Signature.
func (m *form) addField(fl field, onlyOnPage bool) {
	s := Signature{Field: fl.name, FieldRef: fl.ref, FieldDict: fl.dict}
	if len(fl.widgets) > 0 {
		s.WidgetRef = fl.widgets[0]
	}
	if fl.broken {
		s.add(ProblemFieldTree)
	}
	if fl.dict == nil {
		s.add(ProblemObjectUnreadable)
	} else {
		s.Lock = m.lock(m.dict(fl.dict.Get("Lock")))
	}
	if onlyOnPage {
		s.add(ProblemNotInFields)
	}
	widget := fl.dict
	if s.WidgetRef != fl.ref {
		widget = m.dict(s.WidgetRef)
	}
	if widget != nil {
		s.Rect = m.rect(widget.Get("Rect"))
	}
	m.readValue(&s, fl.value)
	i := len(m.signatures)
	m.signatures = append(m.signatures, s)
	for _, r := range append(fl.widgets, fl.ref) {
		if _, known := m.byField[r]; !known && r != (pdf.Ref{}) {
			m.byField[r] = i
		}
	}
}

// readValue fills s from the signature dictionary that o is or refers to.
func (m *form) readValue(s *Signature, o pdf.Object) {
	if o == nil {
		return
	}
	r, err := m.file.Resolve(o)
	if err != nil {
		s.add(ProblemObjectUnreadable)
		s.add(ProblemValueNotDictionary)
		return
	}
	if _, null := r.(pdf.Null); null || r == nil {
		return
	}
	d, ok := r.(*pdf.Dict)
	if !ok {
		s.add(ProblemValueNotDictionary)
		return
	}
	s.Value = d
	if ref, ok := o.(pdf.Ref); ok {
		s.ValueRef = ref
	} else {
		s.add(ProblemValueDirect)
	}
	s.SubFilter, s.Type = string(m.name(d.Get("SubFilter"))), string(m.name(d.Get("Type")))
	switch s.SubFilter {
	case SubFilterCAdES, SubFilterPKCS7, SubFilterPKCS7SHA1, SubFilterX509RSA, SubFilterRFC3161:
	default:
		s.add(ProblemSubFilterUnknown)
	}
	m.readByteRange(s, d.Get("ByteRange"))
	m.readContents(s, d.Get("Contents"))
	s.Reason, s.Location, s.Name = m.textOf(d.Get("Reason")), m.textOf(d.Get("Location")), m.textOf(d.Get("Name"))
	s.M, _ = ParseDate(m.textOf(d.Get("M")))
	m.readReferences(s, m.array(d.Get("Reference")))
}

func (m *form) readByteRange(s *Signature, o pdf.Object) {
	if _, indirect := o.(pdf.Ref); indirect {
		s.add(ProblemByteRangeIndirect)
	}
	r := m.resolve(o)
	if r == nil {
		s.add(ProblemByteRangeMissing)
		return
	}
	a, _ := r.(pdf.Array)
	if len(a) != 4 {
		s.add(ProblemByteRangeMalformed)
		return
	}
	for i, e := range a {
		if _, indirect := e.(pdf.Ref); indirect {
			s.add(ProblemByteRangeIndirect)
		}
		n, ok := m.resolve(e).(pdf.Number)
		if !ok {
			s.add(ProblemByteRangeMalformed)
			return
		}
		if s.ByteRange[i], ok = n.Int64(); !ok {
			s.add(ProblemByteRangeMalformed)
			return
		}
	}
	s.HasByteRange = true
}

func (m *form) readContents(s *Signature, o pdf.Object) {
	_, indirect := o.(pdf.Ref)
	if indirect {
		s.add(ProblemContentsIndirect)
	}
	c, ok := m.resolve(o).(pdf.String)
	if !ok || len(c.Value) == 0 {
		s.add(ProblemContentsMissing)
		return
	}
	s.Contents = m.padded(s, c.Value)
	if !c.Hex {
		s.add(ProblemContentsNotHex)
	}
	if s.ValueRef == (pdf.Ref{}) || indirect {
		s.add(ProblemContentsUnlocated)
		return
	}
	start, end, direct, err := m.file.SignatureSpan(s.ValueRef, "Contents")
	if err != nil || !direct {
		s.add(ProblemContentsUnlocated)
		return
	}
	s.ContentsStart, s.ContentsEnd = start, end
}

// readReferences reads the signature reference dictionaries (ISO 32000-2, table 256).
func (m *form) readReferences(s *Signature, refs pdf.Array) {
	for _, o := range refs {
		d := m.dict(o)
		if d == nil {
			continue
		}
		params := m.dict(d.Get("TransformParams"))
		switch m.name(d.Get("TransformMethod")) {
		case "DocMDP":
			// P is optional and 2 by default (ISO 32000-2, table 257).
			s.DocMDP = 2
			if params != nil {
				if p := m.permission(params.Get("P")); p != 0 {
					s.DocMDP = p
				}
			}
		case "FieldMDP":
			if params != nil {
				s.FieldMDP = m.lock(params)
			}
		}
	}
}

// lock reads a /Lock dictionary or FieldMDP transform parameters.
func (m *form) lock(d *pdf.Dict) *Lock {
	if d == nil {
		return nil
	}
	l := &Lock{Action: LockAction(m.name(d.Get("Action"))), P: m.permission(d.Get("P"))}
	for _, o := range m.array(d.Get("Fields")) {
		if name := m.textOf(o); name != "" {
			l.Fields = append(l.Fields, name)
		}
	}
	return l
}

// permission reads /P; anything outside 1 to 3 is 0.
func (m *form) permission(o pdf.Object) int {
	n, ok := m.resolve(o).(pdf.Number)
	if !ok {
		return 0
	}
	p, ok := n.Int64()
	if !ok || p < 1 || p > 3 {
		return 0
	}
	return int(p)
}

func (m *form) textOf(o pdf.Object) string {
	s, _ := m.resolve(o).(pdf.String)
	return s.Text()
}

// rect reads a rectangle with its lower left corner first; unreadable is all zero.
func (m *form) rect(o pdf.Object) [4]float64 {
	a := m.array(o)
	if len(a) != 4 {
		return [4]float64{}
	}
	var r [4]float64
	for i, e := range a {
		n, ok := m.resolve(e).(pdf.Number)
		if !ok {
			return [4]float64{}
		}
		r[i] = n.Float64()
	}
	return [4]float64{math.Min(r[0], r[2]), math.Min(r[1], r[3]), math.Max(r[0], r[2]), math.Max(r[1], r[3])}
}

// ParseDate reads a PDF date ("D:20261123091244+07'00'", ISO 32000-2, 7.9.4);
// missing parts take their defaults, a missing zone is UTC. ok is false when s
// is no date.
func ParseDate(s string) (t time.Time, ok bool) {
	if len(s) >= 2 && s[:2] == "D:" {
		s = s[2:]
	}
	digits := 0
	for digits < len(s) && digits < 14 && s[digits] >= '0' && s[digits] <= '9' {
		digits++
	}
	if digits < 4 || digits%2 != 0 {
		return time.Time{}, false
	}
	full := s[:digits] + "00000101000000"[digits:]
	t, err := time.Parse("20060102150405", full)
	if err != nil {
		return time.Time{}, false
	}
	return t.Add(-zone(s[digits:])), true
}

// zone reads "+07'00'", "-05'00", "Z" or nothing.
func zone(s string) time.Duration {
	if s == "" || (s[0] != '+' && s[0] != '-') {
		return 0
	}
	two := func(at int) time.Duration {
		if len(s) < at+2 || s[at] < '0' || s[at] > '9' || s[at+1] < '0' || s[at+1] > '9' {
			return 0
		}
		return time.Duration(int(s[at]-'0')*10 + int(s[at+1]-'0'))
	}
	d := two(1)*time.Hour + two(4)*time.Minute
	if s[0] == '-' {
		return -d
	}
	return d
}

// FormatDate writes t as a PDF date with its zone.
func FormatDate(t time.Time) string {
	_, offset := t.Zone()
	if offset == 0 {
		return t.Format("D:20060102150405") + "Z"
	}
	z := t.Format("-0700")
	return t.Format("D:20060102150405") + z[:3] + "'" + z[3:] + "'"
}
