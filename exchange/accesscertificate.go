package exchange

import (
	"context"
	"strings"
	"time"

	"antin/certs"
	"antin/internal/text"
)

// CertificateKey names the key of the bound certificate: the SHA-256 of its public
// key info, so that a renewed certificate over the same key is the same person's;
// empty when none is bound.
func (a Account) CertificateKey() Digest {
	if len(a.Certificate) == 0 {
		return ""
	}
	c, err := certs.ParseCertificate(a.Certificate)
	if err != nil {
		return DigestOf(a.Certificate) // cannot be: it was parsed when it was bound
	}
	return DigestOf(c.RawSPKI)
}

// BindCertificate says which certificate the lãnh đạo of an account signs with;
// an empty der takes it away. A repeat under the key of WithIdempotencyKey changes
// nothing. Errors: not-allowed, not-found, invalid-input (it does not parse, is that of
// a CA, or the account is no lãnh đạo's), sandbox-certificate, state-conflict (its key
// is bound to another account), idempotency-key-reused.
func (a *Access) BindCertificate(ctx context.Context, by Actor, id ID, der []byte) error {
	return a.changeOnce(ctx, by, id, "account.certificate", []any{der}, func(tx Tx, acc *Account) error {
		data := map[string]string{"login": acc.Login}
		if len(der) > 0 {
			if err := a.checkCertificate(*acc, der); err != nil {
				return err
			}
			data["sha256"] = string(DigestOf(der))
		}
		acc.Certificate = der
		return a.event(ctx, tx, EventAccountCertificate, by, acc.Agency, id, data)
	})
}

// checkCertificate returns nil when der may be bound to acc.
func (a *Access) checkCertificate(acc Account, der []byte) error {
	if acc.Role != RoleLeader {
		return text.Detailed(text.InvalidInput, nil, "access.certificate-role")
	}
	c, err := certs.ParseCertificate(der)
	if err != nil {
		return text.Detailed(text.InvalidInput, err, "access.certificate-file")
	}
	return a.CheckLeaf(c)
}

// CheckLeaf returns nil when c may be a person's certificate here, as far as c
// alone tells: it is no CA's, and carries no sandbox mark where those are refused
// (sandbox-certificate).
func (a *Access) CheckLeaf(c *certs.Certificate) error {
	switch {
	case c.IsCA:
		return text.Detailed(text.InvalidInput, nil, "access.certificate-ca")
	case c.Sandbox && a.RefuseSandbox:
		return text.Errorf(text.SandboxCertificate, nil)
	}
	return nil
}

// ReadLeaf finds the person's certificate in a file of one or more: PEM, DER or
// PKCS #7, as authorities hand them out. Error: invalid-input when there is none,
// or more than one that is no CA's.
func ReadLeaf(data []byte) (*certs.Certificate, error) {
	all, err := certs.ParseBundle(data)
	if err != nil {
		return nil, text.Detailed(text.InvalidInput, err, "access.certificate-file")
	}
	var leaf *certs.Certificate
	for _, c := range all {
		switch {
		case c.IsCA:
		case leaf != nil:
			return nil, text.Detailed(text.InvalidInput, nil, "access.certificate-many")
		default:
			leaf = c
		}
	}
	if leaf == nil {
		return nil, text.Detailed(text.InvalidInput, nil, "access.certificate-ca")
	}
	return leaf, nil
}

// AccessOffices are the offices of Base whose competent persons are the lãnh đạo
// of their accounts, besides those that Base names itself.
type AccessOffices struct {
	Base   Offices
	Access *Access
}

var _ Offices = AccessOffices{}

// Office implements Offices.
func (o AccessOffices) Office(ctx context.Context, code AgencyCode) (Office, error) {
	office, err := o.Base.Office(ctx, code)
	if err != nil {
		return Office{}, err
	}
	return o.staffed(ctx, office)
}

// Offices implements Offices.
func (o AccessOffices) Offices(ctx context.Context) ([]Office, error) {
	all, err := o.Base.Offices(ctx)
	for i := range all {
		if err != nil {
			break
		}
		all[i], err = o.staffed(ctx, all[i])
	}
	return all, err
}

func (o AccessOffices) staffed(ctx context.Context, office Office) (Office, error) {
	var leaders []Account
	err := o.Access.Store.View(ctx, func(tx Tx) (err error) {
		leaders, err = tx.Accounts(ctx, office.Agency.Code, RoleLeader)
		return err
	})
	if err != nil {
		return Office{}, err
	}
	office.Signatories = append([]Signatory(nil), office.Signatories...)
	for _, l := range leaders {
		if !l.Disabled {
			office.Signatories = append(office.Signatories, Signatory{ActorID: string(l.ID), Name: l.Name,
				Position: strings.ToUpper(l.Position), Competence: l.Competence, Key: l.Key, Certificate: l.Certificate})
		}
	}
	return office, nil
}

// Facts are what a person compares a certificate by.
type Facts struct {
	Subject, Issuer     string
	Serial              string // hexadecimal
	NotBefore, NotAfter time.Time
	SHA256              string // of the DER, hexadecimal
}

// ReadFacts reads der; invalid-input when it is no certificate.
func ReadFacts(der []byte) (Facts, error) {
	c, err := certs.ParseCertificate(der)
	if err != nil {
		return Facts{}, text.Detailed(text.InvalidInput, err, "access.certificate-file")
	}
	return Facts{Subject: c.Subject, Issuer: c.Issuer, Serial: strings.ToUpper(c.Serial.Text(16)), NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		SHA256: string(DigestOf(der))}, nil
}
