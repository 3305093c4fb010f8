package powerloss

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// PowerOff ends this time of power: of what is not durable, rng chooses what is there
// when the power comes back. Nobody may have the disk mounted.
func (d *Disk) PowerOff(rng *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.loseNames(rng)
	d.root = d.restore(d.root, rng)
	d.powerOn()
}

// chance is how likely something that is not durable is lost: often all or nothing is,
// so that both ends are tried, too.
func chance(rng *rand.Rand) float64 { return [...]float64{0, 0.1, 0.5, 0.9, 1, 1}[rng.IntN(6)] }

// loseNames keeps of each directory the names that it had up to some moment.
func (d *Disk) loseNames(rng *rand.Rand) {
	p := chance(rng)
	old := map[*inode]bool{} // directories of which nothing later is kept
	for _, c := range d.journal {
		lost := rng.Float64() < p
		for _, s := range c {
			lost = lost || old[s.dir]
		}
		if !lost {
			c.keep()
			continue
		}
		for _, s := range c {
			old[s.dir] = true
		}
	}
}

// restore is n as it stands when the power is back.
func (d *Disk) restore(n *inode, rng *rand.Rand) *inode {
	out := &inode{dir: n.dir, mode: n.mode, mtime: n.mtime}
	if !n.dir {
		out.kept = n.torn(rng)
		out.data = bytes.Clone(out.kept)
		return out
	}
	out.durable = map[string]*inode{}
	for _, name := range sorted(n.durable) {
		out.durable[name] = d.restore(n.durable[name], rng)
	}
	out.names = maps.Clone(out.durable)
	return out
}

// torn is what of a file is there: what was durable, and of each write since some of
// its sectors.
func (n *inode) torn(rng *rand.Rand) []byte {
	p := chance(rng)
	out := bytes.Clone(n.kept)
	for _, w := range n.writes {
		if w.size {
			if rng.Float64() >= p {
				out = w.apply(out)
			}
			continue
		}
		for from := int64(0); from < int64(len(w.data)); {
			to := min(int64(len(w.data)), from+sector-(w.at+from)%sector)
			if rng.Float64() >= p {
				out = write{at: w.at + from, data: w.data[from:to]}.apply(out)
			}
			from = to
		}
	}
	return out
}

func sorted(m map[string]*inode) []string { return slices.Sorted(maps.Keys(m)) }

// Export writes what is on the disk to the directory dir of another.
func (d *Disk) Export(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.root.export(dir)
}

func (n *inode) export(path string) error {
	if !n.dir {
		return os.WriteFile(path, n.data, os.FileMode(n.mode).Perm()|0o600)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	for _, name := range sorted(n.names) {
		if err := n.names[name].export(filepath.Join(path, name)); err != nil {
			return err
		}
	}
	return nil
}
