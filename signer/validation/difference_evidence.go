package validation

import (
	"slices"

	"antin/certs"
	"antin/signer/pdf"
)

const (
	// maxEvidenceEntry bounds one certificate, OCSP response or CRL in the security
	// store, in bytes: the largest national CRLs have some tens of megabytes.
	maxEvidenceEntry = 64 << 20
	// freeEvidence and evidencePerByte bound it for a file of a given size: a large
	// CRL shrinks to a tenth when compressed, a bomb to a thousandth.
	freeEvidence, evidencePerByte = 40 << 20, 4
	// maxEvidenceEntries bounds the entries of one array of the store.
	maxEvidenceEntries = 10_000
)

// evidence compares the document security stores (ISO 32000-2, 12.8.4.3): the
// arrays only grow, by certificates, OCSP responses and CRLs. A program that writes
// the store anew may leave out certificates that it holds to be superfluous, such as
// a responder's that its answers carry along; never revocation data.
func (s *step) evidence(root int, a, b pdf.Object) error {
	o, n := dictOf(s.old, a), dictOf(s.new, b)
	if o == nil && n == nil {
		return nil
	}
	p := &place{anchors: []location{{root, "/DSS"}}, objects: map[int]bool{}}
	s.claim(p, a)
	s.claim(p, b)
	if n == nil {
		s.forbid(root, ChangeEvidence, "change.evidence.removed")
		return nil
	}
	was, ok, err := s.store(p, o, n, map[pdf.Name]bool{"Certs": true, "OCSPs": true, "CRLs": true}, nil)
	if err != nil {
		return err
	}
	vriGrew, vriOK := false, true
	if ok {
		vriGrew, vriOK, err = s.relatedInformation(p, o.Get("VRI"), n.Get("VRI"), n)
		if err != nil {
			return err
		}
	}
	if !ok || !vriOK {
		s.forbid(refNum(b), ChangeEvidence, "change.evidence.content")
		return nil
	}
	s.onlyWithin(p)
	if was.grew || vriGrew {
		s.add(finding{kind: ChangeEvidence, level: ModificationEvidence, num: refNum(b), key: "change.evidence.added"})
	}
	if was.shrank {
		s.add(finding{kind: ChangeEvidence, level: ModificationEvidence, num: refNum(b), key: "change.evidence.left_out"})
	}
	return nil
}

// grown says what became of an array of evidence, or of several.
type grown struct{ grew, shrank bool }

// store compares one dictionary of arrays of evidence, the store itself or one
// entry of its /VRI; lists names the keys that are such arrays. Of an entry, whole is
// the new store: what the entry leaves out has to stand there.
func (s *step) store(p *place, o, n *pdf.Dict, lists map[pdf.Name]bool, whole *pdf.Dict) (was grown, ok bool, err error) {
	for _, k := range unionKeys(o, n) {
		if lists[k] {
			one, ok, err := s.list(p, k, o.Get(k), n.Get(k), whole.Get(k+"s"))
			if err != nil || !ok {
				return grown{}, ok, err
			}
			was.grew, was.shrank = was.grew || one.grew, was.shrank || one.shrank
			continue
		}
		if k == "VRI" || k == "Type" || k == "TU" || k == "TS" {
			s.claim(p, n.Get(k))
			continue
		}
		same, err := s.equal(o.Get(k), n.Get(k))
		if err != nil || !same {
			return grown{}, false, err
		}
	}
	return was, true, nil
}

// list compares one array of evidence: every new entry is a stream that holds what
// its place says. An old one may be left out where it stands in kept.
func (s *step) list(p *place, kind pdf.Name, a, b, kept pdf.Object) (was grown, ok bool, err error) {
	s.claim(p, a)
	s.claim(p, b)
	x, _ := resolve(s.old, a).(pdf.Array)
	y, isArray := resolve(s.new, b).(pdf.Array)
	if !isArray {
		return grown{}, len(x) == 0 && resolve(s.new, b) == nil, nil
	}
	if len(y) > maxEvidenceEntries {
		return grown{}, false, errBudget
	}
	known := map[pdf.Ref]bool{}
	for _, e := range x {
		if r, isRef := e.(pdf.Ref); isRef {
			known[r] = true
		}
	}
	for _, e := range y {
		if err := s.d.spend(1); err != nil {
			return grown{}, false, err
		}
		r, isRef := e.(pdf.Ref)
		if isRef && known[r] {
			delete(known, r)
			continue
		}
		was.grew = true
		if isRef && s.added[r.Num] {
			s.handled[r.Num] = true
		}
		if !s.isEvidence(kind, e) {
			return grown{}, false, nil
		}
	}
	held, _ := resolve(s.new, kept).(pdf.Array)
	was.shrank = len(known) > 0 && !s.stillThere(known, slices.Concat(y, held))
	return was, !was.shrank || kind == "Certs" && len(y) > 0, nil
}

// stillThere reports whether the entries that lost their reference stand in the
// new array under another number.
func (s *step) stillThere(lost map[pdf.Ref]bool, y pdf.Array) bool {
	for r := range lost {
		if !slices.ContainsFunc(y, func(e pdf.Object) bool {
			same, err := s.equal(r, e)
			return err == nil && same
		}) {
			return false
		}
	}
	return true
}

// isEvidence reports whether o is a stream that holds a certificate, an OCSP
// response or a CRL, as kind says.
func (s *step) isEvidence(kind pdf.Name, o pdf.Object) bool {
	st, ok := resolve(s.new, o).(*pdf.Stream)
	if !ok {
		return false
	}
	der, err := s.new.Decode(st, min(maxEvidenceEntry, freeEvidence+evidencePerByte*s.new.Size()))
	if s.d.left -= len(der) / decodedPerStep; err != nil {
		return false // what was spent is looked at by the next who spends
	}
	switch kind {
	case "Certs", "Cert":
		_, err = certs.ParseCertificate(der)
		return err == nil || isSequence(der)
	default:
		return isSequence(der)
	}
}

// isSequence reports whether der is one DER SEQUENCE and nothing else: enough to
// tell revocation data from page content, while its meaning is judged where used.
func isSequence(der []byte) bool {
	if len(der) < 4 || der[0] != 0x30 {
		return false
	}
	length, head := int(der[1]), 2
	if length >= 0x80 {
		n := length & 0x7f
		if n == 0 || n > 4 || len(der) < 2+n {
			return false
		}
		length = 0
		for _, c := range der[2 : 2+n] {
			length = length<<8 | int(c)
		}
		head = 2 + n
	}
	return head+length == len(der)
}

// relatedInformation compares the /VRI dictionaries: entries may be added and grow,
// name newer data of the store instead of what they named, and be left out where
// the store holds all that they named: they are an index to it.
func (s *step) relatedInformation(p *place, a, b pdf.Object, whole *pdf.Dict) (grew, ok bool, err error) {
	o, n := dictOf(s.old, a), dictOf(s.new, b)
	s.claim(p, a)
	s.claim(p, b)
	for _, k := range unionKeys(o, n) {
		if k == "Type" {
			continue
		}
		before, now := dictOf(s.old, o.Get(k)), dictOf(s.new, n.Get(k))
		s.claim(p, o.Get(k))
		s.claim(p, n.Get(k))
		if n.Get(k) == nil && s.leftOut(before, whole) {
			continue
		}
		if now == nil || !isDigest(string(k)) {
			return false, false, nil
		}
		more, ok, err := s.store(p, before, now, map[pdf.Name]bool{"Cert": true, "OCSP": true, "CRL": true}, whole)
		if err != nil || !ok {
			return false, false, err
		}
		grew = grew || more.grew || before == nil
	}
	return grew, true, nil
}

// leftOut reports whether the new store holds all that an entry of /VRI named which
// is not there any more.
func (s *step) leftOut(entry, whole *pdf.Dict) bool {
	for _, k := range []pdf.Name{"Cert", "OCSP", "CRL"} {
		lost := map[pdf.Ref]bool{}
		list, _ := resolve(s.old, entry.Get(k)).(pdf.Array)
		for _, e := range list {
			r, isRef := e.(pdf.Ref)
			if !isRef {
				return false
			}
			lost[r] = true
		}
		held, _ := resolve(s.new, whole.Get(k+"s")).(pdf.Array)
		if !s.stillThere(lost, held) {
			return false
		}
	}
	return true
}

// isDigest reports whether k is a SHA-1 in hexadecimal.
func isDigest(k string) bool {
	if len(k) != 40 {
		return false
	}
	for _, c := range k {
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'F', c >= 'a' && c <= 'f':
		default:
			return false
		}
	}
	return true
}
