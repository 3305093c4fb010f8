package validation_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"antin/signer/pades"
	"antin/signer/pades/padestest"
	"antin/signer/validation"
)

// directoryEnd is a ZIP archive's last record: one entry of 46 bytes, and a comment
// of that length.
func directoryEnd(comment int) string {
	r := make([]byte, 22)
	copy(r, "PK\x05\x06")
	r[8], r[10] = 1, 1
	binary.LittleEndian.PutUint32(r[12:], 46)
	binary.LittleEndian.PutUint16(r[20:], uint16(comment))
	return string(r)
}

// withStream is a document that holds content in a stream of its own.
func withStream(content string) []byte {
	return padestest.Simple(padestest.Classic, "1.7").With(20, fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(content), content)).Bytes()
}

func TestSignedFileThatIsAlsoAnArchiveIsNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	// Its length is known once it was signed: the record's comment is all behind it.
	first := b.sign(withStream(directoryEnd(0)), pades.Options{}, as{})
	behind := len(first) - bytes.Index(first, []byte("PK\x05\x06")) - 22
	both := b.sign(withStream(directoryEnd(behind)), pades.Options{}, as{})
	if len(both) != len(first) {
		t.Fatalf("%d bytes, then %d", len(first), len(both))
	}
	expect(t, b.judge(b.online(), both), validation.ValidWithNotes, validation.ReasonPolyglot)
	// An attached archive is no second reading of the file.
	expect(t, b.judge(b.online(), first), validation.Valid, "")
}
