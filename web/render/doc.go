// Package render makes images and plain text of the pages of a PDF.
//
// A PDF from outside is hostile until proved otherwise, so PDFium runs as
// WebAssembly inside a child process of its own, one for each page asked for, with
// limits on memory, processor time, wall time and on what it may answer. The child
// gets the bytes on its standard input, sees no file and no network, and dies with
// its answer. The parent (Renderer) keeps finished pages in a small cache.
//
// The verb that runs the child is Serve; the command line wires it as a hidden verb.
package render

import "time"

// Limits of one page. They bound what a hostile file can cost.
const (
	// MaxDocument is the largest PDF handed to the child, in bytes.
	MaxDocument = 200 << 20
	// maxImage is the largest encoded image taken from the child, in bytes.
	maxImage = 16 << 20
	// maxText is the most text taken from one page, in bytes.
	maxText = 1 << 20
	// MaxWidth and maxHeight bound the image, in pixels: A3 at 144 dpi fits.
	MaxWidth  = 2000
	maxHeight = 4000
	// wasmPages bounds the memory that PDFium itself may take, in 64 KiB pages: 512 MiB.
	wasmPages = 8192
	// goMemory is the soft limit of the child's Go heap, in bytes.
	goMemory = 256 << 20
	// cpuSeconds is the processor time after which the system ends the child.
	cpuSeconds = 30
	// defaultTimeout is the wall time for one page. The first page ever includes
	// compiling PDFium (seconds); later ones take the compiled form from the cache.
	defaultTimeout = 40 * time.Second
)

// Page is one rendered page.
type Page struct {
	// Pages is the number of pages of the document.
	Pages int `json:"pages"`
	// Width and Height are those of the image, in pixels.
	Width  int `json:"width"`
	Height int `json:"height"`
	// Text is the page's text in reading order, for people who cannot see the image.
	Text string `json:"text"`
	// Box is the part of the page that the image shows, left, bottom, right, top in
	// points of the page's own space; zero when unknown.
	Box [4]float64 `json:"box"`
	// Rotate counts the quarter turns, clockwise, by which the page is shown.
	Rotate int `json:"rotate"`
	// PNG is the image.
	PNG []byte `json:"-"`
}

// header is what the child answers before the image.
type header struct {
	Page
	Image int    `json:"image"` // bytes of PNG that follow
	Error string `json:"error,omitempty"`
	// Locked says that the document opens by a password only.
	Locked bool `json:"locked,omitempty"`
}
