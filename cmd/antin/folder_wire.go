package main

import (
	"context"
	"errors"
	"os"

	"antin/exchange"
)

// openFolders has the worker look after the folders that the configuration names.
func (g *gateway) openFolders() {
	f, code := g.cfg.Folder, g.office.Agency.Code
	if f.Outgoing != "" {
		d := &drop{dir: f.Outgoing, agency: code, limit: int64(g.cfg.Limits.MaxPayloadMB) << 20, send: g.outbox.SendMessage, now: g.now, log: g.log}
		g.worker.Errands = append(g.worker.Errands, exchange.Errand{Name: "outgoing folder", Every: dropEvery, Do: d.look})
	}
	if f.Incoming != "" {
		x := &exchange.Exporter{Store: g.db, Blobs: g.db, Tray: tray{f.Incoming}, Agency: code, Now: g.now, OnArrival: f.When == "arrived",
			Worker: g.worker, Bell: g.bell, OnError: func(err error) { g.log.Error("incoming folder", "error", err) }}
		g.worker.Errands = append(g.worker.Errands, exchange.Errand{Name: "incoming folder", Every: folderAgain, Do: x.Run})
	}
}

// folders proves that the folders can be worked in, and that webhooks have somewhere to go.
func (d *doctor) folders(context.Context) (out []finding) {
	for _, dir := range []string{d.cfg.Folder.Outgoing, d.cfg.Folder.Incoming} {
		if dir == "" {
			continue
		}
		if err := tryFolder(dir); err != nil {
			out = append(out, bad(findingFail, "folder", err, "doctor.folder.bad", dir))
			continue
		}
		out = append(out, good("folder", "doctor.folder", dir))
	}
	return out
}

// tryFolder makes and renames a file in dir.
func tryFolder(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	const probe = ".antin-doctor"
	f, err := root.OpenFile(probe, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close(), root.Rename(probe, probe+"-2"), root.Remove(probe+"-2"))
}
