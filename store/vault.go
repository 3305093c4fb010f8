package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"antin/exchange"
	"antin/internal/text"
)

// vaultMark is the mark under which the wrapped data keys are kept.
const vaultMark = "blob-keys"

// BlobKeySize is the length of a key-encryption key, in bytes: AES-256.
const BlobKeySize = 32

// ErrBlobKey is in the chain of what is returned when the key of encrypted files is not
// given, is another one, or was not given for files that need none.
var ErrBlobKey = errors.New("key of encrypted files")

func blobKeyError(key text.Key, err error) error {
	return text.Detailed(text.ConfigInvalid, errors.Join(ErrBlobKey, err), key)
}

// vault encrypts what blobs hold before it reaches a disk or a bucket, and decrypts it
// again. Each blob has a key of its own, derived from a data key and random bytes in its
// head; data keys are kept in the database, wrapped by a key-encryption key that only
// the configuration knows. The digest and size of a blob stay those of its plain bytes.
// nil encrypts nothing. It is safe for concurrent use.
type vault struct {
	db  *DB
	kek []byte

	mu   sync.Mutex
	keys wrappedKeys
	open map[keyID][]byte // data keys by their identifier
}

// keyID names a data key in the head of a blob.
type keyID [8]byte

// wrappedKeys is what the database keeps; the last key is for new blobs.
type wrappedKeys struct {
	Keys []wrappedKey `json:"keys"`
}

// wrappedKey is a data key under the key-encryption key.
type wrappedKey struct {
	ID      string `json:"id"`      // hexadecimal
	Wrapped []byte `json:"wrapped"` // nonce and AES-256-GCM of the key, bound to ID
}

// openVault reads the wrapped keys; nil where nothing is encrypted and no key is given.
func openVault(ctx context.Context, db *DB, q queryer) (*vault, error) {
	kek := db.opts.BlobKey
	if kek != nil && len(kek) != BlobKeySize {
		return nil, blobKeyError("vault.size", nil)
	}
	v := &vault{db: db, kek: kek, open: map[keyID][]byte{}}
	body, err := markIn(ctx, q, vaultMark)
	if err != nil {
		return nil, err
	}
	switch {
	case body == nil && kek == nil:
		return nil, nil //nolint:nilnil // nothing is encrypted
	case body == nil:
		return v, nil // the first blob makes the first key
	case kek == nil:
		return nil, blobKeyError("vault.missing", nil)
	}
	return v, v.unwrap(body)
}

// markIn reads a mark of the installation without a transaction of ours.
func markIn(ctx context.Context, q queryer, name string) (body []byte, err error) {
	err = q.QueryRowContext(ctx, `SELECT body FROM mark WHERE agency = '' AND name = $1`, name).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return body, err
}

// unwrap opens every data key.
func (v *vault) unwrap(body []byte) error {
	if err := json.Unmarshal(body, &v.keys); err != nil {
		return fmt.Errorf("reading data keys: %w", err)
	}
	for _, k := range v.keys.Keys {
		id, err := hex.DecodeString(k.ID)
		if err != nil || len(id) != len(keyID{}) {
			return fmt.Errorf("reading data keys: %q is no identifier", k.ID)
		}
		key, err := unwrapKey(v.kek, k)
		if err != nil {
			return blobKeyError("vault.wrong", err)
		}
		v.open[keyID(id)] = key
	}
	return nil
}

// gcmOf returns AES-256-GCM under key.
func gcmOf(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// wrapInfo is bound into every wrapped key, so that it is nothing else.
const wrapInfo = "antin data key 1 "

// wrapKey puts a data key under kek.
func wrapKey(kek, key []byte, id string) (wrappedKey, error) {
	aead, err := gcmOf(kek)
	if err != nil {
		return wrappedKey{}, err
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the program instead
	return wrappedKey{ID: id, Wrapped: aead.Seal(nonce, nonce, key, []byte(wrapInfo+id))}, nil
}

func unwrapKey(kek []byte, k wrappedKey) ([]byte, error) {
	aead, err := gcmOf(kek)
	if err != nil {
		return nil, err
	}
	n := aead.NonceSize()
	if len(k.Wrapped) < n {
		return nil, errors.New("wrapped key is cut off")
	}
	return aead.Open(nil, k.Wrapped[:n], k.Wrapped[n:], []byte(wrapInfo+k.ID))
}

// current returns the data key for new blobs, made when there is none yet. It is not
// called inside a transaction.
func (v *vault) current(ctx context.Context) (id keyID, key []byte, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.keys.Keys) == 0 {
		if err := v.begin(ctx); err != nil {
			return id, nil, err
		}
	}
	last, err := hex.DecodeString(v.keys.Keys[len(v.keys.Keys)-1].ID)
	if err != nil {
		return id, nil, err
	}
	id = keyID(last)
	return id, v.open[id], nil
}

// begin makes the first data key, unless another process has.
func (v *vault) begin(ctx context.Context) error {
	fresh, err := freshKey(v.kek)
	if err != nil {
		return err
	}
	body, err := json.Marshal(wrappedKeys{Keys: []wrappedKey{fresh}})
	if err != nil {
		return err
	}
	var kept []byte
	if err := v.db.update(ctx, func(t *tx) error {
		there, err := t.Mark(ctx, "", vaultMark)
		if kept = there; err != nil || there != nil {
			return err
		}
		kept = body
		return t.SetMark(ctx, "", vaultMark, body)
	}); err != nil {
		return diskError(fmt.Errorf("keeping data key: %w", err))
	}
	return v.unwrap(kept)
}

// freshKey makes a data key, wrapped.
func freshKey(kek []byte) (wrappedKey, error) {
	var id keyID
	key := make([]byte, BlobKeySize)
	_, _ = rand.Read(id[:])
	_, _ = rand.Read(key)
	return wrapKey(kek, key, hex.EncodeToString(id[:]))
}

// key returns the data key id. One that is not known may have been added by another
// process since.
func (v *vault) key(ctx context.Context, id keyID) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if k, ok := v.open[id]; ok {
		return k, nil
	}
	if v.db.read != nil {
		body, err := markIn(ctx, v.db.read, vaultMark)
		if err != nil {
			return nil, err
		}
		if body != nil {
			if err := v.unwrap(body); err != nil {
				return nil, err
			}
		}
	}
	if k, ok := v.open[id]; ok {
		return k, nil
	}
	return nil, blobKeyError("vault.unknown", fmt.Errorf("data key %x", id[:]))
}

// blobAEAD is the cipher of one blob.
func blobAEAD(key, salt []byte) (cipher.AEAD, error) {
	own, err := hkdf.Key(sha256.New, key, salt, "antin blob 1", BlobKeySize)
	if err != nil {
		return nil, err
	}
	return gcmOf(own)
}

// RewrapBlobKeys puts the data keys of the installation at o under another
// key-encryption key; no blob is touched. With fresh, new blobs get a data key of their
// own from the next start on. Whatever process works there need not stop. Errors: those
// of OpenBeside; config-invalid with ErrBlobKey when o.BlobKey is not the key, or
// nothing is encrypted.
func RewrapBlobKeys(ctx context.Context, o Options, kek []byte, fresh bool) (err error) {
	if len(kek) != BlobKeySize || len(o.BlobKey) != BlobKeySize {
		return blobKeyError("vault.size", nil)
	}
	b, err := OpenBeside(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return b.Update(ctx, func(e exchange.Tx) error {
		body, err := e.Mark(ctx, "", vaultMark)
		if err != nil {
			return err
		}
		if body == nil {
			return blobKeyError("vault.none", nil)
		}
		v := &vault{kek: o.BlobKey, open: map[keyID][]byte{}}
		if err := v.unwrap(body); err != nil {
			return err
		}
		again, err := v.rewrapped(kek, fresh)
		if err != nil {
			return err
		}
		return e.SetMark(ctx, "", vaultMark, again)
	})
}

// rewrapped returns the keys of v under kek.
func (v *vault) rewrapped(kek []byte, fresh bool) ([]byte, error) {
	var out wrappedKeys
	for _, k := range v.keys.Keys {
		key, err := unwrapKey(v.kek, k)
		if err != nil {
			return nil, err
		}
		again, err := wrapKey(kek, key, k.ID)
		if err != nil {
			return nil, err
		}
		out.Keys = append(out.Keys, again)
	}
	if fresh {
		k, err := freshKey(kek)
		if err != nil {
			return nil, err
		}
		out.Keys = append(out.Keys, k)
	}
	return json.Marshal(out)
}
