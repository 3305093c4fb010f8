package archtest_test

// The rules: what each package may import of this module and of others, besides
// the standard library. "x/..." stands for x and everything below it. Each package
// has an entry of its own; a package without one fails.
// Loosening a rule is a decision and needs an ADR in the same change.
var rules = map[string][]string{
	// The floor.
	"internal/text":      {},
	"internal/archtest":  {},
	"internal/failpoint": {}, // empty but in programs built for torture
	"signer/ades":        {},
	"certs":              {"signer/ades", "golang.org/x/crypto/...", "go.mozilla.org/pkcs7"},

	// Certificates: drivers and the PKI for tests, demo and sandbox.
	"certs/fetch":     {"certs", "internal/text", "golang.org/x/sync/singleflight"},
	"certs/certstest": {"certs", "golang.org/x/crypto/...", "github.com/digitorus/timestamp", "software.sslmate.com/src/go-pkcs12"},

	// Codecs and profiles: bytes in, bytes out.
	"signer/pdf":         {"internal/text", "github.com/klauspost/compress/flate", "golang.org/x/image/tiff/lzw", "golang.org/x/text/unicode/norm"},
	"signer/pdf/content": {"signer/pdf", "signer/pdf/font"},
	"signer/pdf/find":    {"signer/pdf", "golang.org/x/text/..."},
	"signer/pdf/font":    {"internal/text", "signer/pdf", "golang.org/x/image/...", "golang.org/x/text/...", "codeberg.org/go-fonts/liberation/..."},
	"signer/pdf/qr":      {"internal/text", "github.com/skip2/go-qrcode"},
	"signer/cms":         {"certs", "signer/ades", "golang.org/x/crypto/cryptobyte/..."},
	"signer/tsp":         {"certs", "signer/ades", "signer/cms", "golang.org/x/crypto/cryptobyte/..."},
	"signer/pades":       {"certs", "internal/text", "signer/ades", "signer/pdf"},
	"signer/compose":     {"internal/text", "signer/pdf", "signer/pdf/content", "signer/pdf/font", "signer/pdf/qr", "signer/appearance"},
	"signer/appearance":  {"internal/text", "signer/pdf", "signer/pdf/content", "signer/pdf/font", "golang.org/x/image/..."},

	"signer/pades/padestest": {"antin/...", "golang.org/x/crypto/..."},

	// Judging, then making, signatures.
	"signer/validation":            {"certs", "internal/text", "signer/ades", "signer/cms", "signer/pades", "signer/pdf", "signer/pdf/find", "signer/tsp"},
	"signer/report":                {"certs", "internal/text", "signer/ades", "signer/compose", "signer/validation", "signer/validation/etsi"},
	"signer/validation/attacktest": {"signer/cms", "signer/pades", "signer/pdf"},
	"signer/validation/etsi":       {"certs", "signer/ades", "signer/validation"},
	"signer":                       {"certs", "internal/text", "signer/ades", "signer/appearance", "signer/cms", "signer/pades", "signer/pdf", "signer/pdf/find", "signer/tsp", "signer/validation"},

	// Drivers of the signer's seams.
	// What the engine costs beside the bare operations.
	"internal/signbench": {"certs", "signer", "signer/ades", "signer/cms", "signer/pades", "signer/pdf", "signer/validation", "golang.org/x/sync/errgroup"},

	// Spans told to a collector.
	"internal/tracing": {"exchange", "internal/text", "go.opentelemetry.io/otel/..."},

	// What the exchange costs beside a bare loop.
	"internal/exchangebench": {"modernc.org/sqlite/...", "golang.org/x/sync/errgroup"},

	"signer/tsa":          {"certs", "internal/text", "signer", "signer/tsp"},
	"signer/keys/helper":  {"certs", "internal/text", "signer"},
	"signer/keys/pkcs11":  {"certs", "internal/text", "signer", "golang.org/x/crypto/cryptobyte/..."},
	"signer/keys/softkey": {"certs", "internal/text", "signer", "software.sslmate.com/src/go-pkcs12", "golang.org/x/crypto/..."},

	// A disk whose power can be cut, for tests.
	"internal/powerloss": {"github.com/hanwen/go-fuse/v2/..."},

	// The exchange: core, codecs, transports.
	"exchange": {"certs", "internal/failpoint", "internal/text", "exchange/edxml", "exchange/jws", "golang.org/x/text/...", "golang.org/x/crypto/argon2",
		"signer", "signer/ades", "signer/appearance", "signer/compose", "signer/pades", "signer/pdf", "signer/pdf/find", "signer/report", "signer/validation"},
	"exchange/edxml":        {"internal/text", "golang.org/x/text/..."},
	"exchange/jws":          {"internal/text"},
	"exchange/peer":         {"certs", "internal/failpoint", "internal/text", "exchange", "exchange/jws"},
	"exchange/webhook":      {"exchange", "internal/text"},
	"exchange/exchangetest": {"certs", "certs/certstest", "internal/text", "exchange", "exchange/edxml", "exchange/jws"},

	// State.
	"store": {"exchange", "internal/failpoint", "internal/text", "github.com/riverqueue/river/...", "github.com/pressly/goose/v3", "modernc.org/sqlite/...", "github.com/jackc/pgx/v5/...",
		"github.com/minio/minio-go/v7/...", "golang.org/x/sys/..."},
	"store/storetest": {"exchange", "internal/text"},

	// The doors.
	"api": {"certs", "exchange", "internal/text", "signer", "signer/report", "signer/validation", "github.com/danielgtaylor/huma/v2/...", "github.com/labstack/echo/v4/...",
		"golang.org/x/text/..."},
	"web":        {"certs", "exchange", "internal/text", "signer", "signer/ades", "signer/report", "signer/validation", "web/render"},
	"web/render": {"internal/text", "github.com/klippa-app/go-pdfium/...", "github.com/tetratelabs/wazero/...", "golang.org/x/sys/..."},

	// The program wires everything; interop judges it from outside.
	"cmd/antin": {"antin/...", "github.com/goccy/go-yaml/...", "github.com/alecthomas/kong/...", "github.com/labstack/echo/v4/...", "golang.org/x/sync/...", "golang.org/x/term", "golang.org/x/time/rate", "golang.org/x/sys/...", "github.com/prometheus/client_golang/..."},
	"cmd/antin-pkcs11": {"certs", "internal/text", "signer", "signer/keys/helper", "signer/keys/pkcs11", "github.com/alecthomas/kong/...", "github.com/goccy/go-yaml/...",
		"github.com/miekg/pkcs11"}, // the only package that needs cgo
	"interop": {"antin/...", "github.com/chromedp/..."},
	"docs":    {"certs", "internal/text", "signer/validation"}, // tests only: they keep the pages true
}

// pure lists the packages that must not reach the outside world on their own.
var pure = []string{
	"certs", "internal/text", "signer/ades", "signer/pdf", "signer/pdf/content", "signer/pdf/font", "signer/pdf/qr", "signer/cms", "signer/tsp", "signer/pades",
	"signer/compose", "signer/appearance", "signer/validation", "signer/validation/etsi", "signer/report", "signer", "signer/keys/softkey",
	"exchange", "exchange/edxml", "exchange/jws",
}

// outside is what a pure package must not import.
var outside = []string{"net", "net/http", "os", "os/exec", "database/sql", "log", "log/slog", "syscall"}

// testOnly lists packages that serve tests; only the program's demo and sandbox
// and other tests may import them.
var testOnly = []string{"certs/certstest", "signer/pades/padestest", "signer/validation/attacktest", "exchange/exchangetest", "store/storetest", "internal/powerloss"}
