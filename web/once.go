package web

import "sync"

// maxRemembered bounds the forms that onceForms remembers.
const maxRemembered = 256

// onceForms has each form act once, by its key: a second press waits for the
// first and shares its outcome. It is for acts that take no idempotency key.
type onceForms struct {
	mu    sync.Mutex
	acts  map[string]*formAct
	order []string
}

type formAct struct {
	done chan struct{}
	err  error
}

// do runs act unless the form was sent before. An empty key is no form of ours
// and acts each time; an act that failed may be tried again.
func (o *onceForms) do(key string, act func() error) error {
	if key == "" {
		return act()
	}
	o.mu.Lock()
	if o.acts == nil {
		o.acts = map[string]*formAct{}
	}
	if a, ok := o.acts[key]; ok {
		o.mu.Unlock()
		<-a.done
		return a.err
	}
	a := &formAct{done: make(chan struct{})}
	o.acts[key] = a
	o.order = append(o.order, key)
	if len(o.order) > maxRemembered {
		delete(o.acts, o.order[0])
		o.order = o.order[1:]
	}
	o.mu.Unlock()
	defer close(a.done)
	if a.err = act(); a.err != nil {
		o.mu.Lock()
		delete(o.acts, key)
		o.mu.Unlock()
	}
	return a.err
}
