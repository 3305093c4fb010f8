package helper

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"antin/signer"
)

const (
	// defaultRate is how many signatures a key gives in a minute: more than văn thư of
	// a large agency seals, less than a thief would like.
	defaultRate = 120
	// maxInFlight bounds the requests worked on at a time: signing is work for the
	// processor, and a queue longer than this is better told to come again.
	maxInFlight = 16
	// maxConns bounds open connections; a gateway keeps a few.
	maxConns = 64
	// idleLimit ends a connection that asks nothing, frameLimit one that is slow in
	// the middle of a message.
	idleLimit  = 5 * time.Minute
	frameLimit = 10 * time.Second
)

// HeldKey is a key with what it may be used for.
type HeldKey struct {
	signer.Key
	Kind Kind
	// Rate is the number of signatures in a minute; 0 means 120.
	Rate int
}

// Server answers requests for signatures with the keys it holds. Its fields are set
// once, before Serve.
type Server struct {
	Keys map[string]HeldKey
	// AllowUIDs are the users whose processes may ask, besides the file mode of the
	// socket; empty means the server's own user.
	AllowUIDs []uint32
	// LogPath is the file of the hash-chained log.
	LogPath string
	Now     func() time.Time
	// OnError hears of connections that broke the protocol; nil drops it.
	OnError func(error)

	log   *auditLog
	slots chan struct{}
	mu    sync.Mutex
	used  map[string][]time.Time // the signatures of the last minute, by key
	conns map[net.Conn]struct{}
}

// Listen makes the socket at path, with mode 0660. Its directory must exist and be
// writable by nobody but its owner and group. A socket left behind by a process that
// died is replaced; one that answers is not.
func Listen(ctx context.Context, path string) (net.Listener, error) {
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("directory of the socket: %w", err)
	}
	if dir.Mode().Perm()&0o002 != 0 {
		return nil, fmt.Errorf("directory of the socket %s: anyone may write there", path)
	}
	var dialer net.Dialer
	if c, err := dialer.DialContext(ctx, "unix", path); err == nil {
		_ = c.Close()
		return nil, fmt.Errorf("socket %s: another key helper answers there", path)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("removing an old socket: %w", err)
		}
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o660); err != nil { //nolint:gosec // the gateway's group must reach it
		_ = l.Close()
		return nil, fmt.Errorf("mode of %s: %w", path, err)
	}
	return l, nil
}

// Serve answers on l until ctx ends, then lets requests under way finish. It opens
// the log first and fails when that is broken. It is called once.
func (s *Server) Serve(ctx context.Context, l net.Listener) (err error) {
	if s.log, err = openLog(s.LogPath, s.Now); err != nil {
		_ = l.Close()
		return err
	}
	defer func() { err = errors.Join(err, s.log.close()) }()
	s.slots, s.used, s.conns = make(chan struct{}, maxInFlight), map[string][]time.Time{}, map[net.Conn]struct{}{}
	stop := context.AfterFunc(ctx, func() {
		_ = l.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		for c := range s.conns {
			_ = c.SetReadDeadline(time.Unix(1, 0)) // wakes those that wait for a request
		}
	})
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("key helper: %w", err)
		}
		if !s.enter(c) {
			_ = c.Close()
			continue
		}
		wg.Go(func() {
			defer s.leave(c)
			s.trouble(s.serve(ctx, c))
		})
	}
}

func (s *Server) enter(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) >= maxConns {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) leave(c net.Conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	_ = c.Close()
}

func (s *Server) trouble(err error) {
	if err != nil && s.OnError != nil {
		s.OnError(err)
	}
}

// serve answers one connection until it ends.
func (s *Server) serve(ctx context.Context, c net.Conn) error {
	uid, err := peerUID(c)
	if err != nil {
		return err
	}
	if !s.allowed(uid) {
		return fmt.Errorf("key helper: user %d may not ask", uid)
	}
	for ctx.Err() == nil {
		if err := c.SetDeadline(time.Now().Add(idleLimit)); err != nil { //nolint:forbidigo // deadlines of sockets are the machine's time
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		var r request
		if err := readFrame(&begun{Conn: c}, &r); err != nil {
			if errors.Is(err, errFrame) {
				return err
			}
			return nil // closed, idle for too long, or the server ends
		}
		a := s.answer(uid, &r)
		if err := writeFrame(c, a); err != nil {
			return fmt.Errorf("answering: %w", err)
		}
	}
	return nil
}

// begun shortens the deadline once the first byte of a message has come.
type begun struct {
	net.Conn
	some bool
}

// Read implements io.Reader.
func (b *begun) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	if n > 0 && !b.some {
		b.some = true
		if err := b.SetDeadline(time.Now().Add(frameLimit)); err != nil { //nolint:forbidigo // as above
			return n, err
		}
	}
	return n, err
}

func (s *Server) allowed(uid uint32) bool {
	if len(s.AllowUIDs) == 0 {
		return int64(uid) == int64(os.Getuid())
	}
	return slices.Contains(s.AllowUIDs, uid)
}

func (s *Server) answer(uid uint32, r *request) answer {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		return answer{Code: codeBusy}
	}
	if r.Op == opPing {
		return answer{}
	}
	key, ok := s.Keys[r.Key]
	if !ok {
		return answer{Code: codeUnknownKey}
	}
	switch r.Op {
	case opCertificates:
		var a answer
		for _, c := range key.Chain {
			a.Certificates = append(a.Certificates, c.Raw)
		}
		return a
	case opSign:
		value, err := s.sign(uid, r, key)
		var no *refusal
		switch {
		case errors.As(err, &no):
			return answer{Code: no.code, Reason: no.reason}
		case err != nil:
			return answer{Code: keyCode(err), Reason: err.Error()}
		}
		return answer{Signature: value}
	}
	return answer{Code: codeBadRequest, Reason: "unknown operation"}
}

// sign writes down what is asked, uses the key, and writes down how that ended.
// What is refused is written down as well.
func (s *Server) sign(uid uint32, r *request, key HeldKey) ([]byte, error) {
	line := Line{Event: lineAsked, Key: r.Key, Client: uid, Digest: hex.EncodeToString(r.Digest[:min(len(r.Digest), maxDigest)]), Purpose: r.Purpose}
	err := r.check(key.Kind)
	if err == nil {
		err = s.spend(r.Key, key.Rate)
	}
	if err != nil {
		line.Event, line.Reason, line.Purpose = lineRefused, err.Error(), bounded(r.Purpose)
		if _, lerr := s.log.add(line); lerr != nil {
			return nil, &refusal{codeLog, lerr.Error()}
		}
		return nil, err
	}
	seq, err := s.log.add(line)
	if err != nil {
		return nil, &refusal{codeLog, err.Error()}
	}
	value, err := key.Signer.Sign(rand.Reader, r.Digest, options(r))
	end := Line{Event: lineSigned, Key: r.Key, Client: uid, Of: seq}
	if err != nil {
		end.Event, end.Reason = lineFailed, err.Error()
	}
	if _, lerr := s.log.add(end); lerr != nil {
		return nil, &refusal{codeLog, lerr.Error()}
	}
	return value, err
}

// bounded cuts the words of a refused purpose, which nobody has checked.
func bounded(p signer.Purpose) signer.Purpose {
	for _, w := range []*string{&p.Subject, &p.Document, &p.Kind, &p.Approver.ID, &p.Approver.Name, &p.Approver.Role, &p.Session} {
		if len(*w) > maxWord {
			*w = (*w)[:maxWord]
		}
	}
	return p
}

func options(r *request) crypto.SignerOpts {
	h := hashes[r.Hash]
	if r.PSS {
		return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: h}
	}
	return h
}

// spend takes one signature of a key's minute.
func (s *Server) spend(id string, rate int) error {
	if rate <= 0 {
		rate = defaultRate
	}
	now := s.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	recent := slices.DeleteFunc(s.used[id], func(t time.Time) bool { return now.Sub(t) >= time.Minute })
	if len(recent) >= rate {
		s.used[id] = recent
		return refuse(codeRate, "%d signatures in a minute", rate)
	}
	s.used[id] = append(recent, now)
	return nil
}
