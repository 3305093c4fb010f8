package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// answered is the end of the name of an answer to a carried file.
const answered = ".answer"

// carryAnswer is what became of a file, as its answer says.
type carryAnswer struct {
	exchange.Carried
	Code text.Code `json:"code,omitempty"` // why nothing was taken
}

// answersFor is how long an answer that nobody fetched stays.
const answersFor = time.Hour

// takeCarried takes in the files that wait in the folder.
func (g *gateway) takeCarried(ctx context.Context) error {
	waiting, err := filepath.Glob(filepath.Join(carryFolder(g.cfg), "*.xpk"))
	if err != nil || len(waiting) == 0 {
		return errors.Join(err, g.dropAnswers())
	}
	c := &exchange.Carrier{Store: g.db, Open: g.db.Open, Inbox: g.inbox, Held: &exchange.Held{Outbox: g.outbox}, Now: g.now}
	var errs []error
	for _, name := range waiting {
		done, err := importCarried(ctx, c, name)
		code := text.CodeOf(err)
		if err != nil && (ctx.Err() != nil || code == text.StorageFull || code == text.DatabaseUnavailable) {
			return err // it waits for better days
		}
		a := carryAnswer{Carried: done}
		if err != nil {
			a.Code = code
			errs = append(errs, err)
		}
		if err := writeFileMode(name+answered, 0o600, true, func(w io.Writer) error { return json.NewEncoder(w).Encode(a) }); err != nil {
			return err
		}
		errs = append(errs, os.Remove(name))
	}
	return errors.Join(errs...)
}

// dropAnswers removes answers that nobody waits for any more.
func (g *gateway) dropAnswers() error {
	old, err := filepath.Glob(filepath.Join(carryFolder(g.cfg), "*"+answered))
	errs := []error{err}
	for _, name := range old {
		if st, err := os.Stat(name); err == nil && time.Since(st.ModTime()) > answersFor {
			errs = append(errs, os.Remove(name))
		}
	}
	return errors.Join(errs...)
}

// readCarryAnswer reads an answer and removes it.
func readCarryAnswer(name string) (exchange.Carried, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return exchange.Carried{}, err
	}
	var a carryAnswer
	if err := json.Unmarshal(b, &a); err != nil {
		return exchange.Carried{}, err
	}
	if err := os.Remove(name); err != nil {
		return exchange.Carried{}, err
	}
	if a.Code != "" {
		return a.Carried, text.Errorf(a.Code, nil)
	}
	return a.Carried, nil
}
