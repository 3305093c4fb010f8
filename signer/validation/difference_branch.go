package validation

import "antin/signer/pdf"

// branchKeys are all that a node may hold that only groups fields.
var branchKeys = []pdf.Name{"T", "Kids", "Parent"}

// newBranch admits a new node of the field tree that groups new signature fields,
// as a field named by its levels brings with it. The fields are judged one by one. It
// reports false for a node that is more than that.
func (s *step) newBranch(n *node, before, now map[int]*node) bool {
	for _, k := range n.dict.Keys() {
		if !contains(branchKeys, k) {
			return false
		}
	}
	for _, other := range before {
		if other.name == n.name && !other.widget {
			return false // two nodes of one name: which is which would be a viewer's choice
		}
	}
	kids, _ := resolve(s.new, n.dict.Get("Kids")).(pdf.Array)
	if ref := refNum(n.dict.Get("Kids")); ref != 0 {
		if !s.added[ref] {
			return false
		}
		s.handled[ref] = true
	}
	for _, k := range kids {
		s.newField(k, before, now)
	}
	return true
}
