package main

import (
	"strings"

	"github.com/alecthomas/kong"

	"antin/internal/text"
)

// helpVars gives kong the help texts of the catalogue in lang: the entry
// "help.sign" is ${help_sign} in the tags.
func helpVars(lang text.Lang) kong.Vars {
	vars := kong.Vars{}
	for _, k := range text.Keys() {
		if name, ok := strings.CutPrefix(string(k), "help."); ok {
			vars["help_"+strings.ReplaceAll(name, "-", "_")] = text.Get(k).In(lang)
		}
	}
	return vars
}
