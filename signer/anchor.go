package signer

import (
	"errors"

	"antin/internal/text"
	"antin/signer/pades"
	"antin/signer/pdf/find"
)

// place finds Request.Anchor on the pages and puts the signature beside it: Rect
// counts from the text's lower left corner, as a reader sees the page, and is moved
// into the visible page where it would stick out. Page and Rect of the request are
// set to what was found.
func (r *run) place() error {
	if r.req.Anchor == "" {
		return nil
	}
	page := r.req.Page
	if page == pades.LastPage {
		total, err := r.file.NumPages()
		if err != nil {
			return err
		}
		page = total
	}
	found, err := find.Last(r.file, r.req.Anchor, page)
	if errors.Is(err, find.ErrNotFound) {
		return text.Detailed(text.NotFound, err, "sign.anchor", r.req.Anchor)
	}
	if err != nil {
		return err
	}
	rect, ok := beside(found, r.req.Rect)
	if !ok {
		return text.Detailed(text.InvalidInput, nil, "sign.anchor-room")
	}
	r.req.Page, r.req.Rect = found.Page, rect
	return nil
}

// beside is the place of rect beside the text found; ok is false when the page is
// too small for it.
func beside(at find.Place, rect [4]float64) (placed [4]float64, ok bool) {
	box, page := turned(at.Box, at.Rotation), turned(at.Visible, at.Rotation)
	w, h := rect[2]-rect[0], rect[3]-rect[1]
	if w > page[2]-page[0] || h > page[3]-page[1] {
		return placed, false
	}
	x := min(max(box[0]+rect[0], page[0]), page[2]-w)
	y := min(max(box[1]+rect[1], page[1]), page[3]-h)
	return turned([4]float64{x, y, x + w, y + h}, 360-at.Rotation), true
}

// turned is a rectangle as it lies when the page is turned clockwise by 0, 90, 180 or
// 270 degrees about its origin.
func turned(r [4]float64, degrees int) [4]float64 {
	switch degrees {
	case 90:
		return [4]float64{r[1], -r[2], r[3], -r[0]}
	case 180:
		return [4]float64{-r[2], -r[3], -r[0], -r[1]}
	case 270:
		return [4]float64{-r[3], r[0], -r[1], r[2]}
	}
	return r
}
