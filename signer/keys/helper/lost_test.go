package helper_test

import (
	"bufio"
	"crypto"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"antin/internal/text"
	"antin/signer"
	"antin/signer/keys/helper"
)

// failingKey is a key whose token fails with err.
type failingKey struct {
	crypto.Signer
	err error
}

func (k failingKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, k.err }

func TestWhatATokenSaysReachesTheGateway(t *testing.T) {
	t.Parallel()
	for _, code := range []text.Code{text.TokenAbsent, text.SignatureLost, text.KeyUnavailable, text.KeyLocked} {
		key := newKey(t)
		key.Signer = failingKey{key.Signer, text.Errorf(code, errors.New("the token's own words"))}
		h := start(t, t.TempDir(), map[string]helper.HeldKey{"seal": {Key: key, Kind: helper.KindSeal}})
		c := &helper.Client{Socket: h.socket}
		p, digest := order(t, 0)
		_, err := sign(t.Context(), c, "seal", p, digest)
		wantCode(t, err, code)
		must(t, c.Close())
		h.stop()
	}
}

// TestRequestToSignIsAskedOnce has a helper that answers everything but a request to
// sign, and ends the connection there.
func TestRequestToSignIsAskedOnce(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	must(t, err)
	defer l.Close()
	key := newKey(t)
	var asked atomic.Int32
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go loseSignatures(conn, key, &asked)
		}
	}()
	c := &helper.Client{Socket: l.Addr().String()}
	defer c.Close()
	for want := range int32(3) {
		p, digest := order(t, 0)
		_, err := sign(t.Context(), c, "seal", p, digest)
		wantCode(t, err, text.SignatureLost)
		if n := asked.Load(); n != want+1 {
			t.Fatalf("the helper was asked %d times to sign, want %d", n, want+1)
		}
	}
}

// loseSignatures answers conn until it is asked to sign.
func loseSignatures(conn net.Conn, key signer.Key, asked *atomic.Int32) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		var size [4]byte
		if _, err := io.ReadFull(in, size[:]); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		reply := `{}`
		switch {
		case strings.Contains(string(body), `"op":"sign"`):
			asked.Add(1)
			return
		case strings.Contains(string(body), `"op":"certificates"`):
			reply = `{"certificates":["` + base64DER(key) + `"]}`
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(reply))), reply...)); err != nil {
			return
		}
	}
}

func base64DER(key signer.Key) string { return base64.StdEncoding.EncodeToString(key.Chain[0].Raw) }
