package docs_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// limit is one bound that a user can meet. The value is read from the source.
type limit struct {
	pkg, name string // a constant, or "DefaultLimits.Field"
	unit      unit
	what      string
}

type unit string

const (
	bytesOf unit = "bytes"
	seconds unit = "time"
	count   unit = ""
)

var limits = []struct {
	title string
	rows  []limit
}{
	{"The command line", []limit{
		{"cmd/antin", "maxKeyFile", bytesOf, "a key, certificate or password file"},
		{"cmd/antin", "maxTrustFiles", count, "files read from a folder given with `--trust`"},
		{"cmd/antin", "maxConfigFile", bytesOf, "a configuration or directory file"},
		{"cmd/antin", "drainFor", seconds, "requests under way when `serve` is stopped"},
		{"cmd/antin", "maxJobs", count, "`--jobs`: files handled at once"},
		{"signer/pdf", "maxRebuild", bytesOf, "a file rewritten with `--normalise`"},
		{"certs", "MaxBundleCertificates", count, "certificates in one bundle"},
	}},
	{"Tokens", []limit{
		{"signer/keys/pkcs11", "DefaultSessions", count, "sessions of one token at a time, when nothing is said"},
		{"signer/keys/pkcs11", "MaxSessions", count, "sessions that can be asked for"},
		{"signer/keys/pkcs11", "defaultCallLimit", seconds, "one call into a PKCS #11 library; then its process is killed"},
		{"signer/keys/pkcs11", "MaxKeys", count, "keys told apart on one token"},
		{"signer/keys/pkcs11", "MaxCertificates", count, "certificates read from one token"},
	}},
	{"Pages", []limit{
		{"web", "MaxUpload", bytesOf, "a PDF dropped on a page"},
		{"web", "checksPerMinute", count, "files a minute that one address may have checked on the public page"},
		{"web/render", "MaxDocument", bytesOf, "a PDF whose pages are shown as images"},
		{"web/render", "cpuSeconds", count, "seconds of processor time for one page image"},
		{"web/render", "defaultTimeout", seconds, "one page image, waiting included"},
	}},
	{"The API", []limit{
		{"api", "maxFile", bytesOf, "`POST /v1/files`, before the bound of the exchange below"},
		{"api", "maxVerified", bytesOf, "a file sent to `POST /v1/verifications`; larger ones by digest"},
		{"api", "maxVerifying", count, "verifications at once; others wait"},
		{"api", "maxDocumentJSON", bytesOf, "the JSON of a new document"},
		{"api", "maxSmallJSON", bytesOf, "any other JSON"},
		{"api", "maxName", count, "bytes of a file's name"},
		{"api", "maxKey", count, "characters of an `Idempotency-Key`"},
		{"api", "maxPerson", count, "characters of `acting_person`"},
		{"api", "perMinute", count, "requests a minute of one key or session, where `limits.requests_per_minute` says nothing"},
		{"api", "perMinuteOpen", count, "requests a minute of one address without a key"},
		{"api", "maxCallers", count, "callers counted at once; behind it the counting begins anew"},
		{"api", "maxReceivers", count, "receivers named in one request"},
		{"api", "maxWait", count, "seconds that a question for events waits"},
		{"api", "maxWaiting", count, "questions that wait at once; the next is answered as it stands"},
		{"api", "maxReply", bytesOf, "an answer kept word for word under its `Idempotency-Key`"},
		{"api", "maxDepth", count, "levels of nesting in JSON"},
		{"api", "maxChain", count, "certificates that a signer brings"},
		{"store", "maxPage", count, "items on one page of a list"},
		{"api", "retryAfter", count, "seconds to wait that a 503 suggests"},
	}},
	{"Documents", []limit{
		{"exchange", "MaxUpload", bytesOf, "a PDF taken in to be signed or sent"},
		{"exchange", "maxSubject", count, "characters of a trích yếu"},
		{"exchange", "maxNotation", count, "characters of a ký hiệu"},
		{"exchange", "maxPlaces", count, "lines of “Nơi nhận”"},
		{"exchange", "maxReason", count, "characters of a reason to return"},
		{"exchange", "maxReceivers", count, "receivers of one `:send`"},
		{"signer/compose", "maxRunes", count, "characters of a composed document"},
		{"signer/compose", "maxPages", count, "pages of a composed document"},
		{"signer/appearance", "MaxImageBytes", bytesOf, "the PNG of a handwritten signature or seal"},
		{"signer/appearance", "MaxImageSide", count, "pixels of its longer side"},
	}},
	{"Transfers", []limit{
		{"exchange", "DefaultMaxPayload", bytesOf, "one transfer taken in"},
		{"exchange", "DefaultExpiry", seconds, "how long a transfer waits for its receiver"},
		{"exchange", "DefaultUrgentExpiry", seconds, "the same at priority 2 and above"},
		{"exchange", "maxAttempts", count, "failures of one transfer by itself before it is held for a person"},
		{"exchange", "haltedRetry", seconds, "between looks at a peer whose identity is in doubt"},
		{"exchange", "maxRetryAfter", seconds, "the longest wait that a peer may ask for"},
		{"exchange", "maxTries", count, "tries to read an incoming message before it is set aside"},
		{"exchange", "sweepEvery", seconds, "between searches for work whose wake-up was lost"},
		{"exchange", "orphanAge", seconds, "uploaded bytes that nothing names are kept"},
		{"exchange/peer", "OneShot", bytesOf, "a payload sent in one request"},
		{"exchange/peer", "DefaultConns", count, "connections of peers at once"},
		{"exchange/peer", "DefaultHeader", seconds, "a handshake, and the header of a request"},
		{"exchange/peer", "DefaultStall", seconds, "a body that gives no byte"},
		{"exchange/peer", "DefaultMinRate", bytesOf, "a second, the slowest body that is waited for"},
		{"exchange/peer", "MaxWait", seconds, "a peer that fetches waits for something to come"},
		{"exchange/peer", "maxPolls", count, "requests of one peer that wait at once"},
		{"exchange", "MaxPiece", bytesOf, "a piece of a payload that goes in several"},
		{"exchange", "MaxWhole", bytesOf, "a payload that goes in one piece"},
		{"exchange", "maxPieces", count, "pieces of one payload"},
		{"exchange", "maxUploads", count, "open transfers of one peer between manifest and commit"},
		{"exchange", "maxUploadBytes", bytesOf, "what they may take together"},
		{"exchange", "uploadPause", seconds, "without a piece, after which one makes room for another"},
		{"exchange", "uploadIdle", seconds, "without a piece, after which it is given up"},
		{"exchange", "MaxBatch", count, "transfers of one batch"},
		{"exchange", "MaxBatchPayload", bytesOf, "one payload of a batch"},
		{"exchange", "MaxBatchBytes", bytesOf, "all payloads of a batch"},
		{"exchange", "maxCarryEntries", count, "entries of a carried file"},
		{"exchange", "maxCarryBytes", bytesOf, "payloads in a carried file"},
		{"exchange/jws", "MaxSize", bytesOf, "a manifest or a receipt"},
		{"exchange/jws", "maxCode", count, "characters of an agency's identifier"},
	}},
	{"edXML", []limit{
		{"exchange/edxml", "MaxMessage", bytesOf, "one message"},
		{"exchange/edxml", "MaxStructure", bytesOf, "everything but the attachments' content"},
		{"exchange/edxml", "MaxAttachment", bytesOf, "one attachment, in base64 or out of its ZIP"},
		{"exchange/edxml", "MaxAttachments", count, "attachments of one message"},
		{"exchange/edxml", "maxDepth", count, "nesting of elements"},
		{"exchange/edxml", "maxAttributes", count, "attributes of one element"},
		{"exchange/edxml", "zipRatio", count, "times its packed size that a ZIP may unpack to, beyond the next line"},
		{"exchange/edxml", "zipRatioFree", bytesOf, "of a ZIP's content come out before the ratio counts"},
	}},
	{"Reading PDF", []limit{
		{"signer/pdf", "DefaultLimits.Depth", count, "nesting of arrays and dictionaries"},
		{"signer/pdf", "DefaultLimits.Decoded", bytesOf, "one decoded stream"},
		{"signer/pdf", "DefaultLimits.Ratio", count, "times its packed size that a stream may unpack to"},
		{"signer/pdf", "DefaultLimits.Sections", count, "cross-reference sections"},
		{"signer/pdf", "DefaultLimits.Entries", count, "cross-reference entries"},
		{"signer/pdf", "DefaultLimits.Pages", count, "pages"},
	}},
	{"Signing", []limit{
		{"signer", "DefaultLife", seconds, "a prepared signing waits for its value"},
		{"signer", "maxClockSkew", seconds, "between our clock and a time-stamp"},
		{"signer/tsa", "DefaultTimeout", seconds, "one request to a time-stamping service"},
		{"signer/tsa", "DefaultConcurrency", count, "requests to time-stamping services at once"},
		{"signer/tsa", "maxResponse", bytesOf, "the answer of a time-stamping service"},
		{"certs/fetch", "DefaultTimeout", seconds, "one OCSP, CRL or AIA answer"},
		{"certs/fetch", "restAfterTimeout", seconds, "an address that let us wait is left alone"},
		{"certs/fetch", "maxURLs", count, "addresses of one kind tried for a certificate"},
		{"certs/fetch", "maxRedirects", count, "redirects, all on the same host"},
		{"certs", "MaxOCSPSize", bytesOf, "an OCSP answer"},
		{"certs", "MaxCRLSize", bytesOf, "a CRL"},
		{"certs", "MaxPathLength", count, "certificates of a path"},
	}},
	{"Certificates, lists and responders", []limit{
		{"certs", "MaxCertificateSize", bytesOf, "a certificate"},
		{"certs", "maxSerialLen", count, "bytes of a serial number"},
		{"certs", "maxExtensions", count, "extensions of a certificate or list"},
		{"certs", "maxListItems", count, "names, addresses, policies or answers in one list"},
		{"certs", "maxNameAttributes", count, "attributes of a name"},
		{"certs", "maxRSABits", count, "bits of an RSA key"},
		{"certs", "maxDSABits", count, "bits of a DSA key"},
		{"certs", "maxBERDepth", count, "levels of nesting in what is not DER"},
		{"certs", "maxBERElements", count, "elements of what is not DER"},
		{"certs", "maxOCSPCertificates", count, "certificates in an OCSP answer"},
		{"certs", "maxEvidence", count, "OCSP answers and CRLs looked at for one certificate"},
		{"certs", "maxPathSteps", count, "candidates tried for one path"},
		{"certs", "maxPathSignatures", count, "signatures verified for one path"},
		{"certs", "maxPathChecks", count, "complete paths judged for one certificate"},
		{"certs", "maxNameComparisons", count, "comparisons under name constraints for one certificate"},
		{"certs", "MaxIssuerFetches", count, "questions for missing issuers of one path"},
		{"certs", "maxBundleSize", bytesOf, "a bundle of certificates"},
		{"certs", "maxPKCS7Size", bytesOf, "a PKCS #7 bundle"},
		{"certs/fetch", "maxIssuerAnswer", bytesOf, "an AIA answer"},
		{"certs/fetch", "maxURLLength", count, "characters of an address"},
		{"certs/fetch", "maxAddresses", count, "IP addresses of one name that are looked at"},
		{"certs/fetch", "maxAhead", seconds, "an answer may be dated ahead of our clock"},
		{"certs/fetch", "maxOCSPCacheAge", seconds, "an OCSP answer is used from the cache"},
		{"certs/fetch", "maxCRLCacheAge", seconds, "a CRL is used from the cache"},
		{"certs/fetch", "issuerCacheAge", seconds, "an issuer's certificate is used from the cache"},
		{"certs/fetch", "maxCacheBytes", bytesOf, "the cache in memory"},
		{"certs/fetch", "maxCacheFiles", count, "files of the cache"},
		{"certs/fetch", "maxCacheDisk", bytesOf, "the cache on disk"},
		{"certs/fetch", "maxListFiles", count, "files of `trust.crls`"},
		{"certs/fetch", "maxListBytes", bytesOf, "their size together"},
		{"certs/fetch", "maxRewrites", count, "rewritten hosts"},
	}},
	{"Validating", []limit{
		{"signer/validation", "maxSignatures", count, "signatures of one file"},
		{"signer/validation", "maxRevisions", count, "revisions of one file"},
		{"signer/validation", "maxSteps", count, "revisions compared after the first signed one; more is `comparison_incomplete`"},
		{"signer/validation", "maxChanges", count, "changes reported one by one"},
		{"signer/validation", "maxReasons", count, "reasons of one code"},
	}},
}

func TestLimitsPageHasTheConstants(t *testing.T) {
	var b strings.Builder
	for _, g := range limits {
		fmt.Fprintf(&b, "### %s\n\n| what | at most | constant |\n|---|---|---|\n", g.title)
		for _, l := range g.rows {
			v, err := newConstants(l.pkg).value(l.name)
			if err != nil {
				t.Errorf("%s.%s: %v", l.pkg, l.name, err)
				continue
			}
			fmt.Fprintf(&b, "| %s | %s | `%s.%s` |\n", l.what, l.unit.show(v), path.Base(l.pkg), l.name)
		}
		b.WriteString("\n")
	}
	section(t, "docs/reference/files-and-limits.md", "limits", b.String())
}

func (u unit) show(v int64) string {
	switch u {
	case bytesOf:
		switch {
		case v >= 1<<20 && v%(1<<20) == 0:
			return fmt.Sprintf("%d MiB", v>>20)
		case v >= 1<<10 && v%(1<<10) == 0:
			return fmt.Sprintf("%d KiB", v>>10)
		}
		return fmt.Sprintf("%d bytes", v)
	case seconds:
		d := time.Duration(v)
		switch {
		case d%(24*time.Hour) == 0:
			return fmt.Sprintf("%d d", d/(24*time.Hour))
		case d%time.Hour == 0:
			return fmt.Sprintf("%d h", d/time.Hour)
		case d%time.Minute == 0:
			return fmt.Sprintf("%d min", d/time.Minute)
		}
		return fmt.Sprintf("%d s", d/time.Second)
	case count:
	}
	return strconv.FormatInt(v, 10)
}

// constants evaluates the integer constants of a package from its source.
type constants struct {
	pkg   string
	exprs map[string]ast.Expr
	err   error
}

func newConstants(pkg string) *constants {
	c := &constants{pkg: pkg, exprs: map[string]ast.Expr{}}
	dir := filepath.Join(root, filepath.FromSlash(pkg))
	c.err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if err == nil && p != dir {
				return filepath.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		c.add(file)
		return nil
	})
	return c
}

// add notes constants, and the members of the literal that a function of no
// arguments returns as "Function.Member".
func (c *constants) add(file *ast.File) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok && d.Tok == token.CONST && len(v.Values) == len(v.Names) {
					for i, n := range v.Names {
						c.exprs[n.Name] = v.Values[i]
					}
				}
			}
		case *ast.FuncDecl:
			ast.Inspect(d, func(n ast.Node) bool {
				if kv, ok := n.(*ast.KeyValueExpr); ok && d.Recv == nil {
					if key, ok := kv.Key.(*ast.Ident); ok {
						c.exprs[d.Name.Name+"."+key.Name] = kv.Value
					}
				}
				return true
			})
		}
	}
}

var errNoConstant = errors.New("there is no such constant")

func (c *constants) value(name string) (int64, error) {
	e, ok := c.exprs[name]
	if c.err != nil || !ok {
		return 0, errors.Join(c.err, errNoConstant)
	}
	return c.eval(e)
}

func (c *constants) eval(e ast.Expr) (int64, error) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strconv.ParseInt(strings.ReplaceAll(e.Value, "_", ""), 0, 64)
	case *ast.ParenExpr:
		return c.eval(e.X)
	case *ast.Ident:
		return c.value(e.Name)
	case *ast.SelectorExpr:
		return c.selected(e)
	case *ast.BinaryExpr:
		x, errX := c.eval(e.X)
		y, errY := c.eval(e.Y)
		if err := errors.Join(errX, errY); err != nil {
			return 0, err
		}
		switch e.Op {
		case token.MUL:
			return x * y, nil
		case token.SHL:
			return x << y, nil
		case token.ADD:
			return x + y, nil
		case token.SUB:
			return x - y, nil
		default: // limits are written with these
		}
	}
	return 0, fmt.Errorf("%T cannot be evaluated", e)
}

// selected knows package time, and this module's packages where limits are shared.
func (c *constants) selected(e *ast.SelectorExpr) (int64, error) {
	pkg, ok := e.X.(*ast.Ident)
	if !ok {
		return 0, errNoConstant
	}
	units := map[string]time.Duration{"Second": time.Second, "Minute": time.Minute, "Hour": time.Hour, "Millisecond": time.Millisecond}
	if d, ok := units[e.Sel.Name]; ok && pkg.Name == "time" {
		return int64(d), nil
	}
	for _, p := range []string{"certs", "exchange/edxml", "exchange/jws"} {
		if path.Base(p) == pkg.Name {
			return newConstants(p).value(e.Sel.Name)
		}
	}
	return 0, fmt.Errorf("%s.%s: %w", pkg.Name, e.Sel.Name, errNoConstant)
}
