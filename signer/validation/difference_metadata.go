package validation

import (
	"bytes"
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"antin/signer/pdf"
)

const (
	// maxMetadata bounds an XMP packet, in bytes; real ones stay below a megabyte.
	maxMetadata = 2 << 20
	// metadataCost is how many values looked at cost about as much as reading one byte
	// of XML.
	metadataCost = 4
)

// metadata compares the XMP packets: only the twins of ModDate and Producer and
// the instance's own id and date may differ.
func (s *step) metadata(root int, a, b pdf.Object) error {
	if resolve(s.old, a) == nil && resolve(s.new, b) == nil {
		return nil
	}
	p := &place{anchors: []location{{root, "/Metadata"}}, objects: map[int]bool{}}
	s.claim(p, b)
	same, err := s.equal(resolve(s.old, a), resolve(s.new, b))
	if err != nil || same {
		return err
	}
	x, okX := resolve(s.old, a).(*pdf.Stream)
	y, okY := resolve(s.new, b).(*pdf.Stream)
	if okX && okY {
		before, errX := s.old.Decode(x, maxMetadata)
		now, errY := s.new.Decode(y, maxMetadata)
		if err := s.d.spend(metadataCost * (len(before) + len(now))); err != nil {
			return err
		}
		if errX == nil && errY == nil && sameMetadata(before, now) {
			s.onlyWithin(p)
			return nil
		}
	} else if okY && s.added[refNum(b)] && resolve(s.old, a) == nil {
		if now, err := s.new.Decode(y, maxMetadata); err == nil && emptyMetadata(now) {
			return nil
		}
	}
	s.forbid(refNum(b), ChangeOther, "change.info", "Metadata")
	return nil
}

// The XMP properties that say when and by what a file was last written.
var volatileProperties = map[xml.Name]bool{
	{Space: "http://ns.adobe.com/xap/1.0/", Local: "ModifyDate"}:    true,
	{Space: "http://ns.adobe.com/xap/1.0/", Local: "MetadataDate"}:  true,
	{Space: "http://ns.adobe.com/pdf/1.3/", Local: "Producer"}:      true,
	{Space: "http://ns.adobe.com/xap/1.0/mm/", Local: "InstanceID"}: true,
}

// sameMetadata reports whether two XMP packets say the same but for the volatile
// properties, which may stand as elements or as attributes.
func sameMetadata(a, b []byte) bool {
	x, okX := metadataDigest(a)
	y, okY := metadataDigest(b)
	return okX && okY && x == y
}

// metadataDigest is a digest of what a packet says, each token with its length.
func metadataDigest(packet []byte) (sum [sha256.Size]byte, ok bool) {
	h := sha256.New()
	ok = metadataTokens(packet, func(t string) {
		_, _ = fmt.Fprintf(h, "%d:%s", len(t), t) // a hash takes everything
	})
	return [sha256.Size]byte(h.Sum(nil)), ok
}

// emptyMetadata reports whether a packet states volatile properties alone.
func emptyMetadata(packet []byte) bool {
	says := false
	ok := metadataTokens(packet, func(t string) {
		says = says || t != ">" && !strings.HasPrefix(t, "<adobe:ns:meta/ ") && !strings.HasPrefix(t, "<"+rdf+" ") && t != "@"+rdf+" about="
	})
	return ok && !says
}

const rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

// metadataTokens hands out the tokens of a packet, volatile properties left out. It
// reports false for one that is no XML.
func metadataTokens(packet []byte, each func(token string)) bool {
	d := xml.NewDecoder(bytes.NewReader(packet))
	d.Strict = true
	skip := 0
	for {
		t, err := d.Token()
		if err == io.EOF { //nolint:errorlint // Token returns io.EOF as it is
			return skip == 0
		}
		if err != nil {
			return false
		}
		switch t := t.(type) {
		case xml.StartElement:
			if skip > 0 || volatileProperties[t.Name] {
				skip++
				continue
			}
			each("<" + t.Name.Space + " " + t.Name.Local)
			for _, a := range attributes(t.Attr) {
				each(a)
			}
		case xml.EndElement:
			if skip > 0 {
				skip--
				continue
			}
			each(">")
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); text != "" && skip == 0 {
				each(text)
			}
		}
	}
}

func attributes(list []xml.Attr) []string {
	var out []string
	for _, a := range list {
		// Namespace declarations are already in the names; the toolkit's own mark
		// changes with the program that wrote the packet.
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" || a.Name.Local == "xmptk" || volatileProperties[a.Name] {
			continue
		}
		out = append(out, "@"+a.Name.Space+" "+a.Name.Local+"="+a.Value)
	}
	slices.Sort(out)
	return out
}
