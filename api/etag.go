package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"antin/exchange"
	"antin/internal/text"
)

// etagOf is the entity tag of the version of what can be edited.
func etagOf(version int) string { return `"` + strconv.Itoa(version) + `"` }

// expecting returns a context under which an act on id goes on only while the object
// is of a version that an If-Match header names; the header itself was checked by
// ifMatch before, and holds one of our tags or "*".
func expecting(ctx context.Context, header string, id exchange.ID) context.Context {
	var versions []int
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "" || tag == "*" {
			return ctx
		}
		if n, err := strconv.Atoi(strings.Trim(tag, `"`)); err == nil && etagOf(n) == tag {
			versions = append(versions, n)
		}
	}
	return exchange.Expect(ctx, id, versions...)
}

// ifMatch checks an If-Match header (RFC 9110, 13.1.1) against the version that
// stands now; precondition-failed with the current tag for another. It spares the work
// of an act that cannot be; what counts is the check in the act's own transaction.
func ifMatch(header string, version int) error {
	if header == "" {
		return nil
	}
	for tag := range strings.SplitSeq(header, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == etagOf(version) {
			return nil
		}
	}
	return changed(version)
}

// changed is precondition-failed with the tag of what stands now.
func changed(version int) error {
	return &refusal{err: text.Errorf(text.PreconditionFailed, nil), header: http.Header{"Etag": {etagOf(version)}},
		fields: []fault{newFault("header/If-Match", faultValue)}}
}

// mustMatch is ifMatch for an edit, which may not go without.
func mustMatch(header string, version int) error {
	if header == "" {
		return &refusal{err: text.Errorf(text.PreconditionRequired, nil), header: http.Header{"Etag": {etagOf(version)}},
			fields: []fault{newFault("header/If-Match", faultRequired)}}
	}
	return ifMatch(header, version)
}

// noneMatch reports whether the client holds what tag names already (RFC 9110, 13.1.2).
func noneMatch(header, tag string) bool {
	for t := range strings.SplitSeq(header, ",") {
		if t = strings.TrimPrefix(strings.TrimSpace(t), "W/"); t == tag || t == "*" {
			return true
		}
	}
	return false
}
