package pdf_test

import (
	"bytes"
	"testing"

	"antin/signer/pdf"
)

// What a writer leaves behind a CMS that it puts over the start of an encrypted
// /Contents is known for what it is; nothing else is.
func TestCiphertextOfZerosIsTold(t *testing.T) {
	t.Parallel()
	const num, room = 9, 1 << 10
	for name, k := range cryptKinds() {
		k.ready()
		data := k.write()
		f := openWith(t, data, k.user)
		ref := pdf.Ref{Num: num}
		for _, from := range []int{1, 15, 16, 17, 500, room - 40} {
			value := k.encrypt(num, make([]byte, room))
			copy(value, bytes.Repeat([]byte{0x30}, from))
			if got, want := f.CipheredZeros(ref, value, from), k.method != "Identity"; got != want {
				t.Errorf("%s from %d: %t, want %t", name, from, got, want)
			}
			if f.CipheredZeros(ref, k.encrypt(num, bytes.Repeat([]byte{1}, room)), from) {
				t.Errorf("%s from %d: other bytes pass for zeros", name, from)
			}
			if f.CipheredZeros(pdf.Ref{Num: num + 1}, value, from) && k.version < 5 {
				t.Errorf("%s: the key of another object fits", name)
			}
			for _, at := range []int{from + 31, len(value) - 1} {
				value[at] ^= 1
				if f.CipheredZeros(ref, value, from) {
					t.Errorf("%s from %d: byte %d changed and not noticed", name, from, at)
				}
				value[at] ^= 1
			}
			if f.CipheredZeros(ref, value[:len(value)-1], from) && k.method != "V2" {
				t.Errorf("%s: half a block passes", name)
			}
		}
		value := k.encrypt(num, make([]byte, room))
		if f.CipheredZeros(ref, value, len(value)) || f.CipheredZeros(ref, value, -1) || f.CipheredZeros(ref, nil, 0) {
			t.Errorf("%s: nothing passes for padding", name)
		}
		if k.user != "" && openWith(t, data, "").CipheredZeros(ref, value, 1) {
			t.Errorf("%s: a file that is not open has a key", name)
		}
	}
}
