package web

import (
	"testing"
	"time"

	"antin/exchange"
)

func TestShelfKeepsAFileForItsTimeAndNoLonger(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	s := newShelf(func() time.Time { return now })
	s.put("a", []byte("một"))
	now = now.Add(shelfTime - time.Second)
	s.put("b", []byte("hai"))
	if data, ok := s.get("a"); !ok || string(data) != "một" {
		t.Error("a file went before its time")
	}
	now = now.Add(time.Second)
	if _, ok := s.get("a"); ok {
		t.Error("a file stays beyond its time")
	}
	if _, ok := s.get("b"); !ok {
		t.Error("a younger file went with it")
	}
	now = now.Add(shelfTime)
	s.sweep()
	if s.size != 0 || len(s.files) != 0 || len(s.order) != 0 {
		t.Errorf("%d bytes are counted on an empty shelf", s.size)
	}
}

func TestShelfIsBoundedByTheBytesOnIt(t *testing.T) {
	t.Parallel()
	s := newShelf(time.Now)
	const each = MaxUpload
	for i := range 10 {
		s.put(exchange.ID(rune('a'+i)), make([]byte, each))
		if s.size > shelfBytes {
			t.Fatalf("%d bytes on the shelf", s.size)
		}
	}
	if _, ok := s.get("a"); ok {
		t.Error("the oldest is still there")
	}
	if _, ok := s.get("j"); !ok {
		t.Error("the newest is not")
	}
}
