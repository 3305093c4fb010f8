package pkcs11_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"antin/signer/keys/pkcs11"
)

func TestFrameIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	want := pkcs11.Request{ID: 7, Op: pkcs11.OpSign, Slot: 3, Serial: "ab", Key: 9, Mechanism: pkcs11.ECDSA, Data: []byte{1, 2, 3}}
	for range 2 {
		if n, size, err := pkcs11.WriteFrame(&b, want); err != nil || n != size {
			t.Fatalf("%d of %d bytes: %v", n, size, err)
		}
	}
	for range 2 {
		var got pkcs11.Request
		if err := pkcs11.ReadFrame(&b, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if err := pkcs11.ReadFrame(&b, &want); !errors.Is(err, io.EOF) {
		t.Errorf("behind the last message: %v", err)
	}
}

func frame(body string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func TestFrameThatIsNoMessageIsRefused(t *testing.T) {
	t.Parallel()
	for _, in := range [][]byte{
		{0, 0}, {0, 0, 0, 0}, {0xff, 0xff, 0xff, 0xff}, frame(`{"id":1`), frame(`{"id":1}{}`), frame(`{"id":1,"what":2}`), frame(`[]`),
		frame(`{"id":1}`)[:9],
	} {
		var a pkcs11.Answer
		if err := pkcs11.ReadFrame(bytes.NewReader(in), &a); err == nil || errors.Is(err, io.EOF) && len(in) > 4 && !strings.Contains(err.Error(), "malformed") {
			t.Errorf("%q was read as %+v, %v", in, a, err)
		}
	}
	if _, _, err := pkcs11.WriteFrame(io.Discard, pkcs11.Answer{Signature: make([]byte, 4<<20)}); err == nil {
		t.Error("a message without bound was written")
	}
}

func FuzzFrame(f *testing.F) {
	f.Add(frame(`{"id":1,"tokens":[{"slot":1,"label":"a","manufacturer":"","model":"","serial":"","login":true}]}`))
	f.Add(frame(`{"id":1,"keys":[{"handle":2,"type":"EC","id":"AA=="}],"signature":"AA=="}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var a, again pkcs11.Answer
		if pkcs11.ReadFrame(bytes.NewReader(in), &a) != nil {
			return
		}
		var b bytes.Buffer
		if _, _, err := pkcs11.WriteFrame(&b, a); err != nil {
			t.Fatal(err)
		}
		if err := pkcs11.ReadFrame(&b, &again); err != nil {
			t.Fatalf("%+v cannot be read again: %v", a, err)
		}
	})
}
