package fetch

import (
	"errors"
	"fmt"
)

// Kind says what went wrong with an address. The set is closed.
type Kind string

// The kinds.
const (
	KindBlocked  Kind = "blocked"   // the guard refuses the host, address or port
	KindScheme   Kind = "scheme"    // neither http nor https (LDAP, FTP), or not an address at all
	KindOffline  Kind = "offline"   // not in the cache, and the network is not to be used
	KindNetwork  Kind = "network"   // name resolution, connection or TLS failed
	KindTimeout  Kind = "timeout"   // no whole answer in time
	KindRedirect Kind = "redirect"  // sent elsewhere: to another host, or too often
	KindStatus   Kind = "status"    // an HTTP status other than 200
	KindTooLarge Kind = "too-large" // the answer exceeds its limit
	KindContent  Kind = "content"   // the answer is not what was asked for
	KindFuture   Kind = "future"    // the answer is dated later than our clock: one of the two clocks is wrong
)

// Error is a failure to fetch from one address.
type Error struct {
	Kind Kind
	URL  string
	Err  error // more, where there is more
}

// Error implements error.
func (e *Error) Error() string {
	s := fmt.Sprintf("fetching %s: %s", e.URL, e.Kind)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// IsKind reports whether some *Error in err's chain is of kind k.
func IsKind(err error, k Kind) bool {
	var e *Error
	if errors.As(err, &e) && e.Kind == k {
		return true
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { // its members, one by one
		for _, one := range joined.Unwrap() {
			if IsKind(one, k) {
				return true
			}
		}
	}
	return false
}
