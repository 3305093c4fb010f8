package peer

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"sync"

	"antin/exchange"
	"antin/exchange/jws"
	"antin/internal/text"
)

// The bounds of transfers between manifest and commit. The oldest of a peer is
// forgotten for its newest; forgetting costs the sender one more upload.
const (
	maxUploadsPerPeer = 16
	maxUploads        = 1024
)

// uploads remembers which parts of open transfers have come. It is lost with the
// process and holds nothing that was promised: the parts are in Blobs, and a
// sender whose transfer is not open any more starts it again.
type uploads struct {
	mu    sync.Mutex
	byKey map[uploadKey]*upload
	age   []uploadKey // oldest first
}

type uploadKey struct {
	peer exchange.AgencyCode
	id   string
}

// upload is one open transfer. Its parts are guarded by uploads.
type upload struct {
	jws      []byte
	manifest jws.Manifest
	digest   jws.Digest
	parts    []exchange.Blob
}

// open adds a transfer, or returns the one that is open under its identity.
func (u *uploads) open(key uploadKey, compact []byte, m jws.Manifest, id jws.Digest) (*upload, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if known, ok := u.byKey[key]; ok {
		if known.digest != id {
			return nil, text.Errorf(text.ReplayConflict, errors.New("transfer is open with another manifest"))
		}
		return known, nil
	}
	if u.byKey == nil {
		u.byKey = map[uploadKey]*upload{}
	}
	u.makeRoom(key.peer)
	n := &upload{jws: compact, manifest: m, digest: id, parts: make([]exchange.Blob, len(m.Parts))}
	u.byKey[key] = n
	u.age = append(u.age, key)
	return n, nil
}

func (u *uploads) makeRoom(peer exchange.AgencyCode) {
	mine, oldest := 0, uploadKey{}
	for _, k := range u.age {
		if k.peer != peer {
			continue
		}
		if mine++; mine == 1 {
			oldest = k
		}
	}
	switch {
	case mine >= maxUploadsPerPeer:
		u.remove(oldest)
	case len(u.age) >= maxUploads:
		u.remove(u.age[0])
	}
}

func (u *uploads) find(key uploadKey) (*upload, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	up, ok := u.byKey[key]
	return up, ok
}

func (u *uploads) store(up *upload, n int, b exchange.Blob) {
	u.mu.Lock()
	defer u.mu.Unlock()
	up.parts[n] = b
}

func (u *uploads) missing(up *upload) []int {
	u.mu.Lock()
	defer u.mu.Unlock()
	var out []int
	for n, b := range up.parts {
		if b.IsZero() {
			out = append(out, n)
		}
	}
	return out
}

// blobs returns the parts in order; complete is false while one is missing.
func (u *uploads) blobs(up *upload) (parts []exchange.Blob, complete bool) {
	if len(u.missing(up)) > 0 {
		return nil, false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return append(parts, up.parts...), true
}

func (u *uploads) drop(key uploadKey) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.remove(key)
}

func (u *uploads) remove(key uploadKey) {
	if _, ok := u.byKey[key]; !ok {
		return
	}
	delete(u.byKey, key)
	for i, k := range u.age {
		if k == key {
			u.age = append(u.age[:i], u.age[i+1:]...)
			return
		}
	}
}

// ReprDigest is the Repr-Digest field (RFC 9530) that a part must come with.
func ReprDigest(p jws.Part) string {
	raw, _ := hex.DecodeString(p.SHA256) // the manifest's check has seen that it is one
	return "sha-256=:" + base64.StdEncoding.EncodeToString(raw) + ":"
}
