package validation

import (
	"slices"

	"antin/signer/pdf/find"
)

// whole turns what was only added or only removed into what a reader sees become
// something else: words drawn over others take their place, and digits set right beside
// a number make another number of it. a and b are all words before and after; only what
// stands in both, at the same place, can be covered or grow.
func whole(list []Wording, a, b []find.Word) []Wording {
	if len(list) == 0 {
		return list
	}
	stays := slices.DeleteFunc(slices.Clone(a), func(o find.Word) bool { return !slices.Contains(b, o) })
	for i := range list {
		w := &list[i]
		switch {
		case w.Before == "" && w.After != "":
			if covered := under(*w, stays); len(covered) > 0 {
				w.Before = joined(covered)
				continue
			}
			w.Before, w.After = beside(*w, w.After, stays)
		case w.After == "" && w.Before != "":
			w.After, w.Before = beside(*w, w.Before, stays)
		}
	}
	return list
}

// under lists the words that the box of w covers for the most part.
func under(w Wording, words []find.Word) []find.Word {
	box := [4]float64(w.Box)
	return slices.DeleteFunc(slices.Clone(words), func(o find.Word) bool {
		return areaOf(o.Box) == 0 || areaOf(common(o.Box, box)) < minCovered*areaOf(o.Box)
	})
}

// touching is how far apart two words may stand to be read as one, as a share of their height.
const touching = 0.2

// beside is the word that part stands right beside, and both together in the order in
// which they are read; "" and part where it stands alone.
func beside(w Wording, part string, words []find.Word) (alone, together string) {
	box := [4]float64(w.Box)
	height := box[3] - box[1]
	for _, o := range words {
		if abs(o.Box[1]-box[1]) > touching*height || abs(o.Box[3]-o.Box[1]-height) > touching*height {
			continue // not on the same line
		}
		switch {
		case abs(box[0]-o.Box[2]) <= touching*height:
			return o.Text, o.Text + part
		case abs(o.Box[0]-box[2]) <= touching*height:
			return o.Text, part + o.Text
		}
	}
	return "", part
}

func abs(v float64) float64 { return max(v, -v) }
