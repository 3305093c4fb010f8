package api

import (
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// PageIn asks for one page of a list; 500 is the most that a store gives at once.
type PageIn struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Cursor string `query:"cursor" maxLength:"64" pattern:"^$|^[a-z]{2}_[0-9a-z]{1,60}$"`
}

// SinceIn asks for what changed later than a moment.
type SinceIn struct {
	UpdatedAfter time.Time `query:"updated_after"`
}

// page goes on behind the cursor, which is the id of the last object seen.
func (p PageIn) page() exchange.Page {
	return exchange.Page{After: exchange.ID(p.Cursor), Limit: p.Limit}
}

// next returns the cursor behind a page, "" when it was the last.
func (p PageIn) next(n int, last exchange.ID) string {
	if n < p.Limit {
		return ""
	}
	return string(last)
}

// IDIn names one object in a path.
type IDIn struct {
	ID string `path:"id"`
}

// maxID is longer than any id ever given out.
const maxID = 64

// plausible reports whether s could be an id with that prefix.
func plausible(s, prefix string) bool {
	if !strings.HasPrefix(s, prefix) || len(s) > maxID {
		return false
	}
	for _, b := range []byte(s) {
		if (b < '0' || b > '9') && (b < 'a' || b > 'z') && b != '_' {
			return false
		}
	}
	return true
}

// parseID returns the id in s; not-found when there can be no such object.
func parseID(s, prefix string) (exchange.ID, error) {
	if !plausible(s, prefix) {
		return "", text.Errorf(text.NotFound, nil)
	}
	return exchange.ID(s), nil
}

// local is a time as the API shows it: in Vietnam, to the second. Zero stays zero.
func local(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.In(exchange.Vietnam).Truncate(time.Second)
}

// day is a date as the API shows it; "" for none.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(exchange.Vietnam).Format(time.DateOnly)
}

// parseDay reads a date; a bad one names pointer.
func parseDay(s, pointer string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, s, exchange.Vietnam)
	if err != nil {
		return time.Time{}, invalid(pointer, faultValue)
	}
	return t, nil
}

type kindBody struct {
	Code int    `json:"code,omitempty" minimum:"0" maximum:"999"`
	Name string `json:"name" minLength:"1" maxLength:"500"`
}

func kindOf(k exchange.DocumentKind) kindBody { return kindBody{Code: k.Code, Name: k.Name} }

type signerBody struct {
	FullName   string `json:"full_name"`
	Position   string `json:"position,omitempty"`
	Competence string `json:"competence,omitempty"`
}

func signerOf(s exchange.Signer) *signerBody {
	if s.Name == "" {
		return nil
	}
	return &signerBody{FullName: s.Name, Position: s.Position, Competence: s.Competence}
}

type blobBody struct {
	SHA256 exchange.Digest `json:"sha256"`
	Bytes  int64           `json:"bytes"`
	Name   string          `json:"name,omitempty"`
}

func blobOf(b exchange.Blob, name string) *blobBody {
	if b.IsZero() {
		return nil
	}
	return &blobBody{SHA256: b.Digest, Bytes: b.Size, Name: name}
}

type actorBody struct {
	ID   string        `json:"id"`
	Name string        `json:"name"`
	Role exchange.Role `json:"role"`
}

func actorOf(a exchange.Actor) actorBody { return actorBody{ID: a.ID, Name: a.Name, Role: a.Role} }

type factBody struct {
	At time.Time `json:"at"`
	By actorBody `json:"by"`
}

func factOf(f exchange.Fact) *factBody {
	if !f.Done() {
		return nil
	}
	return &factBody{At: local(f.At), By: actorOf(f.By)}
}

type noteBody struct {
	Code    text.Code    `json:"code,omitempty"`
	Message text.Message `json:"message"`
}

func noteOf(n exchange.Note) *noteBody {
	if n.IsZero() {
		return nil
	}
	return &noteBody{Code: n.Code, Message: n.Message}
}

type statusBody struct {
	Code      exchange.StatusCode `json:"code"`
	Label     text.Message        `json:"label"`
	Direction exchange.Direction  `json:"direction,omitempty"`
	At        time.Time           `json:"at,omitzero"`
	By        string              `json:"by,omitempty"`
	Reason    string              `json:"reason,omitempty"`
}

func businessOf(b exchange.Business) *statusBody {
	if b.Code == "" {
		return nil
	}
	return &statusBody{Code: b.Code, Label: b.Code.Message(), At: local(b.At), By: b.By, Reason: b.Reason}
}

func historyOf(h []exchange.Status) []statusBody {
	out := make([]statusBody, len(h))
	for i, e := range h {
		out[i] = statusBody{Code: e.Code, Label: e.Code.Message(), Direction: e.Direction, At: local(e.At), By: e.By, Reason: e.Reason}
	}
	return out
}
