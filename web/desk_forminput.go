package web

import (
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"antin/internal/text"
)

const (
	typeForm      = "application/x-www-form-urlencoded"
	typeMultipart = "multipart/form-data"

	// maxHidden bounds what a hidden field carries, in bytes: our own keys, versions
	// and addresses are shorter.
	maxHidden = 2048
)

// hidden are the fields that pages fill in themselves: whoever sends anything else in
// them did not use the page.
var hidden = map[string]bool{"key": true, "version": true, "lang": true, "username": true, "form": true, "delivery": true,
	"remove": true, "disabled": true, "confirmed": true, "shown": true, "way": true, "agree": true, "code": true}

// labels are the names, in the catalogue, of fields whose label on the page is not
// that of every form.
var labels = map[string]text.Key{
	"name": "people.name", "login": "people.login", "role": "people.role", "competence": "people.competence",
	"scope": "people.key.scopes", "days": "people.key.days.label", "overlap": "people.key.overlap.label",
	"old": "people.password.old", "new": "people.password.new", "again": "people.password.again", "password": "people.password",
	"to": "desk.receivers", "paste": "desk.receivers", "way": "desk.ways", "assignee": "web.handle.assignee", "code": "web.col.state",
	"der": "people.certificate", "shown": "desk.seal.title", "at": "desk.f.when", "note_to_sender": "web.refuse.note",
	"file_digest": "desk.f.file", "file_name": "desk.f.file", "agree": "web.recall.agree",
}

// labelOf is the label of a field; that of the form itself for one that no page shows.
func labelOf(name string) text.Key {
	if k, ok := labels[name]; ok {
		return k
	}
	if k := text.Key("desk.f." + name); text.Known(k) {
		return k
	}
	return "desk.f.key"
}

// placeOf cuts a catalogue entry at the place of its one argument.
func placeOf(k text.Key) (before, after string) {
	before, after, _ = strings.Cut(text.Get(k, "\x00").VI, "\x00")
	return before, after
}

// fieldIn is the field that e says is wrong, and whether by a character that cannot
// be seen; empty when it names none.
func fieldIn(e *text.Error) (name string, invisible bool) {
	for _, k := range []text.Key{"exchange.field", "flow.invisible"} {
		before, after := placeOf(k)
		if rest, ok := strings.CutPrefix(e.Detail.VI, before); ok && strings.HasSuffix(rest, after) {
			return strings.TrimSuffix(rest, after), k == "flow.invisible"
		}
	}
	return "", false
}

// fieldWords is what is wrong with a field in words, with the rule of the field.
func fieldWords(lang text.Lang, name string, invisible bool) string {
	k := labelOf(name)
	said := text.Get("desk.wrong", text.Get(k).In(lang)).In(lang)
	if invisible {
		said = text.Get("flow.invisible", "“"+text.Get(k).In(lang)+"”").In(lang)
	}
	if help := k + ".help"; !invisible && text.Known(help) {
		said += " " + text.Get(help).In(lang)
	}
	return said
}

// renamed is err, naming a field as the form does where the core calls it otherwise:
// pairs of the core's name and the form's.
func renamed(err error, pairs ...string) error {
	e := text.As(err)
	if e == nil || e.Code != text.InvalidInput {
		return err
	}
	name, invisible := fieldIn(e)
	for i := 0; i+1 < len(pairs); i += 2 {
		if name == pairs[i] && invisible {
			return text.Detailed(text.InvalidInput, err, "flow.invisible", pairs[i+1])
		}
		if name == pairs[i] {
			return wrongField(pairs[i+1])
		}
	}
	return err
}

// checkForm refuses what no form of ours sends: another kind of body, text that is
// none, and a hidden field that was tampered with. Forms with files are read, and
// looked at, by their handlers.
func checkForm(r *http.Request, upload bool) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && kind == typeMultipart && upload:
		return nil
	case err != nil || kind != typeForm:
		return wrongField("key")
	}
	if err := r.ParseForm(); err != nil {
		var limit *http.MaxBytesError
		if errors.As(err, &limit) {
			return text.Detailed(text.InvalidInput, err, "desk.form.large")
		}
		return wrongField("key")
	}
	return saneForm(r.PostForm)
}

// saneForm names the first field whose value is no text, or not what a page put there.
func saneForm(values url.Values) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, v := range values[name] {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) || hidden[name] && !plainHidden(v) {
				return wrongField(name)
			}
		}
	}
	return nil
}

// plainHidden reports whether v can be what a page put into a hidden field.
func plainHidden(v string) bool {
	return len(v) <= maxHidden && strings.IndexFunc(v, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// oneOf is the value of a field that must be one of few.
func oneOf(name, value string, allowed ...string) error {
	if !slices.Contains(allowed, value) {
		return wrongField(name)
	}
	return nil
}
