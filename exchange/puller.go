package exchange

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"antin/exchange/jws"
	"antin/internal/text"
)

// Remote asks peers. Implementations are safe for concurrent use and store nothing;
// errors are *DeliveryError as a Transport's.
type Remote interface {
	// Waiting returns what peer holds for us; with nothing there the peer waits up to
	// wait, at most a minute.
	Waiting(ctx context.Context, peer Agency, cursor string, wait time.Duration) (WaitingPage, error)
	// Fetch returns the bytes of a transfer that sender, served by peer, made for us,
	// from offset on. The caller closes them.
	Fetch(ctx context.Context, peer Agency, sender AgencyCode, id TransferID, offset int64) (io.ReadCloser, error)
	// Bring hands over our receipt.
	Bring(ctx context.Context, peer Agency, receipt []byte) error
	// Day returns peer's sums of one day of transfers from q.Sender to q.Recipient.
	Day(ctx context.Context, peer Agency, q DayQuery) (DaySums, error)
	// Hour returns what one hour of that day holds, behind after.
	Hour(ctx context.Context, peer Agency, q DayQuery, hour int, after TransferID) ([]Settled, error)
	// Settled returns manifest and receipt of an ended transfer as peer keeps them.
	Settled(ctx context.Context, peer Agency, key TransferKey) (ReturnedTransfer, error)
}

const (
	// pullWait is how long one question waits at the peer.
	pullWait = 50 * time.Second
	// pullPause is the time between two looks when the last brought nothing on.
	pullPause = 15 * time.Second
	// pullers is how many peers something great is fetched from at once: each holds a
	// piece in memory.
	pullers = 4
)

// Puller fetches what peers hold for agencies served here, for a gateway that
// nobody can reach. Its fields are set once, before use.
type Puller struct {
	Remote    Remote
	Inbox     *Inbox
	Directory Directory
	Offices   Offices
	Now       func() time.Time
	OnError   func(err error) // nil drops it

	once  sync.Once
	great chan struct{}
}

// Run fetches from every peer with an address until ctx is done. Peers that the
// directory gains later are found within a minute.
func (p *Puller) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	known := map[AgencyCode]bool{}
	look := time.NewTimer(0)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
		agencies, err := p.Directory.Agencies(ctx)
		if err != nil {
			p.report(err)
		}
		for _, a := range agencies {
			if _, own := p.Offices.Office(ctx, a.Code); own == nil || a.Endpoint == "" || known[a.Code] {
				continue
			}
			known[a.Code] = true
			wg.Go(func() { p.follow(ctx, a.Code) })
		}
		look.Reset(time.Minute)
	}
}

// follow asks one peer again and again.
func (p *Puller) follow(ctx context.Context, code AgencyCode) {
	failures := 0
	for ctx.Err() == nil {
		pause := time.Duration(0)
		peer, err := p.Directory.Agency(ctx, code)
		if err == nil {
			var moved bool
			moved, err = p.Round(ctx, peer, pullWait)
			if !moved {
				pause = pullPause
			}
		}
		if failures++; err == nil {
			failures = 0
		} else {
			pause = wait(failures, "pull>"+string(code))
			p.report(fmt.Errorf("fetching from %s: %w", code, err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (p *Puller) report(err error) {
	if p.OnError != nil {
		p.OnError(err)
	}
}

// Round fetches everything that peer holds and brings the receipts. moved is false
// when what is there could not be taken: then nothing is gained by asking at once.
func (p *Puller) Round(ctx context.Context, peer Agency, wait time.Duration) (moved bool, err error) {
	moved = true
	for cursor := ""; ; wait = 0 {
		page, err := p.Remote.Waiting(ctx, peer, cursor, wait)
		if err != nil {
			return false, err
		}
		for _, t := range page.Transfers {
			if t.Sender != peer.Code {
				continue // who holds it for another is not asked for it
			}
			if err := p.take(ctx, peer, t); err != nil {
				if ctx.Err() != nil || classOf(err).Class == ClassPeerDown && text.CodeOf(err) == text.PeerUnavailable {
					return false, err
				}
				p.report(fmt.Errorf("fetching %s from %s: %w", t.ID, peer.Code, err)) // the others go on
				moved = false
			}
		}
		if cursor = page.Cursor; cursor == "" {
			return moved, nil
		}
	}
}

// take takes one transfer in and brings its receipt.
func (p *Puller) take(ctx context.Context, peer Agency, t WaitingTransfer) error {
	m, _, err := jws.PeekManifest(t.Manifest)
	if err != nil {
		return text.Errorf(text.InvalidInput, err)
	}
	in := Incoming{Peer: peer.Code, ID: t.ID, Manifest: t.Manifest}
	var receipt Receipt
	switch {
	case !p.Now().Before(m.ExpiresAt):
		receipt, err = p.Inbox.CloseTransfer(ctx, peer.Code, t.Manifest)
	case m.Parts[0].Size <= MaxBatchPayload:
		body := &fetched{ctx: ctx, open: func() (io.ReadCloser, error) { return p.Remote.Fetch(ctx, peer, peer.Code, t.ID, 0) }}
		defer body.close()
		in.Payload = body
		receipt, err = p.Inbox.Receive(ctx, in)
	default:
		receipt, err = p.inPieces(ctx, peer, in, m.Parts[0].Size)
	}
	if err != nil {
		return err
	}
	return p.Remote.Bring(ctx, peer, receipt.JWS)
}

// inPieces fetches a great transfer so that what has come stays.
func (p *Puller) inPieces(ctx context.Context, peer Agency, in Incoming, size int64) (Receipt, error) {
	answer, state, err := p.Inbox.OpenUpload(ctx, in)
	if err != nil || answer.JWS != nil {
		return answer, err
	}
	p.once.Do(func() { p.great = make(chan struct{}, pullers) })
	select {
	case p.great <- struct{}{}:
		defer func() { <-p.great }()
	case <-ctx.Done():
		return Receipt{}, ctx.Err()
	}
	key := UploadKey{Sender: in.Peer, ID: in.ID}
	for _, g := range state.Gaps {
		if err := p.fill(ctx, peer, key, g, size); err != nil {
			return Receipt{}, err
		}
	}
	return p.Inbox.CommitUpload(ctx, key)
}

func (p *Puller) fill(ctx context.Context, peer Agency, key UploadKey, g Gap, total int64) error {
	body, err := p.Remote.Fetch(ctx, peer, peer.Code, key.ID, g.Offset)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	buf := make([]byte, min(g.Length, MaxPiece))
	for at, end := g.Offset, g.Offset+g.Length; at < end; {
		piece := buf[:min(end-at, int64(len(buf)))]
		if _, err := io.ReadFull(body, piece); err != nil {
			return &DeliveryError{Class: ClassPeerDown, Err: text.Errorf(text.PeerUnavailable, err)}
		}
		sum := sha256.Sum256(piece)
		err := p.Inbox.PutPiece(ctx, IncomingPiece{Key: key, Offset: at, Size: int64(len(piece)), Total: total,
			SHA256: hex.EncodeToString(sum[:]), Body: bytes.NewReader(piece)})
		if err != nil {
			return err
		}
		at += int64(len(piece))
	}
	return nil
}

// fetched opens what it reads when the first byte is wanted, and ends in an error
// where a connection broke.
type fetched struct {
	ctx  context.Context //nolint:containedctx // of the one transfer
	open func() (io.ReadCloser, error)
	body io.ReadCloser
}

// Read implements io.Reader.
func (f *fetched) Read(b []byte) (int, error) {
	if f.body == nil {
		body, err := f.open()
		if err != nil {
			return 0, err
		}
		f.body = body
	}
	n, err := f.body.Read(b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = text.Errorf(text.Interrupted, errors.New("bytes from the peer were cut off"))
	}
	return n, err
}

func (f *fetched) close() {
	if f.body != nil {
		_ = f.body.Close()
	}
}
