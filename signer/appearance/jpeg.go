package appearance

import (
	"bytes"
	"encoding/binary"
	"image"

	"antin/signer/pdf"
)

// The markers of JPEG that matter here (ITU-T T.81, table B.1).
const (
	jpegStart   = 0xd8
	jpegEnd     = 0xd9
	jpegScan    = 0xda
	jpegApp0    = 0xe0 // JFIF
	jpegAdobe   = 0xee // APP14: how colours are meant
	jpegApp15   = 0xef
	jpegComment = 0xfe
	jpegFill    = 0xff
)

// isJPEG reports whether data begins as a JPEG does.
func isJPEG(data []byte) bool { return bytes.HasPrefix(data, []byte{jpegFill, jpegStart, jpegFill}) }

// embedJPEG puts a grey or YCbCr JPEG into a as it is, without what a camera wrote into
// it beside the picture: place, time and owner of the telephone are nobody's business.
// ok is false for another kind of picture, which is embedded by its pixels.
func embedJPEG(a adder, data []byte, picture image.Image) (ref pdf.Ref, ok bool) {
	var space pdf.Name
	switch picture.(type) {
	case *image.YCbCr:
		space = "DeviceRGB"
	case *image.Gray:
		space = "DeviceGray"
	default:
		return pdf.Ref{}, false
	}
	if !isJPEG(data) {
		return pdf.Ref{}, false
	}
	bare, ok := bareJPEG(data)
	if !ok {
		return pdf.Ref{}, false
	}
	dict := imageDict(picture.Bounds(), space)
	dict.Set("Filter", pdf.Name("DCTDecode"))
	return a.Add(pdf.NewStream(dict, bare)), true
}

// bareJPEG is a JPEG without comments and application data but those that say how to
// show it, and without what stands behind its end; ok is false when its segments cannot
// be told.
func bareJPEG(data []byte) (bare []byte, ok bool) {
	bare = append(bare, data[:2]...)
	for at := 2; at+2 <= len(data) && data[at] == jpegFill; {
		marker := data[at+1]
		switch {
		case marker == jpegFill:
			at++ // any number of them may stand before a marker
			continue
		case marker == jpegEnd:
			return append(bare, jpegFill, jpegEnd), true
		case at+4 > len(data):
			return nil, false
		}
		end := at + 2 + int(binary.BigEndian.Uint16(data[at+2:]))
		if end > len(data) || end < at+4 {
			return nil, false
		}
		if marker == jpegScan {
			end += scanLength(data[end:])
		}
		beside := marker == jpegComment || marker > jpegApp0 && marker <= jpegApp15 && marker != jpegAdobe
		if !beside {
			bare = append(bare, data[at:end]...)
		}
		at = end
	}
	return nil, false
}

// scanLength is how far the coded pixels at the start of data go: to the next marker
// that is not one of theirs.
func scanLength(data []byte) int {
	for i := 0; i+1 < len(data); i++ {
		m := data[i+1]
		if restart := m >= 0xd0 && m <= 0xd7; data[i] == jpegFill && m != 0 && m != jpegFill && !restart {
			return i
		}
	}
	return len(data)
}
