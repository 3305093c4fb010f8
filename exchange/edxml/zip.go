package edxml

import (
	"bufio"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// zipEntry delivers the one entry of a ZIP archive while it streams by, so that
// a wrapped attachment is never held whole. After the entry's last byte it checks
// that the archive says the same in its descriptor and directory and holds
// nothing else: an archive that reads differently from front and from back is
// refused, not guessed at.
type zipEntry struct {
	src   *countReader
	body  io.Reader
	name  string
	local localHeader
	start int64 // compressed bytes begin here
	crc   hash.Hash32
	n     int64
	limit int64
	done  error
}

type localHeader struct {
	flags, method    uint16
	crc              uint32
	packed, unpacked uint32
}

const (
	zipStored   = 0
	zipDeflated = 8

	flagEncrypted  = 1 << 0
	flagDescriptor = 1 << 3
)

// countReader counts what the decompressor took; being a ByteReader keeps the
// decompressor from reading past the end of its data.
type countReader struct {
	*bufio.Reader
	n int64
}

func (c *countReader) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += int64(n)
	return n, err
}

func (c *countReader) ReadByte() (byte, error) {
	b, err := c.Reader.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

// openZIP reads the local header. limit bounds what may come out, in bytes.
func openZIP(r io.Reader, limit int64) (*zipEntry, error) {
	z := &zipEntry{src: &countReader{Reader: bufio.NewReader(r)}, crc: crc32.NewIEEE(), limit: limit}
	h, err := z.record(30, "PK\x03\x04")
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	z.local = localHeader{flags: le.Uint16(h[6:]), method: le.Uint16(h[8:]), crc: le.Uint32(h[14:]),
		packed: le.Uint32(h[18:]), unpacked: le.Uint32(h[22:])}
	if z.name, err = z.nameAndExtra(le.Uint16(h[26:]), le.Uint16(h[28:])); err != nil {
		return nil, err
	}
	if z.local.flags&flagEncrypted != 0 {
		return nil, fmt.Errorf("%w: encrypted", errZIP)
	}
	z.start = z.src.n
	switch {
	case z.local.method == zipDeflated:
		z.body = flate.NewReader(z.src)
	case z.local.method == zipStored && z.local.flags&flagDescriptor == 0:
		z.body = io.LimitReader(z.src, int64(z.local.packed))
	default:
		return nil, fmt.Errorf("%w: method %d", errZIP, z.local.method)
	}
	return z, nil
}

// Read delivers the entry's bytes. The error after the last one is io.EOF only
// when the whole archive held together.
func (z *zipEntry) Read(b []byte) (int, error) {
	if z.done != nil {
		return 0, z.done
	}
	n, err := z.body.Read(b)
	z.n += int64(n)
	_, _ = z.crc.Write(b[:n])
	switch {
	case z.n > z.limit:
		err = errZIPBomb
	case z.n > zipRatioFree && z.n > zipRatio*(z.src.n-z.start):
		err = errZIPBomb
	case err == io.EOF: //nolint:errorlint // io.Reader returns it bare; a wrapped one is a failure
		if err = z.finish(); err == nil {
			err = io.EOF
		}
	case err != nil:
		err = fmt.Errorf("%w: %v", errZIP, err) //nolint:errorlint // an io.EOF inside must not pass for the end
	}
	z.done = err
	return n, err
}

func (z *zipEntry) finish() error {
	packed := z.src.n - z.start
	sum := z.crc.Sum32()
	if z.local.flags&flagDescriptor != 0 {
		if err := z.descriptor(sum, packed); err != nil {
			return err
		}
	} else if z.local.crc != sum || int64(z.local.packed) != packed || int64(z.local.unpacked) != z.n {
		return fmt.Errorf("%w: size or checksum", errZIP)
	}
	if err := z.directory(sum, packed); err != nil {
		return err
	}
	return z.end()
}

// descriptor reads what follows the data when the local header had no sizes; its
// signature is optional.
func (z *zipEntry) descriptor(sum uint32, packed int64) error {
	if sig, err := z.src.Peek(4); err == nil && string(sig) == "PK\x07\x08" {
		if _, err := z.bytes(4); err != nil {
			return err
		}
	}
	d, err := z.bytes(12)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	if le.Uint32(d) != sum || int64(le.Uint32(d[4:])) != packed || int64(le.Uint32(d[8:])) != z.n {
		return fmt.Errorf("%w: size or checksum", errZIP)
	}
	return nil
}

// directory compares the central header with what was read.
func (z *zipEntry) directory(sum uint32, packed int64) error {
	h, err := z.record(46, "PK\x01\x02")
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	name, err := z.nameAndExtra(le.Uint16(h[28:]), le.Uint16(h[30:]))
	if err != nil {
		return err
	}
	if _, err := z.bytes(int(le.Uint16(h[32:]))); err != nil {
		return err
	}
	same := name == z.name && le.Uint16(h[10:]) == z.local.method && le.Uint32(h[16:]) == sum &&
		int64(le.Uint32(h[20:])) == packed && int64(le.Uint32(h[24:])) == z.n && le.Uint32(h[42:]) == 0
	if !same {
		return fmt.Errorf("%w: directory differs from entry", errZIP)
	}
	return nil
}

// end reads the end record, after which only its comment may come.
func (z *zipEntry) end() error {
	h, err := z.record(22, "PK\x05\x06")
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	if le.Uint16(h[8:]) != 1 || le.Uint16(h[10:]) != 1 {
		return fmt.Errorf("%w: more than one entry", errZIP)
	}
	if _, err := z.bytes(int(le.Uint16(h[20:]))); err != nil {
		return err
	}
	if _, err := z.src.ReadByte(); err != io.EOF { //nolint:errorlint // bare by the interface
		return fmt.Errorf("%w: bytes after its end", errZIP)
	}
	return nil
}

func (z *zipEntry) record(n int, signature string) ([]byte, error) {
	h, err := z.bytes(n)
	if err != nil {
		return nil, err
	}
	if string(h[:4]) != signature {
		return nil, fmt.Errorf("%w: wrong record", errZIP)
	}
	return h, nil
}

func (z *zipEntry) nameAndExtra(name, extra uint16) (string, error) {
	if int(name) > zipName {
		return "", fmt.Errorf("%w: name too long", errZIP)
	}
	b, err := z.bytes(int(name))
	if err != nil {
		return "", err
	}
	_, err = z.bytes(int(extra))
	return string(b), err
}

func (z *zipEntry) bytes(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(z.src, b); err != nil {
		return nil, fmt.Errorf("%w: cut short: %v", errZIP, err) //nolint:errorlint // as in Read
	}
	return b, nil
}
