package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer"
	"antin/signer/keys/helper"
	"antin/signer/keys/pkcs11"
	"antin/store"
)

const (
	// diskWarn and diskFail are the free bytes below which documents soon find no room.
	diskWarn = 5 << 30
	diskFail = 512 << 20
	// probeFor bounds one question to a service or peer.
	probeFor = 15 * time.Second
)

// permissions looks for secrets that others of the machine can read.
func (d *doctor) permissions(context.Context) []finding {
	var out []finding
	for _, p := range []struct {
		path string
		deny fs.FileMode
	}{{d.cfg.DataDir, 0o077}, {d.cfg.Peer.Key, 0o077}, {d.cfg.Database.PasswordFile, 0o077}, {d.cfg.Desk.TLS.Key, 0o037}, {d.cfg.Public.TLS.Key, 0o037}} {
		if p.path == "" {
			continue
		}
		st, err := os.Stat(p.path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && p.path == d.cfg.DataDir:
			out = append(out, bad(findingWarn, "permissions", nil, "doctor.data.none", p.path))
		case err != nil:
			out = append(out, bad(findingFail, "permissions", err, "doctor.file", p.path))
		case st.Mode().Perm()&p.deny != 0:
			out = append(out, bad(findingFail, "permissions", nil, "doctor.open", p.path, st.Mode().Perm().String()))
		}
	}
	if out == nil {
		out = append(out, good("permissions", "doctor.permissions"))
	}
	return out
}

// disk looks for room, and whether it can be used.
func (d *doctor) disk(context.Context) []finding {
	dir := d.cfg.DataDir
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	free, err := freeBytes(dir)
	gb := float64(free) / (1 << 30)
	var out []finding
	switch {
	case err != nil:
		out = append(out, bad(findingWarn, "disk", err, "doctor.disk.unknown"))
	case free < diskFail:
		out = append(out, bad(findingFail, "disk", nil, "doctor.disk.low", gb))
	case free < diskWarn:
		out = append(out, bad(findingWarn, "disk", nil, "doctor.disk.low", gb))
	default:
		out = append(out, good("disk", "doctor.disk", gb))
	}
	if dir != d.cfg.DataDir {
		return out
	}
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return append(out, bad(findingFail, "disk", err, "doctor.disk.readonly", dir))
	}
	_, werr := f.WriteString("doctor")
	if err := errors.Join(werr, f.Sync(), f.Close(), os.Remove(f.Name())); err != nil {
		return append(out, bad(findingFail, "disk", err, "doctor.disk.readonly", dir))
	}
	return out
}

// database looks over the pages and the evidence, beside a running serve.
func (d *doctor) database(ctx context.Context) []finding {
	if d.cfg.Database.URL == "" && !store.Exists(d.cfg.DataDir) {
		return []finding{bad(findingWarn, "database", nil, "doctor.database.none")}
	}
	o, err := d.cfg.storeOptions(d.e)
	if err != nil {
		return []finding{bad(findingFail, "database", err, "doctor.database.bad")}
	}
	r, err := store.OpenReader(ctx, o)
	if text.CodeOf(err) == text.DatabaseUnavailable {
		return []finding{bad(findingFail, "database", err, "doctor.database.away")}
	}
	if err != nil {
		return []finding{bad(findingFail, "database", err, "doctor.database.bad")}
	}
	defer func() { _ = r.Close() }()
	var out []finding
	if err := r.QuickCheck(ctx); err != nil {
		out = append(out, bad(findingFail, "database", err, "doctor.database.bad"))
	} else {
		out = append(out, good("database", "doctor.database"))
	}
	code := exchange.AgencyCode(d.cfg.Agency.Code)
	evidence := &exchange.Evidence{Store: r}
	if n, head, err := evidence.Verify(ctx, code); err != nil {
		out = append(out, bad(findingFail, "evidence", err, "doctor.evidence.bad"))
	} else {
		out = append(out, good("evidence", "doctor.evidence", n, head))
	}
	access := &exchange.Access{Store: r, Now: d.e.now}
	accounts, err := access.Accounts(ctx, exchange.System(code))
	if err != nil {
		return append(out, bad(findingFail, "accounts", err, "doctor.database.bad"))
	}
	operators := 0
	for _, a := range accounts {
		if a.Role == exchange.RoleOperator && !a.Disabled {
			operators++
		}
		if len(a.Certificate) > 0 && !a.Disabled {
			d.bound = append(d.bound, namedCertificate{a.Login, a.Certificate})
		}
	}
	if operators == 0 {
		out = append(out, bad(findingFail, "accounts", nil, "doctor.accounts.none"))
	} else {
		out = append(out, good("accounts", "doctor.accounts", len(accounts)))
	}
	return out
}

// keys asks whether the key helper answers.
func (d *doctor) keys(ctx context.Context) []finding {
	if d.cfg.Keys.Helper == "" {
		return []finding{bad(findingWarn, "keys", nil, "doctor.keys.none")}
	}
	ctx, cancel := context.WithTimeout(ctx, probeFor)
	defer cancel()
	held, err := d.cfg.probeKeys(ctx)
	if err != nil {
		return []finding{bad(findingFail, "keys", err, "doctor.keys.bad", d.cfg.Keys.Helper)}
	}
	if d.cfg.Keys.Seal == "" {
		return []finding{bad(findingWarn, "keys", nil, "doctor.keys.seal")}
	}
	return append([]finding{good("keys", "doctor.keys", d.cfg.Keys.Helper)}, d.sealCertificate(held)...)
}

// sealCertificate holds the certificate with which the helper seals against those
// that this agency's directory entry tells its peers.
func (d *doctor) sealCertificate(held signer.Key) []finding {
	told, err := loadSeals(d.cfg)
	switch {
	case err != nil:
		return []finding{bad(findingFail, "seal", err, "doctor.file", "keys.seal_certificates")}
	case len(held.Chain) == 0:
		return []finding{bad(findingFail, "seal", nil, "doctor.seal.other", d.cfg.Keys.Seal)}
	case len(told) == 0:
		return []finding{bad(findingWarn, "seal", nil, "doctor.seal.untold")}
	case !slices.ContainsFunc(told, func(der []byte) bool { return bytes.Equal(der, held.Chain[0].Raw) }):
		return []finding{bad(findingFail, "seal", nil, "doctor.seal.other", held.Chain[0].CommonName)}
	}
	return []finding{good("seal", "doctor.seal", held.Chain[0].CommonName)}
}

// keyLog looks over the key helper's log, where this process may read it: it belongs
// to another user, so mostly that is root.
func (d *doctor) keyLog(context.Context) []finding {
	if d.cfg.Keys.Helper == "" || d.keyFile == "" {
		return nil
	}
	cfg, err := loadKeyConfig(d.keyFile)
	if err != nil {
		return nil // not ours to read, or not here: the helper itself refuses a broken log
	}
	last, err := helper.VerifyLogFile(cfg.Log)
	switch {
	case errors.Is(err, helper.ErrLog):
		return []finding{bad(findingFail, "key-log", err, "doctor.keylog.bad", cfg.Log)}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return []finding{good("key-log", "doctor.keylog", last.Seq)}
}

// tokens asks whether the helper for tokens and HSMs starts here. It is needed only
// where a key lies in one, so that its absence is no fault.
func (d *doctor) tokens(ctx context.Context) []finding {
	path, err := pkcs11.Probe(ctx)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return []finding{good("tokens", "doctor.tokens.none")}
	case err != nil:
		return []finding{bad(findingWarn, "tokens", err, "doctor.tokens.bad")}
	}
	return []finding{good("tokens", "doctor.tokens", path)}
}

// probeKeys asks the helper for a sign of life, and for the seal's certificates.
func (c *Config) probeKeys(ctx context.Context) (seal signer.Key, err error) {
	client := &helper.Client{Socket: c.Keys.Helper}
	defer func() { _ = client.Close() }()
	if err := client.Ping(ctx); err != nil || c.Keys.Seal == "" {
		return signer.Key{}, err
	}
	return client.Key(ctx, c.Keys.Seal)
}
