package pdf

import "iter"

// PageRef is one page on a walk of the page tree.
type PageRef struct {
	Number int // from 1
	Ref    Ref // zero when the page is, against ISO 32000-2, 7.7.3.2, not an indirect object
	Dict   *Dict
}

// NumPages returns the number of pages: the page tree's own count.
func (f *File) NumPages() (int, error) {
	_, root, err := f.pageRoot()
	if err != nil {
		return 0, err
	}
	if !root.Has("Kids") {
		return 1, nil // a single page in place of the tree
	}
	return f.pageCount(root)
}

// Page returns page n, counted from 1. Its inheritable attributes are found by
// Inherited. It reads the nodes on the way and, where a node mixes pages and
// subtrees, the siblings before; not the whole tree.
func (f *File) Page(n int) (Ref, *Dict, error) {
	ref, node, err := f.pageRoot()
	if err != nil {
		return Ref{}, nil, err
	}
	left := n
	for range f.lim.PageDepth {
		if !node.Has("Kids") {
			if left != 1 {
				break
			}
			return ref, node, nil
		}
		kids, err := f.Array(node.Get("Kids"))
		if err != nil {
			return Ref{}, nil, err
		}
		if ref, node, left, err = f.descend(node, kids, left); err != nil {
			return Ref{}, nil, err
		}
		if node == nil {
			break
		}
	}
	return Ref{}, nil, malformed("page %d is not in the page tree", n)
}

// descend picks the kid that holds page left of node, and returns it with what is
// left to count inside. The node is nil when there is none.
func (f *File) descend(node *Dict, kids Array, left int) (Ref, *Dict, int, error) {
	if left < 1 {
		return Ref{}, nil, 0, nil
	}
	if count, err := f.pageCount(node); err == nil && count == len(kids) && left <= count {
		// As many pages as kids: each is a page, so go there directly. A kid that
		// is a subtree after all belies the count; then they are counted one by one.
		if ref, kid, err := f.pageKid(kids[left-1]); err == nil && !kid.Has("Kids") {
			return ref, kid, 1, nil
		}
	}
	for i, o := range kids {
		if i >= f.lim.Pages {
			return Ref{}, nil, 0, exceeded("page tree node has more than %d kids", f.lim.Pages)
		}
		ref, kid, err := f.pageKid(o)
		if err != nil {
			return Ref{}, nil, 0, err
		}
		count := 1
		if kid.Has("Kids") {
			if count, err = f.pageCount(kid); err != nil {
				return Ref{}, nil, 0, err
			}
		}
		if left <= count {
			return ref, kid, left, nil
		}
		left -= count
	}
	return Ref{}, nil, 0, nil
}

// Pages walks all pages in order. It ends with the first error. A node met twice
// on one path, and a tree deeper or longer than the limits, are errors.
func (f *File) Pages() iter.Seq2[PageRef, error] {
	return func(yield func(PageRef, error) bool) {
		ref, root, err := f.pageRoot()
		if err != nil {
			yield(PageRef{}, err)
			return
		}
		w := pageWalk{f: f, yield: yield, seen: map[Ref]bool{}}
		w.visit(ref, root, 0)
	}
}

type pageWalk struct {
	f     *File
	yield func(PageRef, error) bool
	seen  map[Ref]bool // tree nodes, not pages: a page may stand twice
	nodes int
	page  int
}

func (w *pageWalk) visit(ref Ref, node *Dict, depth int) bool {
	if w.nodes++; w.nodes > 2*w.f.lim.Pages {
		return w.stop(exceeded("page tree has more than %d nodes", 2*w.f.lim.Pages))
	}
	if !node.Has("Kids") {
		w.page++
		return w.yield(PageRef{w.page, ref, node}, nil)
	}
	if depth > w.f.lim.PageDepth || !ref.IsZero() && w.seen[ref] {
		return w.stop(malformed("page tree is too deep or leads in a circle at %s", ref))
	}
	w.seen[ref] = true
	kids, err := w.f.Array(node.Get("Kids"))
	if err != nil {
		return w.stop(err)
	}
	for _, o := range kids {
		kref, kid, err := w.f.pageKid(o)
		if err != nil {
			return w.stop(err)
		}
		if !w.visit(kref, kid, depth+1) {
			return false
		}
	}
	return true
}

func (w *pageWalk) stop(err error) bool {
	w.yield(PageRef{}, err)
	return false
}

// Inherited returns the value of key in page, or in the nearest ancestor that has
// it (ISO 32000-2, 7.7.3.4); nil when none has. References are not followed.
func (f *File) Inherited(page *Dict, key Name) (Object, error) {
	for range f.lim.PageDepth {
		if page == nil {
			return nil, nil
		}
		if o := page.Get(key); o != nil && o != (Null{}) {
			return o, nil
		}
		var err error
		if page, err = f.Dict(page.Get("Parent")); err != nil {
			return nil, err
		}
	}
	return nil, malformed("page tree is too deep or leads in a circle")
}

func (f *File) pageRoot() (Ref, *Dict, error) {
	_, catalog, err := f.Root()
	if err != nil {
		return Ref{}, nil, err
	}
	return f.pageKid(catalog.Get("Pages"))
}

// pageKid loads a node of the page tree.
func (f *File) pageKid(o Object) (Ref, *Dict, error) {
	ref, _ := o.(Ref)
	d, err := f.Dict(o)
	if err == nil && d == nil {
		err = malformed("page tree node %s is missing", ref)
	}
	return ref, d, err
}

func (f *File) pageCount(node *Dict) (int, error) {
	n, err := f.Int(node.Get("Count"))
	if err != nil {
		return 0, err
	}
	if n < 0 || n > int64(f.lim.Pages) {
		return 0, malformed("page tree counts %d pages", n)
	}
	return int(n), nil
}
