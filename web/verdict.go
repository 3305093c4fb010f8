package web

import (
	"antin/exchange"
	"antin/internal/text"
)

// verdictView is a verdict as it is shown everywhere: word, icon and colour,
// never colour alone.
type verdictView struct {
	Class   string // the colour's class, "valid", "invalid", …
	Icon    string
	Word    string
	Explain string
}

// verdictIcons are shapes that differ without colour.
var verdictIcons = map[exchange.Verdict]string{
	exchange.VerdictValid:        "✓",
	exchange.VerdictNotes:        "✓!",
	exchange.VerdictInconclusive: "?",
	exchange.VerdictInvalid:      "✕",
	exchange.VerdictUnsigned:     "○",
}

func viewVerdict(lang text.Lang, v exchange.Verdict) verdictView {
	if v == exchange.VerdictNone {
		return verdictView{Class: "none", Icon: "–", Word: text.Get("web.verdict.none").In(lang), Explain: text.Get("web.verdict.none.explain").In(lang)}
	}
	key := text.Key("verdict." + string(v))
	return verdictView{Class: string(v), Icon: verdictIcons[v], Word: text.Get(key).In(lang), Explain: text.Get(key + ".explain").In(lang)}
}

// checking is what stands in place of a verdict until there is one.
func checking(lang text.Lang) verdictView {
	return verdictView{Class: "checking", Icon: "…", Word: text.Get("web.verdict.checking").In(lang)}
}

// itemVerdict is what the row of an incoming document shows.
func itemVerdict(lang text.Lang, i exchange.InboxItem) verdictView {
	if i.State == exchange.InboxReceived {
		return checking(lang)
	}
	if i.State == exchange.InboxDamaged {
		return verdictView{Class: "invalid", Icon: "✕", Word: text.Get("web.verdict.damaged").In(lang), Explain: i.Problem.Message.In(lang)}
	}
	return viewVerdict(lang, i.Verdict)
}
