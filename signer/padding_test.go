package signer_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"os"
	"regexp"
	"testing"

	"antin/signer/ades"
	"antin/signer/validation"
)

var contentsToken = regexp.MustCompile(`/Contents <([0-9a-fA-F]{1000,})>`)

// EU DSS 6.4 signed these two encrypted files: behind each CMS stands what the cipher
// of the file makes of the zeros that readers expect there.
func TestSignaturesOverEncipheredPaddingAreJudgedAndRaised(t *testing.T) {
	t.Parallel()
	a := newAuthorities(t)
	s := a.signer()
	s.Trust = nil // nobody here knows the signers
	for name, values := range map[string]int{"dss-rc4-40.pdf": 1, "dss-aes-128.pdf": 2} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if n := intact(t, data); n != values {
			t.Errorf("%s: %d values intact, not %d", name, n, values)
		}
		var out bytes.Buffer
		if _, err := s.Augment(context.Background(), input(data), &out, ades.BT); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n := intact(t, out.Bytes()); n < values {
			t.Errorf("%s: %d values intact after the time-stamp", name, n)
		}
		for i, place := range contentsToken.FindAllSubmatchIndex(data, -1) {
			changed := bytes.Clone(data)
			digits := changed[place[3]-400:][:2] // of a byte far behind the CMS
			one, err := hex.DecodeString(string(digits))
			if err != nil {
				t.Fatal(err)
			}
			hex.Encode(digits, []byte{one[0] ^ 1})
			if n := intact(t, changed); n != i { // it and what was stamped over it
				t.Errorf("%s: with another byte in the padding %d values intact", name, n)
			}
		}
	}
}

// intact counts the values of data whose form and bytes are in order.
func intact(t *testing.T, data []byte) int {
	t.Helper()
	r, err := (&validation.Validator{}).Validate(context.Background(), validation.Input{Reader: bytes.NewReader(data), Size: int64(len(data))}, epoch)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range r.Signatures {
		if s.Integrity == validation.IntegrityOK && s.SubIndication != ades.FormatFailure {
			n++
		}
	}
	return n
}
