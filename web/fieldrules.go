package web

import (
	"errors"
	"net/http"
	"strings"

	"antin/internal/text"
)

// rulesOf are the fields that the core's rules on people and keys speak of: their words
// say what is asked of a field without its name.
var rulesOf = map[text.Key]string{
	"access.login": "login", "access.login-taken": "login", "access.name": "name", "access.position": "position", "access.competence": "competence",
	"access.role": "role", "access.key-name": "name", "access.no-scope": "scope", "access.scope": "scope", "access.key-expiry": "days",
	"access.overlap": "overlap", "access.password-length": "new", "access.password-own": "new", "access.password-guessed": "new",
	"access.password-same": "new", "access.certificate-role": "file", "access.certificate-file": "file", "access.certificate-ca": "file",
	"access.certificate-many": "file", "access.certificate-taken": "file",
}

// ruleOf is the field whose rule e states; empty when it states none.
func ruleOf(e *text.Error) string {
	if e.Detail.IsZero() {
		return ""
	}
	for key, name := range rulesOf {
		if before, _, _ := strings.Cut(text.Get(key).VI, "%"); strings.HasPrefix(e.Detail.VI, before) {
			return name
		}
	}
	return ""
}

// placed is an error about a field that its words do not name.
type placed struct {
	error
	field string
}

// Unwrap lets errors.As see what it is.
func (p placed) Unwrap() error { return p.error }

// atField says that err, unless nil, is about the field name.
func atField(name string, err error) error {
	if err == nil {
		return nil
	}
	return placed{err, name}
}

// placeIn is the field that err was placed at; empty when it was at none.
func placeIn(err error) string {
	var p placed
	if errors.As(err, &p) {
		return p.field
	}
	return ""
}

// typed is what a plain form carried, to be shown again with what was wrong with it.
func typed(r *http.Request) filled { return filled{values: r.PostForm} }
