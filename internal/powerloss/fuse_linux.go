package powerloss

import (
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// cached is how long the kernel may keep what it was told: nobody else changes it.
const cached = time.Hour

// Mount is a Disk that processes see as a directory.
type Mount struct{ server *fuse.Server }

// Mount shows the disk at dir, an empty directory. The process that mounts it must not
// look into dir itself: it would wait for its own answer.
func (d *Disk) Mount(dir string) (*Mount, error) {
	server, err := fuse.NewServer(&served{RawFileSystem: fuse.NewDefaultRawFileSystem(), d: d}, dir,
		&fuse.MountOptions{DirectMount: true, FsName: "powerloss", Name: "powerloss", DisableReadDirPlus: true, DisableXAttrs: true, MaxWrite: 1 << 20})
	if err != nil {
		return nil, fmt.Errorf("mounting: %w", err)
	}
	go server.Serve() // ends with Unmount
	return &Mount{server}, server.WaitMount()
}

// Unmount ends it. Nobody may have a file of it open.
func (m *Mount) Unmount() error { return m.server.Unmount() }

// served answers the kernel. Locks of files are the kernel's own.
type served struct {
	fuse.RawFileSystem
	d *Disk
}

func (s *served) String() string { return "powerloss" }

// use runs act under the lock while there is power.
func (s *served) use(changing bool, act func() fuse.Status) fuse.Status {
	if !s.d.powered(changing) {
		return fuse.EIO
	}
	defer s.d.mu.Unlock()
	return act()
}

// on is use with the inode id.
func (s *served) on(changing bool, id uint64, act func(n *inode) fuse.Status) fuse.Status {
	return s.use(changing, func() fuse.Status {
		n := s.d.nodes[id]
		if n == nil {
			return fuse.Status(syscall.ESTALE)
		}
		return act(n)
	})
}

func (n *inode) attr(out *fuse.Attr) {
	out.Ino, out.Nlink, out.Blksize = n.id, 1, 4096
	out.Mode, out.Size = n.mode|syscall.S_IFREG, uint64(len(n.data))
	if n.dir {
		out.Mode, out.Size = n.mode|syscall.S_IFDIR, 4096
	}
	out.Blocks = (out.Size + sector - 1) / sector
	out.SetTimes(&n.mtime, &n.mtime, &n.mtime)
	out.Uid, out.Gid = uint32(syscall.Getuid()), uint32(syscall.Getgid())
}

func (n *inode) entry(out *fuse.EntryOut) {
	out.NodeId, out.Generation = n.id, 1
	out.SetEntryTimeout(cached)
	out.SetAttrTimeout(cached)
	n.attr(&out.Attr)
}

// Lookup implements fuse.RawFileSystem, as all below.
func (s *served) Lookup(_ <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	return s.on(false, h.NodeId, func(n *inode) fuse.Status {
		found := n.names[name]
		if found == nil {
			return fuse.ENOENT
		}
		found.entry(out)
		return fuse.OK
	})
}

func (s *served) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	return s.on(false, in.NodeId, func(n *inode) fuse.Status {
		out.SetTimeout(cached)
		n.attr(&out.Attr)
		return fuse.OK
	})
}

func (s *served) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	size, resized := in.GetSize()
	return s.on(resized, in.NodeId, func(n *inode) fuse.Status {
		if resized {
			s.d.put(n, write{at: int64(size), size: true})
		}
		if mode, ok := in.GetMode(); ok {
			n.mode = mode & 0o7777
		}
		if t, ok := in.GetMTime(); ok {
			n.mtime = t
		}
		out.SetTimeout(cached)
		n.attr(&out.Attr)
		return fuse.OK
	})
}

// make adds a node to a directory.
func (s *served) make(parent uint64, name string, node *inode, out *fuse.EntryOut) fuse.Status {
	return s.on(true, parent, func(n *inode) fuse.Status {
		if n.names[name] != nil {
			return fuse.Status(syscall.EEXIST)
		}
		s.d.last++
		node.id = s.d.last
		s.d.nodes[node.id] = node
		s.d.do(step{n, name, node})
		node.entry(out)
		return fuse.OK
	})
}

func (s *served) Mkdir(_ <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	return s.make(in.NodeId, name, s.d.directory(in.Mode&0o7777), out)
}

func (s *served) Create(_ <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	return s.make(in.NodeId, name, &inode{mode: in.Mode & 0o7777, mtime: s.d.now()}, &out.EntryOut)
}

func (s *served) remove(parent uint64, name string, dir bool) fuse.Status {
	return s.on(true, parent, func(n *inode) fuse.Status {
		gone := n.names[name]
		switch {
		case gone == nil:
			return fuse.ENOENT
		case gone.dir != dir:
			return fuse.Status(syscall.EISDIR)
		case len(gone.names) > 0:
			return fuse.Status(syscall.ENOTEMPTY)
		}
		s.d.do(step{n, name, nil})
		return fuse.OK
	})
}

func (s *served) Unlink(_ <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return s.remove(h.NodeId, name, false)
}

func (s *served) Rmdir(_ <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return s.remove(h.NodeId, name, true)
}

func (s *served) Rename(_ <-chan struct{}, in *fuse.RenameIn, from, to string) fuse.Status {
	return s.on(true, in.NodeId, func(n *inode) fuse.Status {
		into, moved := s.d.nodes[in.Newdir], n.names[from]
		switch {
		case into == nil || moved == nil:
			return fuse.ENOENT
		case in.Flags != 0: // exchange, or only where nothing is: not used
			return fuse.EINVAL
		case into == n && from == to:
			return fuse.OK
		}
		if there := into.names[to]; there != nil && len(there.names) > 0 {
			return fuse.Status(syscall.ENOTEMPTY)
		}
		s.d.do(step{n, from, nil}, step{into, to, moved})
		return fuse.OK
	})
}

func (s *served) Open(_ <-chan struct{}, in *fuse.OpenIn, _ *fuse.OpenOut) fuse.Status {
	return s.on(false, in.NodeId, func(*inode) fuse.Status { return fuse.OK })
}

func (s *served) Read(_ <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	var got []byte
	status := s.on(false, in.NodeId, func(n *inode) fuse.Status {
		if in.Offset < uint64(len(n.data)) {
			got = buf[:copy(buf, n.data[in.Offset:])]
		}
		return fuse.OK
	})
	return fuse.ReadResultData(got), status
}

func (s *served) Write(_ <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	return uint32(len(data)), s.on(true, in.NodeId, func(n *inode) fuse.Status {
		s.d.put(n, write{at: int64(in.Offset), data: slices.Clone(data)})
		return fuse.OK
	})
}

func (s *served) Fsync(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return s.on(true, in.NodeId, func(n *inode) fuse.Status {
		n.syncBytes()
		return fuse.OK
	})
}

func (s *served) FsyncDir(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return s.on(true, in.NodeId, func(n *inode) fuse.Status {
		s.d.syncNames(n)
		return fuse.OK
	})
}

// Flush is of a close, which makes nothing durable.
func (s *served) Flush(<-chan struct{}, *fuse.FlushIn) fuse.Status { return fuse.OK }

func (s *served) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, _ *fuse.OpenOut) fuse.Status {
	return s.on(false, in.NodeId, func(*inode) fuse.Status { return fuse.OK })
}

func (s *served) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return s.on(false, in.NodeId, func(n *inode) fuse.Status {
		for i, name := range sorted(n.names) {
			if uint64(i) < in.Offset {
				continue
			}
			of := n.names[name]
			mode := uint32(syscall.S_IFREG)
			if of.dir {
				mode = syscall.S_IFDIR
			}
			if !out.AddDirEntry(fuse.DirEntry{Name: name, Ino: of.id, Mode: mode, Off: uint64(i) + 1}) {
				break
			}
		}
		return fuse.OK
	})
}

// StatFs tells of a disk with room.
func (s *served) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	return s.use(false, func() fuse.Status {
		const blocks = 1 << 24
		out.Bsize, out.Frsize, out.NameLen = 4096, 4096, 255
		out.Blocks, out.Bfree, out.Bavail, out.Files, out.Ffree = blocks, blocks, blocks, blocks, blocks
		return fuse.OK
	})
}
