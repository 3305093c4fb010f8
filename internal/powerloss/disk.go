package powerloss

import (
	"slices"
	"sync"
	"time"
)

// Disk is a disk in memory. New makes one; it is safe for concurrent use.
type Disk struct {
	now func() time.Time

	mu    sync.Mutex
	root  *inode
	nodes map[uint64]*inode // of this time of power
	last  uint64            // number of an inode
	// journal is what was done to names and is not durable, in order.
	journal []change
	changes int64         // how many changes were asked for, durable or not
	cut     int64         // the change at which the power goes; 0 for none
	dark    chan struct{} // closed when it has gone
	let     chan struct{} // closed when whoever waits for the disk may go
}

// inode is a file or a directory.
type inode struct {
	id    uint64
	dir   bool
	mode  uint32
	mtime time.Time

	// Of a file: as it is read, as it is kept, and what lies between.
	data, kept []byte
	writes     []write

	// Of a directory: as it is read, and as it is kept.
	names, durable map[string]*inode
}

// write is something done to the bytes of a file.
type write struct {
	at   int64
	data []byte
	size bool // the length became at
}

// change is something done to names, whole or not at all.
type change []step

// step says what a name stands for from then on; nil for nothing.
type step struct {
	dir  *inode
	name string
	node *inode
}

// New returns an empty disk with power.
func New(now func() time.Time) *Disk {
	d := &Disk{now: now}
	d.root = d.directory(0o700)
	d.powerOn()
	return d
}

func (d *Disk) directory(mode uint32) *inode {
	return &inode{dir: true, mode: mode, mtime: d.now(), names: map[string]*inode{}, durable: map[string]*inode{}}
}

// powerOn numbers what is there anew.
func (d *Disk) powerOn() {
	d.nodes, d.last, d.journal = map[uint64]*inode{}, 0, nil
	d.changes, d.cut = 0, 0
	d.dark, d.let = make(chan struct{}), make(chan struct{})
	d.number(d.root)
}

func (d *Disk) number(n *inode) {
	d.last++
	n.id = d.last
	d.nodes[n.id] = n
	for _, name := range sorted(n.names) {
		d.number(n.names[name])
	}
}

// CutAt has the power go at the nth change from now on; it is undone by PowerOff.
func (d *Disk) CutAt(n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = d.changes + n
}

// Changes returns how many changes were asked for since the power came.
func (d *Disk) Changes() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changes
}

// Dark is closed when the power has gone by CutAt: whoever uses the disk then waits,
// until Release lets it go with an error. A process must be dead by then, or it would
// see a disk that answers after its end.
func (d *Disk) Dark() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dark
}

// Release lets those go who wait for a disk without power. Without a cut it does nothing.
func (d *Disk) Release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.let:
	default:
		close(d.let)
	}
}

// powered takes the lock for one use of the disk, or waits in the dark and reports
// false, the lock not taken. changing says that it changes something.
func (d *Disk) powered(changing bool) bool {
	d.mu.Lock()
	if changing {
		if d.changes++; d.cut > 0 && d.changes == d.cut {
			close(d.dark)
		}
	}
	select {
	case <-d.dark:
		let := d.let
		d.mu.Unlock()
		<-let
		return false
	default:
		return true
	}
}

// do changes names, not durably yet. The caller holds the lock.
func (d *Disk) do(c ...step) {
	for _, s := range c {
		set(s.dir.names, s)
		s.dir.mtime = d.now()
	}
	d.journal = append(d.journal, c)
}

func set(names map[string]*inode, s step) {
	if s.node == nil {
		delete(names, s.name)
		return
	}
	names[s.name] = s.node
}

// syncNames makes the names of dir durable, with what they cannot be without: a rename
// brings the names of its other directory along. The caller holds the lock.
func (d *Disk) syncNames(dir *inode) {
	with := map[*inode]bool{dir: true}
	chosen := make([]bool, len(d.journal))
	for i := len(d.journal) - 1; i >= 0; i-- {
		c := d.journal[i]
		if chosen[i] = slices.ContainsFunc(c, func(s step) bool { return with[s.dir] }); chosen[i] {
			for _, s := range c {
				with[s.dir] = true
			}
		}
	}
	var left []change
	for i, c := range d.journal {
		if !chosen[i] {
			left = append(left, c)
			continue
		}
		c.keep()
	}
	d.journal = left
}

func (c change) keep() {
	for _, s := range c {
		set(s.dir.durable, s)
	}
}

// apply does w to data.
func (w write) apply(data []byte) []byte {
	if w.size {
		return sized(data, w.at)
	}
	if end := w.at + int64(len(w.data)); end > int64(len(data)) {
		data = sized(data, end)
	}
	copy(data[w.at:], w.data)
	return data
}

// sized is data with another length; what is new is zero.
func sized(data []byte, n int64) []byte {
	if n <= int64(len(data)) {
		return data[:n:n]
	}
	return append(data, make([]byte, n-int64(len(data)))...)
}

// put writes to a file, not durably yet.
func (d *Disk) put(n *inode, w write) {
	n.data, n.mtime = w.apply(n.data), d.now()
	n.writes = append(n.writes, w)
}

// syncBytes makes the bytes of a file durable.
func (n *inode) syncBytes() {
	for _, w := range n.writes {
		n.kept = w.apply(n.kept)
	}
	n.writes = nil
}
