package signbench

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"

	"antin/certs"
	"antin/signer"
	"antin/signer/ades"
	"antin/signer/cms"
	"antin/signer/pades"
	"antin/signer/pdf"
)

// reachableObjects is 1 MB of smallObjects dictionaries, each of which a page leads
// to: the marked-content properties of its resources.
func reachableObjects() []byte {
	d := newDocument(large)
	for i, body := range skeleton(3) {
		if i >= 2 {
			body = fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources %d 0 R >>", 1+i+pages)
		}
		d.add(body)
	}
	first := len(d.offsets) + pages
	for page := range pages {
		var list bytes.Buffer
		for n := first + page; n < first+smallObjects; n += pages {
			fmt.Fprintf(&list, "/MC%d %d 0 R ", n, n)
		}
		d.add("<< /Properties << " + list.String() + ">> >>")
	}
	for range smallObjects {
		d.add(littleObject(len(d.offsets), 12))
	}
	return d.table()
}

// signed is a document after one more signature; field may be empty.
func (b *bench) signed(ctx context.Context, data []byte, field string, level ades.Level) ([]byte, error) {
	out := &memory{buf: make([]byte, 0, len(data)+1<<17)}
	req := request(KeyRSA, level)
	req.Field = field
	if _, err := b.signer.Sign(ctx, input(data), out, req); err != nil {
		return nil, err
	}
	return out.buf, nil
}

// signedTimes is data after n signatures, each in a revision of its own.
func (b *bench) signedTimes(ctx context.Context, data []byte, n int) (_ []byte, err error) {
	for i := range n {
		if data, err = b.signed(ctx, data, fmt.Sprintf("S%d", 1+i), ades.BB); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// replaced is data with a later revision in which object num says something else.
func replaced(data []byte, num int) ([]byte, error) {
	f, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
	if err != nil {
		return nil, err
	}
	ref := pdf.Ref{Num: num}
	old, err := f.Load(ref)
	if err != nil {
		return nil, err
	}
	d, ok := old.(*pdf.Dict)
	if !ok {
		return nil, errors.New("the object to replace is no dictionary")
	}
	d = d.Clone()
	d.Set("T", pdf.String{Value: []byte("replaced")})
	u := f.NewUpdate()
	u.Put(ref, d)
	built, err := u.Build()
	if err != nil {
		return nil, err
	}
	return append(data[:len(data):len(data)], built.Data...), nil
}

// covered is what the signatures of a file cost at least: the bytes of all their
// ranges, one signature after the other, and the operations with public keys that
// judging it takes once.
type covered struct {
	bytes      int64
	operations int
}

// count reads the signatures of a file and all that it brings to judge them.
func count(data []byte) (covered, error) {
	c := counter{seen: map[string]bool{}}
	f, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Options{})
	if err != nil {
		return c.covered, err
	}
	found, err := pades.Signatures(f)
	if err != nil {
		return c.covered, err
	}
	for _, s := range found {
		c.bytes += s.ByteRange[1] + s.ByteRange[3]
		if err := c.signature(s.Contents); err != nil {
			return c.covered, err
		}
	}
	store, err := pades.ReadDSS(f)
	if err != nil {
		return c.covered, err
	}
	for _, der := range store.Certs {
		if cert, err := certs.ParseCertificate(der); err == nil {
			c.certificate(cert)
		}
	}
	for _, der := range store.OCSPs {
		if answer, err := certs.ParseOCSP(der); err == nil {
			c.operations++
			for _, cert := range answer.Certificates {
				c.certificate(cert)
			}
		}
	}
	c.operations += len(store.CRLs)
	return c.covered, nil
}

type counter struct {
	covered
	seen map[string]bool
}

// signature counts a signature value, its certificates and its time-stamps.
func (c *counter) signature(der []byte) error {
	sd, err := cms.Parse(der)
	if err != nil {
		return err
	}
	for _, cert := range sd.Certificates {
		c.certificate(cert)
	}
	for _, s := range sd.Signers {
		c.operations++
		for _, token := range s.Timestamps() {
			if err := c.signature(token); err != nil {
				return err
			}
		}
	}
	return nil
}

// certificate counts the signature of a certificate, once; nobody verifies an anchor's.
func (c *counter) certificate(cert *certs.Certificate) {
	if cert.Subject == cert.Issuer || c.seen[string(cert.Raw)] {
		return
	}
	c.seen[string(cert.Raw)] = true
	c.operations++
}

// publicKey is the key of the first certificate that signs for KeyRSA, and something
// that it verifies.
func (b *bench) publicKey(ctx context.Context) (verify func() error, err error) {
	key, err := b.Keys.Key(ctx, KeyRSA)
	if err != nil {
		return nil, err
	}
	sum := make([]byte, crypto.SHA256.Size())
	value, err := key.Signer.Sign(nil, sum, crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return verifier(key, sum, value)
}

// errNotRSA cannot happen with a Kit as it is described.
var errNotRSA = errors.New("the key named " + KeyRSA + " is another")

// verifier returns the bare verification of value with the public half of key.
func verifier(key signer.Key, sum, value []byte) (func() error, error) {
	pub, ok := key.Signer.Public().(*rsa.PublicKey)
	if !ok {
		return nil, errNotRSA
	}
	return func() error { return rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum, value) }, nil
}
