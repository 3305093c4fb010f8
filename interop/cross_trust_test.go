//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/certs/fetch"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/keys/softkey"
	"antin/signer/pades/padestest"
	"antin/signer/tsa"
	"antin/signer/validation"
)

// leastTrustFiles is how many files must have been judged by all.
const leastTrustFiles = 500

// signedOn is when every file of the story is signed; the authorities' clock stands
// there. What happens to a certificate happens eventAfter later, unless it is dated
// back to datedBack before the signature.
var signedOn = time.Date(2025, 3, 3, 3, 0, 0, 0, time.UTC)

const (
	eventAfter = 60 * 24 * time.Hour
	datedBack  = 10 * 24 * time.Hour
	leafLife   = 365 * 24 * time.Hour // from the signature on
)

// status is what becomes of a signer's certificate.
type status string

// The statuses.
const (
	statusGood      status = "good"
	statusRevoked   status = "revoked after signing"
	statusBackdated status = "revoked as of before signing"
	statusSuspended status = "suspended after signing"
	statusUnknown   status = "no revocation service"
)

func statuses() []status {
	return []status{statusGood, statusRevoked, statusBackdated, statusSuspended, statusUnknown}
}

// moment is when a file is judged.
type moment struct {
	name  string
	after time.Duration // of signedOn
}

func moments() []moment {
	return []moment{
		{"an hour later", time.Hour},
		{"four months later", 120 * 24 * time.Hour},
		{"after the certificate's end", leafLife + 30*24*time.Hour},
	}
}

// The trust of a case: which certificate is the anchor.
const (
	trustRoot    = "root"
	trustIssuing = "issuing CA"
	trustOther   = "another root"
)

// trustCase is one file with the way it is judged.
type trustCase struct {
	level     ades.Level
	algorithm algorithm
	status    status
	moment    moment
	trust     string
	online    bool
}

func (c trustCase) String() string {
	network := "offline"
	if c.online {
		network = "online"
	}
	return strings.Join([]string{string(c.level), c.algorithm.name, string(c.status), c.moment.name, c.trust, network}, ", ")
}

// trustCases is every combination of level, status, moment, trust and network that
// can be, each with two of the algorithms in turn.
func trustCases() []trustCase {
	known := slices.DeleteFunc(algorithms(), func(a algorithm) bool {
		return !slices.Contains([]string{"rsa2048-sha256", "rsa3072-pss-sha384", "p256-sha256", "p384-sha384", "p521-sha512", "rsa4096-sha256"}, a.name)
	})
	var all []trustCase
	for _, level := range levels() {
		for _, st := range statuses() {
			if st == statusUnknown && level.AtLeast(ades.BLT) {
				continue // such a level cannot be reached
			}
			for _, m := range moments() {
				for _, trust := range []string{trustRoot, trustIssuing, trustOther} {
					for _, online := range []bool{true, false} {
						for range 2 {
							all = append(all, trustCase{level, known[len(all)%len(known)], st, m, trust, online})
						}
					}
				}
			}
		}
	}
	return all
}

// story is a PKI whose clock the test moves.
type story struct {
	*certstest.Server
	clock   *atomic.Int64 // seconds after signedOn
	anchors map[string]*certs.Certificate
	files   map[string]string // the anchors in PEM
	keys    map[string]signer.Key
	leaves  map[string]*certstest.Entity
}

// now is the story's clock.
func (s *story) now() time.Time { return signedOn.Add(time.Duration(s.clock.Load()) * time.Second) }

// newStory starts the PKI and issues a certificate for every key and status.
func newStory(t *testing.T, cases []trustCase) *story {
	t.Helper()
	s := &story{clock: &atomic.Int64{}, keys: map[string]signer.Key{}, leaves: map[string]*certstest.Entity{}, files: map[string]string{}}
	var err error
	if s.Server, err = certstest.Start(certstest.Options{Now: s.now, LeafKey: certstest.P256}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	other, err := certstest.New(certstest.Options{Now: s.now, LeafKey: certstest.P256})
	if err != nil {
		t.Fatal(err)
	}
	s.anchors = map[string]*certs.Certificate{trustRoot: s.Root(), trustIssuing: s.IssuingCA().Certificate, trustOther: other.Root()}
	for name, c := range s.anchors {
		s.files[name] = filepath.Join(shared.scratch(t), "anchor.pem")
		if err := os.WriteFile(s.files[name], pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range cases {
		name := c.key()
		if _, made := s.leaves[name]; made {
			continue
		}
		e, err := s.Issue(certstest.Spec{CommonName: "Phạm Thị " + name, Key: shared.keys[c.algorithm.key].Signer,
			NoAddresses: c.status == statusUnknown, NotBefore: signedOn.Add(-30 * 24 * time.Hour), NotAfter: signedOn.Add(leafLife)})
		if err != nil {
			t.Fatal(err)
		}
		s.leaves[name], s.keys[name] = e, signer.Key{Signer: e.Key, Chain: e.Chain}
	}
	return s
}

// key names the signer of c: one for every key and status.
func (c trustCase) key() string { return c.algorithm.key + " " + string(c.status) }

// client asks the story's services by its clock, with an empty cache.
func (s *story) client(t *testing.T) *fetch.Client {
	t.Helper()
	client, err := fetch.New(fetch.Options{AllowHosts: []string{s.AllowHost}, Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// happen lets every certificate meet its fate.
func (s *story) happen(t *testing.T) {
	t.Helper()
	for name, e := range s.leaves {
		at, reason := signedOn.Add(eventAfter), certstest.KeyCompromise
		switch _, st, _ := strings.Cut(name, " "); status(st) {
		case statusGood, statusUnknown:
			continue
		case statusBackdated:
			at = signedOn.Add(-datedBack)
		case statusSuspended:
			reason = certstest.CertificateHold
		case statusRevoked:
		}
		if err := s.Revoke(e.Certificate, at, reason); err != nil {
			t.Fatal(err)
		}
	}
}

// signAll signs one file for each case on the day of signing.
func (s *story) signAll(t *testing.T, cases []trustCase) map[trustCaseKey]string {
	t.Helper()
	client, dir := s.client(t), shared.scratch(t)
	stamps, err := tsa.New(tsa.Options{URLs: []string{s.TSAURL()}, Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	key := &signer.Signer{Keys: softkey.NewProvider(s.keys), Timestamps: stamps, Trust: s.Anchors(), Revocation: client, Issuers: client, AllowSandbox: true, Now: s.now}
	doc := padestest.Simple(padestest.Classic, "1.7").Bytes()
	var mu sync.Mutex
	files := map[trustCaseKey]string{}
	each(cases, func(c trustCase) {
		var out bytes.Buffer
		_, err := key.Sign(context.Background(), signer.Input{Reader: bytes.NewReader(doc), Size: int64(len(doc)), Name: "a.pdf"}, &out,
			signer.Request{Key: c.key(), Level: c.level, Digest: c.algorithm.digest, PSS: c.algorithm.pss, Field: ourField, Reason: c.String()})
		path := filepath.Join(dir, strings.NewReplacer(" ", "_", ",", "", "'", "").Replace(c.String())+".pdf")
		if err == nil {
			err = os.WriteFile(path, out.Bytes(), 0o600)
		}
		if err != nil {
			t.Errorf("%s: signing: %v", c, err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		files[trustCaseKey(c.String())] = path
	})
	return files
}

type trustCaseKey string

// result is an indication with its sub-indication, as EN 319 102-1 names them.
type result struct{ main, sub string }

func (r result) String() string { return strings.TrimSpace(r.main + " " + r.sub) }

// ours is our answer.
func (s *story) ours(c trustCase, path string, client *fetch.Client) (result, *validation.Report, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return result{}, nil, err
	}
	v := validation.Validator{Trust: certs.Anchors{s.anchors[c.trust]}, AllowSandbox: true}
	if c.online {
		v.Revocation, v.Issuers = client, client
	}
	r, err := v.Validate(context.Background(), validation.Input{Reader: bytes.NewReader(data), Size: int64(len(data))}, s.now())
	if err != nil {
		return result{}, nil, err
	}
	for _, sig := range r.Signatures {
		if sig.Field == ourField {
			return result{strings.ReplaceAll(string(sig.Indication), "-", "_"), string(sig.SubIndication)}, r, nil
		}
	}
	return result{}, r, fmt.Errorf("we see no signature")
}

// dss is DSS's answer.
func (s *story) dss(c trustCase, path string) (result, string) {
	a, err := shared.dssJudge(path, dssQuestion{root: s.files[c.trust], online: c.online, at: s.now()})
	if err != nil {
		return result{"ERROR", ""}, err.Error()
	}
	sig, err := a.of(ourField)
	if err != nil {
		return result{"ERROR", ""}, err.Error()
	}
	return result{sig.Indication, sig.Sub}, fmt.Sprintf("%q %q", sig.Errors, sig.Warnings)
}

// pyHanko is pyHanko's answer: by its process for archival material where there is
// any, by that for signatures with time, or by the basic one.
func (s *story) pyHanko(c trustCase, path string) (result, string) {
	all, err := shared.pyAsk(pyValidate{File: path, Root: s.files[c.trust], Offline: !c.online, Archival: c.level == ades.BLTA,
		Basic: c.level == ades.BB, At: s.now().Format(time.RFC3339)})
	if err != nil {
		return result{"ERROR", ""}, err.Error()
	}
	kind, sub, _ := strings.Cut(all[ourField].Indication, ".")
	word := map[string]string{"AdESPassed": "TOTAL_PASSED", "AdESIndeterminate": "INDETERMINATE", "AdESFailure": "TOTAL_FAILED"}[kind]
	if word == "TOTAL_PASSED" {
		sub = ""
	}
	return result{word, sub}, all[ourField].Why
}

// TestTrustIsJudgedBesideOthers signs a file for every level, algorithm, fate of the
// certificate, time of judgement and trust, and puts the answers of DSS and pyHanko
// beside ours. Where they differ, docs/explanation/disagreements.md says which
// clause decides.
func TestTrustIsJudgedBesideOthers(t *testing.T) {
	cases := trustCases()
	s := newStory(t, cases)
	files := s.signAll(t, cases)
	table := trustDisagreements()
	var mu sync.Mutex
	counts, used := map[string]int{}, map[string]int{}
	enter := func(c trustCase, judge string, our, their result, why string) {
		mu.Lock()
		defer mu.Unlock()
		if our == their {
			counts[judge+" says the same"]++
			return
		}
		for _, d := range table {
			if d.judge == judge && d.holds(c, our, their) {
				used[d.id]++
				counts[judge+" differs, explained"]++
				return
			}
		}
		counts[judge+" differs"]++
		t.Errorf("unexplained: %s: we %s | %s %s | %.400s", c, our, judge, their, why)
	}
	for i, m := range moments() {
		s.clock.Store(int64(m.after / time.Second))
		if i == 1 {
			s.happen(t)
		}
		client := s.client(t)
		each(slices.DeleteFunc(slices.Clone(cases), func(c trustCase) bool { return c.moment != m }), func(c trustCase) {
			path, made := files[trustCaseKey(c.String())]
			if !made {
				return
			}
			our, _, err := s.ours(c, path, client)
			if err != nil {
				t.Errorf("%s: %v", c, err)
				return
			}
			their, why := s.dss(c, path)
			enter(c, byDSS, our, their, why)
			their, why = s.pyHanko(c, path)
			enter(c, byPyHanko, our, their, why)
		})
	}
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("table: trust: %-40s %4d", k, counts[k])
	}
	t.Logf("counts: trust: %d files; explained: %v", len(files), used)
	ids := map[string]bool{}
	for _, d := range table {
		ids[d.id] = true
	}
	checkPage(t, ids, used)
	if len(files) < leastTrustFiles {
		t.Errorf("%d files, fewer than %d", len(files), leastTrustFiles)
	}
}
