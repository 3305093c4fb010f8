package certstest

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// The files of a saved PKI. The services' keys lie apart from what users need.
const (
	rootFile     = "root.pem"
	passwordFile = "password.txt"
	stateDir     = "services"
	stateFile    = "state.json"
)

// state is what running again needs besides the signers' files.
type state struct {
	BaseURL  string                    `json:"base_url"`
	Created  time.Time                 `json:"created"`
	Entities map[string]savedEntity    `json:"entities"`
	Revoked  map[string][]savedRevoked `json:"revoked"` // by authority
}

type savedEntity struct {
	Certificate []byte `json:"certificate"`
	Key         []byte `json:"key"` // PKCS #8
}

type savedRevoked struct {
	Serial string    `json:"serial"`
	At     time.Time `json:"at"`
	Reason Reason    `json:"reason"`
}

// Save writes the PKI to dir: the root's certificate, every signer as PKCS #12
// under one random password, the password, and in a folder of its own what the
// services need to run again. Keys and password are readable by the owner only.
// CAs added with Issue are not saved. Existing files are replaced.
func (p *PKI) Save(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, stateDir), 0o700); err != nil {
		return err
	}
	password := rand.Text()
	files := map[string][]byte{passwordFile: []byte(password)}
	for _, role := range Roles() {
		der, err := p.Signer(role).PKCS12(password)
		if err != nil {
			return fmt.Errorf("encoding %s: %w", role, err)
		}
		files[role+".p12"] = der
	}
	saved, err := p.state()
	if err != nil {
		return err
	}
	if files[filepath.Join(stateDir, stateFile)], err = json.MarshalIndent(saved, "", " "); err != nil {
		return err
	}
	for name, data := range files {
		if err := writeFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	return writeFile(filepath.Join(dir, rootFile), p.RootPEM(), 0o644)
}

// RootPEM is the root's certificate in PEM.
func (p *PKI) RootPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Root().Raw})
}

// PKCS12 is the entity with its chain in a file that OpenSSL 3 and others open.
func (e *Entity) PKCS12(password string) ([]byte, error) {
	var chain []*x509.Certificate
	for _, c := range e.Chain[1:] {
		x, err := x509.ParseCertificate(c.Raw)
		if err != nil {
			return nil, err
		}
		chain = append(chain, x)
	}
	return pkcs12.Modern.Encode(e.Key, e.x509, chain, password)
}

// writeFile puts a whole file in place, so that a reader never sees half of one.
func writeFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // best effort: the write's own error is the one to tell
	}
	return err
}

// services are the entities that state keeps.
func (p *PKI) services() map[string]*Entity {
	return map[string]*Entity{
		keyRoot: p.root.Entity, keyIssuing: p.issuing.Entity, keyTSA: p.tsa, "tsa-bad-usage": p.badTSA,
		"root-ocsp": p.root.responder, "root-rogue": p.root.rogue, "issuing-ocsp": p.issuing.responder, "issuing-rogue": p.issuing.rogue,
	}
}

func (p *PKI) state() (*state, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &state{BaseURL: p.baseURL, Created: p.created, Entities: map[string]savedEntity{}, Revoked: map[string][]savedRevoked{}}
	for name, e := range p.services() {
		key, err := x509.MarshalPKCS8PrivateKey(e.Key)
		if err != nil {
			return nil, err
		}
		s.Entities[name] = savedEntity{Certificate: e.Certificate.Raw, Key: key}
	}
	for _, a := range []*authority{p.root, p.issuing} {
		for _, r := range a.revoked {
			s.Revoked[a.name] = append(s.Revoked[a.name], savedRevoked{Serial: r.Serial.String(), At: r.At, Reason: r.Reason})
		}
	}
	return s, nil
}

// Load reads what Save wrote; o's clock and key types hold, its names do not.
// An error that is fs.ErrNotExist means that there is no saved PKI.
func Load(dir string, o Options) (*PKI, error) {
	data, err := os.ReadFile(filepath.Join(dir, stateDir, stateFile))
	if err != nil {
		return nil, err
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("reading %s: %w", stateFile, err)
	}
	p := &PKI{o: o.withDefaults(), created: s.Created, baseURL: s.BaseURL, keys: map[string]crypto.Signer{}, leaves: map[string]*Entity{}, defects: map[Defect]bool{}}
	if err := p.restoreServices(s); err != nil {
		return nil, err
	}
	return p, p.restoreSigners(dir)
}

func (p *PKI) restoreServices(s state) error {
	get := func(name string, issuer *Entity) (*Entity, error) {
		saved := s.Entities[name]
		key, err := x509.ParsePKCS8PrivateKey(saved.Key)
		if err != nil {
			return nil, fmt.Errorf("key of %s: %w", name, err)
		}
		signer, ok := key.(crypto.Signer)
		if !ok {
			return nil, fmt.Errorf("key of %s: cannot sign", name)
		}
		return entityFrom(saved.Certificate, signer, issuer)
	}
	var err error
	authorityOf := func(name string, issuer *Entity) *authority {
		a := &authority{name: name, revoked: map[string]revocation{}}
		var errs [3]error
		a.Entity, errs[0] = get(name, issuer)
		a.responder, errs[1] = get(name+"-ocsp", a.Entity)
		a.rogue, errs[2] = get(name+"-rogue", a.Entity)
		for _, r := range s.Revoked[name] {
			if serial, ok := new(big.Int).SetString(r.Serial, 10); ok {
				a.revoked[r.Serial] = revocation{At: r.At, Reason: r.Reason, Serial: serial}
			}
		}
		err = errors.Join(err, errors.Join(errs[:]...))
		return a
	}
	p.root = authorityOf(keyRoot, nil)
	p.issuing = authorityOf(keyIssuing, p.root.Entity)
	var errTSA, errBad error
	p.tsa, errTSA = get(keyTSA, p.root.Entity)
	p.badTSA, errBad = get("tsa-bad-usage", p.root.Entity)
	if err = errors.Join(err, errTSA, errBad); err != nil {
		return err
	}
	for name, e := range map[string]*Entity{keyRoot: p.root.Entity, keyIssuing: p.issuing.Entity, keyTSA: p.tsa, keyOCSP: p.issuing.responder} {
		p.keys[name] = e.Key
	}
	return nil
}

func (p *PKI) restoreSigners(dir string) error {
	password, err := os.ReadFile(filepath.Join(dir, passwordFile))
	if err != nil {
		return err
	}
	for _, role := range Roles() {
		data, err := os.ReadFile(filepath.Join(dir, role+".p12"))
		if err != nil {
			return err
		}
		key, x, _, err := pkcs12.DecodeChain(data, strings.TrimSpace(string(password)))
		if err != nil {
			return fmt.Errorf("reading %s.p12: %w", role, err)
		}
		signer, ok := key.(crypto.Signer)
		if !ok {
			return fmt.Errorf("reading %s.p12: its key cannot sign", role)
		}
		if p.leaves[role], err = entityFrom(x.Raw, signer, p.issuing.Entity); err != nil {
			return err
		}
		p.keys[role] = signer
	}
	return nil
}
