package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

const (
	// dropEvery is how often the folder is looked at: what has not changed from one look to
	// the next is taken.
	dropEvery = 2 * time.Second
	// maxDrops bounds what one look takes, and what is remembered of it.
	maxDrops = 1000
	// dropRetry is when something is tried again that failed for a reason of our own.
	dropRetry = time.Minute
	// partSuffix ends the name of what is still being written.
	partSuffix = ".part"

	takenDir  = ".dang-gui" // what is being sent
	sentDir   = "da-gui"    // what was sent, each with its outcome
	failedDir = "loi"       // what cannot be sent, each with the reason
)

// drop is the folder whose contents are sent. It is used by one goroutine.
type drop struct {
	dir    string
	agency exchange.AgencyCode
	limit  int64 // of one message, in bytes
	send   func(ctx context.Context, by exchange.Actor, key string, message io.Reader) ([]exchange.Delivery, error)
	now    func() time.Time
	log    *slog.Logger

	seen  map[string]dropStamp // by name, of the last look
	again map[string]time.Time // by name of what was taken: not before
}

// dropStamp tells whether something has changed.
type dropStamp struct {
	size, files int64
	changed     time.Time
}

// dropOutcome is what is written beside what was sent, or could not be.
type dropOutcome struct {
	File       string           `json:"file"`
	Status     string           `json:"status"` // sent or failed
	At         time.Time        `json:"at"`
	Deliveries []droppedTo      `json:"deliveries,omitempty"`
	Error      *dropOutcomeFail `json:"error,omitempty"`
}

type droppedTo struct {
	ID       exchange.ID         `json:"id"`
	OrganID  exchange.AgencyCode `json:"organ_id"`
	Transfer exchange.TransferID `json:"transfer_id"`
}

type dropOutcomeFail struct {
	Code    text.Code    `json:"code"`
	Message text.Message `json:"message"`
	Fix     text.Message `json:"fix"`
}

// look takes what is ready, and sends what was taken. A failure of our own side leaves it
// taken; it is tried again.
func (d *drop) look(ctx context.Context) error {
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		return folderError(err)
	}
	defer func() { _ = root.Close() }()
	for _, name := range []string{takenDir, sentDir, failedDir} {
		if err := root.Mkdir(name, trayMode); err != nil && !errors.Is(err, fs.ErrExist) {
			return folderError(err)
		}
	}
	errs := []error{d.takeReady(root)}
	taken, err := entries(root, takenDir)
	errs = append(errs, err)
	for _, e := range taken {
		if ctx.Err() != nil || d.now().Before(d.again[e.Name()]) {
			continue
		}
		delete(d.again, e.Name())
		if err := d.handle(ctx, root, e.Name()); err != nil && ctx.Err() == nil {
			if d.again == nil {
				d.again = map[string]time.Time{}
			}
			d.again[e.Name()] = d.now().Add(dropRetry)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func entries(root *os.Root, dir string) ([]fs.DirEntry, error) {
	f, err := root.Open(dir)
	if err != nil {
		return nil, folderError(err)
	}
	list, err := f.ReadDir(maxDrops)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, errors.Join(err, f.Close())
}

// takeReady moves what has not changed since the last look to where nobody else writes.
func (d *drop) takeReady(root *os.Root) error {
	list, err := entries(root, ".")
	if err != nil {
		return err
	}
	before := d.seen
	d.seen = map[string]dropStamp{}
	var errs []error
	for _, e := range list {
		name := e.Name()
		if strings.HasPrefix(name, ".") || strings.HasSuffix(name, partSuffix) || name == sentDir || name == failedDir {
			continue
		}
		stamp, err := dropStampOf(root, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone meanwhile
		}
		if err != nil {
			errs = append(errs, folderError(err))
			continue
		}
		if last, ok := before[name]; !ok || last != stamp {
			d.seen[name] = stamp
			continue
		}
		errs = append(errs, d.claim(root, name))
	}
	return errors.Join(errs...)
}

// dropStampOf sums up name and, for a folder, what is in it.
func dropStampOf(root *os.Root, name string) (s dropStamp, err error) {
	st, err := root.Lstat(name)
	if err != nil {
		return s, err
	}
	s = dropStamp{size: st.Size(), changed: st.ModTime()}
	if !st.IsDir() {
		return s, nil
	}
	list, err := entries(root, name)
	if err != nil {
		return s, err
	}
	for _, e := range list {
		st, err := e.Info()
		if err != nil {
			return s, err
		}
		if s.files, s.size = s.files+1, s.size+st.Size(); st.ModTime().After(s.changed) {
			s.changed = st.ModTime()
		}
	}
	return s, nil
}

// claim moves name into a place of its own, whose name is also the key under which it is
// sent: what is sent once more after a crash is the same act.
func (d *drop) claim(root *os.Root, name string) error {
	id := string(exchange.NewID("tm_", d.now()))
	if err := root.Mkdir(path.Join(takenDir, id), 0o700); err != nil {
		return folderError(err)
	}
	err := root.Rename(name, path.Join(takenDir, id, name))
	if err != nil {
		_ = root.Remove(path.Join(takenDir, id))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another process took it
	}
	return folderError(err)
}

// handle sends what was taken under id, and moves it to where its outcome tells.
func (d *drop) handle(ctx context.Context, root *os.Root, id string) error {
	list, err := entries(root, path.Join(takenDir, id))
	if err != nil {
		return err
	}
	name := ""
	for _, e := range list {
		if e.Name() != workDir {
			name = e.Name()
		}
	}
	if name == "" { // it was moved on, or never came
		return folderError(root.RemoveAll(path.Join(takenDir, id)))
	}
	out := dropOutcome{File: name, At: d.now().In(exchange.Vietnam).Truncate(time.Second)}
	made, err := d.sendTaken(ctx, root, id, name)
	if err != nil && (ctx.Err() != nil || ours(text.CodeOf(err))) {
		return err
	}
	target := sentDir
	if out.Status = "sent"; err != nil {
		e := text.As(err)
		target, out.Status, out.Error = failedDir, "failed", &dropOutcomeFail{Code: e.Code, Message: e.Message(), Fix: e.Fix()}
	}
	for _, x := range made {
		out.Deliveries = append(out.Deliveries, droppedTo{ID: x.ID, OrganID: x.To, Transfer: x.TransferID})
	}
	d.log.Info("folder", "status", out.Status, "deliveries", len(made), "id", id)
	return d.moveOn(root, id, name, target, out)
}

// ours reports whether code says that our own side failed, so that trying again helps.
func ours(code text.Code) bool {
	switch code {
	case text.Internal, text.StorageFull, text.DatabaseUnavailable, text.BlobsUnavailable, text.KeyUnavailable, text.TSAUnavailable,
		text.RevocationUnavailable, text.Interrupted, text.PeerUnavailable:
		return true
	default:
		return false
	}
}

// moveOn writes the outcome and moves name beside it. Both bear id, so that a repeat
// after a crash ends in the same names.
func (d *drop) moveOn(root *os.Root, id, name, target string, out dropOutcome) error {
	data, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	to := path.Join(target, strings.TrimPrefix(id, "tm_")+"-"+name)
	_ = root.Remove(to + ".json" + partSuffix) // of a process that died
	f, err := root.OpenFile(to+".json"+partSuffix, os.O_WRONLY|os.O_CREATE|os.O_EXCL, trayFileMode)
	if err != nil {
		return folderError(err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return folderError(err)
	}
	return folderError(errors.Join(root.Rename(to+".json"+partSuffix, to+".json"), root.Rename(path.Join(takenDir, id, name), to),
		root.RemoveAll(path.Join(takenDir, id)), syncIn(root, target)))
}

// actor is the folder as one who acts: a system of the agency.
func (d *drop) actor() exchange.Actor {
	return exchange.Actor{ID: "folder", Name: text.Get("folder.actor").VI, Role: exchange.RoleIntegrator, Agency: d.agency}
}

// sendTaken sends a message, or what a folder or an archive makes one of.
func (d *drop) sendTaken(ctx context.Context, root *os.Root, id, name string) ([]exchange.Delivery, error) {
	at := path.Join(takenDir, id, name)
	st, err := root.Lstat(at)
	if err != nil {
		return nil, folderError(err)
	}
	ext := strings.ToLower(path.Ext(name))
	switch {
	case st.Mode().IsRegular() && ext == ".edxml":
	case st.Mode().IsRegular() && ext == ".zip":
		at, err = d.unzip(root, id, at)
		if err == nil {
			at, err = d.pack(root, id, at)
		}
	case st.IsDir():
		at, err = d.pack(root, id, at)
	default: // a link, a pipe, or a file of another kind
		err = text.Detailed(text.InvalidInput, nil, "folder.kind")
	}
	if err != nil {
		return nil, err
	}
	f, err := root.Open(at)
	if err != nil {
		return nil, folderError(err)
	}
	defer func() { _ = f.Close() }()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, errors.Join(err, text.Detailed(text.InvalidInput, nil, "folder.kind"))
	} else if st.Size() > d.limit {
		return nil, text.Errorf(text.TooLarge, nil)
	}
	return d.send(ctx, d.actor(), "folder:"+id, io.LimitReader(f, d.limit+1))
}

// pack makes a message of a folder, as `antin edxml pack` does.
func (d *drop) pack(root *os.Root, id, dir string) (string, error) {
	list, err := entries(root, dir)
	if err != nil {
		return "", err
	}
	for _, e := range list {
		if !e.Type().IsRegular() {
			return "", text.Detailed(text.InvalidInput, nil, "folder.kind")
		}
	}
	work := path.Join(takenDir, id, workDir)
	if err := root.Mkdir(work, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", folderError(err)
	}
	out := path.Join(work, "goi.edxml")
	c := edxmlPackCmd{Header: filepath.Join(d.dir, filepath.FromSlash(dir), headerName), Output: filepath.Join(d.dir, filepath.FromSlash(out)), Force: true}
	_, err = c.pack(streams{}.outputs())
	return out, err
}
