package exchange

import "sync"

// Waker hands jobs that are due to a worker in the process that committed them, so
// that no job has to be written, found and finished for each message. A store asks
// Takes inside the transaction and, of what it took, calls Wake after the commit. A
// job that is lost between the two is found in the rows by the worker's sweep. The
// zero value takes nothing; it is safe for concurrent use.
type Waker struct {
	mu   sync.Mutex
	work *Worker
}

// Takes reports whether a job that is due now needs no row of the queue, because a
// worker of this process will have it.
func (k *Waker) Takes(j Job) bool {
	w := k.worker()
	return w != nil && w.takes(j)
}

// Wake hands j to the worker. It does not wait.
func (k *Waker) Wake(j Job) {
	if w := k.worker(); w != nil {
		w.wake(j)
	}
}

func (k *Waker) worker() *Worker {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.work
}

// attach makes w the one who is woken; nil ends it.
func (k *Waker) attach(w *Worker) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.work = w
}
