package etsi

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"antin/certs"
	"antin/signer/validation"
)

// sha256Of is the digest of b; nil for nothing.
func sha256Of(b []byte) *digestAlgAndValue {
	if len(b) == 0 {
		return nil
	}
	sum := sha256.Sum256(b)
	return &digestAlgAndValue{method{digestURIs["SHA-256"]}, sum[:]}
}

// add lists an object once, and returns its identifier.
func (w *writer) add(prefix, kind string, der []byte, poe *proof) string {
	sum := sha256.Sum256(der)
	if id := w.objects[sum]; id != "" {
		return id
	}
	id := prefix + "-" + strconv.Itoa(len(w.list)+1)
	w.objects[sum] = id
	w.list = append(w.list, object{ID: id, Kind: kind, Representation: representation{Base64: der, Digest: *sha256Of(der)}, POE: poe})
	return id
}

// certificate lists c; "" for none.
func (w *writer) certificate(c *certs.Certificate) string {
	if c == nil {
		return ""
	}
	return w.add("C", objectCertificate, c.Raw, nil)
}

func (w *writer) evidence(e certs.Evidence) string {
	if e.Kind == certs.EvidenceCRL {
		return w.add("R", objectCRL, e.DER, nil)
	}
	return w.add("O", objectOCSP, e.DER, nil)
}

// timestamps lists the valid signature time-stamps of s; the earliest, which is
// the best signature time, comes first.
func (w *writer) timestamps(s *validation.Signature) []string {
	var ids []string
	n := 0
	for _, t := range s.Timestamps {
		if n == len(s.Material.Timestamps) {
			break
		}
		if t.Indication != passed {
			continue
		}
		id := w.add("T", objectTimestamp, s.Material.Timestamps[n], &proof{Time: stamp(t.Time), Type: poeValidation})
		n++
		if len(ids) > 0 && t.Time.Equal(s.BestTime.Time) {
			ids = append([]string{id}, ids...)
			continue
		}
		ids = append(ids, id)
	}
	return ids
}

// stamp writes a time as xs:dateTime in UTC.
func stamp(t validation.Time) string { return t.UTC().Format(time.RFC3339) }

// attributesOf lists the attributes in the form of annex A; nil when there is none.
func attributesOf(s *validation.Signature, stamps []string) *attributes {
	a := &attributes{}
	if !s.ClaimedTime.IsZero() {
		a.SigningTime = &signingTime{Signed: true, Time: stamp(s.ClaimedTime)}
	}
	if len(s.Material.MessageDigest) > 0 {
		a.MessageDigest = &messageDigest{Signed: true, Digest: s.Material.MessageDigest}
	}
	n := 0
	for _, t := range s.Timestamps {
		if t.Indication == passed && n < len(stamps) {
			a.Timestamps = append(a.Timestamps, timestampAttribute{Objects: []reference{{stamps[n]}}, Value: stamp(t.Time)})
			n++
		}
	}
	if s.SubFilter != "" {
		a.SubFilter = &subFilter{Signed: true, Name: printable(s.SubFilter)}
	}
	if r := s.Material.ByteRange; r != [4]int64{} {
		for i, n := range r {
			if i > 0 {
				a.ByteRange += " "
			}
			a.ByteRange += strconv.FormatInt(n, 10)
		}
	}
	if a.SigningTime == nil && a.MessageDigest == nil && len(a.Timestamps) == 0 && a.SubFilter == nil && a.ByteRange == "" {
		return nil
	}
	return a
}

// base64Text is xs:base64Binary.
type base64Text []byte

// MarshalText implements encoding.TextMarshaler.
func (b base64Text) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, b), nil
}
