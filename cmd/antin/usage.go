package main

import (
	"errors"
	"regexp"

	"github.com/alecthomas/kong"

	"antin/internal/text"
)

// usageFaults are the complaints of the command-line parser, which speaks English
// alone, and the texts that say the same; what is in brackets goes into the text.
// The first that fits counts.
var usageFaults = []struct {
	said *regexp.Regexp
	key  text.Key
}{
	{regexp.MustCompile(`^missing flags: (.+)$`), "cli.usage.flags"},
	{regexp.MustCompile(`^expected one of (.+)$`), "cli.usage.command"},
	{regexp.MustCompile(`^(?:missing positional arguments|expected) (.+)$`), "cli.usage.argument"},
	{regexp.MustCompile(`^unexpected argument (.+), did you mean (?:one of )?(.+)\?$`), "cli.usage.unexpected_meant"},
	{regexp.MustCompile(`^unexpected argument (.+)$`), "cli.usage.unexpected"},
	{regexp.MustCompile(`^unknown flag (.+), did you mean (?:one of )?(.+)\?$`), "cli.usage.unknown_meant"},
	{regexp.MustCompile(`^unknown flag (.+)$`), "cli.usage.unknown"},
	{regexp.MustCompile(`^(--[^\s=]+)\S* must be one of (.+) but got (.+)$`), "cli.usage.one_of"},
	{regexp.MustCompile(`^(--\S+) and (--\S+) can't be used together$`), "cli.usage.together"},
	{regexp.MustCompile(`^(--[^\s=:]+)\S*: (?:expected|missing) .*$`), "cli.usage.value"},
	{regexp.MustCompile(`^(--[^\s=:]+)\S*: (.+)$`), "cli.usage.value_because"},
}

// usageProblem says in lang what is wrong with the command line. A complaint that has
// no text of ours is shown as it is.
func usageProblem(lang text.Lang, err error) string {
	for _, f := range usageFaults {
		if m := f.said.FindStringSubmatch(err.Error()); m != nil {
			args := make([]any, len(m)-1)
			for i, part := range m[1:] {
				args[i] = part
			}
			return text.Get(f.key, args...).In(lang)
		}
	}
	return err.Error()
}

// usageHint is the command whose help tells more: the one that was being read when
// the error was met.
func usageHint(err error) string {
	var fault *kong.ParseError
	if errors.As(err, &fault) && fault.Context != nil {
		if command := fault.Context.Selected(); command != nil {
			return command.FullPath() + " --help"
		}
	}
	return "antin --help"
}
