package fetch

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"time"

	"antin/certs"
)

// issuerCacheAge is how long a fetched issuer is kept: its address holds the
// same certificate until the CA renews its key.
const issuerCacheAge = 24 * time.Hour

// Issuers implements certs.IssuerSource: the addresses of issuer certificates
// named in cert are asked until one gives a certificate whose key made cert's
// signature. The answer may be a certificate in DER or PEM, or a PKCS #7 bundle;
// all its certificates with the issuer's name are returned.
func (c *Client) Issuers(ctx context.Context, cert *certs.Certificate) ([]*certs.Certificate, error) {
	var all []*certs.Certificate
	var failed error
	for _, u := range cert.IssuingCertificateURL[:min(len(cert.IssuingCertificateURL), maxURLs)] {
		found, signed, err := c.issuersAt(ctx, u, cert)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		failed = errors.Join(failed, err)
		if all = append(all, found...); signed {
			break
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	return nil, failed
}

func (c *Client) issuersAt(ctx context.Context, u string, cert *certs.Certificate) (found []*certs.Certificate, signed bool, err error) {
	r := request{url: u, limit: maxIssuerAnswer}
	r.id = "issuer"
	key := r.key()
	r.cached = func() ([]byte, bool) {
		data, ok := c.cache.get(key)
		if ok {
			_, ok = issuersIn(data, cert)
		}
		return data, ok
	}
	r.keep = func(data []byte) {
		if _, ok := issuersIn(data, cert); ok {
			c.cache.put(key, data, c.now().Add(issuerCacheAge))
		}
	}
	r.read = func(data []byte) ([]byte, error) {
		if _, err := certs.ParseBundle(data); err != nil {
			return nil, &Error{Kind: KindContent, URL: u, Err: err}
		}
		return data, nil
	}
	data, ok := r.cached()
	if !ok {
		if data, err = c.get(ctx, r); err != nil {
			return nil, false, err
		}
	}
	found, signed = issuersIn(data, cert)
	return found, signed, nil
}

// issuersIn returns the certificates in data with the name of cert's issuer, and
// whether the key of one made cert's signature.
func issuersIn(data []byte, cert *certs.Certificate) (found []*certs.Certificate, signed bool) {
	bundle, err := certs.ParseBundle(data)
	if err != nil {
		return nil, false
	}
	for _, x := range bundle {
		if certs.SameName(x.RawSubject, cert.RawIssuer) {
			found = append(found, x)
			signed = signed || cert.IssuedBy(x)
		}
	}
	return found, signed
}

// unwrapPEM returns the DER of a PEM file, which some CAs serve against RFC 5280.
func unwrapPEM(data []byte) []byte {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("-----BEGIN ")) {
		if block, _ := pem.Decode(data); block != nil {
			return block.Bytes
		}
	}
	return data
}
