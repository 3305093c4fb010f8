package certstest

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"time"

	"antin/certs"
)

// The roles of the signers that every PKI has; also the names of their files.
const (
	RoleLeader  = "lanh-dao"  // a person who signs
	RoleSealA   = "co-quan-a" // the seal of agency A
	RoleSealB   = "co-quan-b" // the seal of agency B
	RoleRevoked = "revoked"   // a person whose certificate is revoked since a day
	RoleExpired = "expired"   // a person whose certificate expired a month ago
)

// Roles lists the signers of every PKI.
func Roles() []string { return []string{RoleLeader, RoleSealA, RoleSealB, RoleRevoked, RoleExpired} }

// Entity is a certificate with its key.
type Entity struct {
	Certificate *certs.Certificate
	Key         crypto.Signer
	// Chain is the certificate and its issuers up to, not with, the root.
	Chain []*certs.Certificate

	x509 *x509.Certificate
}

// authority is a CA with what it publishes.
type authority struct {
	*Entity
	name      string // in URLs
	responder *Entity
	rogue     *Entity // a responder that nobody authorised
	revoked   map[string]revocation
	crlNumber int64
}

type revocation struct {
	At     time.Time
	Reason Reason
	Serial *big.Int
}

// Reason is a CRLReason (RFC 5280, 5.3.1).
type Reason int

// The reasons.
const (
	Unspecified          Reason = 0
	KeyCompromise        Reason = 1
	AffiliationChanged   Reason = 3
	Superseded           Reason = 4
	CessationOfOperation Reason = 5
	CertificateHold      Reason = 6
	PrivilegeWithdrawn   Reason = 9
)

// PKI is the whole infrastructure. It is safe for concurrent use.
type PKI struct {
	o       Options
	created time.Time
	keys    map[string]crypto.Signer

	mu      sync.Mutex
	baseURL string
	root    *authority
	issuing *authority
	others  []*authority
	tsa     *Entity
	badTSA  *Entity // its extended key usage is not critical
	leaves  map[string]*Entity
	defects map[Defect]bool
}

// Names of the authorities in URLs, and of the keys that are not a role's.
const (
	keyRoot    = "root"
	keyIssuing = "issuing"
	keyTSA     = "tsa"
	keyOCSP    = "ocsp"
)

// New generates the keys, at the same time where there is more than one CPU, and
// issues all certificates.
func New(o Options) (*PKI, error) {
	o = o.withDefaults()
	p := &PKI{o: o, baseURL: o.BaseURL, created: o.Now().UTC().Truncate(time.Second), keys: map[string]crypto.Signer{}, defects: map[Defect]bool{}}
	var group sync.WaitGroup
	var mu sync.Mutex
	var failed error
	generate := func(name string, t KeyType) {
		group.Go(func() {
			key, err := t.NewKey()
			mu.Lock()
			defer mu.Unlock()
			p.keys[name], failed = key, errors.Join(failed, err)
		})
	}
	for _, role := range Roles() {
		generate(role, o.LeafKey)
	}
	for _, name := range []string{keyRoot, keyIssuing, keyTSA, keyOCSP} {
		generate(name, o.CAKey)
	}
	group.Wait()
	if failed != nil {
		return nil, fmt.Errorf("generating keys: %w", failed)
	}
	return p, p.issueAll()
}

// SetBaseURL issues every certificate but the root's anew, with addresses below
// url (no slash at the end). Keys and names stay; call it before handing
// certificates out.
func (p *PKI) SetBaseURL(url string) error {
	p.mu.Lock()
	p.baseURL = url
	p.mu.Unlock()
	return p.issueAll()
}

// BaseURL is the address in the certificates; empty when they have none.
func (p *PKI) BaseURL() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.baseURL
}

// Now is the PKI's clock.
func (p *PKI) Now() time.Time { return p.o.Now() }

// Root is the root certificate, the only anchor needed.
func (p *PKI) Root() *certs.Certificate {
	return p.locked(func() *Entity { return p.root.Entity }).Certificate
}

// Anchors is a trust store of the root alone.
func (p *PKI) Anchors() certs.Anchors { return certs.Anchors{p.Root()} }

// RootCA and IssuingCA can issue more certificates: see Spec.Issuer.
func (p *PKI) RootCA() *Entity { return p.locked(func() *Entity { return p.root.Entity }) }

// IssuingCA is the CA that issues the signers' certificates.
func (p *PKI) IssuingCA() *Entity { return p.locked(func() *Entity { return p.issuing.Entity }) }

// TSA is the time-stamping authority.
func (p *PKI) TSA() *Entity { return p.locked(func() *Entity { return p.tsa }) }

// OCSPResponder is the responder of the issuing CA.
func (p *PKI) OCSPResponder() *Entity { return p.locked(func() *Entity { return p.issuing.responder }) }

// Leader is the person who signs in tests and the demonstration.
func (p *PKI) Leader() *Entity { return p.Signer(RoleLeader) }

// Signer is the signer of that role; nil for an unknown role.
func (p *PKI) Signer(role string) *Entity { return p.locked(func() *Entity { return p.leaves[role] }) }

func (p *PKI) locked(get func() *Entity) *Entity {
	p.mu.Lock()
	defer p.mu.Unlock()
	return get()
}

// Revoke revokes c, which one of the PKI's CAs issued, from at on. A repeated
// call changes date and reason.
func (p *PKI) Revoke(c *certs.Certificate, at time.Time, reason Reason) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.authorities() {
		if c.IssuedBy(a.Certificate) && !c.Equal(a.Certificate) {
			a.revoked[c.Serial.String()] = revocation{At: at.UTC().Truncate(time.Second), Reason: reason, Serial: c.Serial}
			return nil
		}
	}
	return errors.New("certstest: no CA here issued that certificate")
}

// Reinstate lifts a revocation, as after a hold.
func (p *PKI) Reinstate(c *certs.Certificate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.authorities() {
		if c.IssuedBy(a.Certificate) {
			delete(a.revoked, c.Serial.String())
		}
	}
}

func (p *PKI) authorities() []*authority {
	return slices.Concat([]*authority{p.root, p.issuing}, p.others)
}
