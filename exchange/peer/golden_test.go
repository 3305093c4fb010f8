package peer_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"antin/exchange"
	"antin/exchange/exchangetest"
	"antin/exchange/jws"
	"antin/exchange/peer"
)

var update = flag.Bool("update", false, "write the golden vectors anew")

// golden are the vectors beside docs/reference/protocol.md, for who writes a second
// implementation. Signatures are random: those of the file are verified, and their
// payloads are what this program writes.
type golden struct {
	Keys       map[string]goldenKey       `json:"keys"`
	Statements map[string]goldenStatement `json:"statements"`
	Refused    map[string]string          `json:"refused"`
	Merkle     []goldenMerkle             `json:"merkle"`
	Fields     goldenFields               `json:"fields"`
}

type goldenKey struct {
	Private string `json:"private"` // PKCS#8 PEM; a key for tests alone
	Public  string `json:"public"`  // SubjectPublicKeyInfo PEM
	Kid     string `json:"kid"`
}

type goldenStatement struct {
	Key     string `json:"key"` // whose signature: of Keys
	Typ     string `json:"typ"`
	Payload string `json:"payload"` // the bytes that are signed, as text
	SHA256  string `json:"sha256"`  // of the payload: the statement's identity
	Compact string `json:"compact"`
}

type goldenMerkle struct {
	Entries []goldenEntry `json:"entries"`
	Hour    string        `json:"hourRoot"` // all in hour 2 of the day
	Day     string        `json:"dayRoot"`
}

type goldenEntry struct {
	TransferID    string `json:"transferId"`
	ReceiptSHA256 string `json:"receiptSha256"`
}

// goldenFields are header fields of the second of three pieces of the part
// "0123456789" in pieces of four bytes.
type goldenFields struct {
	Part          string `json:"part"`
	ReprDigest    string `json:"Repr-Digest"`
	ContentRange  string `json:"Content-Range"`
	ContentDigest string `json:"Content-Digest"`
}

const goldenFile = "../../docs/reference/protocol/vectors.json"

func goldenTime() time.Time { return time.Date(2026, 11, 23, 2, 12, 44, 0, time.UTC) }

// goldenPayloads are the statements before they are signed, in the order in which one
// speaks of another.
func goldenPayloads() (m jws.Manifest, r, refused, closed jws.Receipt, n jws.NonDelivery, c jws.Correction, s jws.Skip, capability jws.Capability) {
	at := goldenTime()
	sum := sha256.Sum256([]byte("0123456789"))
	m = jws.Manifest{Version: jws.Version, TransferID: "01937a3c-5b7e-7cc1-8f00-0123456789ab", Sender: "H26.18.5", Recipient: "000.00.00.G22",
		Kind: jws.KindDocument, DocumentID: "H26.18.5,2026/11/23,15/UBND-VP", Number: "15/UBND-VP",
		Parts: []jws.Part{{Name: "vanban.edxml", MediaType: "application/edxml+xml", Size: 10, SHA256: hex.EncodeToString(sum[:])}},
		Lane:  &jws.Lane{Class: "document", Epoch: 1, Seq: 7}, Priority: 1, CreatedAt: at, ExpiresAt: at.AddDate(0, 0, 5)}
	id := payloadDigest(m)
	r = jws.Receipt{Version: jws.Version, TransferID: m.TransferID, ManifestSHA256: id, Sender: m.Sender, Recipient: m.Recipient,
		Outcome: jws.Received, PartsSHA256: jws.PartsDigest(m.Parts), ReceivedAt: at.Add(time.Second)}
	refused, closed = r, r
	refused.Outcome, refused.Code = jws.Refused, "too-large"
	closed.Outcome = ""
	n = jws.NonDelivery{Version: jws.Version, TransferID: m.TransferID, ManifestSHA256: id, Sender: m.Sender, Recipient: m.Recipient,
		DocumentID: m.DocumentID, Number: m.Number, Reason: jws.ReasonExpired, StatedAt: m.ExpiresAt}
	c = jws.Correction{Version: jws.Version, TransferID: m.TransferID, ManifestSHA256: id, Sender: m.Sender, Recipient: m.Recipient,
		CorrectsSHA256: payloadDigest(n), ReceiptSHA256: payloadDigest(r), StatedAt: m.ExpiresAt.Add(time.Hour)}
	s = jws.Skip{Version: jws.Version, Sender: m.Sender, Recipient: m.Recipient, Lane: jws.Lane{Class: "status", Epoch: 1, Seq: 8}, Count: 2, StatedAt: at}
	capability = jws.Capability{Version: jws.Version, Agency: m.Recipient, Versions: []int{1}, Features: []string{jws.FeatureResume, jws.FeatureSignals},
		Keys: []string{"(kid)"}, MaxPayload: 200 << 20, OneShot: peer.OneShot, MaxPiece: exchange.MaxPiece, MaxWhole: exchange.MaxWhole, MaxBatch: exchange.MaxBatch,
		IssuedAt: at, ExpiresAt: at.AddDate(0, 0, 30)}
	return m, r, refused, closed, n, c, s, capability
}

func payloadDigest(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(exchange.DigestOf(b))
}

func goldenStatements(t *testing.T, keys map[string]*ecdsa.PrivateKey) map[string]goldenStatement {
	t.Helper()
	m, r, refused, closed, n, c, s, capability := goldenPayloads()
	capability.Keys = []string{kid(t, keys["recipient"])}
	out := map[string]goldenStatement{}
	add := func(name, key string, sign func(k *ecdsa.PrivateKey) ([]byte, error)) {
		compact, err := sign(keys[key])
		must(t, err)
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(string(compact), ".")[1])
		must(t, err)
		typ, err := jws.TypeOf(compact)
		must(t, err)
		out[name] = goldenStatement{Key: key, Typ: string(typ), Payload: string(payload), SHA256: string(exchange.DigestOf(payload)), Compact: string(compact)}
	}
	add("manifest", "sender", func(k *ecdsa.PrivateKey) ([]byte, error) { return jws.SignManifest(nil, k, m) })
	add("receipt", "recipient", func(k *ecdsa.PrivateKey) ([]byte, error) { return jws.SignReceipt(nil, k, r) })
	add("receipt-refused", "recipient", func(k *ecdsa.PrivateKey) ([]byte, error) { return jws.SignReceipt(nil, k, refused) })
	add("closed", "recipient", func(k *ecdsa.PrivateKey) ([]byte, error) { return jws.SignClosed(nil, k, closed) })
	add("non-delivery", "sender", func(k *ecdsa.PrivateKey) ([]byte, error) { return jws.SignNonDelivery(nil, k, n) })
	add("correction", "sender", func(k *ecdsa.PrivateKey) ([]byte, error) { return jws.SignCorrection(nil, k, c) })
	add("lane-skip", "sender", func(k *ecdsa.PrivateKey) ([]byte, error) { return jws.SignSkip(nil, k, s) })
	add("capability", "recipient", func(k *ecdsa.PrivateKey) ([]byte, error) { return jws.SignCapability(nil, k, capability) })
	return out
}

func kid(t *testing.T, k *ecdsa.PrivateKey) string {
	t.Helper()
	id, err := jws.Thumbprint(k.Public())
	must(t, err)
	return id
}

// goldenRefused are manifests that must not be believed under the sender's key.
func goldenRefused(t *testing.T, key *ecdsa.PrivateKey, good goldenStatement) map[string]string {
	t.Helper()
	enc := base64.RawURLEncoding.EncodeToString
	id := kid(t, key)
	head := func(alg, more string) string {
		return enc([]byte(`{"alg":"` + alg + `","kid":"` + id + `","typ":"antin-manifest+jws"` + more + `}`))
	}
	payload := enc([]byte(good.Payload))
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	must(t, err)
	out := map[string]string{}
	hs := hmac.New(sha256.New, pub)
	input := head("HS256", "") + "." + payload
	hs.Write([]byte(input))
	out["alg-hs256-under-the-public-key"] = input + "." + enc(hs.Sum(nil))
	hs = hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub}))
	hs.Write([]byte(input))
	out["alg-hs256-under-the-public-key-pem"] = input + "." + enc(hs.Sum(nil))
	out["alg-none"] = head("none", "") + "." + payload + "."
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	input = head("ES384", "") + "." + payload
	sum := sha512.Sum384([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, p384, sum[:])
	must(t, err)
	out["alg-es384-of-another-curve"] = input + "." + enc(append(r.FillBytes(make([]byte, 48)), s.FillBytes(make([]byte, 48))...))
	signed := func(head string) string {
		input := head + "." + payload
		sum := sha256.Sum256([]byte(input))
		r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
		must(t, err)
		if half := new(big.Int).Rsh(elliptic.P256().Params().N, 1); s.Cmp(half) > 0 {
			s.Sub(elliptic.P256().Params().N, s)
		}
		return input + "." + enc(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
	}
	out["header-jku"] = signed(head("ES256", `,"jku":"https://example.org/keys"`))
	out["header-crit"] = signed(head("ES256", `,"crit":["b64"],"b64":false`))
	parts := strings.Split(good.Compact, ".")
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	must(t, err)
	high := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(sig[32:]))
	out["high-s"] = parts[0] + "." + parts[1] + "." + enc(append(sig[:32:32], high.FillBytes(make([]byte, 32))...))
	out["one-byte-of-the-payload"] = parts[0] + "." + enc([]byte(strings.Replace(good.Payload, "15/UBND", "16/UBND", 1))) + "." + parts[2]
	out["receipt-under-a-manifest"] = signed(enc([]byte(`{"alg":"ES256","kid":"` + id + `","typ":"antin-receipt+jws"}`)))
	return out
}

// goldenTree asks a real ledger for the roots of so many entries.
func goldenTree(t *testing.T, n int) (g goldenMerkle) {
	t.Helper()
	a, b := gates(t, false)
	g.Entries = []goldenEntry{}
	must(t, a.db.Update(t.Context(), func(tx exchange.Tx) error {
		g.Entries = g.Entries[:0]
		for i := range n {
			e := goldenEntry{fmt.Sprintf("01937a3c-5b7e-7cc1-8f00-%012d", i), string(exchange.DigestOf([]byte{byte(i)}))}
			g.Entries = append(g.Entries, e)
			err := tx.AddSettled(t.Context(), exchange.Settled{Agency: a.party.Agency.Code, Peer: b.party.Agency.Code, Outgoing: true,
				At: exchangetest.Clock(), ID: exchange.TransferID(e.TransferID), Receipt: exchange.Digest(e.ReceiptSHA256)})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	sums, err := a.ledger.Day(t.Context(), b.party.Agency.Code, exchange.DayQuery{Sender: a.party.Agency.Code, Recipient: b.party.Agency.Code, Day: exchangetest.Clock()})
	must(t, err)
	g.Hour, g.Day = sums.Hours[2].Root, sums.Root
	return g
}

func TestGoldenVectorsOfTheProtocol(t *testing.T) {
	t.Parallel()
	var trees []goldenMerkle
	for _, n := range []int{0, 1, 2, 3, 5} {
		trees = append(trees, goldenTree(t, n))
	}
	part, piece := sha256.Sum256([]byte("0123456789")), sha256.Sum256([]byte("4567"))
	fields := goldenFields{Part: "0123456789", ReprDigest: peer.ReprDigest(jws.Part{SHA256: hex.EncodeToString(part[:])}), ContentRange: "bytes 4-7/10",
		ContentDigest: peer.ReprDigest(jws.Part{SHA256: hex.EncodeToString(piece[:])})}
	if *update {
		writeGolden(t, golden{Merkle: trees, Fields: fields})
	}
	data, err := os.ReadFile(goldenFile)
	must(t, err)
	var v golden
	must(t, json.Unmarshal(data, &v))
	keys := map[string]*ecdsa.PrivateKey{}
	for name, k := range v.Keys {
		block, _ := pem.Decode([]byte(k.Private))
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		must(t, err)
		keys[name] = key.(*ecdsa.PrivateKey)
		if kid(t, keys[name]) != k.Kid {
			t.Errorf("kid of %s", name)
		}
	}
	for name, want := range goldenStatements(t, keys) {
		got := v.Statements[name]
		if got.Payload != want.Payload || got.SHA256 != want.SHA256 || got.Typ != want.Typ || got.Key != want.Key {
			t.Errorf("%s: the file has\n%+v\nthe program writes\n%+v", name, got, want)
		}
		payload, id, err := jws.Verify([]byte(got.Compact), jws.Type(got.Typ), jws.Keys{{ID: v.Keys[got.Key].Kid, Public: keys[got.Key].Public()}})
		if err != nil || string(payload) != got.Payload || id != v.Keys[got.Key].Kid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if v.Fields != fields || payloadDigest(v.Merkle) != payloadDigest(trees) {
		t.Errorf("fields or trees differ: run with -update and look at the difference")
	}
}

// TestThreatAlgorithmConfusion: no algorithm, a MAC under the public key, another
// curve, a key or critical member named by the statement itself: none is believed.
func TestThreatAlgorithmConfusion(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(goldenFile)
	must(t, err)
	var v golden
	must(t, json.Unmarshal(data, &v))
	block, _ := pem.Decode([]byte(v.Keys["sender"].Public))
	pub, err := x509.ParsePKIXPublicKey(block.Bytes)
	must(t, err)
	keys, err := jws.NewKeys(pub)
	must(t, err)
	if len(v.Refused) < 9 {
		t.Errorf("only %d", len(v.Refused))
	}
	for name, compact := range v.Refused {
		if _, _, err := jws.VerifyManifest([]byte(compact), keys); err == nil {
			t.Errorf("%s was believed", name)
		}
		u, err := jws.ParseManifest([]byte(compact))
		if err == nil {
			err = u.Verify(keys)
		}
		if err == nil {
			t.Errorf("%s was believed when taken apart first", name)
		}
	}
}

// writeGolden makes fresh keys and signatures around v.
func writeGolden(t *testing.T, v golden) {
	t.Helper()
	keys := map[string]*ecdsa.PrivateKey{}
	v.Keys = map[string]goldenKey{}
	for _, name := range []string{"sender", "recipient"} {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		keys[name] = k
		private, err := x509.MarshalPKCS8PrivateKey(k)
		must(t, err)
		public, err := x509.MarshalPKIXPublicKey(k.Public())
		must(t, err)
		v.Keys[name] = goldenKey{Private: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
			Public: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})), Kid: kid(t, k)}
	}
	v.Statements = goldenStatements(t, keys)
	v.Refused = goldenRefused(t, keys["sender"], v.Statements["manifest"])
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	must(t, enc.Encode(v))
	must(t, os.MkdirAll(filepath.Dir(goldenFile), 0o755))
	must(t, os.WriteFile(goldenFile, out.Bytes(), 0o644))
}
