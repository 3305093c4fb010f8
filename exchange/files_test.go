package exchange_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"antin/exchange"
	"antin/internal/text"
)

func TestAnUploadIsReachedOnlyByTheAgencyThatMadeIt(t *testing.T) {
	t.Parallel()
	a, b := newPair(t)
	files := &exchange.Files{Store: a.db, Blobs: a.db, Now: a.Now} // one store, as where one gateway serves both
	blob, err := files.Upload(t.Context(), a.clerk, strings.NewReader("nội dung"))
	must(t, err)
	again, err := files.Upload(t.Context(), a.clerk, strings.NewReader("nội dung"))
	if must(t, err); again != blob {
		t.Errorf("%v, then %v", blob, again)
	}
	r, err := files.Open(t.Context(), a.clerk, blob.Digest)
	must(t, err)
	defer func() { _ = r.Close() }()
	if got, err := io.ReadAll(r); err != nil || string(got) != "nội dung" {
		t.Errorf("%q, %v", got, err)
	}
	_, err = files.Open(t.Context(), b.clerk, blob.Digest)
	wantCode(t, err, text.NotFound)
	other, err := a.db.Put(t.Context(), strings.NewReader("of a document"))
	must(t, err)
	_, err = files.Open(t.Context(), a.clerk, other.Digest)
	wantCode(t, err, text.NotFound)
	_, err = files.Open(t.Context(), a.clerk, "../x")
	wantCode(t, err, text.NotFound)
	_, err = files.Open(t.Context(), exchange.Actor{}, blob.Digest)
	wantCode(t, err, text.NotFound)
	_, err = files.Upload(t.Context(), exchange.Actor{ID: "it", Role: exchange.RoleOperator, Agency: a.clerk.Agency}, strings.NewReader("x"))
	wantCode(t, err, text.NotAllowed)

	// What breaks off is not kept.
	broken := errors.New("cut off")
	if _, err := files.Upload(t.Context(), a.clerk, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	_, err = files.Open(t.Context(), a.clerk, exchange.DigestOf([]byte("half")))
	wantCode(t, err, text.NotFound)

	// The other agency comes to reach it by uploading it itself.
	_, err = files.Upload(t.Context(), b.clerk, strings.NewReader("nội dung"))
	must(t, err)
	mine, err := files.Open(t.Context(), b.clerk, blob.Digest)
	must(t, err)
	must(t, mine.Close())
}
