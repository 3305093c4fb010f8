package pdf_test

import (
	"testing"

	"antin/internal/text"
	"antin/signer/pdf"
)

func TestOtherSecurityHandlersAreRefusedByName(t *testing.T) {
	t.Parallel()
	d := newDraft()
	d.pages("")
	d.table("/Size 4/Root 1 0 R/Encrypt<</Filter/Adobe.PubSec/V 4/SubFilter/adbe.pkcs7.s5>>", 1, 2, 3)
	f := mustOpen(t, d.Bytes())
	err := f.EncryptionError()
	wantCode(t, err, text.EncryptionUnsupported)
	if want := text.Get("sign.security-handler", "Adobe.PubSec"); text.As(err).Detail != want {
		t.Errorf("error %v does not say %q", err, want.EN)
	}
	u := f.NewUpdate()
	u.Add(pdf.Null{})
	_, err = u.Build()
	wantCode(t, err, text.EncryptionUnsupported)
}

func TestDamagedEncryptionIsNotReadAsNone(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"<<>>", "12", "99 0 R", "4 0 R", "<</Filter/Standard/R 3/O(x)/U(y)/P 1>>", "<</Filter/Standard/R 6/O()/U()/P 0>>"} {
		d := newDraft()
		d.pages("")
		d.obj(4, "[]")
		d.table("/Size 5/Root 1 0 R/Encrypt "+value, 1, 2, 3, 4)
		f := mustOpen(t, d.Bytes())
		wantCode(t, f.EncryptionError(), text.EncryptionUnsupported)
	}
}

func TestUpdateThatDropsTheEncryptionIsRefused(t *testing.T) {
	t.Parallel()
	data := cryptKind{version: 2, revision: 3, method: "V2"}.make(t)
	u := openWith(t, data, "").NewUpdate()
	u.Add(pdf.Null{})
	built := joinBuilt(data, mustBuild(t, u))
	at := len(data)
	dropped := append(built[:at:at], replaceOnce(t, built[at:], "/Encrypt", "/Ncrypted")...)
	wantCode(t, openWith(t, dropped, "").EncryptionError(), text.EncryptionUnsupported)
}
