package certstest

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// maxRequest bounds what the services read; requests are below 1 KB.
	maxRequest = 64 << 10
	// answerLife is from thisUpdate to nextUpdate of what is published.
	answerLife = 24 * time.Hour
	// staleBy is how long ago a stale answer was made.
	staleBy = 8 * 24 * time.Hour
)

// Handler serves /tsa, /ocsp (POST and GET), /crl/NAME.crl and /aia/NAME.cer,
// where NAME is root, issuing or a CA's of Issue. Every answer is made on request.
func (p *PKI) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /tsa", p.serveTSA)
	mux.HandleFunc("POST /ocsp", func(w http.ResponseWriter, r *http.Request) {
		if body, ok := readBody(w, r); ok {
			p.serveOCSP(w, r, body)
		}
	})
	mux.HandleFunc("GET /ocsp/{request...}", func(w http.ResponseWriter, r *http.Request) {
		text := strings.TrimPrefix(r.URL.EscapedPath(), "/ocsp/")
		if s, err := url.PathUnescape(text); err == nil {
			text = s
		}
		body, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(body) > maxRequest {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		p.serveOCSP(w, r, body)
	})
	mux.HandleFunc("GET /crl/{file}", p.serveCRL)
	mux.HandleFunc("GET /aia/{file}", p.serveAIA)
	return mux
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return nil, false
	}
	return body, true
}

func answer(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // the client is gone; nobody is left to tell
}

func down(w http.ResponseWriter) { http.Error(w, "out of service", http.StatusServiceUnavailable) }

func (p *PKI) named(file, suffix string) *authority {
	name, ok := strings.CutSuffix(file, suffix)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.authorities() {
		if ok && a.name == name {
			return a
		}
	}
	return nil
}

func (p *PKI) serveAIA(w http.ResponseWriter, r *http.Request) {
	a := p.named(r.PathValue("file"), ".cer")
	switch {
	case p.broken(AIADown):
		down(w)
	case a == nil:
		http.NotFound(w, r)
	default:
		answer(w, "application/pkix-cert", a.Certificate.Raw)
	}
}

func (p *PKI) serveCRL(w http.ResponseWriter, r *http.Request) {
	a := p.named(r.PathValue("file"), ".crl")
	if a == nil {
		http.NotFound(w, r)
		return
	}
	if p.broken(CRLDown) {
		down(w)
		return
	}
	der, err := p.crl(a)
	if err != nil {
		down(w)
		return
	}
	answer(w, "application/pkix-crl", der)
}

// CRL makes the list of the CA with that name ("root", "issuing", …) as of now.
func (p *PKI) CRL(name string) ([]byte, error) {
	a := p.named(name, "")
	if a == nil {
		return nil, errUnknownCA
	}
	return p.crl(a)
}

func (p *PKI) crl(a *authority) ([]byte, error) {
	now := p.publicationTime(StaleCRL)
	flip := p.broken(BadCRLSignature)
	p.mu.Lock()
	defer p.mu.Unlock()
	a.crlNumber++
	list := &x509.RevocationList{ThisUpdate: now, NextUpdate: now.Add(answerLife),
		Number: new(big.Int).Add(new(big.Int).Lsh(big.NewInt(now.Unix()), 20), big.NewInt(a.crlNumber))}
	for _, r := range a.revoked {
		if !r.At.After(now) {
			list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
				x509.RevocationListEntry{SerialNumber: r.Serial, RevocationTime: r.At, ReasonCode: int(r.Reason)})
		}
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.x509, a.Key)
	if err == nil && flip {
		der[len(der)-1] ^= 1
	}
	return der, err
}

// publicationTime is now in whole seconds, or long ago under the defect.
func (p *PKI) publicationTime(stale Defect) time.Time {
	now := p.o.Now().UTC().Truncate(time.Second)
	if p.broken(stale) {
		now = now.Add(-staleBy)
	}
	return now
}
