package pdf_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rand"
	"crypto/rc4"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"testing"
)

// cryptKind is one way to encrypt a file. The kit writes what the reader must
// understand, from the algorithms' other side.
type cryptKind struct {
	version, revision int
	method            string // V2, AESV2, AESV3, or Identity for everything
	keyLen            int    // bytes; 0 is what the version implies
	user, owner       string
	permissions       int32 // 0 permits everything
	plainMetadata     bool
	packed            bool // catalog and information lie in an object stream

	key  []byte
	dict string
}

// What the kit's files hold.
const (
	kitTitle    = "Quy\u1ebft \u0111\u1ecbnh"
	kitMetadata = "<x:xmpmeta/>"
	kitContent  = "BT (content) Tj ET"
)

// cryptKinds is every kind of the standard security handler.
func cryptKinds() map[string]cryptKind {
	return map[string]cryptKind{
		"RC4-40":             {version: 1, revision: 2, method: "V2"},
		"RC4-40 passwords":   {version: 1, revision: 2, method: "V2", user: "user", owner: "owner"},
		"RC4-128":            {version: 2, revision: 3, method: "V2", keyLen: 16, user: "user", owner: "owner"},
		"RC4-128 V4":         {version: 4, revision: 4, method: "V2", owner: "owner"},
		"RC4-128 V4 plain":   {version: 4, revision: 4, method: "V2", plainMetadata: true},
		"AES-128":            {version: 4, revision: 4, method: "AESV2", user: "user", owner: "owner"},
		"AES-128 plain":      {version: 4, revision: 4, method: "AESV2", owner: "owner", plainMetadata: true},
		"AES-128 packed":     {version: 4, revision: 4, method: "AESV2", user: "user", packed: true},
		"identity":           {version: 4, revision: 4, method: "Identity", user: "user"},
		"AES-256 R5":         {version: 5, revision: 5, method: "AESV3", user: "user", owner: "owner"},
		"AES-256 R6":         {version: 5, revision: 6, method: "AESV3", user: "m\u1eadt kh\u1ea9u", owner: "ch\u1ee7"},
		"AES-256 R6 plain":   {version: 5, revision: 6, method: "AESV3", plainMetadata: true},
		"AES-256 R6 packed":  {version: 5, revision: 6, method: "AESV3", user: "user", packed: true},
		"AES-256 R6 no open": {version: 5, revision: 6, method: "AESV3", owner: "owner", packed: true},
	}
}

var kitPad = []byte("\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08" +
	"\x2E\x2E\x00\xB6\xD0\x68\x3E\x80\x2F\x0C\xA9\xFE\x64\x53\x69\x7A")

var kitID = []byte("0123456789abcdef")

func (k cryptKind) make(t testing.TB) []byte {
	t.Helper()
	k.ready()
	return k.write()
}

// ready makes the keys, and write a file with them.
func (k *cryptKind) ready() {
	if k.owner == "" {
		k.owner = k.user
	}
	if k.permissions == 0 {
		k.permissions = -4
	}
	if k.version == 5 {
		k.hashed()
	} else {
		k.derived()
	}
}

func (k *cryptKind) write() []byte {
	d := newDraft()
	title := append([]byte{0xfe, 0xff}, utf16be(kitTitle)...)
	if k.packed {
		k.writePacked(d, title)
		return d.Bytes()
	}
	k.writePlainly(d, title)
	return d.Bytes()
}

func (k *cryptKind) writePlainly(d *draft, title []byte) {
	d.pages("/Metadata 5 0 R/Lang" + k.str(1, []byte("vi")))
	d.obj(3, "<</Type/Page/Parent 2 0 R/Contents 4 0 R>>")
	k.streams(d)
	d.obj(6, "<</Title "+k.str(6, title)+">>")
	d.obj(7, k.dict)
	d.table(fmt.Sprintf("/Size 8/Root 1 0 R/Info 6 0 R/Encrypt 7 0 R/ID[<%x><%x>]", kitID, kitID), 1, 2, 3, 4, 5, 6, 7)
}

func (k *cryptKind) writePacked(d *draft, title []byte) {
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R/Metadata 5 0 R/Lang(vi)>>", "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]>>",
		fmt.Sprintf("<</Title<%x>>>", title),
	}
	var head, body string
	for i, o := range objects {
		head += fmt.Sprintf("%d %d ", []int{1, 2, 6}[i], len(body))
		body += o + " "
	}
	d.obj(3, "<</Type/Page/Parent 2 0 R/Contents 4 0 R>>")
	k.streams(d)
	d.obj(7, k.dict)
	d.stream(8, fmt.Sprintf("/Type/ObjStm/N 3/First %d", len(head)), string(k.encrypt(8, []byte(head+body))))
	rows := row(0, 0, 65535) + row(2, 8, 0) + row(2, 8, 1) + row(1, d.at[3], 0) + row(1, d.at[4], 0) + row(1, d.at[5], 0) +
		row(2, 8, 2) + row(1, d.at[7], 0) + row(1, d.at[8], 0) + row(1, d.Len(), 0)
	d.xrefStream(9, fmt.Sprintf("/Size 10/Root 1 0 R/Info 6 0 R/Encrypt 7 0 R/ID[<%x><%x>]", kitID, kitID), rows)
}

func (k *cryptKind) streams(d *draft) {
	d.stream(4, "", string(k.encrypt(4, []byte(kitContent))))
	metadata := []byte(kitMetadata)
	if !k.plainMetadata {
		metadata = k.encrypt(5, metadata)
	}
	d.stream(5, "/Type/Metadata/Subtype/XML", string(metadata))
}

func (k *cryptKind) str(num int, v []byte) string { return fmt.Sprintf("<%x>", k.encrypt(num, v)) }

// encrypt is what a writer does to a string or stream of object num.
func (k *cryptKind) encrypt(num int, v []byte) []byte {
	key := k.key
	if k.version < 5 {
		key = append(bytes.Clone(key), byte(num), byte(num>>8), byte(num>>16), 0, 0)
		if k.method == "AESV2" {
			key = append(key, 0x73, 0x41, 0x6c, 0x54)
		}
		sum := md5.Sum(key)
		key = sum[:min(16, len(k.key)+5)]
	}
	switch k.method {
	case "Identity":
		return v
	case "V2":
		return kitRC4(key, v)
	}
	iv := make([]byte, 16)
	_, _ = rand.Read(iv)
	pad := 16 - len(v)%16
	v = append(bytes.Clone(v), bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, _ := aes.NewCipher(key)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(v, v)
	return append(iv, v...)
}

// derived makes O, U and the key of revisions 2 to 4.
func (k *cryptKind) derived() {
	if k.keyLen == 0 {
		k.keyLen = 5
		if k.version == 4 {
			k.keyLen = 16
		}
	}
	rounds := 1
	if k.revision >= 3 {
		rounds = 20
	}
	sum := md5.Sum(kitPadded(k.owner))
	for i := 0; rounds > 1 && i < 50; i++ {
		sum = md5.Sum(sum[:k.keyLen])
	}
	owner := kitPadded(k.user)
	for i := range rounds {
		owner = kitRC4(kitXor(sum[:k.keyLen], byte(i)), owner)
	}
	seed := bytes.Join([][]byte{kitPadded(k.user), owner, binary.LittleEndian.AppendUint32(nil, uint32(k.permissions)), kitID}, nil)
	if k.revision >= 4 && k.plainMetadata {
		seed = append(seed, 0xff, 0xff, 0xff, 0xff)
	}
	sum = md5.Sum(seed)
	for i := 0; rounds > 1 && i < 50; i++ {
		sum = md5.Sum(sum[:k.keyLen])
	}
	k.key = bytes.Clone(sum[:k.keyLen])
	user := bytes.Clone(kitPad)
	if rounds > 1 {
		digest := md5.Sum(append(bytes.Clone(kitPad), kitID...))
		user = digest[:]
	}
	for i := range rounds {
		user = kitRC4(kitXor(k.key, byte(i)), user)
	}
	user = append(user, make([]byte, 32-len(user))...)
	k.dict = fmt.Sprintf("<</Filter/Standard/V %d/R %d/Length %d/P %d/O<%x>/U<%x>%s>>",
		k.version, k.revision, 8*k.keyLen, k.permissions, owner, user, k.filters())
}

// hashed makes O, U, OE, UE, Perms and the key of revisions 5 and 6.
func (k *cryptKind) hashed() {
	k.key = []byte("file encryption key of 32 bytes!")
	user := append(k.hash([]byte(k.user), []byte("usersalt"), nil), "usersaltuserkeys"...)
	userKey := kitCBC(k.hash([]byte(k.user), []byte("userkeys"), nil), k.key)
	owner := append(k.hash([]byte(k.owner), []byte("ownrsalt"), user), "ownrsaltownrkeys"...)
	ownerKey := kitCBC(k.hash([]byte(k.owner), []byte("ownrkeys"), user), k.key)
	perms := binary.LittleEndian.AppendUint32(nil, uint32(k.permissions))
	perms = append(perms, 0xff, 0xff, 0xff, 0xff, 'T', 'a', 'd', 'b', 1, 2, 3, 4)
	if k.plainMetadata {
		perms[8] = 'F'
	}
	block, _ := aes.NewCipher(k.key)
	block.Encrypt(perms, perms)
	k.dict = fmt.Sprintf("<</Filter/Standard/V 5/R %d/Length 256/P %d/O<%x>/U<%x>/OE<%x>/UE<%x>/Perms<%x>%s>>",
		k.revision, k.permissions, owner, user, ownerKey, userKey, perms, k.filters())
}

func (k *cryptKind) filters() string {
	s := ""
	if k.plainMetadata {
		s = "/EncryptMetadata false"
	}
	switch {
	case k.version < 4:
		return s
	case k.method == "Identity":
		return s + "/CF<<>>/StmF/Identity/StrF/Identity"
	}
	return s + "/CF<</StdCF<</AuthEvent/DocOpen/CFM/" + k.method + ">>>>/StmF/StdCF/StrF/StdCF"
}

// hash is algorithm 2.B, or its predecessor.
func (k *cryptKind) hash(password, salt, more []byte) []byte {
	sum := sha256.Sum256(bytes.Join([][]byte{password, salt, more}, nil))
	v := sum[:]
	for round := 0; k.revision == 6; round++ {
		block, _ := aes.NewCipher(v[:16])
		e := bytes.Repeat(bytes.Join([][]byte{password, v, more}, nil), 64)
		cipher.NewCBCEncrypter(block, v[16:32]).CryptBlocks(e, e)
		mod := 0
		for _, c := range e[:16] {
			mod = (mod*256 + int(c)) % 3
		}
		switch mod {
		case 0:
			s := sha256.Sum256(e)
			v = s[:]
		case 1:
			s := sha512.Sum384(e)
			v = s[:]
		case 2:
			s := sha512.Sum512(e)
			v = s[:]
		}
		if round >= 63 && int(e[len(e)-1]) <= round-31 {
			break
		}
	}
	return bytes.Clone(v[:32])
}

func kitPadded(password string) []byte { return append([]byte(password), kitPad...)[:32] }

func kitRC4(key, v []byte) []byte {
	c, _ := rc4.NewCipher(key)
	out := make([]byte, len(v))
	c.XORKeyStream(out, v)
	return out
}

func kitXor(key []byte, with byte) []byte {
	out := bytes.Clone(key)
	for i := range out {
		out[i] ^= with
	}
	return out
}

func kitCBC(key, v []byte) []byte {
	block, _ := aes.NewCipher(key)
	out := make([]byte, len(v))
	cipher.NewCBCEncrypter(block, make([]byte, 16)).CryptBlocks(out, v)
	return out
}

func utf16be(s string) []byte {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r>>8), byte(r))
	}
	return b
}
