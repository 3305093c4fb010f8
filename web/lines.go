package web

import (
	"slices"
	"strings"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/validation"
)

// line is one of the five questions that a văn thư asks of a document.
type line struct {
	Label string
	Mark  string // ok, warn or bad: the class of its icon
	Icon  string
	Text  string
}

func newLine(lang text.Lang, label text.Key, mark, said string) line {
	icons := map[string]string{"ok": "✓", "warn": "!", "bad": "✕"}
	return line{Label: text.Get(label).In(lang), Mark: mark, Icon: icons[mark], Text: said}
}

// fiveLines answers who signed, which agency sealed, when, whether it was changed,
// and whether it was really sent to us. r is nil for a file without a report.
func fiveLines(lang text.Lang, i exchange.ItemView, r *validation.Report, from sender) []line {
	var persons, seals, unknown []validation.Signature // unknown: too broken to say whose it is
	if r != nil {
		for _, s := range r.Signatures {
			switch {
			case s.Type == validation.DocumentTimestamp:
			case s.Signer.Subject == "":
				unknown = append(unknown, s)
			case from.agencySeal(s):
				seals = append(seals, s)
			default:
				persons = append(persons, s)
			}
		}
	}
	return []line{
		personLine(lang, persons, unknown, i.Header.SignerName),
		sealLine(lang, seals, unknown, from),
		whenLine(lang, slices.Concat(persons, seals, unknown)),
		changedLine(lang, r),
		addressedLine(lang, i),
	}
}

// mark is the gravest state among signatures: passed, undecided or failed.
func mark(of []validation.Signature) string {
	m := "ok"
	for _, s := range of {
		switch s.Indication {
		case ades.TotalPassed:
		case ades.TotalFailed:
			return "bad"
		case ades.Indeterminate:
			m = "warn"
		}
	}
	return m
}

// stand is what a signature's own state adds to its name.
func stand(lang text.Lang, s validation.Signature) string {
	name := attribute(s.Signer.Subject, "CN")
	if name == "" {
		name = text.Get("web.signature.unknown").In(lang)
	}
	switch s.Indication {
	case ades.TotalPassed:
		return name
	case ades.TotalFailed:
		return text.Get("web.line.broken", name).In(lang)
	case ades.Indeterminate:
	}
	return text.Get("web.line.undecided", name).In(lang)
}

func personLine(lang text.Lang, of, unknown []validation.Signature, named string) line {
	const label = "web.line.who"
	switch {
	case len(of) == 0 && len(unknown) > 0:
		return newLine(lang, label, mark(unknown), text.Get("web.line.lost").In(lang))
	case len(of) == 0:
		return newLine(lang, label, "warn", text.Get("web.line.who.none").In(lang))
	}
	said := make([]string, len(of))
	found := named == ""
	for i, s := range of {
		said[i] = stand(lang, s)
		found = found || sameName(attribute(s.Signer.Subject, "CN"), named)
	}
	l := newLine(lang, label, mark(of), strings.Join(said, "; "))
	if !found {
		l.Text += ". " + text.Get("web.line.who.named", named).In(lang)
		if l.Mark == "ok" {
			l = newLine(lang, label, "warn", l.Text)
		}
	}
	return l
}

func sealLine(lang text.Lang, of, unknown []validation.Signature, from sender) line {
	const label = "web.line.seal"
	switch {
	case len(of) == 0 && len(unknown) > 0:
		return newLine(lang, label, mark(unknown), text.Get("web.line.lost").In(lang))
	case len(of) == 0:
		return newLine(lang, label, "warn", text.Get("web.line.seal.none").In(lang))
	}
	said := make([]string, len(of))
	own := from.name == ""
	for i, s := range of {
		said[i] = stand(lang, s)
		own = own || from.own(s)
	}
	l := newLine(lang, label, mark(of), strings.Join(said, "; "))
	if !own {
		l = newLine(lang, label, "bad", l.Text+". "+text.Get("web.line.seal.other", from.name).In(lang))
	}
	return l
}

func whenLine(lang text.Lang, of []validation.Signature) line {
	const label = "web.line.when"
	if len(of) == 0 {
		return newLine(lang, label, "warn", text.Get("web.line.when.none").In(lang))
	}
	// What is broken proves no time; the newest of the others is when the document
	// became what it is.
	last, m := validation.Signature{}, "ok"
	for _, s := range of {
		broken := s.Indication == ades.TotalFailed
		if broken || s.BestTimeSource == validation.TimeNow {
			m = "warn"
		}
		if !broken && !s.BestTime.Before(last.BestTime.Time) {
			last = s
		}
	}
	return newLine(lang, label, m, whenSigned(lang, last))
}

func changedLine(lang text.Lang, r *validation.Report) line {
	const label = "web.line.changed"
	say := func(mark string, key text.Key, args ...any) line {
		return newLine(lang, label, mark, text.Get(key, args...).In(lang))
	}
	if r == nil || len(r.Signatures) == 0 {
		return say("warn", "web.line.changed.unknown")
	}
	for _, s := range r.Signatures {
		if s.Integrity == validation.IntegrityBroken {
			return say("bad", "web.line.changed.broken")
		}
	}
	for _, c := range r.Changes {
		if !c.Allowed {
			return say("bad", "web.line.changed.yes", c.Message.In(lang))
		}
	}
	for _, s := range r.Signatures {
		if s.Modifications == validation.ModificationForbidden {
			return say("bad", "web.line.changed.broken")
		}
	}
	for _, s := range r.Signatures {
		if s.Integrity == validation.IntegrityNotChecked {
			return say("warn", "web.line.changed.unchecked")
		}
	}
	if r.Verdict == validation.Invalid {
		return say("bad", "web.line.changed.invalid")
	}
	return say("ok", "web.line.changed.no")
}

// addressedLine says whether the message names us and who proved to be its sender.
func addressedLine(lang text.Lang, i exchange.ItemView) line {
	const label = "web.line.addressed"
	switch {
	case i.Problem.Code == text.NotForUs:
		return newLine(lang, label, "bad", i.Problem.Message.In(lang))
	case !i.Problem.IsZero():
		return newLine(lang, label, "warn", i.Problem.Message.In(lang))
	}
	return newLine(lang, label, "ok", text.Get("web.line.addressed.yes", string(i.Agency), string(i.From)).In(lang))
}
