package certstest

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"net"
	"time"

	"antin/certs"
)

// How long things live, counted from the PKI's creation. Everything that others
// depend on begins years before, so that tests can sign in the past.
const (
	year          = 365 * 24 * time.Hour
	rootBefore    = 10 * year
	rootAfter     = 25 * year
	issuingBefore = 8 * year
	issuingAfter  = 20 * year
	serviceBefore = 5 * year
	serviceAfter  = 15 * year
	leafBefore    = year
	leafAfter     = 2 * year
	expiredBefore = 3 * year
	expiredSince  = 30 * 24 * time.Hour
	revokedSince  = 24 * time.Hour
)

// Spec describes one certificate to issue. The zero value with a name is a
// signer's certificate under the issuing CA, valid around the PKI's creation.
type Spec struct {
	CommonName, Organisation, Unit, Locality, UID string
	Email                                         string // subjectAltName
	DNSNames                                      []string
	IPs                                           []net.IP

	Issuer *Entity // nil: the issuing CA
	// Key is used when set; else one of KeyType is generated (LeafKey by default).
	Key     crypto.Signer
	KeyType KeyType
	// NotBefore and NotAfter default to a year before and two after the creation.
	NotBefore, NotAfter time.Time

	// KeyUsage defaults to digitalSignature and contentCommitment, for a CA to
	// keyCertSign and cRLSign.
	KeyUsage            certs.KeyUsage
	ExtKeyUsage         []asn1.ObjectIdentifier
	ExtKeyUsageCritical bool

	CA      bool
	PathLen int // of a CA: the limit; 0 is no limit, -1 is a limit of none
	// Name is under which the CA publishes CRL and certificate; empty: it does not.
	Name string

	OCSPNoCheck bool
	NoAddresses bool // no OCSP, CRL and issuer addresses
	NoSandbox   bool // without the sandbox mark
	Extra       []pkix.Extension
}

// Issue issues a certificate. A CA with a Name is served and can revoke from then on.
func (p *PKI) Issue(s Spec) (*Entity, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, err := p.issue(s)
	if err != nil || !s.CA || s.Name == "" {
		return e, err
	}
	a := &authority{Entity: e, name: s.Name, revoked: map[string]revocation{}}
	p.others = append(p.others, a)
	return e, p.addResponders(a)
}

func (p *PKI) issueAll() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.o.Names
	at := func(d time.Duration) time.Time { return p.created.Add(d) }
	if p.root == nil {
		e, err := p.selfSigned(Spec{CommonName: n.Root, Organisation: n.Owner, Key: p.keys[keyRoot], CA: true, NotBefore: at(-rootBefore), NotAfter: at(rootAfter)})
		if err != nil {
			return err
		}
		p.root = &authority{Entity: e, name: keyRoot, revoked: map[string]revocation{}}
	}
	e, err := p.issue(Spec{CommonName: n.Issuing, Organisation: n.Owner, Issuer: p.root.Entity, Key: p.keys[keyIssuing], CA: true, PathLen: -1,
		NotBefore: at(-issuingBefore), NotAfter: at(issuingAfter)})
	if err != nil {
		return err
	}
	p.issuing = &authority{Entity: e, name: keyIssuing, revoked: map[string]revocation{}}
	for _, a := range []*authority{p.root, p.issuing} {
		if err := p.addResponders(a); err != nil {
			return err
		}
	}
	tsa := Spec{CommonName: n.TSA, Organisation: n.Owner, Issuer: p.root.Entity, Key: p.keys[keyTSA], KeyUsage: certs.KeyUsageDigitalSignature,
		ExtKeyUsage: []asn1.ObjectIdentifier{certs.OIDExtKeyUsageTimeStamping}, ExtKeyUsageCritical: true,
		NotBefore: at(-serviceBefore), NotAfter: at(serviceAfter)}
	if p.tsa, err = p.issue(tsa); err != nil {
		return err
	}
	tsa.ExtKeyUsageCritical = false
	if p.badTSA, err = p.issue(tsa); err != nil {
		return err
	}
	return p.issueSigners()
}

func (p *PKI) issueSigners() error {
	n := p.o.Names
	specs := map[string]Spec{
		RoleLeader:  {CommonName: n.Leader, Organisation: n.AgencyA, Unit: "Lãnh đạo Ủy ban", UID: "CCCD:001099000001", Email: "an@ubnd-a.example"},
		RoleSealA:   {CommonName: n.AgencyA, Organisation: n.AgencyA, UID: "MST:0100000001"},
		RoleSealB:   {CommonName: n.AgencyB, Organisation: n.AgencyB, UID: "MST:0100000002"},
		RoleRevoked: {CommonName: n.Revoked, Organisation: n.AgencyA, UID: "CCCD:001099000002"},
		RoleExpired: {CommonName: n.Expired, Organisation: n.AgencyA, UID: "CCCD:001099000003",
			NotBefore: p.created.Add(-expiredBefore), NotAfter: p.created.Add(-expiredSince)},
	}
	p.leaves = map[string]*Entity{}
	for role, s := range specs {
		s.Key, s.Locality = p.keys[role], n.ProvinceName
		e, err := p.issue(s)
		if err != nil {
			return fmt.Errorf("issuing %s: %w", role, err)
		}
		p.leaves[role] = e
	}
	serial := p.leaves[RoleRevoked].Certificate.Serial
	p.issuing.revoked[serial.String()] = revocation{At: p.created.Add(-revokedSince), Reason: KeyCompromise, Serial: serial}
	return nil
}

// addResponders issues a's OCSP responder and one without authority, for the
// defect of that name.
func (p *PKI) addResponders(a *authority) (err error) {
	s := Spec{CommonName: p.o.Names.OCSP, Organisation: p.o.Names.Owner, Issuer: a.Entity, Key: p.keys[keyOCSP], KeyUsage: certs.KeyUsageDigitalSignature,
		ExtKeyUsage: []asn1.ObjectIdentifier{certs.OIDExtKeyUsageOCSPSigning}, OCSPNoCheck: true, NoAddresses: true,
		NotBefore: p.created.Add(-serviceBefore), NotAfter: p.created.Add(serviceAfter)}
	if a.responder, err = p.issue(s); err != nil {
		return err
	}
	s.ExtKeyUsage = nil
	a.rogue, err = p.issue(s)
	return err
}

func (p *PKI) selfSigned(s Spec) (*Entity, error) {
	t, err := p.template(s, nil)
	if err != nil {
		return nil, err
	}
	return newEntity(t, t, s.Key, s.Key, nil)
}

func (p *PKI) issue(s Spec) (*Entity, error) {
	if s.Issuer == nil {
		s.Issuer = p.issuing.Entity
	}
	if s.Key == nil {
		if s.KeyType == "" {
			s.KeyType = p.o.LeafKey
		}
		var err error
		if s.Key, err = s.KeyType.NewKey(); err != nil {
			return nil, err
		}
	}
	t, err := p.template(s, s.Issuer)
	if err != nil {
		return nil, err
	}
	return newEntity(t, s.Issuer.x509, s.Key, s.Issuer.Key, s.Issuer)
}

func newEntity(t, parent *x509.Certificate, key, parentKey crypto.Signer, issuer *Entity) (*Entity, error) {
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), parentKey)
	if err != nil {
		return nil, fmt.Errorf("issuing %s: %w", t.Subject.CommonName, err)
	}
	return entityFrom(der, key, issuer)
}

func entityFrom(der []byte, key crypto.Signer, issuer *Entity) (*Entity, error) {
	c, err := certs.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	x, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	e := &Entity{Certificate: c, Key: key, Chain: []*certs.Certificate{c}, x509: x}
	if issuer != nil && !issuer.Certificate.SelfIssued() {
		e.Chain = append(e.Chain, issuer.Chain...)
	}
	return e, nil
}

func (p *PKI) template(s Spec, issuer *Entity) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)), Subject: s.subject(), NotBefore: s.NotBefore.UTC(), NotAfter: s.NotAfter.UTC(),
		DNSNames: s.DNSNames, IPAddresses: s.IPs, ExtraExtensions: s.Extra, BasicConstraintsValid: true, IsCA: s.CA,
		KeyUsage: x509.KeyUsage(s.KeyUsage),
	}
	if s.NotBefore.IsZero() {
		t.NotBefore = p.created.Add(-leafBefore)
	}
	if s.NotAfter.IsZero() {
		t.NotAfter = p.created.Add(leafAfter)
	}
	if s.Email != "" {
		t.EmailAddresses = []string{s.Email}
	}
	switch {
	case s.KeyUsage == 0 && s.CA:
		t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	case s.KeyUsage == 0:
		t.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	}
	if s.CA {
		t.MaxPathLen, t.MaxPathLenZero = max(s.PathLen, 0), s.PathLen < 0
		if s.PathLen == 0 {
			t.MaxPathLen = -1
		}
	}
	if issuer != nil && !s.NoAddresses {
		p.addAddresses(t, issuer)
	}
	return t, s.addExtensions(t)
}

func (s Spec) subject() pkix.Name {
	n := pkix.Name{Country: []string{"VN"}, CommonName: s.CommonName}
	for into, value := range map[*[]string]string{&n.Organization: s.Organisation, &n.OrganizationalUnit: s.Unit, &n.Locality: s.Locality} {
		if value != "" {
			*into = []string{value}
		}
	}
	if s.UID != "" {
		n.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}, Value: s.UID}}
	}
	return n
}

// addAddresses names where the issuer publishes. Only authorities with a name do.
func (p *PKI) addAddresses(t *x509.Certificate, issuer *Entity) {
	name := ""
	for _, a := range p.authorities() {
		if a != nil && a.Entity == issuer {
			name = a.name
		}
	}
	if p.baseURL == "" || name == "" {
		return
	}
	t.OCSPServer = []string{p.baseURL + "/ocsp"}
	t.IssuingCertificateURL = []string{p.baseURL + "/aia/" + name + ".cer"}
	t.CRLDistributionPoints = []string{p.baseURL + "/crl/" + name + ".crl"}
}

func (s Spec) addExtensions(t *x509.Certificate) error {
	null := []byte{5, 0}
	if len(s.ExtKeyUsage) > 0 {
		der, err := asn1.Marshal(s.ExtKeyUsage)
		if err != nil {
			return err
		}
		t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: s.ExtKeyUsageCritical, Value: der})
	}
	if s.OCSPNoCheck {
		t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Value: null})
	}
	if !s.NoSandbox {
		t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: certs.OIDSandbox, Value: null})
	}
	return nil
}
