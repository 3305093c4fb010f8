package pades

import (
	"slices"
	"strings"
)

// LockAction says which fields a lock covers (ISO 32000-2, table 236 and 12.8.2.4).
type LockAction string

// The actions of a lock.
const (
	LockAll     LockAction = "All"
	LockInclude LockAction = "Include"
	LockExclude LockAction = "Exclude"
)

// Lock names the form fields that a signature freezes.
type Lock struct {
	Action LockAction
	// Fields are fully qualified names, used by LockInclude and LockExclude. A
	// name covers the field and everything below it.
	Fields []string
	// P is the permission (1 to 3) that comes into force with the signature; 0
	// when the lock states none. It is only meaningful in a field's /Lock.
	P int
}

// Locks reports whether l freezes the field named field. A nil lock freezes nothing;
// an action that is not known freezes everything, as the safe reading.
func (l *Lock) Locks(field string) bool {
	if l == nil {
		return false
	}
	named := slices.ContainsFunc(l.Fields, func(n string) bool {
		return n == field || strings.HasPrefix(field, n+".")
	})
	switch l.Action {
	case LockInclude:
		return named
	case LockExclude:
		return !named
	case LockAll:
	}
	return true
}
