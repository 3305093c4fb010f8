package pdf_test

import (
	"bytes"
	"testing"

	"antin/signer/pdf"
)

// program is how a fuzzer says what an update does: bytes that are taken one by one.
type program struct{ rest []byte }

func (p *program) next() int {
	if len(p.rest) == 0 {
		return 0
	}
	b := p.rest[0]
	p.rest = p.rest[1:]
	return int(b)
}

// object makes an object of the bytes.
func (p *program) object(depth int) pdf.Object {
	switch kind := p.next() % 8; {
	case kind == 1:
		return pdf.Bool(p.next()%2 == 0)
	case kind == 2:
		return pdf.Int(int64(p.next())<<(p.next()%56) - 1)
	case kind == 3:
		n := min(p.next(), len(p.rest))
		s := pdf.String{Value: bytes.Clone(p.rest[:n]), Hex: p.next()%2 == 0}
		p.rest = p.rest[min(n, len(p.rest)):]
		return s
	case kind == 4:
		return pdf.Name([]byte{'N', byte(p.next()), byte(p.next())})
	case kind == 5 && depth > 0:
		var a pdf.Array
		for range p.next() % 5 {
			a = append(a, p.object(depth-1))
		}
		return a
	case kind == 6 && depth > 0:
		d := pdf.NewDict()
		for range p.next() % 5 {
			d.Set(pdf.Name([]byte{'K', byte('a' + p.next()%26)}), p.object(depth-1))
		}
		return d
	}
	return pdf.Real(float64(p.next()) / 8)
}

// FuzzUpdate writes updates over updates, of new objects and of overridden ones in any
// order, and reads them back: nothing is lost, nothing else changes, the bytes before
// stay.
func FuzzUpdate(f *testing.F) {
	f.Add(uint8(0), []byte{})
	f.Add(uint8(1), []byte{3, 0, 2, 1, 40, 0, 3, 5, 1, 2, 3, 4, 5, 0, 1, 6, 2, 1, 2, 3, 4})
	f.Add(uint8(2), []byte{9, 1, 3, 4, 9, 9, 1, 1, 5, 3, 2, 2, 2, 1, 255, 255, 6, 4, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Add(uint8(3), bytes.Repeat([]byte{7, 0, 3, 200}, 40))
	kinds := []pdf.SectionKind{pdf.SectionTable, pdf.SectionStream, pdf.SectionHybrid}
	f.Fuzz(func(t *testing.T, kind uint8, code []byte) {
		data := samples()[kinds[int(kind)%len(kinds)]]
		p := &program{code}
		want := map[pdf.Ref]string{}
		for range 3 {
			file := mustOpen(t, data)
			u := file.NewUpdate()
			for range 1 + p.next()%16 {
				var ref pdf.Ref
				override := p.next()
				o := p.object(3)
				if nums := len(want); override%2 == 1 && nums > 0 {
					for r := range want {
						if ref.IsZero() || r.Num < ref.Num {
							ref = r
						}
					}
					u.Put(ref, o)
				} else {
					ref = u.Add(o)
				}
				want[ref] = string(pdf.Append(nil, o))
			}
			out := joinBuilt(data, mustBuild(t, u))
			if !bytes.HasPrefix(out, data) {
				t.Fatal("the bytes before changed")
			}
			again := mustOpen(t, out)
			if err := again.SigningProblem(); err != nil {
				t.Fatalf("what was written asks for repair: %v", err)
			}
			for ref, spelled := range want {
				o, err := again.Load(ref)
				if err != nil || string(pdf.Append(nil, o)) != spelled {
					t.Fatalf("%s reads %s, %v, not %s", ref, pdf.Append(nil, o), err, spelled)
				}
			}
			a, err := file.NumPages()
			b, err2 := again.NumPages()
			if err != nil || err2 != nil || a != b {
				t.Fatalf("pages %d, %v, were %d, %v", b, err2, a, err)
			}
			data = out
		}
	})
}
