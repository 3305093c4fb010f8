package validation

import (
	"math"
	"strings"

	"antin/signer/pdf"
)

// location is a place that refers to an object: the object that holds the
// reference (0 for a trailer) and the keys that lead to it inside that object.
// An array contributes no key of its own.
type location struct {
	holder int
	path   string // "/AP/N"
}

// graph knows who refers to the objects that later revisions touched. It is the
// union over all compared revisions, built in one walk that reads every object
// version once.
type graph struct {
	refs    map[int][]location
	reached numbers
	page    pageNumbers // first page from which an object was reached
}

// pageNumbers is the page of each object, 0 for none. Objects numbered from maxDense on
// have none: it only tells a reader where to look.
type pageNumbers []int32

func (p pageNumbers) of(num int) int {
	if num < 0 || num >= len(p) {
		return 0
	}
	return int(p[num])
}

func (p *pageNumbers) set(num, page int) {
	if num < 0 || num >= maxDense {
		return
	}
	if num >= len(*p) {
		*p = append(*p, make(pageNumbers, num+1-len(*p))...)
	}
	(*p)[num] = int32(min(page, math.MaxInt32))
}

// numbers is a set of object numbers. Files number their objects without large gaps,
// so that a bit each costs far less than a map; what lies beyond maxDense is kept in one.
type numbers struct {
	dense  []uint64
	sparse map[int]bool
}

// maxDense bounds the numbers that have a bit: half a megabyte of them.
const maxDense = 4 << 20

func (n *numbers) has(num int) bool {
	if num < 0 || num >= maxDense {
		return n.sparse[num]
	}
	return num/64 < len(n.dense) && n.dense[num/64]&(1<<(num%64)) != 0
}

func (n *numbers) add(num int) {
	if num < 0 || num >= maxDense {
		if n.sparse == nil {
			n.sparse = map[int]bool{}
		}
		n.sparse[num] = true
		return
	}
	for num/64 >= len(n.dense) {
		n.dense = append(n.dense, 0)
	}
	n.dense[num/64] |= 1 << (num % 64)
}

// walker builds the graph.
type walker struct {
	d        *differ
	g        *graph
	interest map[int]bool
	versions map[int][]*pdf.File // files in which an object of interest has a version of its own
	only     map[int]bool        // the objects to look into; nil for all
	queue    []visit
	seen     map[location]bool
	path     []string
}

type visit struct{ num, page int }

// walk builds the graph of all revisions from the first signed one on: of the objects
// in only, and with nil of all.
func (d *differ) walk(steps []*step, only map[int]bool) (*graph, error) {
	w := &walker{d: d, interest: map[int]bool{}, versions: map[int][]*pdf.File{}, seen: map[location]bool{}, only: only,
		g: &graph{refs: map[int][]location{}}}
	for _, s := range steps {
		for num := range s.listed {
			if !w.interest[num] {
				w.interest[num] = true
				w.versions[num] = []*pdf.File{d.files[d.first]}
			}
			w.versions[num] = append(w.versions[num], s.new)
			w.appearancesOf(s.old, num)
		}
	}
	// Pages first, in order, so that what is reached belongs to its page; none of them
	// is reached from another one.
	for _, num := range d.ordered {
		w.g.reached.add(num)
	}
	for _, num := range d.ordered {
		if only != nil && !only[num] {
			continue
		}
		w.queue = append(w.queue, visit{num, d.pages[num]})
		if err := w.drain(); err != nil {
			return nil, err
		}
	}
	for i := d.first; i < len(d.files); i++ {
		if err := w.scan(0, 0, d.files[i].Trailer(), 0); err != nil {
			return nil, err
		}
	}
	return w.g, w.drain()
}

// appearancesOf makes the appearance objects of a touched widget of interest as
// well: replacing them is allowed only while nothing else uses them.
func (w *walker) appearancesOf(old *pdf.File, num int) {
	o, _ := load(old, num)
	d, _ := o.(*pdf.Dict)
	if d == nil || d.Get("AP") == nil {
		return
	}
	for _, n := range appearanceObjects(old, d.Get("AP")) {
		w.interest[n] = true
	}
}

func (w *walker) drain() error {
	for len(w.queue) > 0 {
		v := w.queue[len(w.queue)-1]
		w.queue = w.queue[:len(w.queue)-1]
		if v.page > 0 && w.g.page.of(v.num) == 0 {
			w.g.page.set(v.num, v.page)
		}
		files := w.versions[v.num]
		if files == nil {
			files = w.d.files[len(w.d.files)-1:]
		}
		for _, f := range files {
			o, _ := load(f, v.num)
			if err := w.scan(v.num, v.page, o, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// scan looks for references in a value that object holder contains.
func (w *walker) scan(holder, page int, o pdf.Object, depth int) error {
	if err := w.d.spend(1); err != nil {
		return err
	}
	if depth > maxNesting {
		return errBudget
	}
	switch v := o.(type) {
	case pdf.Ref:
		w.reach(holder, page, v.Num)
	case pdf.Array:
		for _, e := range v {
			if err := w.scan(holder, page, e, depth+1); err != nil {
				return err
			}
		}
	case *pdf.Dict:
		return w.scanDict(holder, page, v, depth)
	case *pdf.Stream:
		return w.scanDict(holder, page, v.Dict, depth)
	}
	return nil
}

func (w *walker) scanDict(holder, page int, d *pdf.Dict, depth int) error {
	for _, k := range d.Keys() {
		inner := page
		switch k {
		case "Parent", "P", "Dest", "Data", "ByteRange":
			inner = 0 // leads away from the page
		}
		w.path = append(w.path, string(k))
		err := w.scan(holder, inner, d.Get(k), depth+1)
		w.path = w.path[:len(w.path)-1]
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) reach(holder, page, num int) {
	if w.interest[num] {
		l := location{holder, "/" + strings.Join(w.path, "/")}
		key := location{num, l.path + " " + pdf.Ref{Num: holder}.String()}
		if !w.seen[key] {
			w.seen[key] = true
			w.g.refs[num] = append(w.g.refs[num], l)
		}
	}
	if !w.g.reached.has(num) && (w.only == nil || w.only[num]) {
		w.g.reached.add(num)
		w.queue = append(w.queue, visit{num, page})
	}
}
