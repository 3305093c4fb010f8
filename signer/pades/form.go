package pades

import "antin/signer/pdf"

// Form keeps what a file says about its fields and signatures from Preflight to
// Prepare, so that its pages are walked once. It is read at first need and is not
// safe for concurrent use.
type Form struct {
	file *pdf.File
	read *form
}

// NewForm is the form of f, not yet read.
func NewForm(f *pdf.File) *Form { return &Form{file: f} }

// of is the form of f: the one kept, where it is of that file.
func (k *Form) of(f *pdf.File) (*form, error) {
	if k == nil || k.file != f {
		return readForm(f)
	}
	if k.read == nil {
		form, err := readForm(f)
		if err != nil {
			return nil, err
		}
		k.read = form
	}
	return k.read, nil
}

// Signed counts the signature values that the file holds. Errors are those of Signatures.
func (k *Form) Signed() (int, error) {
	form, err := k.of(k.file)
	if err != nil {
		return 0, err
	}
	n := 0
	for i := range form.signatures {
		if form.signatures[i].Signed() {
			n++
		}
	}
	return n, nil
}
