package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"path"
	"strings"
	"time"

	"antin/internal/text"
	"antin/signer/validation"
)

const (
	// maxUploads bounds the files that are read, or held in memory, at a time.
	maxUploads = 16
	// maxChecks bounds those that are judged at a time, which takes the processor;
	// slow senders do not count.
	maxChecks = 4
	// checkWait is how long a file waits for its turn.
	checkWait = 20 * time.Second
)

// checker judges uploaded files, so many at a time. Nothing of a file is kept.
type checker struct {
	validator       *validation.Validator
	now             func() time.Time
	uploads, checks chan struct{}
}

func newChecker(v *validation.Validator, now func() time.Time) *checker {
	return &checker{validator: v, now: now, uploads: make(chan struct{}, maxUploads), checks: make(chan struct{}, maxChecks)}
}

// check reads the file of r's form and returns what is to be said of it.
func (c *checker) check(w http.ResponseWriter, r *http.Request) (*validation.Report, uploaded, error) {
	if err := turn(r.Context(), c.uploads); err != nil {
		return nil, uploaded{}, err
	}
	defer func() { <-c.uploads }()
	u, err := readUpload(w, r)
	if err != nil {
		return nil, u, err
	}
	if u.data == nil {
		return nil, u, atField("file", text.Detailed(text.InvalidInput, nil, "web.upload.none"))
	}
	if err := turn(r.Context(), c.checks); err != nil {
		return nil, u, err
	}
	defer func() { <-c.checks }()
	u.name = path.Base(strings.ReplaceAll(u.name, `\`, "/"))
	report, err := c.validator.Validate(r.Context(), validation.Input{Reader: bytes.NewReader(u.data), Size: int64(len(u.data)), Name: u.name}, c.now())
	return report, u, err
}

// turn waits for a place among slots; whoever gets one gives it back.
func turn(ctx context.Context, slots chan<- struct{}) error {
	wait := time.NewTimer(checkWait)
	defer wait.Stop()
	select {
	case slots <- struct{}{}:
		return nil
	case <-wait.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// errBusy asks to come back later (429).
var errBusy = errors.New("too many checks at once")
