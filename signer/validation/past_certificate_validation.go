package validation

import (
	"time"

	"antin/certs"
)

// pastCertificate is the past certificate validation of EN 319 102-1, 5.6.2.1: until
// when a path that held at a proven time could be relied on, by what is known today.
// The path itself was validated before, at a time at which every certificate of it
// was valid. false means that proofs of existence are missing.
func (v *validation) pastCertificate(path certs.Path, fresh time.Time, signer bool) (time.Time, bool) {
	if len(path) < 2 {
		return v.at, true // the anchor itself: nothing above it can have ended
	}
	return v.slide(path, fresh, signer)
}
