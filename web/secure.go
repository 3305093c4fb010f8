package web

import (
	"net/http"
)

const (
	// maxForm bounds the body of a form without a file, in bytes: a reason of 500
	// characters, percent-encoded, fits many times.
	maxForm = 64 << 10
	// MaxUpload bounds a PDF that someone uploads to a page, in bytes: a scanned file
	// of a hundred pages, and what a page may hold in memory.
	MaxUpload = 30 << 20
	// maxUploadBody bounds what is read of a body with a file, in bytes. It is more
	// than MaxUpload, so that a browser that sends too much gets to read the answer
	// instead of a broken connection.
	maxUploadBody = 128 << 20
)

// contentPolicy admits our own files and nothing else: no inline script or style,
// no other origin, no frame.
const contentPolicy = "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// headers sets those of every answer.
func headers(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", contentPolicy)
		head.Set("X-Content-Type-Options", "nosniff")
		// Not no-referrer: under that, browsers send our own forms with "Origin: null",
		// which the check of Origin refuses. Other sites learn nothing either way.
		head.Set("Referrer-Policy", "same-origin")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.ServeHTTP(w, r)
	})
}

// secure is headers, and a bound on the body of every request; paths that take a
// file have a greater one.
func secure(h http.Handler, uploads ...string) http.Handler {
	return headers(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := int64(maxForm)
		for _, path := range uploads {
			if r.URL.Path == path {
				limit = maxUploadBody
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		h.ServeHTTP(w, r)
	}))
}
