package web

import (
	"errors"
	"sync"
	"time"

	"antin/exchange"
)

// secretLife is how long a form sent twice gets the same secret: a double click,
// and a slow network's repeat.
const secretLife = 30 * time.Second

// errForgotten says that the answer to a form sent twice is not at hand any more.
var errForgotten = errors.New("the answer was forgotten")

// made is what a form made whose secret is shown once.
type made struct {
	account exchange.Account
	key     exchange.APIKey
	secret  string // or what else answers the form: an id, an address
	at      time.Time
}

// secretOnce has a form that makes a secret act once, by its key, and both halves of
// a double click show the same. A secret is held in memory for secretLife, nowhere
// else. The zero value works.
type secretOnce struct {
	forms onceForms

	mu   sync.Mutex
	done map[string]made
}

// do returns what the form of key made, acting unless it was sent before. The caller
// puts who sends it into key.
func (o *secretOnce) do(key string, now time.Time, act func() (made, error)) (m made, err error) {
	err = o.forms.do(key, func() error {
		var err error
		m, err = act()
		if err != nil {
			return err
		}
		m.at = now
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.done == nil {
			o.done = map[string]made{}
		}
		for k, old := range o.done {
			if now.Sub(old.at) >= secretLife {
				delete(o.done, k)
			}
		}
		o.done[key] = m
		return nil
	})
	if err != nil || m.secret != "" {
		return m, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	m, ok := o.done[key]
	if !ok || now.Sub(m.at) >= secretLife {
		return made{}, errors.Join(errShown, errForgotten)
	}
	return m, nil
}

// again is do for what may be done anew when its answer was forgotten since.
func (o *secretOnce) again(key string, now time.Time, act func() (made, error)) (made, error) {
	m, err := o.do(key, now, act)
	if errors.Is(err, errForgotten) {
		return act()
	}
	return m, err
}
