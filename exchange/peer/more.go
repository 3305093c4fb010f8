package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"antin/exchange"
	"antin/exchange/jws"
	"antin/internal/text"
)

// Held is what waits here for peers that fetch; *exchange.Held is one.
type Held interface {
	Waiting(ctx context.Context, peer exchange.AgencyCode, cursor string, wait time.Duration) (exchange.WaitingPage, error)
	Open(ctx context.Context, peer, sender exchange.AgencyCode, id exchange.TransferID) (exchange.BlobReader, error)
	Take(ctx context.Context, peer exchange.AgencyCode, receipt []byte) error
}

// Ledger is what was exchanged; *exchange.Ledger is one.
type Ledger interface {
	Day(ctx context.Context, asker exchange.AgencyCode, q exchange.DayQuery) (exchange.DaySums, error)
	Hour(ctx context.Context, asker exchange.AgencyCode, q exchange.DayQuery, hour int, after exchange.TransferID) ([]exchange.Settled, error)
	Settled(ctx context.Context, asker exchange.AgencyCode, key exchange.TransferKey) (exchange.ReturnedTransfer, error)
}

// Statements takes what peers state; *exchange.Statements is one.
type Statements interface {
	Take(ctx context.Context, peer exchange.AgencyCode, statement []byte) error
}

const (
	// MaxWait is the longest that a peer may wait for something to fetch.
	MaxWait = 60 * time.Second
	// maxPolls is how many of a peer's requests may wait at once.
	maxPolls = 2
)

// more adds the routes beside transfers, each where its part is there.
func (s *Server) more(mux *http.ServeMux) {
	if s.Held != nil {
		mux.Handle("GET /x/v1/outbox", s.route(s.waiting))
		mux.Handle("GET /x/v1/outbox/{id}/parts/{n}", s.route(s.fetch))
		mux.Handle("POST /x/v1/receipts", s.route(s.takeReceipt))
	}
	if s.Ledger != nil {
		mux.Handle("GET /x/v1/reconcile", s.route(s.reconcile))
		mux.Handle("GET /x/v1/settled/{id}", s.route(s.settled))
	}
	if s.Statements != nil {
		mux.Handle("POST /x/v1/statements", s.route(s.takeStatement))
	}
	if s.Offices != nil {
		mux.Handle("GET /.well-known/gateway", s.route(s.capability))
	}
}

// polls counts the requests of each peer that wait.
type polls struct {
	mu  sync.Mutex
	now map[exchange.AgencyCode]int
}

func (p *polls) enter(peer exchange.AgencyCode) (leave func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now[peer] >= maxPolls {
		return nil, false
	}
	if p.now == nil {
		p.now = map[exchange.AgencyCode]int{}
	}
	p.now[peer]++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.now[peer]--; p.now[peer] == 0 {
			delete(p.now, peer)
		}
	}, true
}

// waitingAnswer is the answer to what waits.
type waitingAnswer struct {
	Transfers []waitingItem `json:"transfers"`
	Cursor    string        `json:"cursor,omitempty"`
}

type waitingItem struct {
	TransferID string `json:"transferId"`
	Sender     string `json:"sender"`
	Manifest   string `json:"manifest"`
	Size       int64  `json:"size"`
}

func (s *Server) waiting(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	leave, ok := s.polls.enter(peer)
	if !ok {
		return nil, text.Errorf(text.PeerUnavailable, errors.New("too many requests wait already"))
	}
	defer leave()
	q := r.URL.Query()
	seconds, err := strconv.Atoi(q.Get("wait"))
	if q.Get("wait") == "" {
		seconds, err = 0, nil
	}
	if err != nil || seconds < 0 || len(q.Get("cursor")) > maxCursor {
		return nil, text.Errorf(text.InvalidInput, errors.New("wait or cursor"))
	}
	page, err := s.Held.Waiting(r.Context(), peer, q.Get("cursor"), min(time.Duration(seconds)*time.Second, MaxWait))
	if err != nil {
		return nil, fmt.Errorf("looking what waits for %s: %w", peer, err)
	}
	out := waitingAnswer{Transfers: []waitingItem{}, Cursor: page.Cursor}
	for _, t := range page.Transfers {
		out.Transfers = append(out.Transfers, waitingItem{string(t.ID), string(t.Sender), string(t.Manifest), t.Size})
	}
	return nil, answerJSON(w, http.StatusOK, out)
}

// maxCursor bounds what a peer gives back to us.
const maxCursor = 64

// fetch answers the bytes of a part from an offset on: Range with one open end.
func (s *Server) fetch(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	sender := exchange.AgencyCode(r.URL.Query().Get("sender"))
	if !sender.Valid() || r.PathValue("n") != "0" {
		return nil, text.Errorf(text.NotFound, errors.New("sender or part"))
	}
	offset, err := rangeStart(r.Header.Get("Range"))
	if err != nil {
		return nil, err
	}
	body, err := s.Held.Open(r.Context(), peer, sender, transferID(r))
	if err != nil {
		return nil, fmt.Errorf("opening part for %s: %w", peer, err)
	}
	defer func() { _ = body.Close() }()
	if offset > 0 && offset >= body.Size() {
		return nil, text.Errorf(text.InvalidInput, errors.New("range behind the end"))
	}
	size := body.Size() - offset
	end := time.AfterFunc(s.Limits.whole(size), func() { _ = http.NewResponseController(w).SetWriteDeadline(time.Unix(1, 0)) })
	defer end.Stop()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	status := http.StatusOK
	if offset > 0 {
		h.Set("Content-Range", contentRange(offset, size, body.Size()))
		status = http.StatusPartialContent
	}
	w.WriteHeader(status)
	_, _ = io.Copy(w, io.NewSectionReader(body, offset, size)) // a peer that has gone comes again
	return nil, nil
}

// rangeStart reads "bytes=N-"; without a Range the part is wanted from its start.
func rangeStart(field string) (int64, error) {
	if field == "" {
		return 0, nil
	}
	inner, ok := strings.CutPrefix(field, "bytes=")
	inner, open := strings.CutSuffix(inner, "-")
	n, err := strconv.ParseInt(inner, 10, 64)
	if !ok || !open || err != nil || n < 0 {
		return 0, text.Errorf(text.InvalidInput, errors.New("range"))
	}
	return n, nil
}

func (s *Server) takeReceipt(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	receipt, err := s.readStatement(w, r)
	if err != nil {
		return nil, err
	}
	if err := s.Held.Take(context.WithoutCancel(r.Context()), peer, receipt); err != nil {
		return nil, fmt.Errorf("receipt of %s: %w", peer, err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil, nil
}

func (s *Server) takeStatement(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	statement, err := s.readStatement(w, r)
	if err != nil {
		return nil, err
	}
	if err := s.Statements.Take(context.WithoutCancel(r.Context()), peer, statement); err != nil {
		return nil, fmt.Errorf("statement of %s: %w", peer, err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil, nil
}

// settledItem is one entry of the ledger on the wire.
type settledItem struct {
	TransferID    string    `json:"transferId"`
	ReceivedAt    time.Time `json:"receivedAt"`
	ReceiptSHA256 string    `json:"receiptSha256"`
}

type hourAnswer struct {
	Entries []settledItem `json:"entries"`
}

// reconcile answers the sums of a day, or with an hour its entries.
func (s *Server) reconcile(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	v := r.URL.Query()
	day, err := time.ParseInLocation(time.DateOnly, v.Get("day"), time.UTC)
	q := exchange.DayQuery{Sender: exchange.AgencyCode(v.Get("sender")), Recipient: exchange.AgencyCode(v.Get("recipient")), Day: day}
	if err != nil || !q.Sender.Valid() || !q.Recipient.Valid() {
		return nil, text.Errorf(text.InvalidInput, errors.New("day, sender or recipient"))
	}
	if !v.Has("hour") {
		sums, err := s.Ledger.Day(r.Context(), peer, q)
		if err != nil {
			return nil, fmt.Errorf("summing for %s: %w", peer, err)
		}
		return nil, answerJSON(w, http.StatusOK, sums)
	}
	hour, err := strconv.Atoi(v.Get("hour"))
	if err != nil {
		return nil, text.Errorf(text.InvalidInput, errors.New("hour"))
	}
	entries, err := s.Ledger.Hour(r.Context(), peer, q, hour, exchange.TransferID(v.Get("after")))
	if err != nil {
		return nil, fmt.Errorf("listing for %s: %w", peer, err)
	}
	out := hourAnswer{Entries: []settledItem{}}
	for _, e := range entries {
		out.Entries = append(out.Entries, settledItem{string(e.ID), e.At, string(e.Receipt)})
	}
	return nil, answerJSON(w, http.StatusOK, out)
}

// settledAnswer is an ended transfer's two statements.
type settledAnswer struct {
	Manifest string `json:"manifest"`
	Receipt  string `json:"receipt"`
}

func (s *Server) settled(w http.ResponseWriter, r *http.Request, peer exchange.AgencyCode) ([]byte, error) {
	v := r.URL.Query()
	key := exchange.TransferKey{Sender: exchange.AgencyCode(v.Get("sender")), Recipient: exchange.AgencyCode(v.Get("recipient")), ID: transferID(r)}
	back, err := s.Ledger.Settled(r.Context(), peer, key)
	if err != nil {
		return nil, fmt.Errorf("settled transfer for %s: %w", peer, err)
	}
	return nil, answerJSON(w, http.StatusOK, settledAnswer{string(back.Manifest), string(back.Receipt)})
}

const (
	// capabilityFor is how long a signed capability holds: a peer may be offline for
	// weeks and still know how we can be talked to.
	capabilityFor = 30 * 24 * time.Hour
	// capabilityRenew is how old one may be that is told again: signing is not for
	// whoever asks often.
	capabilityRenew = time.Hour
)

// said remembers the capability that was signed last for each office.
type said struct {
	mu   sync.Mutex
	last map[exchange.AgencyCode]saidOnce
}

type saidOnce struct {
	jws []byte
	kid string
	at  time.Time
}

// capability answers what this gateway can do for the agency asked for, signed with
// its gateway key.
func (s *Server) capability(_ http.ResponseWriter, r *http.Request, _ exchange.AgencyCode) ([]byte, error) {
	offices, err := s.Offices.Offices(r.Context())
	if err != nil {
		return nil, err
	}
	code := r.URL.Query().Get("agency")
	for _, o := range offices {
		if code == "" || string(o.Agency.Code) == code {
			return s.sayCapability(o)
		}
	}
	return nil, text.Errorf(text.NotForUs, nil)
}

func (s *Server) sayCapability(o exchange.Office) ([]byte, error) {
	kid, err := jws.Thumbprint(o.GatewayKey.Public())
	if err != nil {
		return nil, err
	}
	now := s.Now().UTC()
	s.said.mu.Lock()
	defer s.said.mu.Unlock()
	if last, ok := s.said.last[o.Agency.Code]; ok && last.kid == kid && now.Sub(last.at) < capabilityRenew && !now.Before(last.at) {
		return last.jws, nil
	}
	c := jws.Capability{Version: jws.Version, Agency: string(o.Agency.Code), Versions: []int{jws.Version}, Features: s.features(), Keys: []string{kid},
		MaxPayload: s.Limits.Payload, OneShot: OneShot, MaxPiece: exchange.MaxPiece, MaxWhole: exchange.MaxWhole, MaxBatch: exchange.MaxBatch,
		IssuedAt: now, ExpiresAt: now.Add(capabilityFor)}
	signed, err := jws.SignCapability(nil, o.GatewayKey, c)
	if err != nil {
		return nil, err
	}
	if s.said.last == nil {
		s.said.last = map[exchange.AgencyCode]saidOnce{}
	}
	s.said.last[o.Agency.Code] = saidOnce{signed, kid, now}
	return signed, nil
}

func (s *Server) features() []string {
	list := []string{jws.FeatureResume, jws.FeatureSignals}
	if s.Held != nil {
		list = append(list, jws.FeaturePull)
	}
	if s.Ledger != nil {
		list = append(list, jws.FeatureReconcile)
	}
	if s.Statements != nil {
		list = append(list, jws.FeatureStatements)
	}
	return list
}
