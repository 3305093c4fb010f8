// Package text holds everything a person reads in the product: one catalogue in
// Vietnamese and English, and the closed list of error codes with their exit
// codes. It imports nothing of this module, so that every package may speak
// through it; it decides nothing and prints nothing.
package text

import (
	"fmt"
	"maps"
	"slices"
)

// Lang is a language of the catalogue.
type Lang string

// The two languages of the catalogue. Vietnamese is the default everywhere.
const (
	VI Lang = "vi"
	EN Lang = "en"
)

// ParseLang returns the language named by s, and Vietnamese with ok false when
// s names none.
func ParseLang(s string) (lang Lang, ok bool) {
	switch Lang(s) {
	case VI, EN:
		return Lang(s), true
	}
	return VI, false
}

// Message is one text in both languages. The zero value is empty in both.
type Message struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// In returns the text in language l; any language but English gives Vietnamese.
func (m Message) In(l Lang) string {
	if l == EN {
		return m.EN
	}
	return m.VI
}

// IsZero reports whether m says nothing.
func (m Message) IsZero() bool { return m.VI == "" && m.EN == "" }

// Key names one entry of the catalogue. Keys are lower case with dots between
// area and name ("verdict.valid").
type Key string

// areas lists the catalogue's parts, one file each. A key may stand in one part only.
var areas = []map[Key]Message{
	verdictMessages, validationMessages, changeMessages, edxmlMessages, wireMessages,
	exchangeMessages, webMessages, cliMessages, appearanceMessages, composeMessages, signMessages,
	keyMessages, apiMessages, accessMessages, signingMessages, flowMessages, reportMessages,
	deskMessages, frontMessages, peopleMessages, serveMessages, trustMessages, benchMessages, lanesMessages, guardMessages, handoverMessages,
}

// Get returns the entry key with args put in place of its verbs (package fmt;
// both languages get the same arguments in the same order, so a language that
// needs another order uses explicit indexes; an argument that is a Message is said
// in each language's own words). An unknown key is returned as its
// own text, so that a missing entry is visible and never a panic.
func Get(key Key, args ...any) Message {
	for _, area := range areas {
		if m, ok := area[key]; ok {
			return m.format(args)
		}
	}
	return Message{VI: string(key), EN: string(key)}
}

// Known reports whether key is in the catalogue.
func Known(key Key) bool {
	for _, area := range areas {
		if _, ok := area[key]; ok {
			return true
		}
	}
	return false
}

// Keys returns every key of the catalogue, sorted.
func Keys() []Key {
	var all []Key
	for _, area := range areas {
		all = append(all, slices.Collect(maps.Keys(area))...)
	}
	slices.Sort(all)
	return all
}

func (m Message) format(args []any) Message {
	if len(args) == 0 {
		return m
	}
	vi, en := slices.Clone(args), slices.Clone(args)
	for i, a := range args {
		if said, ok := a.(Message); ok {
			vi[i], en[i] = said.VI, said.EN
		}
	}
	return Message{VI: fmt.Sprintf(m.VI, vi...), EN: fmt.Sprintf(m.EN, en...)}
}
