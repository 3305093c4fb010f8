package signer_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"antin/certs"
	"antin/certs/certstest"
	"antin/certs/fetch"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/pades/padestest"
	"antin/signer/tsa"
)

var everyLevel = []ades.Level{ades.BB, ades.BT, ades.BLT, ades.BLTA}

// countingWriter counts the calls and, once limit of them have passed, is a full disk.
type countingWriter struct {
	bytes.Buffer
	calls, limit int
}

var errNoSpace = errors.New("no space left on device")

func (w *countingWriter) Write(b []byte) (int, error) {
	w.calls++
	if w.limit > 0 && w.calls > w.limit {
		n, _ := w.Buffer.Write(b[:len(b)/2]) // a full disk takes a part
		return n, errNoSpace
	}
	return w.Buffer.Write(b)
}

// A disk that is full at whichever write is storage-full, at every level, in
// signing and in augmenting; what is there by then is the start of what would have
// been there, and the input is untouched.
func TestDiskFullAtEachWriteIsNamed(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	plain, _ := sign(t, a.signer(), data, signer.Request{Key: certstest.RoleLeader, Level: ades.BT})
	jobs := map[string]struct {
		in  []byte
		run func(out io.Writer) error
	}{}
	for _, level := range everyLevel {
		jobs["sign "+string(level)] = struct {
			in  []byte
			run func(out io.Writer) error
		}{data, func(out io.Writer) error {
			_, err := a.signer().Sign(context.Background(), input(data), out, signer.Request{Key: certstest.RoleLeader, Level: level})
			return err
		}}
		if level.AtLeast(ades.BLT) {
			jobs["augment "+string(level)] = struct {
				in  []byte
				run func(out io.Writer) error
			}{plain, func(out io.Writer) error {
				_, err := a.signer().Augment(context.Background(), input(plain), out, level)
				return err
			}}
		}
	}
	for name, job := range jobs {
		before := bytes.Clone(job.in)
		counted := &countingWriter{}
		if err := job.run(counted); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for limit := 1; limit < counted.calls; limit++ {
			w := &countingWriter{limit: limit}
			err := job.run(w)
			if text.CodeOf(err) != text.StorageFull {
				t.Errorf("%s, write %d of %d: %v", name, limit+1, counted.calls, err)
			}
			if w.calls != limit+1 {
				t.Errorf("%s: %d writes after the disk was full", name, w.calls-limit-1)
			}
		}
		if counted.calls < 2 {
			t.Errorf("%s: %d writes: the test no longer fails one in the middle", name, counted.calls)
		}
		if !bytes.Equal(before, job.in) {
			t.Errorf("%s changed its input", name)
		}
	}
}

// dyingStamps serves a number of time-stamps and no more.
type dyingStamps struct {
	a    *authorities
	mu   sync.Mutex
	left int
}

func (s *dyingStamps) Timestamp(ctx context.Context, h crypto.Hash, imprint []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		return nil, text.Errorf(text.TSAUnavailable, errors.New("connection closed"))
	}
	s.left--
	return s.a.Timestamp(ctx, h, imprint)
}

// A B-LTA signature asks for two time-stamps. When the service dies between them
// the whole is refused: nobody gets a lower level than the one asked for.
func TestServiceThatDiesBetweenTwoTimeStampsGivesNothing(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	data := padestest.Simple(padestest.Stream, "1.7").Bytes()
	for left, want := range []text.Code{text.TSAUnavailable, text.TSAUnavailable, ""} {
		s := a.signer()
		s.Timestamps = &dyingStamps{a: a, left: left}
		var out bytes.Buffer
		_, err := s.Sign(context.Background(), input(data), &out, signer.Request{Key: certstest.RoleLeader, Level: ades.BLTA})
		if got := text.CodeOf(err); (err == nil) != (want == "") || err != nil && got != want {
			t.Errorf("after %d time-stamps: %v, want %s", left, err, want)
		}
		if err != nil && !bytes.HasPrefix(data, out.Bytes()) {
			t.Errorf("after %d time-stamps: %d bytes left, more than the original", left, out.Len())
		}
	}
}

// served is a PKI behind HTTP with some addresses answered by the test.
type served struct {
	*authorities
	server *httptest.Server
	mu     sync.Mutex
	own    map[string]http.HandlerFunc
}

func serve(t *testing.T) *served {
	t.Helper()
	pki, err := certstest.New(certstest.Options{LeafKey: certstest.P256})
	if err != nil {
		t.Fatal(err)
	}
	s := &served{authorities: &authorities{PKI: pki, keys: map[string]signer.Key{}}, own: map[string]http.HandlerFunc{}}
	handler := pki.Handler()
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		own := s.own[r.URL.Path]
		s.mu.Unlock()
		if own != nil {
			own(w, r)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.server.Close)
	if err := pki.SetBaseURL(s.server.URL); err != nil {
		t.Fatal(err)
	}
	for _, role := range certstest.Roles() {
		s.add(role, pki.Signer(role))
	}
	return s
}

// answer has the test answer at path.
func (s *served) answer(path string, f http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own[path] = f
}

// overHTTP is a signer with the drivers that products use.
func (s *served) overHTTP(t *testing.T) *signer.Signer {
	t.Helper()
	client, err := fetch.New(fetch.Options{AllowHosts: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	stamps, err := tsa.New(tsa.Options{URLs: []string{s.server.URL + "/tsa"}, Pauses: []time.Duration{}, Now: s.Now})
	if err != nil {
		t.Fatal(err)
	}
	sg := s.signer()
	sg.Revocation, sg.Issuers, sg.Timestamps = client, client, stamps
	return sg
}

// largeCRL is a list of the issuing CA of about size bytes, for strangers' serial
// numbers.
func largeCRL(t *testing.T, p *certstest.PKI, size int) []byte {
	t.Helper()
	issuer, err := x509.ParseCertificate(p.IssuingCA().Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	const each = 39 // bytes of one entry with a serial number of 20 bytes
	list := &x509.RevocationList{Number: big.NewInt(7), ThisUpdate: p.Now().Add(-time.Minute), NextUpdate: p.Now().Add(24 * time.Hour)}
	serial := new(big.Int).Lsh(big.NewInt(1), 158)
	when := p.Now().Add(-24 * time.Hour)
	for range size / each {
		serial = new(big.Int).Add(serial, big.NewInt(1))
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: serial, RevocationTime: when})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, issuer, p.IssuingCA().Key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// A CRL of 30 MB is used, and stands in the document; one beyond the limit is as if
// there were none.
func TestLargeCRL(t *testing.T) {
	if testing.Short() {
		t.Skip("a CRL of 30 MB takes seconds to make")
	}
	t.Parallel()
	s := serve(t)
	data := padestest.Simple(padestest.Classic, "1.7").Bytes()
	req := signer.Request{Key: certstest.RoleLeader, Level: ades.BLT}
	der := largeCRL(t, s.PKI, 30<<20)
	if len(der) < 29<<20 || len(der) > certs.MaxCRLSize {
		t.Fatalf("the list has %d bytes", len(der))
	}
	s.Break(certstest.OCSPDown)
	s.answer("/crl/issuing.crl", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(der) })
	out, _ := sign(t, s.overHTTP(t), data, req)
	if r := s.validate(t, out); !passed(r) {
		t.Errorf("with a list of %d bytes: %s %+v", len(der), r.Verdict, r.Reasons)
	}
	s.answer("/crl/issuing.crl", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.Copy(w, io.LimitReader(endless{}, certs.MaxCRLSize+1))
	})
	refused(t, s.overHTTP(t), data, req, text.RevocationUnavailable)
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// Services that close the connection half-way, refuse it or answer with a promise
// they do not keep give a named error and nothing of the signed file.
func TestServicesThatBreakOffAreNamed(t *testing.T) {
	t.Parallel()
	s := serve(t)
	data := padestest.Simple(padestest.Stream, "2.0").Bytes()
	halfway := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "4000")
		_, _ = io.WriteString(w, strings.Repeat("0", 100))
		panic(http.ErrAbortHandler)
	}
	refuse := func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }
	for name, f := range map[string]http.HandlerFunc{"half-way": halfway, "at once": refuse} {
		for _, level := range everyLevel[1:] {
			s.answer("/tsa", f)
			refused(t, s.overHTTP(t), data, signer.Request{Key: certstest.RoleLeader, Level: level}, text.TSAUnavailable)
			s.answer("/tsa", nil)
		}
		s.answer("/ocsp", f)
		s.answer("/crl/issuing.crl", f)
		for _, level := range everyLevel[2:] {
			refused(t, s.overHTTP(t), data, signer.Request{Key: certstest.RoleLeader, Level: level}, text.RevocationUnavailable)
		}
		out, res := sign(t, s.overHTTP(t), data, signer.Request{Key: certstest.RoleLeader, Level: ades.BT})
		if fmt.Sprint(res.Warnings) != fmt.Sprint([]signer.Warning{signer.WarnRevocationUnknown}) || len(out) == 0 {
			t.Errorf("%s: B-T without revocation data: warnings %v", name, res.Warnings)
		}
		s.answer("/ocsp", nil)
		s.answer("/crl/issuing.crl", nil)
	}
}
