package exchange

import "sync"

// Bell tells those who wait that an agency's evidence log has grown. It carries no
// truth: who hears it looks at the log, and a ring that is missed, because another
// process wrote, only means a later look. The zero value is ready; it is safe for
// concurrent use.
type Bell struct {
	mu   sync.Mutex
	next map[AgencyCode]chan struct{}
}

// Next returns a channel that is closed by the next Ring for agency. A caller takes
// it before it looks at the log, so that nothing falls between.
func (b *Bell) Next(agency AgencyCode) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.next[agency]
	if !ok {
		if b.next == nil {
			b.next = map[AgencyCode]chan struct{}{}
		}
		c = make(chan struct{})
		b.next[agency] = c
	}
	return c
}

// Ring wakes everyone who waits for agency. A store calls it after a commit.
func (b *Bell) Ring(agency AgencyCode) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c, ok := b.next[agency]; ok {
		close(c)
		delete(b.next, agency)
	}
}
