package exchange

import (
	"context"
	"time"
)

// Setting names something that a gateway works by and that stands outside its database.
type Setting string

// The settings whose changes are in the evidence.
const (
	SettingConfig       Setting = "config"        // the configuration file
	SettingDirectory    Setting = "directory"     // who the other agencies are, and their keys
	SettingTransportKey Setting = "transport-key" // our own certificate towards them
)

// NoteSetting leaves an event when a setting of agency has another digest than the
// last one noted. Of the content nothing is kept: it may hold secrets.
func (e *Evidence) NoteSetting(ctx context.Context, by Actor, s Setting, d Digest, now time.Time) error {
	subject := ID("setting:" + string(s))
	return e.Store.Update(ctx, func(tx Tx) error {
		events, err := tx.EventsOf(ctx, subject)
		if err != nil {
			return err
		}
		for i := len(events) - 1; i >= 0; i-- {
			if events[i].Agency != by.Agency {
				continue
			}
			if events[i].Digest == d {
				return nil
			}
			break
		}
		_, err = tx.AppendEvent(ctx, Event{Agency: by.Agency, At: now, Kind: EventSettings, Subject: subject, By: by, Digest: d,
			Data: map[string]string{"what": string(s)}})
		return err
	})
}
