package main

import (
	"errors"
	"slices"
	"sync"
	"time"
)

// recheck bounds how often the files of a liveFiles are looked at: a change is seen
// within this time.
const recheck = time.Second

// liveFiles is what some files hold, read again when one of them changes. New files
// that cannot be used leave what was read before in force, and are tried again at each
// look: of a key and its certificate, one is written before the other. It is safe for
// concurrent use.
type liveFiles[T any] struct {
	names   []string
	more    func() []string // names that come and go, as those in a folder; may be nil
	read    func() (T, error)
	now     func() time.Time
	onError func(error) // hears of files that could not be used; may be nil

	mu      sync.Mutex
	value   T
	stamps  []fileStamp
	checked time.Time
}

// openLive reads the files for the first time.
func openLive[T any](names []string, read func() (T, error), now func() time.Time, onError func(error)) (*liveFiles[T], error) {
	return openLiveMore(names, nil, read, now, onError)
}

// openLiveMore is openLive with names that come and go: one of them that is missing is
// no trouble, and a change of the list is a change.
func openLiveMore[T any](names []string, more func() []string, read func() (T, error), now func() time.Time, onError func(error)) (*liveFiles[T], error) {
	l := &liveFiles[T]{names: names, more: more, read: read, now: now, onError: onError}
	l.stamps, _ = l.stamp() // a file that is missing is named by read
	var err error
	l.value, err = read()
	return l, err
}

func (l *liveFiles[T]) stamp() (stamps []fileStamp, err error) {
	for _, name := range l.names {
		s, serr := stampOf(name)
		stamps, err = append(stamps, s), errors.Join(err, serr)
	}
	if l.more == nil {
		return stamps, err
	}
	for _, name := range l.more() {
		if s, serr := stampOf(name); serr == nil {
			stamps = append(stamps, s)
		}
	}
	return stamps, err
}

// current is what is in force.
func (l *liveFiles[T]) current() T {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if since := now.Sub(l.checked); since >= 0 && since < recheck {
		return l.value
	}
	l.checked = now
	stamps, err := l.stamp()
	if err == nil && slices.Equal(stamps, l.stamps) {
		return l.value
	}
	var fresh T
	if err == nil {
		fresh, err = l.read()
	}
	if err != nil {
		if l.onError != nil {
			l.onError(err)
		}
		return l.value
	}
	l.value, l.stamps = fresh, stamps
	return l.value
}
