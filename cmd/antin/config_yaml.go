package main

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"antin/internal/text"
)

// strictYAML fills into, a pointer to a struct whose fields carry yaml tags, from
// data. Unknown keys, keys given twice and values of another type are refused by
// name and line; anchors and tags of YAML are refused altogether. seen, which may
// be nil, hears of every leaf that was set.
func strictYAML(file string, data []byte, into any, seen func(path string, line int, value reflect.Value, kind string)) error {
	d := yamlDecoder{file: file, seen: seen}
	parsed, err := parser.ParseBytes(data, 0)
	if err != nil {
		return d.syntax(err)
	}
	var body ast.Node
	for _, doc := range parsed.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.NullType || doc.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			return d.refuse(doc.Body, "config.two_documents", file)
		}
		body = doc.Body
	}
	if body == nil {
		return nil
	}
	return d.object(body, reflect.ValueOf(into).Elem(), "")
}

type yamlDecoder struct {
	file string
	seen func(path string, line int, value reflect.Value, kind string)
}

func (d yamlDecoder) syntax(err error) error {
	var ye yaml.Error
	line, what := 0, err.Error()
	if errors.As(err, &ye) {
		what = ye.GetMessage()
		if t := ye.GetToken(); t != nil && t.Position != nil {
			line = t.Position.Line
		}
	}
	return text.Detailed(text.ConfigInvalid, err, "config.syntax", d.file, line, what)
}

func lineOf(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

func (d yamlDecoder) refuse(_ ast.Node, key text.Key, args ...any) error {
	return text.Detailed(text.ConfigInvalid, nil, key, args...)
}

// pairs returns the entries of a mapping.
func pairs(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}, true
	}
	return nil, false
}

// object fills a struct from a mapping.
func (d yamlDecoder) object(n ast.Node, v reflect.Value, path string) error {
	entries, ok := pairs(n)
	if !ok {
		return d.refuse(n, "config.not_section", d.file, lineOf(n), cmp.Or(strings.TrimSuffix(path, "."), "-"))
	}
	given := map[string]int{}
	for _, kv := range entries {
		key, line := kv.Key.GetToken().Value, lineOf(kv.Key)
		if first, twice := given[key]; twice {
			return d.refuse(n, "config.twice", d.file, line, path+key, first)
		}
		given[key] = line
		field, ok := fieldByTag(v.Type(), key)
		if !ok {
			return d.refuse(n, "config.unknown_key", d.file, line, path+key, strings.Join(tagsOf(v.Type()), ", "))
		}
		if err := d.value(kv.Value, v.FieldByIndex(field.Index), field, path+key, line); err != nil {
			return err
		}
	}
	return nil
}

func (d yamlDecoder) value(n ast.Node, v reflect.Value, f reflect.StructField, path string, line int) error {
	switch {
	case v.Kind() == reflect.Struct && v.Type() != timeType:
		if n.Type() == ast.NullType { // a section whose entries are all commented out
			return nil
		}
		return d.object(n, v, path+".")
	case v.Kind() == reflect.Slice:
		return d.list(n, v, f, path, line)
	}
	raw, ok := scalar(n, v.Type())
	if !ok || setScalar(v, raw, enumOf(f)) != nil {
		w := wanted(v.Type(), enumOf(f))
		return d.refuse(n, "config.bad_value", d.file, line, path, w.VI, w.EN)
	}
	d.tell(path, line, v, f)
	return nil
}

func (d yamlDecoder) list(n ast.Node, v reflect.Value, f reflect.StructField, path string, line int) error {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	if n.Type() == ast.NullType {
		d.tell(path, line, v, f)
		return nil
	}
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		w := wanted(v.Type(), nil)
		return d.refuse(n, "config.bad_value", d.file, line, path, w.VI, w.EN)
	}
	for i, item := range seq.Values {
		entry := reflect.New(v.Type().Elem()).Elem()
		at := fmt.Sprintf("%s[%d]", path, i)
		if entry.Kind() == reflect.Struct {
			if l := entry.FieldByName("Line"); l.IsValid() && l.CanSet() {
				l.SetInt(int64(lineOf(item)))
			}
			if err := d.object(item, entry, at+"."); err != nil {
				return err
			}
		} else if raw, ok := scalar(item, entry.Type()); !ok || setScalar(entry, raw, nil) != nil {
			w := wanted(entry.Type(), nil)
			return d.refuse(item, "config.bad_value", d.file, lineOf(item), at, w.VI, w.EN)
		}
		v.Set(reflect.Append(v, entry))
	}
	d.tell(path, line, v, f)
	return nil
}

func (d yamlDecoder) tell(path string, line int, v reflect.Value, f reflect.StructField) {
	if d.seen != nil {
		d.seen(path, line, v, f.Tag.Get("path"))
	}
}

// scalar returns a scalar as it was written. A number where words are wanted
// keeps its digits ("0241", "1.10"); words where a number is wanted do not pass.
func scalar(n ast.Node, want reflect.Type) (string, bool) {
	text := want.Kind() == reflect.String || want == durationType || want == timeType
	switch s := n.(type) {
	case *ast.StringNode:
		return s.Value, text
	case *ast.LiteralNode:
		return s.Value.Value, want.Kind() == reflect.String
	case *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, want.Kind() != reflect.Bool && want != durationType
	case *ast.BoolNode:
		return n.GetToken().Value, want.Kind() == reflect.Bool
	case *ast.NullNode:
		return "", want.Kind() == reflect.String
	}
	return "", false
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	timeType     = reflect.TypeFor[time.Time]()
)

var errNotInList = errors.New("not one of the words allowed")

// setScalar sets v from its written form. A list is split at commas.
func setScalar(v reflect.Value, raw string, enum []string) error {
	if enum != nil && !slices.Contains(enum, raw) {
		return errNotInList
	}
	switch {
	case v.Type() == durationType:
		d, err := time.ParseDuration(raw)
		if err == nil && d < 0 {
			err = strconv.ErrRange
		}
		if err != nil {
			return err
		}
		v.SetInt(int64(d))
		return nil
	case v.Type() == timeType:
		t, err := parseDay(raw)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(t))
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(raw)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(raw, 10, 64)
		if err != nil {
			return err
		}
		v.SetInt(n)
	case reflect.Float64:
		x, err := strconv.ParseFloat(raw, 64)
		if err != nil {
			return err
		}
		v.SetFloat(x)
	case reflect.Bool:
		b, err := strconv.ParseBool(raw)
		if err != nil {
			return err
		}
		v.SetBool(b)
	case reflect.Slice:
		list := []string{}
		for part := range strings.SplitSeq(raw, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		v.Set(reflect.ValueOf(list))
	default:
		return fmt.Errorf("no setting has type %s", v.Type())
	}
	return nil
}

// parseDay reads a moment (RFC 3339) or a day, which begins at midnight UTC.
func parseDay(s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339, s)
}

// wanted says what a setting takes.
func wanted(t reflect.Type, enum []string) text.Message {
	switch {
	case enum != nil:
		return text.Get("config.want.enum", strings.Join(enum, ", "))
	case t == durationType:
		return text.Get("config.want.duration")
	case t == timeType:
		return text.Get("config.want.time")
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int64:
		return text.Get("config.want.int")
	case reflect.Float64:
		return text.Get("config.want.number")
	case reflect.Bool:
		return text.Get("config.want.bool")
	case reflect.Slice:
		return text.Get("config.want.list")
	default:
		return text.Get("config.want.text")
	}
}

func fieldByTag(t reflect.Type, name string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if f := t.Field(i); name != "" && f.Tag.Get("yaml") == name {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

func tagsOf(t reflect.Type) (all []string) {
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("yaml"); tag != "" {
			all = append(all, tag)
		}
	}
	return all
}
