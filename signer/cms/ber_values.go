package cms

import (
	"encoding/asn1"
	"fmt"
	"math/big"
)

// octets returns the value of the string e, whose primitive form has tag: its
// body, or its segments put together when it is constructed.
func (r *reader) octets(e element, tag byte) ([]byte, error) {
	if e.tag == tag {
		return e.body, nil
	}
	if e.tag != tag|constructed {
		return nil, fmt.Errorf("%w: OCTET STRING expected", ErrMalformed)
	}
	r.ber = true
	return r.segments(make([]byte, 0, len(e.body)), e, maxSegmentDepth)
}

func (r *reader) segments(dst []byte, e element, depth int) ([]byte, error) {
	if depth == 0 {
		return nil, fmt.Errorf("%w: segments deeper than %d", ErrLimit, maxSegmentDepth)
	}
	for c := r.in(e); !c.empty(); {
		s, err := c.next()
		if err != nil {
			return nil, err
		}
		switch s.tag {
		case tagOctetString:
			dst = append(dst, s.body...)
		case tagOctetString | constructed:
			if dst, err = r.segments(dst, s, depth-1); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("%w: OCTET STRING segment expected", ErrMalformed)
		}
	}
	return dst, nil
}

// octetString reads an OCTET STRING in either form.
func (c *cursor) octetString(what string) ([]byte, error) {
	e, err := c.next()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	v, err := c.r.octets(e, tagOctetString)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return v, nil
}

// oid reads an OBJECT IDENTIFIER. One with an arc that does not fit an int is nil.
func (c *cursor) oid(what string) (asn1.ObjectIdentifier, error) {
	e, err := c.expect(tagOID, what)
	if err != nil {
		return nil, err
	}
	oid, ok := parseOID(e.body)
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrMalformed, what)
	}
	return oid, nil
}

func parseOID(body []byte) (oid asn1.ObjectIdentifier, ok bool) {
	const maxOctets = 128 // real identifiers have some 10, UUID ones 20
	if len(body) == 0 || len(body) > maxOctets || body[len(body)-1]&0x80 != 0 {
		return nil, false
	}
	arc, fits := 0, true
	for _, b := range body {
		if arc >= 1<<55 {
			fits = false
		}
		arc = arc<<7 | int(b&0x7F)
		if b&0x80 != 0 {
			continue
		}
		if len(oid) == 0 {
			first := min(arc/40, 2)
			oid = append(oid, first, arc-40*first)
		} else {
			oid = append(oid, arc)
		}
		arc = 0
	}
	if !fits {
		return nil, true
	}
	return oid, true
}

// integer reads an INTEGER.
func (c *cursor) integer(what string) (*big.Int, error) {
	e, err := c.expect(tagInteger, what)
	if err != nil {
		return nil, err
	}
	if len(e.body) == 0 || len(e.body) > maxInteger {
		return nil, fmt.Errorf("%w: %s of %d bytes", ErrMalformed, what, len(e.body))
	}
	n := new(big.Int).SetBytes(e.body)
	if e.body[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(e.body))*8))
	}
	return n, nil
}

// version reads a CMSVersion.
func (c *cursor) version(what string) (int, error) {
	n, err := c.integer(what)
	if err != nil {
		return 0, err
	}
	const maxVersion = 127 // CMS knows 0 to 5
	if !n.IsInt64() || n.Sign() < 0 || n.Int64() > maxVersion {
		return 0, fmt.Errorf("%w: %s", ErrMalformed, what)
	}
	return int(n.Int64()), nil
}
