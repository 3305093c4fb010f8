package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"antin/internal/text"
)

// helpTexts puts the catalogue's help texts in lang into the model: the tag
// ${help_sign} stands for the entry "help.sign". kong's own variables are not
// used, because it expands each of them again for each flag: some hundred times
// some hundred texts, which took most of the time of a short run.
func helpTexts(lang text.Lang) kong.Option {
	return kong.PostBuild(func(k *kong.Kong) error {
		words := helpWords(lang)
		return kong.Visit(k.Model, func(v kong.Visitable, next kong.Next) error {
			switch v := v.(type) {
			case *kong.Node:
				return next(fillHelp(&v.Help, words))
			case *kong.Value:
				return next(fillHelp(&v.Help, words))
			}
			return next(nil)
		})
	})
}

// helpWords are the help texts by the tag that stands for them.
func helpWords(lang text.Lang) map[string]string {
	words := map[string]string{}
	for _, key := range text.Keys() {
		if name, ok := strings.CutPrefix(string(key), "help."); ok {
			// A dollar sign would be taken for the start of a variable.
			words["${help_"+strings.ReplaceAll(name, "-", "_")+"}"] = strings.ReplaceAll(text.Get(key).In(lang), "$", "$$")
		}
	}
	return words
}

// fillHelp replaces a tag of help by its text; a tag without a text is an error.
func fillHelp(help *string, words map[string]string) error {
	if !strings.HasPrefix(*help, "${help_") {
		return nil
	}
	said, ok := words[*help]
	if !ok {
		return fmt.Errorf("no help text for %s", *help)
	}
	*help = said
	return nil
}
