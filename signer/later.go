package signer

import (
	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/pades"
)

// postponed reports whether a signature for which no time-stamp was to be had may
// stand as B-B, and makes the run one of that level. The room for the time-stamp
// stays, so that Augment can put it in later. A field whose seed value demands a
// time-stamp gets none of this.
func (r *run) postponed(err error) bool {
	if err == nil || !r.req.TimestampLater || text.CodeOf(err) != text.TSAUnavailable {
		return false
	}
	asked := r.req.Level
	r.req.Level = ades.BB
	o := r.options(r.id.chain)
	o.FieldName, o.NewFieldAfterCertify = r.prepared.Field, true // found in order before
	if pades.Preflight(r.file, o) != nil {
		r.req.Level = asked
		return false
	}
	r.token = nil
	r.warn(WarnTimestampLater)
	return true
}
