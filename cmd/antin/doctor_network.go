package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"antin/certs"
	"antin/certs/fetch"
	"antin/exchange"
	"antin/exchange/peer"
	"antin/signer/tsp"
)

const (
	// clockWarn and clockFail are how far the clock may be from a time-stamp's time.
	clockWarn = 5 * time.Second
	clockFail = time.Minute
	// certificateWarn is the time before an end in which someone must act.
	certificateWarn = 30 * 24 * time.Hour
)

// stampNow asks one service for a time-stamp over random bytes and returns its time.
func (d *doctor) stampNow(ctx context.Context, urls []string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, min(d.cfg.TSA.Timeout, probeFor))
	defer cancel()
	client, err := d.cfg.TSA.client(urls, []time.Duration{}, d.e.now)
	if err != nil {
		return time.Time{}, err
	}
	var nonce [32]byte
	_, _ = rand.Read(nonce[:]) // never fails: crypto/rand ends the program instead
	imprint := sha256.Sum256(nonce[:])
	token, err := client.Timestamp(ctx, crypto.SHA256, imprint[:])
	if err != nil {
		return time.Time{}, err
	}
	t, err := tsp.ParseToken(token)
	if err != nil {
		return time.Time{}, err
	}
	return t.GenTime, nil
}

// clock compares with a time-stamp; without one it can only look for nonsense.
func (d *doctor) clock(ctx context.Context) []finding {
	if err := checkClock(d.e.now()); err != nil {
		return []finding{bad(findingFail, "clock", nil, "doctor.clock.bad", d.e.now().Format(time.RFC3339))}
	}
	if len(d.cfg.TSA.URLs) == 0 {
		return []finding{bad(findingWarn, "clock", nil, "doctor.clock.alone")}
	}
	at, err := d.stampNow(ctx, d.cfg.TSA.URLs)
	if err != nil {
		return []finding{bad(findingWarn, "clock", err, "doctor.clock.alone")}
	}
	off := d.e.now().Sub(at).Abs().Round(time.Millisecond)
	switch {
	case off > clockFail:
		return []finding{bad(findingFail, "clock", nil, "doctor.clock.off", off.String())}
	case off > clockWarn:
		return []finding{bad(findingWarn, "clock", nil, "doctor.clock.off", off.String())}
	}
	return []finding{good("clock", "doctor.clock", off.String())}
}

// stamps has every service make a time-stamp.
func (d *doctor) stamps(ctx context.Context) []finding {
	if len(d.cfg.TSA.URLs) == 0 {
		return []finding{bad(findingWarn, "tsa", nil, "doctor.tsa.none")}
	}
	var out []finding
	for _, u := range d.cfg.TSA.URLs {
		if _, err := d.stampNow(ctx, []string{u}); err != nil {
			out = append(out, bad(findingFail, "tsa", err, "doctor.tsa.bad", masked(u)))
			continue
		}
		out = append(out, good("tsa", "doctor.tsa", masked(u)))
	}
	return out
}

// known lists our certificates by what they are for.
func (d *doctor) known() (all []namedCertificate, out []finding) {
	for _, f := range []struct{ name, file string }{{"transport", d.cfg.Peer.Certificate}, {"desk", d.cfg.Desk.TLS.Certificate},
		{"public", d.cfg.Public.TLS.Certificate}} {
		all, out = d.read(all, out, f.name, f.file)
	}
	for _, f := range d.cfg.Keys.SealCertificates {
		all, out = d.read(all, out, "seal", f)
	}
	return append(all, d.bound...), out
}

func (d *doctor) read(all []namedCertificate, out []finding, name, file string) ([]namedCertificate, []finding) {
	if file == "" {
		return all, out
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return all, append(out, bad(findingFail, "certificates", err, "doctor.file", file))
	}
	list, err := certs.ParseBundle(data)
	if err != nil || len(list) == 0 {
		return all, append(out, bad(findingFail, "certificates", err, "doctor.file", file))
	}
	return append(all, namedCertificate{name, list[0].Raw}), out
}

// certificates looks at every end date, ours and the peers'.
func (d *doctor) certificates(ctx context.Context) []finding {
	all, out := d.known()
	for _, n := range all {
		c, err := certs.ParseCertificate(n.der)
		if err != nil {
			out = append(out, bad(findingFail, "certificates", err, "doctor.file", n.name))
			continue
		}
		if c.Sandbox {
			out = append(out, bad(findingFail, "certificates", nil, "doctor.cert.sandbox", n.name))
			continue
		}
		out = append(out, d.until(n.name, c.NotBefore, c.NotAfter))
	}
	for _, a := range d.agencies(ctx) {
		var last exchange.GatewayKey
		for _, k := range a.Keys {
			if !k.Compromised && (k.NotAfter.IsZero() || k.NotAfter.After(last.NotAfter)) {
				last = k
			}
		}
		if a.Code != d.own().Code && len(a.Keys) > 0 && !last.NotAfter.IsZero() {
			out = append(out, d.until(string(a.Code), last.NotBefore, last.NotAfter))
		}
	}
	return out
}

func (d *doctor) until(name string, from, to time.Time) finding {
	day := to.In(exchange.Vietnam).Format("02/01/2006")
	switch now := d.e.now(); {
	case now.Before(from) || !now.Before(to):
		return bad(findingFail, "certificates", nil, "doctor.cert.over", name, day)
	case to.Sub(now) < certificateWarn:
		return bad(findingWarn, "certificates", nil, "doctor.cert.soon", name, day)
	}
	return good("certificates", "doctor.cert", name, day)
}

// agencies is the directory; nil when it cannot be read, which peers tells.
func (d *doctor) agencies(ctx context.Context) []exchange.Agency {
	dir, err := d.cfg.openDirectory(d.own(), d.e.now, nil)
	if err != nil {
		return nil
	}
	all, err := dir.Agencies(ctx)
	if err != nil {
		return nil
	}
	return all
}

// ocsp asks about the seal and the persons, as a signature would.
func (d *doctor) ocsp(ctx context.Context) []finding {
	trust, err := d.cfg.Trust.load()
	anchors := trust.now(d.e.now())
	if err != nil || len(anchors) == 0 {
		return []finding{bad(findingWarn, "ocsp", nil, "doctor.ocsp.none")}
	}
	table, err := hostTable(d.cfg.Trust.RewriteHosts)
	if err != nil {
		return []finding{bad(findingFail, "ocsp", err, "doctor.ocsp.bad", "rewrite_hosts")}
	}
	client, err := fetch.New(fetch.Options{AllowHosts: d.cfg.Trust.AllowHosts, Rewrite: table, Now: d.e.now, Timeout: probeFor})
	if err != nil {
		return []finding{bad(findingFail, "ocsp", err, "doctor.ocsp.bad", "allow_hosts")}
	}
	defer client.Close()
	all, _ := d.known()
	var out []finding
	for _, n := range all {
		if n.name == "transport" || n.name == "desk" || n.name == "public" {
			continue // their owner answers for them, not a service
		}
		if f, asked := d.askStatus(ctx, client, anchors, n); asked {
			out = append(out, f)
		}
	}
	if out == nil {
		out = append(out, bad(findingWarn, "ocsp", nil, "doctor.ocsp.none"))
	}
	return out
}

func (d *doctor) askStatus(ctx context.Context, client *fetch.Client, anchors certs.Anchors, n namedCertificate) (finding, bool) {
	c, err := certs.ParseCertificate(n.der)
	if err != nil {
		return finding{}, false // told among the certificates
	}
	issuers := slices.Clone([]*certs.Certificate(anchors))
	if more, err := client.Issuers(ctx, c); err == nil {
		issuers = append(issuers, more...)
	}
	for _, issuer := range issuers {
		if string(issuer.RawSubject) != string(c.RawIssuer) {
			continue
		}
		answers, err := client.Revocation(ctx, c, issuer)
		if err == nil && len(answers) > 0 {
			return good("ocsp", "doctor.ocsp", n.name), true
		}
		return bad(findingFail, "ocsp", err, "doctor.ocsp.bad", n.name), true
	}
	return bad(findingFail, "ocsp", nil, "doctor.ocsp.issuer", n.name), true
}

// peers reaches every peer's gateway and is recognised by it.
func (d *doctor) peers(ctx context.Context) []finding {
	if d.cfg.Directory == "" {
		return []finding{bad(findingWarn, "peers", nil, "doctor.peers.unset")}
	}
	dir, err := d.cfg.openDirectory(d.own(), d.e.now, nil)
	if err == nil {
		err = dir.signed.failed
	}
	if err != nil {
		return []finding{bad(findingFail, "peers", err, "doctor.peers.directory")}
	}
	identity, err := loadIdentity(d.cfg)
	if err != nil {
		return []finding{bad(findingFail, "peers", err, "doctor.file", d.cfg.Peer.Key)}
	}
	all, err := dir.Agencies(ctx)
	if err != nil {
		return []finding{bad(findingFail, "peers", err, "doctor.peers.directory")}
	}
	var out []finding
	for _, a := range all {
		if a.Code == d.own().Code || a.Endpoint == "" {
			continue
		}
		if err := probePeer(ctx, identity, a); err != nil {
			out = append(out, bad(findingFail, "peers", err, "doctor.peers.bad", string(a.Code)))
			continue
		}
		out = append(out, good("peers", "doctor.peers", string(a.Code)))
	}
	if out == nil {
		out = append(out, bad(findingWarn, "peers", nil, "doctor.peers.none"))
	}
	return out
}

var errOtherCertificate = errors.New("the gateway there has another certificate than the directory says")

// probePeer shakes hands with a peer under the directory's pins and asks for a page
// that does not exist: in TLS 1.3 only an answer shows that we were let in.
func probePeer(ctx context.Context, id peer.Identity, a exchange.Agency) error {
	ctx, cancel := context.WithTimeout(ctx, probeFor)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		MinVersion:         tls.VersionTLS13,
		Certificates:       []tls.Certificate{{Certificate: [][]byte{id.Certificate}, PrivateKey: id.Key}},
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection compares with the directory's pins, which is stricter than any CA
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || !slices.Contains(a.TLS, peer.Fingerprint(s.PeerCertificates[0].Raw)) {
				return errOtherCertificate
			}
			return nil
		},
	}}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(a.Endpoint, "/")+"/x/v1/", http.NoBody)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}
