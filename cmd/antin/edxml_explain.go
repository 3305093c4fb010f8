package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"antin/exchange/edxml"
	"antin/internal/text"
)

// explained is a message in words, a line for each thing that it says.
func explained(lang text.Lang, file string, j *messageJSON) string {
	x := &explanation{lang: lang}
	x.line("edxml.say.file", file, text.Get(text.Key("edxml.say.kind."+string(j.Kind))).In(lang))
	x.line("edxml.say.from", organization(j.From))
	for _, to := range j.To {
		x.line("edxml.say.to", organization(to))
	}
	x.document(j)
	x.status(j)
	x.business(j.Business)
	for _, h := range j.Trace {
		x.line("edxml.say.hop", h.OrganID, stamp(h.Time))
	}
	for _, a := range j.Attachments {
		x.line("edxml.say.attachment", a.Name, a.Bytes, a.MediaType, a.SHA256)
		if a.Destroyed != nil {
			x.line("edxml.say.destroyed", a.Destroyed.In(lang))
		}
	}
	if j.Signature != nil {
		x.line("edxml.say.signature")
	}
	if len(j.Extra) > 0 {
		x.line("edxml.say.extra", len(j.Extra))
	}
	return x.String()
}

// explanation gathers lines; one without anything to say is left out.
type explanation struct {
	strings.Builder
	lang text.Lang
}

func (x *explanation) line(key text.Key, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = oneLine(s)
		}
	}
	fmt.Fprintln(&x.Builder, text.Get(key, args...).In(x.lang))
}

// oneLine is a sender's words fit for a terminal: no line break that feigns a line of
// ours, no control or direction character.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r):
			return -1
		}
		return r
	}, s)
}

func (x *explanation) value(key text.Key, value string) {
	if value != "" {
		x.line(key, value)
	}
}

func (x *explanation) document(j *messageJSON) {
	x.value("edxml.say.number", edxml.Code(j.Code).String())
	if !j.Promulgation.Date.IsZero() {
		x.line("edxml.say.date", strings.TrimPrefix(j.Promulgation.Place+", ", ", "), edxml.Local(j.Promulgation.Date.Time).Format("02/01/2006"))
	}
	x.value("edxml.say.type", j.Type.Name)
	x.value("edxml.say.subject", j.Subject)
	x.value("edxml.say.signer", strings.Trim(strings.Join([]string{j.Signer.Competence, j.Signer.Position, j.Signer.FullName}, " "), " "))
	if !j.DueDate.IsZero() {
		x.line("edxml.say.due", edxml.Local(j.DueDate.Time).Format("02/01/2006"))
	}
	if p := edxml.Number(j.Other.Priority); p.Set && p.Value > 0 {
		x.line("edxml.say.priority", p.Value)
	}
	x.value("edxml.say.id", j.DocumentID)
	for _, f := range j.ResponseFor {
		x.line("edxml.say.response", strings.Join(strings.Fields(f.Code+" "+f.DocumentID), " · "), f.OrganID)
	}
}

func (x *explanation) status(j *messageJSON) {
	if j.Status == nil {
		return
	}
	meaning := text.Get("edxml.say.status_unknown")
	if j.Status.Code.Known() {
		meaning = text.Get(text.Key("status." + string(j.Status.Code)))
	}
	x.line("edxml.say.status", string(j.Status.Code), meaning.In(x.lang), stamp(j.Status.Time))
	x.value("edxml.say.reason", j.Status.Description)
	x.value("edxml.say.staff", j.Status.Staff.Staff)
}

func (x *explanation) business(b *businessJSON) {
	if b == nil || b.Type < int(edxml.New) || b.Type > int(edxml.Replace) {
		return
	}
	x.line("edxml.say.business", text.Get(text.Key(fmt.Sprintf("edxml.say.business.%d", b.Type))).In(x.lang))
	x.value("edxml.say.target", b.DocumentID)
	x.value("edxml.say.reason", b.Reason)
	for _, r := range b.Replacements {
		x.line("edxml.say.replaces", r.DocumentID, strings.Join(r.OrganIDs, ", "))
	}
	if b.Update != nil {
		for _, r := range b.Update.Receivers {
			key := text.Key("edxml.say.receiver_removed")
			if edxml.Number(r.Type) == edxml.Num(1) {
				key = "edxml.say.receiver_added"
			}
			x.line(key, r.OrganID)
		}
	}
}

func organization(o organizationJSON) string {
	if o.Name == "" {
		return o.OrganID
	}
	return o.Name + " (" + o.OrganID + ")"
}

// stamp is a time as people in Vietnam read it.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return edxml.Local(t).Format("15:04:05 02/01/2006")
}
