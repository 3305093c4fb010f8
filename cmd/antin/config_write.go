package main

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"antin/internal/text"
)

// commented is the configuration as a file for people: every setting with what it
// means; those at their default commented out. Names of files below dir are
// written relative to it.
func (c *Config) commented(lang text.Lang, dir string) string {
	var b strings.Builder
	b.WriteString("# " + text.Get("init.config").In(lang) + "\n")
	writeSection(&b, lang, dir, reflect.ValueOf(c).Elem(), reflect.ValueOf(defaultConfig()).Elem(), "", "")
	return b.String()
}

func writeSection(b *strings.Builder, lang text.Lang, dir string, v, def reflect.Value, path, indent string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := f.Tag.Get("yaml")
		if name == "" {
			continue
		}
		if indent == "" {
			b.WriteString("\n")
		}
		for line := range strings.Lines(text.Get(text.Key("setting." + path + name)).In(lang)) {
			fmt.Fprintf(b, "%s# %s\n", indent, strings.TrimSpace(line))
		}
		if f.Type.Kind() == reflect.Struct {
			fmt.Fprintf(b, "%s%s:\n", indent, name)
			writeSection(b, lang, dir, v.Field(i), def.Field(i), path+name+".", indent+"  ")
			continue
		}
		mark := ""
		if reflect.DeepEqual(v.Field(i).Interface(), def.Field(i).Interface()) {
			mark = "# "
		}
		fmt.Fprintf(b, "%s%s%s: %s\n", indent, mark, name, written(v.Field(i), f.Tag.Get("path"), dir))
	}
}

// written is a value as YAML on one line.
func written(v reflect.Value, kind, dir string) string {
	relative := func(s string) string {
		if rel, err := filepath.Rel(dir, s); kind == "file" && dir != "" && err == nil && filepath.IsLocal(rel) {
			s = rel
		}
		return quoted(s)
	}
	switch x := v.Interface().(type) {
	case time.Duration:
		return x.String()
	case string:
		return relative(x)
	case []string:
		var parts []string
		for _, s := range x {
			parts = append(parts, relative(s))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		return fmt.Sprint(x)
	}
}
