package tsa

import (
	"errors"
	"net/url"
	"strings"
	"sync"
	"time"

	"antin/internal/text"
	"antin/signer/tsp"
)

// The circuit breaker: after tripAfter failures in a row a service is left alone
// for restFor, so that a batch does not wait for a dead one with every document.
const (
	tripAfter = 3
	restFor   = 30 * time.Second
)

// service is one TSA and how it has been doing.
type service struct {
	url     *url.URL
	timeout time.Duration // of one request

	mu       sync.Mutex
	failures int       // in a row
	last     time.Time // the last failure counted
	resting  time.Time // not asked before; zero when it never failed enough
}

// mayAsk reports whether the service may be asked at now. After a rest one
// failure sends it to rest again.
func (s *service) mayAsk(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !now.Before(s.resting)
}

func (s *service) succeeded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures, s.resting = 0, time.Time{}
}

// failed counts the failure of a request begun at started. Requests that were
// under way together and fail together count once, else one hiccup in a batch
// would send the service to rest.
func (s *service) failed(started, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if started.Before(s.last) {
		return
	}
	s.last = now
	if s.failures++; s.failures >= tripAfter {
		s.resting = now.Add(restFor)
	}
}

// failure is why one service gave no token.
type failure struct {
	passing bool // may be gone a moment later
	message text.Message
	err     error
}

// fail makes a failure whose message is the catalogue entry key with the
// service's host, then args.
func fail(s *service, passing bool, err error, key text.Key, args ...any) *failure {
	return &failure{passing: passing, err: err, message: text.Get(key, append([]any{s.url.Host}, args...)...)}
}

func mayPass(failures []*failure) bool {
	for _, f := range failures {
		if f.passing {
			return true
		}
	}
	return false
}

// unavailable joins the failures, and why the caller's time ended when it did,
// into one error.
func unavailable(failures []*failure, ended error) error {
	var vi, en []string
	causes := []error{ended}
	for _, f := range failures {
		vi, en = append(vi, f.message.VI), append(en, f.message.EN)
		causes = append(causes, f.err)
	}
	e := text.Errorf(text.TSAUnavailable, errors.Join(causes...))
	e.Detail = text.Message{VI: strings.Join(vi, " "), EN: strings.Join(en, " ")}
	return e
}

// answerKey finds the words for what is wrong with a token.
func answerKey(err error) text.Key {
	for _, e := range []struct {
		err error
		key text.Key
	}{
		{tsp.ErrImprint, "tsa.imprint"},
		{tsp.ErrNonce, "tsa.nonce"},
		{tsp.ErrPolicy, "tsa.policy"},
		{tsp.ErrCertificate, "tsa.certificate"},
		{tsp.ErrNoCertificate, "tsa.certificate"},
		{tsp.ErrSignature, "tsa.signature"},
		{tsp.ErrUnsupported, "tsa.algorithm"},
	} {
		if errors.Is(err, e.err) {
			return e.key
		}
	}
	return "tsa.rules"
}
