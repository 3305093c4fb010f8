package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/store"
)

const (
	// directoryWatch is how often it is looked whether the directory has expired: an
	// operator should hear of it before the next document waits for long.
	directoryWatch = time.Minute
	// directoryWarn is how long before its end doctor warns of a directory: time to have
	// a new one signed and handed round.
	directoryWarn = 14 * 24 * time.Hour
)

// mayLeave says why nothing may leave this gateway at present, nil when it may.
func (g *gateway) mayLeave(ctx context.Context) error {
	if err := g.quarantine.Gate(ctx); err != nil || g.cfg.DirectoryExpired != "stop" {
		return err
	}
	return g.directory.closed(ctx)
}

// watchDirectory tells once of each version of the directory that has expired, in the
// log and as an alarm in the evidence.
func (g *gateway) watchDirectory(ctx context.Context) error {
	a, expired, ok := g.directory.state()
	if !ok || !expired || g.expiredSerial == a.Serial {
		return nil
	}
	g.expiredSerial = a.Serial
	g.log.Error("directory has expired", "serial", a.Serial, "expired", a.ExpiresAt, "sending", g.cfg.DirectoryExpired != "stop")
	return g.db.Update(ctx, func(tx exchange.Tx) error {
		agency := g.office.Agency.Code
		_, err := tx.AppendEvent(ctx, exchange.Event{Agency: agency, At: g.now().UTC(), Kind: exchange.EventDirectoryExpired, Subject: "directory",
			By: exchange.System(agency), Digest: exchange.Digest(a.SHA256), Data: map[string]string{"serial": strconv.FormatInt(a.Serial, 10),
				"expires": a.ExpiresAt.UTC().Format(time.RFC3339)}})
		return err
	})
}

// directory says which version of the directory is there, of what age and by whom.
func (d *doctor) directory(ctx context.Context) []finding {
	if d.cfg.Directory == "" {
		return nil // peers tells
	}
	if len(d.cfg.DirectoryTrust) == 0 {
		return []finding{good("directory", "doctor.directory.plain")}
	}
	dir, err := d.cfg.openDirectory(d.own(), d.e.now, nil)
	if err == nil {
		err = dir.signed.failed
	}
	if err != nil {
		return []finding{bad(findingFail, "directory", err, "doctor.peers.directory")}
	}
	a, expired, _ := dir.state()
	day := a.ExpiresAt.In(exchange.Vietnam).Format("02/01/2006 15:04")
	newest, err := d.newestDirectory(ctx)
	switch {
	case err != nil:
		return []finding{bad(findingWarn, "directory", err, "doctor.peers.directory")}
	case newest.Serial > a.Serial:
		return []finding{bad(findingFail, "directory", nil, "doctor.directory.rollback", a.Serial, newest.Serial)}
	case expired:
		return []finding{bad(findingFail, "directory", nil, "doctor.directory.expired", a.Serial, day)}
	case a.ExpiresAt.Sub(d.e.now()) < directoryWarn:
		return []finding{bad(findingWarn, "directory", nil, "doctor.directory.soon", a.Serial, day)}
	}
	return []finding{good("directory", "doctor.directory", a.Serial, int(d.e.now().Sub(a.IssuedAt)/(24*time.Hour)), a.Signer, day)}
}

// newestDirectory is what the database remembers; the zero value where there is none yet.
func (d *doctor) newestDirectory(ctx context.Context) (a exchange.AcceptedDirectory, err error) {
	o, err := d.cfg.storeOptions(d.e)
	if err != nil {
		return a, err
	}
	if o.Database == "" && !store.Exists(d.cfg.DataDir) {
		return a, nil
	}
	db, err := store.OpenBeside(ctx, o)
	if text.CodeOf(err) == text.StateConflict {
		return a, nil // of an earlier version, which knew of none
	}
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	g := exchange.DirectoryGuard{Store: db, Agency: exchange.AgencyCode(d.cfg.Agency.Code), Now: d.e.now}
	return g.Newest(ctx)
}
