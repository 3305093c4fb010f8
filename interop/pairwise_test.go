//go:build interop

package interop_test

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// pairwise chooses rows, each one index for every axis, so that every pair of
// values of two axes that some allowed row holds is held by a chosen one. Greedy:
// always the row with most pairs that are new. Rows are looked at in an order that
// is shuffled, though always the same, so that where nothing is new any more all
// values get their share.
func pairwise(sizes []int, allowed func(row []int) bool) [][]int {
	rows := allRows(sizes, allowed)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	missing := map[[4]int]bool{}
	for _, r := range rows {
		forPairs(r, func(p [4]int) { missing[p] = true })
	}
	var chosen [][]int
	for len(missing) > 0 {
		best, most := rows[0], 0
		for _, r := range rows {
			n := 0
			forPairs(r, func(p [4]int) {
				if missing[p] {
					n++
				}
			})
			if n > most {
				best, most = r, n
			}
			if most == len(sizes)*(len(sizes)-1)/2 {
				break // no row can hold more
			}
		}
		forPairs(best, func(p [4]int) { delete(missing, p) })
		chosen = append(chosen, best)
	}
	return chosen
}

// allRows lists every allowed row in order.
func allRows(sizes []int, allowed func(row []int) bool) [][]int {
	var rows [][]int
	row := make([]int, len(sizes))
	var fill func(axis int)
	fill = func(axis int) {
		if axis == len(sizes) {
			if allowed(row) {
				rows = append(rows, slices.Clone(row))
			}
			return
		}
		for row[axis] = range sizes[axis] {
			fill(axis + 1)
		}
	}
	fill(0)
	return rows
}

// forPairs calls f for every pair of a row: axis, value, other axis, other value.
func forPairs(row []int, f func([4]int)) {
	for i := range row {
		for j := i + 1; j < len(row); j++ {
			f([4]int{i, row[i], j, row[j]})
		}
	}
}

func TestPairwiseCoversEveryAllowedPair(t *testing.T) {
	sizes := []int{4, 3, 5, 2}
	allowed := func(r []int) bool { return r[0] != 1 || r[2] > 1 }
	held := map[[4]int]bool{}
	rows := pairwise(sizes, allowed)
	for _, r := range rows {
		if !allowed(r) {
			t.Errorf("row %v is not allowed", r)
		}
		forPairs(r, func(p [4]int) { held[p] = true })
	}
	for _, r := range allRows(sizes, allowed) {
		forPairs(r, func(p [4]int) {
			if !held[p] {
				t.Errorf("pair %v is in no row", p)
			}
		})
	}
	if len(rows) >= len(allRows(sizes, allowed)) {
		t.Errorf("%d rows: nothing was saved", len(rows))
	}
}
