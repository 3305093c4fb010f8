package pkcs11

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

var (
	// errUndelivered is returned for a request that the helper cannot have read whole:
	// it had no effect, and may be made again.
	errUndelivered = errors.New("token helper: the request did not arrive")
	// errLost is returned for a request that was delivered and never answered: what
	// came of it is unknown.
	errLost = errors.New("token helper: the answer is lost")
)

// child is one helper process with one vendor's library. Its methods are safe for
// concurrent use. Once dead it stays dead.
type child struct {
	module string
	cmd    *exec.Cmd
	in     *os.File      // requests
	exited chan error    // how the process ended; one value
	ended  chan struct{} // closed when nothing more comes from it
	words  *tail

	write sync.Mutex // one frame at a time

	mu      sync.Mutex
	next    uint64
	waiting map[uint64]chan Answer
	why     error // set when dead
	retired bool  // no new requests; ends when nothing waits
	logins  map[string]bool
}

// startChild runs program with the library at module not loaded yet.
func startChild(ctx context.Context, program, module string) (*child, error) {
	childIn, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("token helper: %w", err)
	}
	out, childOut, err := os.Pipe()
	if err != nil {
		_, _ = childIn.Close(), in.Close()
		return nil, fmt.Errorf("token helper: %w", err)
	}
	c := &child{module: module, in: in, exited: make(chan error, 1), ended: make(chan struct{}), words: &tail{}, waiting: map[uint64]chan Answer{}, logins: map[string]bool{}}
	// It outlives the call that started it, and ends when its input ends.
	c.cmd = exec.CommandContext(context.WithoutCancel(ctx), program, "module")
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = childIn, childOut, c.words
	c.cmd.WaitDelay = drainLimit
	c.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "ANTIN_KEY_PASSWORD=") })
	err = c.cmd.Start()
	_, _ = childIn.Close(), childOut.Close()
	if err != nil {
		_, _ = in.Close(), out.Close()
		return nil, fmt.Errorf("token helper: %w", err)
	}
	go c.read(out)
	go func() {
		c.exited <- c.cmd.Wait()
		time.AfterFunc(drainLimit, func() { _ = out.Close() })
	}()
	return c, nil
}

// drainLimit is how long after its end the last words of a process are waited for: a
// program that a library started may hold its pipes open for ever.
const drainLimit = time.Second

// readBuffer takes most answers in one call of the system, in bytes.
const readBuffer = 8 << 10

// read hands out answers until the process ends, then tells everybody who waits.
func (c *child) read(out *os.File) {
	var why error
	in := bufio.NewReaderSize(out, readBuffer)
	for {
		var a Answer
		if why = ReadFrame(in, &a); why != nil {
			break
		}
		c.mu.Lock()
		ch, ok := c.waiting[a.ID]
		delete(c.waiting, a.ID)
		c.endIfIdle()
		c.mu.Unlock()
		if ok { // else its caller has gone
			ch <- a
		}
	}
	c.kill() // it speaks another language, or has nothing more to say
	_ = out.Close()
	waited := <-c.exited
	if waited == nil {
		waited = why
	}
	c.mu.Lock()
	c.why = fmt.Errorf("%w%s", waited, c.words.said())
	c.mu.Unlock()
	_ = c.in.Close()
	close(c.ended)
}

// endIfIdle closes the input of a retired process that owes no answer. c.mu is held.
func (c *child) endIfIdle() {
	if c.retired && len(c.waiting) == 0 {
		_ = c.in.Close()
	}
}

// retire gives up the process: it answers what it was asked and ends.
func (c *child) retire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retired = true
	c.endIfIdle()
}

// usable reports whether c takes requests.
func (c *child) usable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.retired && c.why == nil
}

func (c *child) kill() { _ = c.cmd.Process.Kill() }

// call asks r and waits for its answer, no longer than limit; a process that does not
// answer in time hangs in the vendor's code and is killed, with all that it was asked.
// Errors: errUndelivered, errLost, or that of ctx, after which the answer is dropped
// when it comes.
func (c *child) call(ctx context.Context, r Request, limit time.Duration) (Answer, error) {
	answer := make(chan Answer, 1)
	c.mu.Lock()
	if c.retired || c.why != nil {
		c.mu.Unlock()
		return Answer{}, errUndelivered
	}
	c.next++
	r.ID = c.next
	c.waiting[r.ID] = answer
	c.mu.Unlock()

	slow := time.AfterFunc(limit, c.kill)
	c.write.Lock()
	n, size, err := WriteFrame(c.in, r)
	c.write.Unlock()
	if err != nil {
		slow.Stop()
		c.forget(r.ID)
		if n > 0 {
			c.kill() // half a frame: the pipe is of no more use
		}
		if n == size && size > 0 {
			return Answer{}, fmt.Errorf("%w: %w", errLost, err)
		}
		return Answer{}, fmt.Errorf("%w: %w", errUndelivered, err)
	}
	select {
	case a := <-answer:
		slow.Stop()
		return a, nil
	case <-ctx.Done():
		go func() { // the limit holds for what nobody waits for, too
			select {
			case <-answer:
			case <-c.ended:
			}
			slow.Stop()
		}()
		return Answer{}, ctx.Err()
	case <-c.ended:
	}
	inTime := slow.Stop()
	select {
	case a := <-answer: // it was the last thing the process said
		return a, nil
	default:
	}
	if !inTime {
		return Answer{}, fmt.Errorf("%w: no answer within %v", errLost, limit)
	}
	return Answer{}, fmt.Errorf("%w: %w", errLost, c.reason())
}

func (c *child) forget(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
	c.endIfIdle()
}

func (c *child) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

// loggedIn and setLoggedIn keep which tokens this process is logged in to.
func (c *child) loggedIn(token string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.logins[token]
}

func (c *child) setLoggedIn(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.logins[token] = true
}

// maxTail is how much of what a library prints is kept for the log, in bytes.
const maxTail = 2 << 10

// tail keeps the beginning of what is written: a crash says first what it was.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p[:min(len(p), maxTail-len(t.kept))]...)
	return len(p), nil
}

// said is what was written, for an error's text.
func (t *tail) said() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.kept) == 0 {
		return ""
	}
	first, _, _ := strings.Cut(string(t.kept), "\n\n")
	return ": " + strings.ToValidUTF8(first, "?")
}
