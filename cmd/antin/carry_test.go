package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"antin/exchange"
)

// runs is one command of m's, which must end with the exit code want.
func (m madeAgency) runs(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out, said bytes.Buffer
	if rc := run(t.Context(), append([]string{"--config", filepath.Join(m.dir, "antin.yaml")}, args...), streams{out: &out, err: &said}); rc != want {
		t.Fatalf("antin %s: exit %d, want %d: %s", strings.Join(args, " "), rc, want, said.String())
	}
	return out.String()
}

// TestCarriesBothWays: what waits at A goes by file to B, where serve runs, and B's
// receipt goes back to A, where nothing does.
func TestCarriesBothWays(t *testing.T) {
	withoutVariables(t)
	a, b := initAgency(t, "H98.51"), initAgency(t, "H98.52")
	for _, pair := range [][2]madeAgency{{a, b}, {b, a}} {
		if err := os.WriteFile(pair[0].config.Directory, []byte(pair[1].entry), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e := testEnv(&bytes.Buffer{})
	carrier, end, err := openCarrier(t.Context(), e, a.config)
	if err != nil {
		t.Fatal(err)
	}
	clerk := exchange.Actor{ID: "vt", Name: "Văn thư", Role: exchange.RoleClerk, Agency: "H98.51"}
	d, err := carrier.Held.Outbox.SendReady(t.Context(), clerk, exchange.ReadyMessage{To: "H98.52", Message: strings.NewReader("thông điệp")})
	if err != nil || d.State != exchange.DeliveryReady {
		t.Fatal(d.State, err)
	}
	end()

	dir := t.TempDir()
	there, back := filepath.Join(dir, "di.xpk"), filepath.Join(dir, "ve.xpk")
	if out := a.runs(t, 0, "carry", "export", "--to", "H98.52", "-o", there, "--json"); !strings.Contains(out, `"transfers":1,"receipts":0`) {
		t.Error(out)
	}
	a.runs(t, 9, "carry", "export", "--to", "H98.52", "-o", there) // there is one already
	s := startServe(t, b.config)
	for range 2 {
		if out := b.runs(t, 0, "carry", "import", there, "--json"); !strings.Contains(out, `"transfers":1`) {
			t.Error(out)
		}
	}
	if out := b.runs(t, 0, "carry", "export", "--to", "H98.51", "-o", back, "--json"); !strings.Contains(out, `"receipts":1`) {
		t.Error(out)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	a.runs(t, 0, "carry", "import", back)
	a.runs(t, 7, "carry", "import", there) // A's own file is for B
	carrier, end, err = openCarrier(t.Context(), e, a.config)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	if err := carrier.Store.View(t.Context(), func(tx exchange.Tx) (err error) { d, err = tx.Delivery(t.Context(), d.ID); return err }); err != nil || d.State != exchange.DeliveryDelivered {
		t.Error(d.State, err)
	}
}
