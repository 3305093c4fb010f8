package web

import (
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"antin/exchange"
	"antin/internal/text"
)

const (
	// maxFields bounds the parts of a form: a send to every agency of a province and
	// the fields beside it.
	maxFields = 1100
	// maxTyped bounds what one form may hold in words, in bytes: the longest text that
	// is composed here (400,000 characters of up to three bytes) and its fields.
	maxTyped = 2 << 20
)

// filled is what a form carried: kept so that a form that failed is shown again
// with everything typed.
type filled struct {
	values url.Values
	wrong  map[string]string // field name: what is wrong with it, in words
	places map[string]string // field name: id of the control where that stands
	file   exchange.Blob     // zero: no file came
}

// put says which control (by its id) shows what is wrong with the field name; the
// first one said holds.
func (f filled) put(name, id string) {
	if f.places != nil && f.wrong[name] != "" && f.places[name] == "" {
		f.places[name] = id
	}
}

// V is the value of a field.
func (f filled) V(name string) string { return f.values.Get(name) }

// Has reports whether a field holds value among its values.
func (f filled) Has(name, value string) bool { return slices.Contains(f.values[name], value) }

// trimmed is V without space around it and in one Unicode form of line ends.
func (f filled) trimmed(name string) string {
	return strings.TrimSpace(strings.ReplaceAll(f.V(name), "\r\n", "\n"))
}

// lines are the lines of a field that hold something.
func (f filled) lines(name string) []string {
	var out []string
	for l := range strings.Lines(strings.ReplaceAll(f.V(name), "\r", "\n")) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// key is the idempotency key in the name space of pages.
func (f filled) key() string {
	if k := f.V("key"); k != "" {
		return "web-" + k
	}
	return ""
}

// date is a day as a date field writes it, at midnight in Vietnam; zero for an
// empty field. Anything else is an error that names the field.
func (f filled) date(name string) (time.Time, error) {
	s := f.trimmed(name)
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "02/01/2006", "2/1/2006"} {
		if t, err := time.ParseInLocation(layout, s, exchange.Vietnam); err == nil && t.Year() >= 1945 && t.Year() < 3000 {
			return t, nil
		}
	}
	return time.Time{}, wrongField(name)
}

// moment is a day and time as a datetime-local field writes it, in Vietnam.
func (f filled) moment(name string) (time.Time, error) {
	s := f.trimmed(name)
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "02/01/2006 15:04", "2006-01-02 15:04", time.DateOnly, "02/01/2006"} {
		if t, err := time.ParseInLocation(layout, s, exchange.Vietnam); err == nil && t.Year() >= 1945 && t.Year() < 3000 {
			return t, nil
		}
	}
	return time.Time{}, wrongField(name)
}

// number is a whole number of a field; 0 for an empty one.
func (f filled) number(name string) (int, error) {
	s := f.trimmed(name)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > maxNumber {
		return 0, wrongField(name)
	}
	return n, nil
}

// needed is a whole number from 1 of a field that may not be empty.
func (f filled) needed(name string) (int, error) {
	n, err := f.number(name)
	if err == nil && n == 0 {
		err = wrongField(name)
	}
	return n, err
}

// maxNumber bounds what a person may type as a number: more than any register holds.
const maxNumber = 10_000_000

// wrongField is the error that names a field.
func wrongField(name string) error {
	return text.Detailed(text.InvalidInput, nil, "exchange.field", name)
}

// readForm reads the form of a POST (its route admits files), with or without a file in the part "file",
// which is kept among the agency's uploads, so that it need not be chosen again
// when something else was wrong.
func (h *desk) readForm(r *http.Request) (filled, error) {
	f := filled{values: url.Values{}, wrong: map[string]string{}}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		if err := r.ParseForm(); err != nil {
			return f, text.Errorf(text.InvalidInput, err)
		}
		maps.Copy(f.values, r.PostForm)
		return f, f.sane()
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return f, text.Errorf(text.InvalidInput, err)
	}
	left := maxTyped
	for range maxFields {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return f, f.sane()
		}
		if err != nil {
			return f, uploadError(err)
		}
		name := part.FormName()
		if part.FileName() != "" && name == "file" {
			if err := h.takeFile(r, &f, part, part.FileName()); err != nil {
				return f, err
			}
			continue
		}
		b, err := io.ReadAll(io.LimitReader(part, int64(left)+1))
		if err != nil {
			return f, uploadError(err)
		}
		if left -= len(b); left < 0 {
			return f, text.Errorf(text.TooLarge, nil)
		}
		if len(b) > 0 || part.FileName() == "" {
			f.values.Add(name, string(b))
		}
	}
	return f, text.Errorf(text.InvalidInput, nil)
}

// sane refuses what is no text, and lets go of it: it could not be shown again.
func (f filled) sane() error {
	err := saneForm(f.values)
	if err != nil {
		for name, values := range f.values {
			if slices.ContainsFunc(values, func(v string) bool { return !utf8.ValidString(v) || strings.ContainsRune(v, 0) }) {
				f.values.Del(name)
			}
		}
	}
	return err
}

// takeFile keeps an uploaded file under its digest, which the form carries on.
func (h *desk) takeFile(r *http.Request, f *filled, from io.Reader, name string) error {
	files := exchange.Files{Store: h.Outbox.Store, Blobs: h.Outbox.Blobs, Now: h.now}
	blob, err := files.Upload(r.Context(), h.Actor(r), &limited{r: from, left: exchange.MaxUpload})
	if err != nil {
		return uploadError(err)
	}
	if blob.Size == 0 {
		return nil
	}
	f.file = blob
	f.values.Set("file_digest", string(blob.Digest))
	f.values.Set("file_name", path.Base(strings.ReplaceAll(name, `\`, "/")))
	return nil
}

// openFile is the file that came with the form, now or when it was sent before; nil
// when there is none. The caller closes it.
func (h *desk) openFile(r *http.Request, f filled) (exchange.BlobReader, error) {
	d := f.V("file_digest")
	if d == "" {
		return nil, nil
	}
	files := exchange.Files{Store: h.Outbox.Store, Blobs: h.Outbox.Blobs, Now: h.now}
	file, err := files.Open(r.Context(), h.Actor(r), exchange.Digest(d))
	if text.CodeOf(err) == text.NotFound { // kept for a day; or the form was tampered with
		f.values.Del("file_digest")
		return nil, wrongField("file")
	}
	return file, err
}

// limited reads at most left bytes and ends in too-large when there are more.
type limited struct {
	r    io.Reader
	left int64
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n, text.Detailed(text.TooLarge, nil, "web.upload.limit", exchange.MaxUpload>>20)
	}
	return n, err
}

func uploadError(err error) error {
	var limit *http.MaxBytesError
	if errors.As(err, &limit) {
		return text.Detailed(text.TooLarge, err, "web.upload.limit", exchange.MaxUpload>>20)
	}
	if text.CodeOf(err) != text.Internal {
		return err
	}
	return text.Errorf(text.InvalidInput, err) // the upload broke off
}

// field is one field of a form as the template shows it.
type field struct {
	ID, Name, Label, Help, Wrong, Value string
	Kind                                string // text, area, date, moment, number, select or file
	Options                             []option
	Required                            bool
	Rows, Max                           int
	Kept                                string // the file that is kept already
}

type option struct {
	Value, Label string
	Selected     bool
}

// fields makes the fields of one form, with what it carried so far.
type fields struct {
	lang text.Lang
	id   string
	f    filled
}

func (m fields) make(kind, name string) field {
	say := func(k text.Key) string {
		if !text.Known(k) {
			return ""
		}
		return text.Get(k).In(m.lang)
	}
	m.f.put(name, m.id+"-"+name)
	return field{ID: m.id + "-" + name, Name: name, Kind: kind, Label: text.Get(text.Key("desk.f." + name)).In(m.lang),
		Help: say(text.Key("desk.f." + name + ".help")), Value: m.f.V(name), Wrong: m.f.wrong[name]}
}

func (m fields) text(name string, longest int) field {
	f := m.make("text", name)
	f.Max = longest
	return f
}

func (m fields) area(name string, rows int) field {
	f := m.make("area", name)
	f.Rows = rows
	return f
}

func (m fields) pick(name string, options ...option) field {
	f := m.make("select", name)
	for _, o := range options {
		o.Selected = o.Value == f.Value
		f.Options = append(f.Options, o)
	}
	return f
}

func (m fields) upload() field {
	f := m.make("file", "file")
	if m.f.V("file_digest") != "" {
		f.Kept = m.f.V("file_name")
	}
	return f
}

// must marks a field that may not be empty.
func must(f field) field {
	f.Required = true
	return f
}

// fieldOf is the field that err speaks of; empty when it is none.
func fieldOf(err error) string {
	e := text.As(err)
	if e == nil {
		return ""
	}
	if name := placeIn(err); name != "" {
		return name
	}
	switch e.Code { //nolint:exhaustive // the others speak of no field
	case text.NotAPDF, text.PDFMalformed, text.PDFRepairNeeded, text.EncryptionUnsupported, text.PasswordRequired, text.PermissionDenied,
		text.TooLarge, text.CertificateMismatch, text.DocMDPForbids:
		return "file"
	case text.ReceiverUnknown:
		return "to"
	case text.NumberTaken:
		return "number"
	}
	if name, _ := fieldIn(e); name != "" {
		return name
	}
	return ruleOf(e)
}

// blame notes at its field what err says is wrong, in the words of the field's own
// rule, and returns the error in words for the top of the page. A form whose key
// was spent on other content gets a new one.
func (s *site) blame(lang text.Lang, f *filled, err error) *errView {
	v := s.errView(lang, err)
	if f.values == nil {
		f.values = url.Values{}
	}
	if f.wrong == nil {
		f.wrong = map[string]string{}
	}
	if c := text.CodeOf(err); c == text.IdempotencyKeyReused || c == text.ReplayConflict {
		f.values.Del("key")
	}
	return f.mark(v, fieldOf(err))
}

// mark notes at the field name what v says, and has v lead there; no name marks
// nothing.
func (f *filled) mark(v *errView, name string) *errView {
	if f.wrong == nil {
		f.wrong = map[string]string{}
	}
	if f.places == nil {
		f.places = map[string]string{}
	}
	if v.field, v.places = name, f.places; name != "" {
		f.wrong[name] = v.Message
	}
	return v
}
