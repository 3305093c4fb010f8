package jws

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// shape lists the member names of each object that a statement may hold, by the
// path to it ("" is the outermost, array indexes do not count).
type shape map[string][]string

// maxNesting is one more than any statement has.
const maxNesting = 4

// strict decodes data into v when it is exactly one JSON object of that shape. The
// standard decoder alone would match names whatever their case, let the last of
// two equal names win and mend broken UTF-8: two programs could then read the
// same signed bytes differently.
func strict(data []byte, s shape, v any) error {
	if !utf8.Valid(data) {
		return fmt.Errorf("%w: not UTF-8", ErrFormat)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := walk(dec, s, "", 0); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: bytes after the object", ErrFormat)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return nil
}

// walk checks one value; the outermost must be an object.
func walk(dec *json.Decoder, s shape, path string, depth int) error {
	tok, err := dec.Token()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	delim, isDelim := tok.(json.Delim)
	switch {
	case depth > maxNesting:
		return fmt.Errorf("%w: nested too deep", ErrFormat)
	case !isDelim && depth == 0, isDelim && delim == '[' && depth == 0:
		return fmt.Errorf("%w: not an object", ErrFormat)
	case tok == nil:
		return fmt.Errorf("%w: null", ErrFormat)
	case !isDelim:
		return nil
	case delim == '{':
		return walkObject(dec, s, path, depth)
	}
	for dec.More() {
		if err := walk(dec, s, path, depth+1); err != nil {
			return err
		}
	}
	return closing(dec)
}

func walkObject(dec *json.Decoder, s shape, path string, depth int) error {
	allowed, ok := s[path]
	if !ok {
		return fmt.Errorf("%w: object at %q", ErrFormat, path)
	}
	var seen []string
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrFormat, err)
		}
		name, _ := tok.(string)
		if !slices.Contains(allowed, name) || slices.Contains(seen, name) {
			return fmt.Errorf("%w: member %q unknown or twice", ErrFormat, name)
		}
		seen = append(seen, name)
		if err := walk(dec, s, name, depth+1); err != nil {
			return err
		}
	}
	return closing(dec)
}

func closing(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return nil
}
