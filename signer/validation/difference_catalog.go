package validation

import (
	"bytes"

	"antin/signer/pdf"
)

// ignoredTrailerKeys belong to the cross-reference itself.
var ignoredTrailerKeys = []pdf.Name{"Size", "Prev", "XRefStm", "Type", "W", "Index", "Filter", "DecodeParms", "Length", "ID", "Root", "Info"}

// trailer compares the trailer dictionaries: the catalog, the encryption and the
// first half of the identifier stay, and nothing new appears. What an update
// leaves out is read by nobody and means nothing, except /Info.
func (s *step) trailer() error {
	o, n := s.old.Trailer(), s.new.Trailer()
	if o.Get("Root") != n.Get("Root") {
		s.forbid(0, ChangeOther, "change.trailer", "Root")
	}
	if !s.sameFirstID(o.Get("ID"), n.Get("ID")) {
		s.forbid(0, ChangeOther, "change.trailer", "ID")
	}
	for _, k := range n.Keys() {
		if contains(ignoredTrailerKeys, k) {
			continue
		}
		same, err := s.equal(o.Get(k), n.Get(k))
		if err != nil {
			return err
		}
		if !same {
			s.forbid(0, ChangeOther, "change.trailer", string(k))
		}
	}
	if o.Has("Encrypt") && !n.Has("Encrypt") {
		s.forbid(0, ChangeOther, "change.trailer", "Encrypt")
	}
	return s.info(o.Get("Info"), n.Get("Info"))
}

func (s *step) sameFirstID(a, b pdf.Object) bool {
	x, _ := resolve(s.old, a).(pdf.Array)
	y, _ := resolve(s.new, b).(pdf.Array)
	if len(x) == 0 || len(y) == 0 {
		return len(x) == 0
	}
	p, okX := resolve(s.old, x[0]).(pdf.String)
	q, okY := resolve(s.new, y[0]).(pdf.String)
	return okX == okY && bytes.Equal(p.Value, q.Value)
}

// info compares the document information: only ModDate and Producer may change.
func (s *step) info(a, b pdf.Object) error {
	o, n := dictOf(s.old, a), dictOf(s.new, b)
	if o == nil && n == nil {
		return nil
	}
	s.handle(b)
	if n == nil {
		s.forbid(refNum(a), ChangeOther, "change.info", "Info")
		return nil
	}
	keys, err := s.changedKeys(o, n)
	if err != nil {
		return err
	}
	for _, k := range keys {
		_, text := resolve(s.new, n.Get(k)).(pdf.String)
		volatile := k == "ModDate" || k == "Producer"
		if !volatile || (!text && n.Get(k) != nil) {
			s.forbid(refNum(b), ChangeOther, "change.info", string(k))
			return nil
		}
	}
	if s.touched(b) && s.usedElsewhere(refNum(b), func(l location) bool { return l.holder == 0 && l.path == "/Info" }) {
		s.forbidObject(refNum(b))
	}
	return nil
}

// catalog compares the catalogs: only what signatures and evidence need may differ.
func (s *step) catalog() error {
	oldRef, o, errOld := s.old.Root()
	newRef, n, errNew := s.new.Root()
	if errOld != nil || errNew != nil {
		s.forbid(newRef.Num, ChangeOther, "change.catalog", "Root")
		return nil
	}
	s.handled[newRef.Num] = true
	keys, err := s.changedKeys(o, n)
	if err != nil {
		return err
	}
	for _, k := range keys {
		switch k {
		case "AcroForm", "DSS", "Extensions", "Metadata":
			continue // judged below, also where only what they refer to changed
		case "Version":
			if s.raisesVersion(n.Get(k)) {
				continue
			}
		}
		s.forbid(newRef.Num, ChangeOther, "change.catalog", string(k))
	}
	if o.Has("AcroForm") && !n.Has("AcroForm") {
		s.forbid(newRef.Num, ChangeForm, "change.catalog", "AcroForm")
	}
	if err := s.extensions(oldRef.Num, o.Get("Extensions"), n.Get("Extensions")); err != nil {
		return err
	}
	if err := s.metadata(oldRef.Num, o.Get("Metadata"), n.Get("Metadata")); err != nil {
		return err
	}
	return s.evidence(oldRef.Num, o.Get("DSS"), n.Get("DSS"))
}

// raisesVersion reports whether v is a version of PDF not below the one in force
// before. Signers raise it with the extension that their algorithm belongs to: a
// P-256 key is one of PDF 2.0 (ISO/TS 32002). It changes how nothing is read.
func (s *step) raisesVersion(v pdf.Object) bool {
	name, ok := v.(pdf.Name)
	return ok && contains(versions, name) && string(name) >= s.old.Version()
}

// versions are those of PDF that a catalog can name; compared as text, they are
// in order.
var versions = []pdf.Name{"1.4", "1.5", "1.6", "1.7", "2.0"}

// extensions lets developer extensions be added and their levels raised (ISO
// 32000-2, 7.12), as time-stamps and CAdES values ask for.
func (s *step) extensions(root int, a, b pdf.Object) error {
	same, err := s.equal(a, b)
	if err != nil || (same && !s.touched(b)) {
		return err
	}
	o, n := dictOf(s.old, a), dictOf(s.new, b)
	place := place{anchors: []location{{root, "/Extensions"}}, objects: map[int]bool{}}
	s.claim(&place, b)
	if n == nil && o != nil {
		s.forbid(root, ChangeOther, "change.catalog", "Extensions")
		return nil
	}
	keys, err := s.changedKeys(o, n)
	if err != nil {
		return err
	}
	for _, k := range o.Keys() {
		if !contains(keys, k) && s.touched(n.Get(k)) {
			keys = append(keys, k)
		}
	}
	for _, k := range keys {
		if k == "Type" {
			continue
		}
		s.claim(&place, n.Get(k))
		if o.Get(k) != nil && !s.raises(o.Get(k), n.Get(k)) {
			s.forbid(root, ChangeOther, "change.catalog", "Extensions")
			return nil
		}
	}
	s.onlyWithin(&place)
	return nil
}

// raises reports whether developer extensions b say at least what a says: one
// dictionary, or an array of them that only grows.
func (s *step) raises(a, b pdf.Object) bool {
	x, y := extensionList(s.old, a), extensionList(s.new, b)
	if len(x) == 0 || len(y) < len(x) {
		return false
	}
	for i := range x {
		if x[i] == nil || y[i] == nil {
			return false
		}
		base, _ := resolve(s.old, x[i].Get("BaseVersion")).(pdf.Name)
		base2, _ := resolve(s.new, y[i].Get("BaseVersion")).(pdf.Name)
		level, _ := resolve(s.old, x[i].Get("ExtensionLevel")).(pdf.Number)
		level2, _ := resolve(s.new, y[i].Get("ExtensionLevel")).(pdf.Number)
		if base2 < base || (base2 == base && level2.Float64() < level.Float64()) {
			return false
		}
	}
	return true
}

func extensionList(f *pdf.File, o pdf.Object) []*pdf.Dict {
	if a, ok := resolve(f, o).(pdf.Array); ok {
		list := make([]*pdf.Dict, len(a))
		for i := range a {
			list[i] = dictOf(f, a[i])
		}
		return list
	}
	return []*pdf.Dict{dictOf(f, o)}
}

// place is a part of the object graph that a rule has judged: where it hangs and
// the objects that make it up.
type place struct {
	anchors []location
	objects map[int]bool
}

// claim counts the object that o refers to as part of p.
func (s *step) claim(p *place, o pdf.Object) {
	n := refNum(o)
	if n == 0 {
		return
	}
	p.objects[n] = true
	if s.changed[n] || s.added[n] {
		s.handled[n] = true
	}
}

// onlyWithin forbids a change to an object of p that something outside p uses as
// well: what is harmless here may be seen there.
func (s *step) onlyWithin(p *place) {
	for n := range p.objects {
		if !s.changed[n] {
			continue
		}
		if s.usedElsewhere(n, func(l location) bool { return p.objects[l.holder] || p.below(l) }) {
			s.forbidObject(n)
		}
	}
}

// below reports whether l lies at or under one of the anchors of p.
func (p *place) below(l location) bool {
	for _, a := range p.anchors {
		if a.holder == l.holder && (l.path == a.path || len(l.path) > len(a.path) && l.path[:len(a.path)+1] == a.path+"/") {
			return true
		}
	}
	return false
}
