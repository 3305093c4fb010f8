package pdf

import (
	"errors"

	"antin/internal/text"
)

// Permissions are what an encrypted file lets be done with it (ISO 32000-2,
// table 22). Those of a file without encryption, and of one opened with the owner's
// password, are all of them.
type Permissions struct {
	// Modify: the content may be changed.
	Modify bool
	// Annotate: annotations may be added, and form fields filled in.
	Annotate bool
	// Fill: form fields that are there may be filled in, signature fields included.
	Fill bool
}

// The bits of /P, from bit 1.
const (
	permitModify   = 1 << (4 - 1)
	permitAnnotate = 1 << (6 - 1)
	permitFill     = 1 << (9 - 1)
)

// Permissions returns what the file permits; nothing when it could not be opened.
func (f *File) Permissions() Permissions {
	h := f.lock.handler
	switch {
	case !f.Encrypted() || h != nil && h.asOwner:
		return Permissions{Modify: true, Annotate: true, Fill: true}
	case h == nil:
		return Permissions{}
	}
	annotate := h.permissions&permitAnnotate != 0
	return Permissions{
		Modify:   h.permissions&permitModify != 0,
		Annotate: annotate,
		Fill:     annotate || h.revision >= 3 && h.permissions&permitFill != 0,
	}
}

// MaySign returns the error for signing a file whose permissions forbid it: filling
// a signature field that is there, or creating one when newField is set, which takes
// the permissions to annotate and to modify. It is EncryptionError for a file that
// could not be opened, password-wrong when a password was given in vain, since the
// owner's would lift the permissions, and else permission-denied.
func (f *File) MaySign(newField bool) error {
	if err := f.EncryptionError(); err != nil {
		return err
	}
	p := f.Permissions()
	if newField && p.Annotate && p.Modify || !newField && p.Fill {
		return nil
	}
	if f.lock.password {
		return text.Errorf(text.PasswordWrong, errors.New("the file opens without it, but permits less"))
	}
	if newField && p.Fill {
		return text.Detailed(text.PermissionDenied, nil, "sign.permission-existing")
	}
	return text.Errorf(text.PermissionDenied, nil)
}
