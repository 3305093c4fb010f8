package exchange

import (
	"fmt"
	"time"

	"antin/exchange/jws"
)

// VerifyCapability verifies a capability under the keys that a's entry lists at now,
// that it speaks for a, and that it has not expired.
func (a Agency) VerifyCapability(compact []byte, now time.Time) (jws.Capability, error) {
	keys, err := a.keysAt(now)
	if err != nil {
		return jws.Capability{}, fmt.Errorf("keys of %s: %w", a.Code, err)
	}
	c, err := jws.VerifyCapability(compact, keys)
	switch {
	case err != nil:
		return jws.Capability{}, err
	case AgencyCode(c.Agency) != a.Code:
		return jws.Capability{}, fmt.Errorf("%w: capability of %s", jws.ErrFormat, c.Agency)
	case !now.Before(c.ExpiresAt):
		return jws.Capability{}, fmt.Errorf("%w: capability has expired", jws.ErrFormat)
	}
	return c, nil
}
