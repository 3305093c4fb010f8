package certs_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"antin/certs"
)

func loadOne(t testing.TB, path string) *certs.Certificate {
	t.Helper()
	all, err := certs.ParseBundle(read(t, path))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return all[0]
}

// evidenceFile reads an OCSP response or CRL in DER, PEM or bare base64.
func evidenceFile(t testing.TB, kind certs.EvidenceKind, path string) certs.Evidence {
	t.Helper()
	data := read(t, path)
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	} else if der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(data)), "")); err == nil {
		data = der
	}
	return certs.Evidence{Kind: kind, DER: data, Origin: certs.OriginEmbedded}
}

func TestOpenSSLOCSPVectors(t *testing.T) {
	t.Parallel()
	dir := corpus(t, "openssl-ocsp")
	var cases []struct {
		Name, Root, Cert string
		Others           []string `json:"other_certs"`
		OCSPs            []string
		Moment           time.Time
		Error            *struct{ Class string }
	}
	if err := json.Unmarshal(read(t, filepath.Join(dir, "openssl-ocsp.json")), &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			o := certs.PathOptions{Anchors: []*certs.Certificate{loadOne(t, filepath.Join(dir, c.Root))}, At: c.Moment}
			for _, name := range c.Others {
				o.Intermediates = append(o.Intermediates, loadOne(t, filepath.Join(dir, name)))
			}
			var evidence []certs.Evidence
			for _, name := range c.OCSPs {
				evidence = append(evidence, evidenceFile(t, certs.EvidenceOCSP, filepath.Join(dir, name)))
			}
			path, err := certs.BuildPath(context.Background(), loadOne(t, filepath.Join(dir, c.Cert)), o)
			if err != nil {
				t.Fatal(err)
			}
			// The suite gives one response per certificate it asks about, leaf first.
			err = nil
			for _, cert := range path[:min(len(path)-1, len(c.OCSPs))] {
				st := certs.CheckRevocation(cert, path.Issuer(cert), evidence, certs.RevocationOptions{At: c.Moment, Intermediates: o.Intermediates})
				if st.Status != certs.StatusGood {
					err = errors.Join(err, statusError(st))
				}
			}
			if (err == nil) != (c.Error == nil) {
				t.Fatalf("got %v, want error %v", err, c.Error)
			}
			if c.Error == nil {
				return
			}
			var status statusError
			if want := whyOf(c.OCSPs, c.Error.Class); !errors.As(err, &status) || status.Why != want {
				t.Fatalf("got %v, want %s", err, want)
			}
		})
	}
}

// whyOf is what the names of the vectors say is wrong with them.
func whyOf(files []string, class string) string {
	if class == "StaleRevinfoError" {
		return certs.WhyStale
	}
	for prefix, why := range map[string]string{"ISOP": certs.WhySignature, "WRID": certs.WhyResponder, "WINH": certs.WhyOther,
		"WIKH": certs.WhyOther, "WKDOSC": certs.WhyResponder, "ISDOSC": certs.WhyResponder} {
		if slices.ContainsFunc(files, func(f string) bool { return strings.HasPrefix(f, prefix+"_") }) {
			return why
		}
	}
	return ""
}
