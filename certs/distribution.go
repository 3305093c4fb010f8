package certs

import (
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// reasonMask is a ReasonFlags set (RFC 5280, 4.2.1.13), bit i for flag i.
type reasonMask uint16

// allReasons are flags 1 (keyCompromise) to 8 (aACompromise).
const allReasons reasonMask = 0x1fe

// distributionPointName is where a CRL is found: names, or one part to append to
// the CRL issuer's name.
type distributionPointName struct {
	names    []string // comparison keys
	relative string   // comparison key of the part
	uris     []string
}

func (d distributionPointName) empty() bool { return len(d.names) == 0 && d.relative == "" }

// resolve returns the comparison keys, given the CRL issuer's.
func (d distributionPointName) resolve(issuerKey string) []string {
	if d.relative != "" {
		return []string{"dir:" + issuerKey + d.relative}
	}
	return d.names
}

// distributionPoint is one entry of a certificate's CRL distribution points.
type distributionPoint struct {
	distributionPointName
	reasons   reasonMask // allReasons when not limited
	crlIssuer []string   // folded directory names; empty: the certificate's issuer
}

func readDistributionPoints(in cryptobyte.String) ([]distributionPoint, bool) {
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, false
	}
	var all []distributionPoint
	for !seq.Empty() {
		dp, ok := readDistributionPoint(&seq)
		if !ok || len(all) >= maxListItems {
			return nil, false
		}
		all = append(all, dp)
	}
	return all, true
}

// freshest reads the addresses of delta CRLs (RFC 5280, 4.2.1.15 and 5.2.6); none
// where they cannot be read, since they only point somewhere.
func freshest(in cryptobyte.String) (uris []string) {
	points, _ := readDistributionPoints(in)
	for _, dp := range points {
		uris = append(uris, dp.uris...)
	}
	return uris
}

func readDistributionPoint(seq *cryptobyte.String) (dp distributionPoint, ok bool) {
	var one, part cryptobyte.String
	var present bool
	dp.reasons = allReasons
	if !seq.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadOptionalASN1(&part, &present, contextConstructed(0)) {
		return dp, false
	}
	if present {
		if dp.distributionPointName, ok = readDistributionPointName(part); !ok {
			return dp, false
		}
	}
	if !one.ReadOptionalASN1(&part, &present, cbasn1.Tag(1).ContextSpecific()) {
		return dp, false
	}
	if present {
		if dp.reasons, ok = readReasons(part); !ok {
			return dp, false
		}
	}
	if !one.ReadOptionalASN1(&part, &present, contextConstructed(2)) {
		return dp, false
	}
	if present {
		names, ok := readGeneralNames(part)
		if !ok {
			return dp, false
		}
		for _, d := range names.dirs {
			dp.crlIssuer = append(dp.crlIssuer, d.key())
		}
	}
	return dp, one.Empty()
}

func readDistributionPointName(in cryptobyte.String) (d distributionPointName, ok bool) {
	var value cryptobyte.String
	var tag cbasn1.Tag
	if !in.ReadAnyASN1(&value, &tag) || !in.Empty() {
		return d, false
	}
	if tag == contextConstructed(1) {
		name, err := nameOfPart(value)
		if err != nil {
			return d, false
		}
		d.relative = name.key()
		return d, true
	}
	if tag != contextConstructed(0) {
		return d, false
	}
	names, ok := readGeneralNames(value)
	d.names, d.uris = names.keys(), names.uris
	return d, ok
}

// nameOfPart reads the attributes of one relative distinguished name as a name of one part.
func nameOfPart(set []byte) (rdnSequence, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(set) })
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	return parseName(der)
}

// readReasons reads the content of a ReasonFlags BIT STRING.
func readReasons(content cryptobyte.String) (reasonMask, bool) {
	if len(content) < 1 || content[0] > 7 {
		return 0, false
	}
	bits := asn1.BitString{Bytes: content[1:], BitLength: 8*(len(content)-1) - int(content[0])}
	var m reasonMask
	for i := 1; i <= 8; i++ {
		if bits.At(i) != 0 {
			m |= 1 << i
		}
	}
	return m, true
}

func contextConstructed(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
