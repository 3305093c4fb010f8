package validation

import (
	"time"

	"antin/certs"
	"antin/internal/text"
)

// What a TRY_LATER waits for.
const (
	NeedNetwork   = "network"    // the question could be answered now, by asking over the network
	NeedNewerData = "newer_data" // the CA has to publish newer data
	NeedSource    = "source"     // the CA's service has to answer again
)

// TryAgain says when and with what an inconclusive revocation status can be settled
// (EN 319 102-1, 5.2.6: TRY_LATER). The zero value says nothing.
type TryAgain struct {
	At   Time   `json:"at"`   // not before; the time of validation means at once
	Need string `json:"need"` // NeedNetwork, NeedNewerData or NeedSource
}

// retryAfter is when a service that gave no usable answer is worth another question:
// long enough for an outage, short enough for the same working day.
const retryAfter = time.Hour

// tryAgain says when the status s may be better known.
func (v *validation) tryAgain(s certs.RevocationStatus) TryAgain {
	switch {
	case !online(v.Revocation) && s.Reason != onHold:
		return TryAgain{At: Time{v.at}, Need: NeedNetwork}
	case s.NextUpdate.After(v.at):
		return TryAgain{At: Time{s.NextUpdate.UTC()}, Need: NeedNewerData}
	case s.Reason == onHold:
		return TryAgain{At: Time{v.at.Add(day)}, Need: NeedNewerData}
	}
	return TryAgain{At: Time{v.at.Add(retryAfter).Truncate(time.Second)}, Need: NeedSource}
}

// words says it to a person.
func (t TryAgain) words() text.Message {
	return say(text.Key("validation.try."+t.Need), shown(t.At.Time))
}
