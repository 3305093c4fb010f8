package find

import "antin/signer/pdf"

// formCost is what one more form is worth in bytes of content: finding it and setting
// it up takes about as long as running as many.
const formCost = 256

// Room bounds what many calls run together, where each has a limit of its own: a look
// that is cheap once may be asked about a thousand times. The zero value has none left.
// It serves one caller at a time.
type Room struct{ left int }

// NewRoom is room for so many bytes of content.
func NewRoom(bytes int) *Room { return &Room{left: bytes} }

// within runs a call that may use up to limit bytes and says how many are left of them.
func within[T any](r *Room, limit int, call func(limit int) (list []T, left int, err error)) ([]T, error) {
	if r.left <= 0 {
		return nil, errTooMuch
	}
	limit = min(limit, r.left)
	list, left, err := call(limit)
	r.left -= limit - left
	return list, err
}

// Words is the function of that name, within what is left.
func (r *Room) Words(f *pdf.File, number, limit int) ([]Word, error) {
	return within(r, limit, func(limit int) ([]Word, int, error) { return pageWords(f, number, limit) })
}

// FormWords is the function of that name, within what is left.
func (r *Room) FormWords(f *pdf.File, s *pdf.Stream, resources *pdf.Dict, limit int) ([]Word, error) {
	return within(r, limit, func(limit int) ([]Word, int, error) { return formWords(f, s, resources, limit) })
}

// Inks is the function of that name, within what is left.
func (r *Room) Inks(f *pdf.File, number, limit int) ([]Ink, error) {
	return within(r, limit, func(limit int) ([]Ink, int, error) { return pageInks(f, number, limit) })
}

// FormInks is the function of that name, within what is left.
func (r *Room) FormInks(f *pdf.File, s *pdf.Stream, resources *pdf.Dict, limit int) ([]Ink, error) {
	return within(r, limit, func(limit int) ([]Ink, int, error) { return formInks(f, s, resources, limit) })
}
