//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"antin/signer"
	"antin/signer/ades"
	"antin/signer/appearance"
	"antin/signer/cms"
	"antin/signer/pades"
)

// leastFiles is how many files the matrix must have at least.
const leastFiles = 300

// algorithm is a key with the way it signs, and who can judge that.
type algorithm struct {
	name   string
	key    string
	digest crypto.Hash
	pss    bool
	// notBy names the judges that do not know it; README.md says what was seen.
	notBy []string
}

// algorithms is every algorithm of the matrix.
func algorithms() []algorithm {
	noPSS := []string{judgeMutool}
	noEd := []string{judgeMutool, judgePdfsig, judgeOpenSSL}
	noSHA3 := []string{judgeMutool, judgePdfsig}
	noRSASHA3 := append([]string{judgePyHanko}, noSHA3...)
	return []algorithm{
		{name: "rsa2048-sha256", key: keyRSA, digest: crypto.SHA256},
		{name: "rsa2048-sha384", key: keyRSA, digest: crypto.SHA384},
		{name: "rsa3072-sha512", key: keyRSA3072, digest: crypto.SHA512},
		{name: "rsa4096-sha256", key: keyRSA4096, digest: crypto.SHA256},
		{name: "rsa2048-pss-sha256", key: keyRSA, digest: crypto.SHA256, pss: true, notBy: noPSS},
		{name: "rsa3072-pss-sha384", key: keyRSA3072, digest: crypto.SHA384, pss: true, notBy: noPSS},
		{name: "rsa4096-pss-sha512", key: keyRSA4096, digest: crypto.SHA512, pss: true, notBy: noPSS},
		{name: "p256-sha256", key: keyP256, digest: crypto.SHA256},
		{name: "p256-sha512", key: keyP256, digest: crypto.SHA512},
		{name: "p384-sha384", key: keyP384, digest: crypto.SHA384},
		{name: "p521-sha512", key: keyP521, digest: crypto.SHA512},
		{name: "ed25519", key: keyEd25519, digest: crypto.SHA512, notBy: noEd},
		{name: "rsa3072-sha3-256", key: keyRSA3072, digest: crypto.SHA3_256, notBy: noRSASHA3},
		{name: "rsa3072-pss-sha3-512", key: keyRSA3072, digest: crypto.SHA3_512, pss: true, notBy: noSHA3},
		{name: "p384-sha3-384", key: keyP384, digest: crypto.SHA3_384, notBy: noSHA3},
	}
}

// sort is what sort of signature is made, and into what.
type sort struct {
	name string
	form form
	// fresh demands a document that nobody has signed before.
	fresh bool
	// newWidget is true when a field is added, as documents with a structure tree need.
	newWidget bool
	// steps are the signatures; the last one is at the level and with the algorithm of
	// the row, those before it are B-B with RSA-2048.
	steps []func(*signer.Request)
}

// ourField is where we sign when the field is a new one.
const ourField = "Chữ ký 1"

func inNewField(name string) func(*signer.Request) {
	return func(r *signer.Request) { r.Field = name }
}

func inField(name string) func(*signer.Request) {
	return func(r *signer.Request) { r.Field, r.Existing = name, true }
}

func certifying(permission int) func(*signer.Request) {
	return func(r *signer.Request) { r.Field, r.Certify = ourField, permission }
}

func locked(l pades.Lock) func(*signer.Request) {
	return func(r *signer.Request) { r.Field, r.Lock = ourField, &l }
}

// proofOfApproval is a commitment type (EN 319 122-1, 5.2.3).
var proofOfApproval = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 6, 5}

// signaturePolicy is a policy that nobody has the document of (2.25.1 stands for one).
var signaturePolicy = cms.Policy{OID: asn1.ObjectIdentifier{2, 25, 1}, Hash: crypto.SHA256, HashValue: make([]byte, 32)}

// contentStamped is the sort with a time-stamp over the content.
const contentStamped = "role-and-content-timestamp"

// sorts is every sort of signature of the matrix.
func sorts() []sort {
	type steps = []func(*signer.Request)
	return []sort{
		{name: "approval", newWidget: true, steps: steps{inNewField(ourField)}},
		{name: "existing", form: empty, steps: steps{inField(emptyField)}},
		{name: "nested", form: nested, steps: steps{inField(nestedField)}},
		{name: "certify-1", fresh: true, newWidget: true, steps: steps{certifying(1)}},
		{name: "certify-2", fresh: true, newWidget: true, steps: steps{certifying(2)}},
		{name: "certify-3", fresh: true, newWidget: true, steps: steps{certifying(3)}},
		{name: "certify-2-then-existing", form: empty, fresh: true, steps: steps{certifying(2), inField(emptyField)}},
		{name: "lock-all", newWidget: true, steps: steps{locked(pades.Lock{Action: pades.LockAll})}},
		{name: "lock-exclude", newWidget: true, steps: steps{locked(pades.Lock{Action: pades.LockExclude, Fields: []string{textField}})}},
		{name: "field-lock", form: locking, steps: steps{inField(emptyField)}},
		{name: "seed-value", form: seeded, steps: steps{inField(emptyField)}},
		{name: "several", form: twoEmpty, steps: steps{inField(emptyField), inField(otherField), inNewField(ourField)}},
		{name: "commitment", newWidget: true, steps: steps{func(r *signer.Request) { r.Field, r.Commitment = ourField, proofOfApproval }}},
		{name: "policy", newWidget: true, steps: steps{func(r *signer.Request) { r.Field, r.Policy = ourField, &signaturePolicy }}},
		{name: contentStamped, newWidget: true, steps: steps{func(r *signer.Request) {
			r.Field, r.Role, r.ContentTimestamp = ourField, "Chủ tịch", true
		}}},
	}
}

// row is one file of the matrix.
type row struct {
	document
	level ades.Level
	sort
	algorithm
	visible bool
	// raised is true for a file that was signed at a lower level and raised: there a
	// time-stamp over the document may stand for the one in the signature.
	raised bool
}

func (r row) String() string {
	look := "invisible"
	if r.visible {
		look = "visible"
	}
	return fmt.Sprintf("%s_%s_%s_%s_%s", r.document.name, r.level, r.sort.name, r.algorithm.name, look)
}

// levels is every level of the matrix.
func levels() []ades.Level { return []ades.Level{ades.BB, ades.BT, ades.BLT, ades.BLTA} }

// matrix chooses the rows: every pair of a document, a level, a sort, an algorithm
// and a look that can be.
func matrix() []row {
	docs, kinds, algs := documentKinds(), sorts(), algorithms()
	at := func(r []int) row {
		return row{document: docs[r[0]], level: levels()[r[1]], sort: kinds[r[2]], algorithm: algs[r[3]], visible: r[4] == 1}
	}
	var rows []row
	for _, r := range pairwise([]int{len(docs), len(levels()), len(kinds), len(algs), 2}, func(r []int) bool { return at(r).possible() }) {
		rows = append(rows, at(r))
	}
	return rows
}

// possible reports whether the values of a row go together.
func (r row) possible() bool {
	switch {
	case r.fresh && r.signed(): // only the first signature certifies
		return false
	case tagged(r.flavour) && r.sort.form != noForm: // the seeds have no structure for the fields of forms
		return false
	case r.sort.form == seeded && r.digest.String()[:4] == "SHA3": // what the seed value demands
		return false
	}
	return true
}

// fields lists what is signed in the end, the earlier signature first.
func (r row) fields() []string {
	var all []string
	switch r.earlier {
	case "pyhanko":
		all = append(all, earlierField)
	case "dss":
		all = append(all, dssField)
	}
	for _, step := range r.steps {
		var req signer.Request
		step(&req)
		all = append(all, req.Field)
	}
	return all
}

// dssField is the name that DSS gives to its first field.
const dssField = "Signature1"

// TestOurSignatures signs every row of the matrix and lets every judge look at it.
func TestOurSignatures(t *testing.T) {
	w, dir := shared, shared.scratch(t)
	shelf := newLibrary(t, w)
	s, err := w.signer()
	if err != nil {
		t.Fatal(err)
	}
	rows := matrix()
	if only := os.Getenv("ANTIN_MATRIX"); only != "" {
		rows = slices.DeleteFunc(rows, func(r row) bool { return !matches(only, r.String()) })
	} else if len(rows) < leastFiles {
		t.Errorf("the matrix has %d files, fewer than %d", len(rows), leastFiles)
	}
	verdicts := newTally()
	each(rows, func(r row) {
		d, err := shelf.get(r.document, r.sort.form)
		if err != nil {
			t.Errorf("%s: %v", r, err)
			return
		}
		r.document = d
		path := filepath.Join(dir, r.String()+".pdf")
		if err := signRow(s, r, path); err != nil {
			t.Errorf("%s: signing: %v", r, err)
			return
		}
		for _, j := range rowJudges(r) {
			if err := j.judge(w, r, path); err != nil {
				t.Errorf("%s: %s: %v", r, j.name, err)
				continue
			}
			verdicts.add(j.name+" accepts", path)
		}
		keep(path)
	})
	logCounts(t, "our signatures", len(rows), verdicts)
}

// signRow makes the signatures of r one after the other and writes the last file.
func signRow(s *signer.Signer, r row, path string) error {
	data, err := os.ReadFile(r.path)
	if err != nil {
		return err
	}
	for i, step := range r.steps {
		req := signer.Request{Key: keyRSA, Level: ades.BB, Reason: "Phê duyệt", Location: "Tỉnh Thử Nghiệm"}
		if i == len(r.steps)-1 {
			req.Key, req.Level, req.Digest, req.PSS = r.key, r.level, r.digest, r.pss
		}
		step(&req)
		if r.visible {
			if !req.Existing {
				req.Page, req.Rect = 1, [4]float64{300, 300, 480, 360}
			}
			req.Appearance = appearance.Person(appearance.PersonMark{Name: "Nguyễn Văn An"})
		}
		signed, err := signBytes(s, r.document, data, req)
		if err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
		data = signed
	}
	return os.WriteFile(path, data, 0o600)
}

// signBytes signs data and makes sure that it is a prefix of the result.
func signBytes(s *signer.Signer, d document, data []byte, req signer.Request) ([]byte, error) {
	var out bytes.Buffer
	in := signer.Input{Reader: bytes.NewReader(data), Size: int64(len(data)), Name: d.name, Password: d.password()}
	result, err := s.Sign(context.Background(), in, &out, req)
	switch {
	case err != nil:
		return nil, err
	case !bytes.HasPrefix(out.Bytes(), data):
		return nil, errors.New("the original is no prefix of the result")
	case len(result.Warnings) > 0:
		return nil, fmt.Errorf("warnings %v", result.Warnings)
	}
	return out.Bytes(), nil
}

// logCounts says how many files there were and how many each judge accepted.
func logCounts(t *testing.T, what string, files int, verdicts *tally) {
	t.Helper()
	var names []string
	for name := range verdicts.counts {
		names = append(names, fmt.Sprintf("%s %d", name, verdicts.counts[name]))
	}
	slices.Sort(names)
	t.Logf("counts: %s: %d files: %v", what, files, names)
}

// matches reports whether a row's name holds all of the words that ANTIN_MATRIX
// names, separated by commas: to look at a part of the matrix by hand.
func matches(words, name string) bool {
	for w := range bytes.SplitSeq([]byte(words), []byte(",")) {
		if !bytes.Contains([]byte(name), w) {
			return false
		}
	}
	return true
}

var keepOnce sync.Once

// keep copies a file to the folder that ANTIN_KEEP names, for a look by hand.
func keep(path string) {
	dir := os.Getenv("ANTIN_KEEP")
	if dir == "" {
		return
	}
	keepOnce.Do(func() { _ = os.MkdirAll(dir, 0o700) })
	if data, err := os.ReadFile(path); err == nil {
		_ = os.WriteFile(filepath.Join(dir, filepath.Base(path)), data, 0o600)
	}
}
