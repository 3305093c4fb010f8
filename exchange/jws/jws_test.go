package jws_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"antin/exchange/jws"
)

type vectors struct {
	PublicKeys      []string          `json:"publicKeys"`
	Kids            []string          `json:"kids"`
	ManifestPayload string            `json:"manifestPayload"`
	ManifestSHA256  string            `json:"manifestSha256"`
	Good            map[string]string `json:"good"`
	Refused         map[string]string `json:"refused"`
}

func loadVectors(t testing.TB) (vectors, jws.Keys) {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	var pubs []crypto.PublicKey
	for _, p := range v.PublicKeys {
		block, _ := pem.Decode([]byte(p))
		pub, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		pubs = append(pubs, pub)
	}
	keys, err := jws.NewKeys(pubs...)
	if err != nil {
		t.Fatal(err)
	}
	return v, keys
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func manifest() jws.Manifest {
	at := time.Date(2026, 11, 23, 2, 12, 44, 0, time.UTC)
	return jws.Manifest{
		Version: jws.Version, TransferID: "01937a3c-5b7e-7cc1-8f00-0123456789ab", Sender: "H26.18.5", Recipient: "000.00.00.G22",
		Kind: jws.KindDocument, DocumentID: "H26.18.5,2026/11/23,15/UBND-VP", Number: "15/UBND-VP",
		Parts: []jws.Part{{Name: "vanban.edxml", MediaType: "application/xml", Size: 3,
			SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}},
		Priority: 1, CreatedAt: at, ExpiresAt: at.AddDate(0, 0, 5),
	}
}

func TestGoldenVectorsAreAccepted(t *testing.T) {
	t.Parallel()
	v, keys := loadVectors(t)
	for i, want := range v.Kids {
		if keys[i].ID != want {
			t.Errorf("thumbprint of key %d is %s, want %s", i, keys[i].ID, want)
		}
	}
	for _, name := range []string{"manifest-es256", "manifest-ps256", "manifest-rs256"} {
		m, id, err := jws.VerifyManifest([]byte(v.Good[name]), keys)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if id.String() != v.ManifestSHA256 || m.Number != "15/UBND-VP" || m.Parts[0].Size != 3 {
			t.Errorf("%s: read as %+v, id %s", name, m, id)
		}
	}
	m, id, err := jws.PeekManifest([]byte(v.Good["manifest-es256"]))
	if err != nil {
		t.Fatal(err)
	}
	r, kid, err := jws.VerifyReceipt([]byte(v.Good["receipt"]), keys)
	if err != nil || kid != v.Kids[0] || r.Outcome != jws.Received || !r.Answers(m, id) {
		t.Errorf("receipt: %+v, kid %s, %v", r, kid, err)
	}
	c, _, err := jws.VerifyClosed([]byte(v.Good["closed"]), keys)
	if err != nil || c.Outcome != "" || !c.Answers(m, id) {
		t.Errorf("closed receipt: %+v, %v", c, err)
	}
}

func TestManifestIsWrittenAsTheVectorSays(t *testing.T) {
	t.Parallel()
	v, _ := loadVectors(t)
	compact, err := jws.SignManifest(nil, newKey(t), manifest())
	if err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(string(compact), ".")[1])
	if err != nil || string(payload) != v.ManifestPayload {
		t.Errorf("payload %s\nwant    %s (%v)", payload, v.ManifestPayload, err)
	}
}

func TestHostileVectorsAreRefused(t *testing.T) {
	t.Parallel()
	v, keys := loadVectors(t)
	for name, compact := range v.Refused {
		if _, _, err := jws.VerifyManifest([]byte(compact), keys); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestReasonsOfRefusal(t *testing.T) {
	t.Parallel()
	v, keys := loadVectors(t)
	for name, want := range map[string]error{
		"high-s": jws.ErrSignature, "other-key": jws.ErrUnknown, "other-key-named-as-ours": jws.ErrSignature,
		"receipt-type": jws.ErrType, "crit": jws.ErrFormat, "alg-hs256": jws.ErrSignature, "padded": jws.ErrFormat,
		"payload-member-twice": jws.ErrFormat, "payload-version-2": jws.ErrFormat,
	} {
		if _, _, err := jws.VerifyManifest([]byte(v.Refused[name]), keys); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

func TestAlgorithmIsBoundToTheKey(t *testing.T) {
	t.Parallel()
	v, keys := loadVectors(t)
	// The RSA key under the name of the ECDSA key, and the other way round.
	swapped := jws.Keys{{ID: keys[0].ID, Public: keys[1].Public}, {ID: keys[1].ID, Public: keys[0].Public}}
	for _, name := range []string{"manifest-es256", "manifest-ps256", "manifest-rs256"} {
		if _, _, err := jws.VerifyManifest([]byte(v.Good[name]), swapped); !errors.Is(err, jws.ErrSignature) {
			t.Errorf("%s under a key of the other sort: %v", name, err)
		}
	}
}

func TestSignedStatementsVerifyWithLowS(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	keys, err := jws.NewKeys(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	half := new(big.Int).Rsh(elliptic.P256().Params().N, 1)
	for range 40 { // half of them would have a high s
		compact, err := jws.SignManifest(nil, key, manifest())
		if err != nil {
			t.Fatal(err)
		}
		sig, err := base64.RawURLEncoding.DecodeString(strings.Split(string(compact), ".")[2])
		if err != nil || new(big.Int).SetBytes(sig[32:]).Cmp(half) > 0 {
			t.Fatalf("high s in %x (%v)", sig, err)
		}
		if _, _, err := jws.VerifyManifest(compact, keys); err != nil {
			t.Fatal(err)
		}
	}
}

func TestIdentityIsThePayload(t *testing.T) {
	t.Parallel()
	a, errA := jws.SignManifest(nil, newKey(t), manifest())
	b, errB := jws.SignManifest(nil, newKey(t), manifest())
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	da, errA := jws.PayloadDigest(a)
	db, errB := jws.PayloadDigest(b)
	if errA != nil || errB != nil || da != db || bytes.Equal(a, b) {
		t.Errorf("two signatures over one payload: %s (%v), %s (%v)", da, errA, db, errB)
	}
}

func TestRSAKeySigns(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jws.NewKeys(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jws.SignManifest(nil, key, manifest())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := jws.VerifyManifest(compact, keys); err != nil {
		t.Error(err)
	}
}

func TestUnfitKeysAreRefused(t *testing.T) {
	t.Parallel()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537}
	for name, pub := range map[string]crypto.PublicKey{"P-384": p384.Public(), "RSA-1024": weak, "nothing": nil} {
		if _, err := jws.NewKey(pub); !errors.Is(err, jws.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReceiptForAnotherTransferDoesNotAnswer(t *testing.T) {
	t.Parallel()
	m := manifest()
	compact, err := jws.SignManifest(nil, newKey(t), m)
	if err != nil {
		t.Fatal(err)
	}
	id, err := jws.PayloadDigest(compact)
	if err != nil {
		t.Fatal(err)
	}
	good := jws.Receipt{Version: jws.Version, TransferID: m.TransferID, ManifestSHA256: id.String(), Sender: m.Sender,
		Recipient: m.Recipient, Outcome: jws.Received, PartsSHA256: jws.PartsDigest(m.Parts), ReceivedAt: m.CreatedAt}
	if !good.Answers(m, id) {
		t.Fatal("the right receipt does not answer")
	}
	for name, change := range map[string]func(*jws.Receipt){
		"transfer":  func(r *jws.Receipt) { r.TransferID = "01937a3c-5b7e-7cc1-8f00-0123456789ac" },
		"manifest":  func(r *jws.Receipt) { r.ManifestSHA256 = jws.PartsDigest(nil) },
		"sender":    func(r *jws.Receipt) { r.Sender = "H15" },
		"recipient": func(r *jws.Receipt) { r.Recipient = "H15" },
		"parts":     func(r *jws.Receipt) { r.PartsSHA256 = jws.PartsDigest(nil) },
	} {
		r := good
		change(&r)
		if r.Answers(m, id) {
			t.Errorf("receipt with another %s answers", name)
		}
	}
}

func TestReceiptsOfOneKindDoNotPassForAnother(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	keys, err := jws.NewKeys(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	m := manifest()
	r := jws.Receipt{Version: jws.Version, TransferID: m.TransferID, ManifestSHA256: jws.PartsDigest(nil), Sender: m.Sender,
		Recipient: m.Recipient, PartsSHA256: jws.PartsDigest(m.Parts), ReceivedAt: m.CreatedAt}
	closed, err := jws.SignClosed(nil, key, r)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := jws.VerifyReceipt(closed, keys); !errors.Is(err, jws.ErrType) {
		t.Errorf("closed as receipt: %v", err)
	}
	if _, err := jws.SignReceipt(nil, key, r); err == nil {
		t.Error("a receipt without outcome was signed")
	}
	r.Outcome = jws.Refused
	if _, err := jws.SignReceipt(nil, key, r); err == nil {
		t.Error("a refusal without code was signed")
	}
	r.Code = "too-large"
	if _, err := jws.SignReceipt(nil, key, r); err != nil {
		t.Error(err)
	}
	if _, err := jws.SignClosed(nil, key, r); err == nil {
		t.Error("a closed receipt with an outcome was signed")
	}
}

func TestOversizeStatementIsNotRead(t *testing.T) {
	t.Parallel()
	if _, err := jws.PayloadDigest(bytes.Repeat([]byte("A"), jws.MaxSize+1)); !errors.Is(err, jws.ErrFormat) {
		t.Error(err)
	}
	if _, err := jws.Sign(nil, newKey(t), jws.TypeReceipt, make([]byte, jws.MaxSize)); !errors.Is(err, jws.ErrFormat) {
		t.Error(err)
	}
}

// FuzzVerify looks for panics and for a statement that verifies without being
// one of the vectors: that would be a forgery or a second form of one.
func FuzzVerify(f *testing.F) {
	v, keys := loadVectors(f)
	known := map[string]bool{}
	for _, s := range v.Good {
		f.Add([]byte(s))
		known[s] = true
	}
	for _, s := range v.Refused {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, compact []byte) {
		id, errID := jws.PayloadDigest(compact)
		if m, peeked, err := jws.PeekManifest(compact); err == nil && (errID != nil || peeked != id || m.Check() != nil) {
			t.Errorf("peeked at what has no identity: %v", errID)
		}
		_, _, errM := jws.VerifyManifest(compact, keys)
		_, _, errR := jws.VerifyReceipt(compact, keys)
		_, _, errC := jws.VerifyClosed(compact, keys)
		if (errM == nil || errR == nil || errC == nil) && !known[string(compact)] {
			t.Errorf("verified: %s", compact)
		}
	})
}
