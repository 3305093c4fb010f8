package pkcs11_test

import (
	"errors"
	"reflect"
	"testing"

	"antin/signer/keys/pkcs11"
)

func TestURINamesTokenAndKey(t *testing.T) {
	t.Parallel()
	slot := uint(7)
	for in, want := range map[string]pkcs11.URI{
		"pkcs11:": {},
		"pkcs11:token=Con%20d%E1%BA%A5u;object=k;id=%00%ff;slot-id=7": {Token: "Con dấu", Object: "k", ID: []byte{0, 0xff}, Slot: &slot},
		"pkcs11:model=M;manufacturer=A%3BB;serial=01;type=private?module-path=/a/b.so&pin-source=file:/run/pin": {
			Model: "M", Manufacturer: "A;B", Serial: "01", ModulePath: "/a/b.so", PINSource: "/run/pin"},
		"pkcs11:token=a?pin-source=file:///run/pin&module-name=softhsm2":   {Token: "a", PINSource: "/run/pin", ModuleName: "softhsm2"},
		"pkcs11:token=a?pin-source=/run/pin&x-cert-path=/etc/antin/ky.pem": {Token: "a", PINSource: "/run/pin", CertPath: "/etc/antin/ky.pem"},
	} {
		got, err := pkcs11.ParseURI(in)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", in, got, err, want)
		}
	}
}

func TestURIThatCouldMeanAnotherKeyIsRefused(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "p12:a", "pkcs11:token", "pkcs11:=a", "pkcs11:token=a;token=b", "pkcs11:token=%4", "pkcs11:token=%zz", "pkcs11:token=%ff",
		"pkcs11:token=a%0A", "pkcs11:unknown=1", "pkcs11:library-version=3", "pkcs11:type=public", "pkcs11:slot-id=-1", "pkcs11:slot-id=x",
		"pkcs11:token=a?object=b", "pkcs11:module-path=/a.so", "pkcs11:?module-name=../a", "pkcs11:?pin-source=%7Csecret-tool",
		"pkcs11:?pin-source=https://a/b", "pkcs11:?pin-source=", "pkcs11:token=a;;object=b", string(make([]byte, 5000)),
	} {
		if u, err := pkcs11.ParseURI(in); !errors.Is(err, pkcs11.ErrURI) {
			t.Errorf("%q: %+v, %v", in, u, err)
		}
	}
	if _, err := pkcs11.ParseURI("pkcs11:token=a?pin-value=1234"); !errors.Is(err, pkcs11.ErrPINValue) {
		t.Errorf("pin-value: %v", err)
	}
}

func FuzzURI(f *testing.F) {
	for _, s := range []string{"pkcs11:token=Con%20d%E1%BA%A5u;object=k;id=%00%ff;slot-id=7?module-path=/a.so&pin-source=file:/p", "pkcs11:?x-cert-path=a%26b", "pkcs11:a=%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := pkcs11.ParseURI(s)
		if err != nil {
			return
		}
		again, err := pkcs11.ParseURI(u.String())
		if err != nil || again.String() != u.String() {
			t.Errorf("%q was written %q and read %+v, %v", s, u.String(), again, err)
		}
	})
}
