package web

import (
	"image"
	"strconv"
	"sync"

	"antin/web/render"
)

// maxLooks bounds the comparisons remembered; each is a few boxes.
const maxLooks = 512

// looks remembers what comparing two images of a page came to: a page of ours is
// asked for again and again, the images stay what they are. The zero value is ready.
type looks struct {
	mu   sync.Mutex
	seen map[string]look
}

type look struct {
	boxes []image.Rectangle
	err   error
}

// lookKey names a comparison: the file, the page, and the older version by its
// length.
func lookKey(src source, n int, length int64) string {
	return string(src.digest) + "/" + strconv.Itoa(n) + "/" + strconv.FormatInt(length, 10)
}

func (l *looks) differences(key string, was, now render.Page) ([]image.Rectangle, error) {
	l.mu.Lock()
	known, ok := l.seen[key]
	l.mu.Unlock()
	if ok {
		return known.boxes, known.err
	}
	boxes, err := render.Differences(was.PNG, now.PNG)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil || len(l.seen) >= maxLooks {
		l.seen = map[string]look{} // beginning anew is simpler than knowing which were used
	}
	l.seen[key] = look{boxes, err}
	return boxes, err
}

// inkOf is where a page is printed on; a page that cannot be looked at counts as empty.
func inkOf(drawn render.Page) render.Ink {
	ink, err := render.InkOf(drawn.PNG)
	if err != nil {
		return render.Ink{}
	}
	return ink
}
