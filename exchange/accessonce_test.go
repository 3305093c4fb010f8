package exchange_test

import (
	"testing"

	"antin/exchange"
	"antin/internal/text"
)

func TestAFormThatArrivesTwiceActsOnAnAccountOnce(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	acc := d.add(t, "an", exchange.RoleLeader)
	count := func(kind exchange.EventKind) (n int) {
		for _, k := range d.kinds(t, acc.ID) {
			if k == kind {
				n++
			}
		}
		return n
	}
	p, err := pki()
	must(t, err)
	leader := p.Leader().Certificate.Raw
	bind := exchange.WithIdempotencyKey(t.Context(), "bind")
	for range 2 {
		must(t, d.BindCertificate(bind, d.by, acc.ID, leader))
	}
	if n := count(exchange.EventAccountCertificate); n != 1 {
		t.Errorf("bound %d times", n)
	}
	wantCode(t, d.BindCertificate(bind, d.by, acc.ID, nil), text.IdempotencyKeyReused)

	shut := exchange.WithIdempotencyKey(t.Context(), "shut")
	must(t, d.SetDisabled(shut, d.by, acc.ID, true))
	must(t, d.SetDisabled(t.Context(), d.by, acc.ID, false))
	must(t, d.SetDisabled(shut, d.by, acc.ID, true)) // the first form again: someone has let the person in since
	if now, err := d.Account(t.Context(), d.by, acc.ID); err != nil || now.Disabled {
		t.Errorf("shut out again by an old form: %v", err)
	}
	wantCode(t, d.SetDisabled(shut, d.by, acc.ID, false), text.IdempotencyKeyReused)

	_, k, err := d.NewKey(t.Context(), d.by, exchange.NewAPIKey{Name: "Phần mềm", Scopes: []string{"verify"}})
	must(t, err)
	revoke := exchange.WithIdempotencyKey(t.Context(), "revoke")
	for range 2 {
		must(t, d.RevokeKey(revoke, d.by, k.ID))
	}
	wantCode(t, d.SetDisabled(revoke, d.by, acc.ID, true), text.IdempotencyKeyReused)
}
