package main

import (
	"errors"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"antin/exchange/webhook"
	"antin/internal/text"
	"antin/signer/tsa"
)

// Config is everything that `antin serve` and its like are told. It comes from one
// strict YAML file and from the environment, which wins; every field has a
// setting of the same path ("listen.desk") and a variable (ANTIN_LISTEN_DESK).
// What each means to an operator stands in the catalogue under "config." and its
// path. It does not change after loadConfig.
type Config struct {
	Agency    AgencyConfig   `yaml:"agency"`
	DataDir   string         `yaml:"data_dir" path:"file"` // database and blobs; on a local disk
	Database  DatabaseConfig `yaml:"database"`
	Blobs     BlobsConfig    `yaml:"blobs"`
	Listen    ListenConfig   `yaml:"listen"`
	Desk      OriginConfig   `yaml:"desk"`   // clerks' pages and API
	Public    OriginConfig   `yaml:"public"` // pages for everyone
	Peer      PeerConfig     `yaml:"peer"`
	Directory string         `yaml:"directory" path:"file"` // YAML file of peers
	// DirectoryTrust are the keys whose signature the directory needs; none: it needs none.
	DirectoryTrust   []string       `yaml:"directory_trust" path:"file"`
	DirectoryExpired string         `yaml:"directory_expired" enum:"stop,warn"` // what an expired one does
	Trust            TrustConfig    `yaml:"trust"`
	TSA              TSAConfig      `yaml:"tsa"`
	Keys             KeysConfig     `yaml:"keys"`
	Limits           LimitsConfig   `yaml:"limits"`
	Sessions         Sessions       `yaml:"sessions"`
	Expiry           ExpiryConfig   `yaml:"expiry"`
	Webhooks         WebhooksConfig `yaml:"webhooks"`
	Folder           FolderConfig   `yaml:"folder"`
	Traces           TracesConfig   `yaml:"traces"`
	Log              LogConfig      `yaml:"log"`

	file    string            // the file read; empty when there was none
	origins map[string]origin // by path; a setting without an entry has its default
	strange []string          // ANTIN_* variables that name no setting
}

// AgencyConfig says who this gateway speaks for.
type AgencyConfig struct {
	Code           string  `yaml:"code"`
	Name           string  `yaml:"name"`      // as printed on documents
	InCharge       string  `yaml:"in_charge"` // cơ quan chủ quản
	Place          string  `yaml:"place"`     // of the date line
	Address        string  `yaml:"address"`
	Telephone      string  `yaml:"telephone"`
	Email          string  `yaml:"email"`
	SealDiameterMM float64 `yaml:"seal_diameter_mm"`
	Numbering      string  `yaml:"numbering" enum:"own,external"` // who keeps the register of outgoing documents
}

// ListenConfig holds the addresses, HOST:PORT; an empty host means all of them.
type ListenConfig struct {
	Desk   string `yaml:"desk"`
	Public string `yaml:"public"`
	Peer   string `yaml:"peer"`
	Admin  string `yaml:"admin"` // metrics and health
}

// OriginConfig is one origin that browsers reach.
type OriginConfig struct {
	URL            string    `yaml:"url"` // as browsers see it; its host is the only one answered
	TLS            TLSConfig `yaml:"tls"`
	TrustedProxies []string  `yaml:"trusted_proxies"` // CIDRs whose X-Forwarded-* count
}

// TLSConfig names PEM files that are read again when they change.
type TLSConfig struct {
	Certificate string `yaml:"certificate" path:"file"`
	Key         string `yaml:"key" path:"file"`
}

// PeerConfig is the transport identity.
type PeerConfig struct {
	URL         string `yaml:"url"` // where other gateways reach this one
	Certificate string `yaml:"certificate" path:"file"`
	Key         string `yaml:"key" path:"file"`
}

// TrustConfig says what signatures are judged by. Nothing has a default.
type TrustConfig struct {
	Anchors    []string `yaml:"anchors" path:"file"`
	AllowHosts []string `yaml:"allow_hosts"`

	Intermediates []string `yaml:"intermediates" path:"file"` // CA certificates below the anchors
	Store         string   `yaml:"store" path:"file"`         // what `antin trust` keeps
	RewriteHosts  []string `yaml:"rewrite_hosts"`             // FROM=TO
	CRLs          string   `yaml:"crls" path:"file"`          // folder of CRLs that were carried here
	OCSPNonce     bool     `yaml:"ocsp_nonce"`
	Policy        string   `yaml:"policy"` // a validation policy: NAME or FILE; empty is the default one
}

// TSAConfig names time-stamping services in the order they are tried.
type TSAConfig struct {
	URLs     []string      `yaml:"urls"`
	Timeout  time.Duration `yaml:"timeout"`
	Timeouts []string      `yaml:"timeouts"` // HOST=SPAN of single services
}

// byHost reads Timeouts; ok is false when an entry has no proper form.
func (c *TSAConfig) byHost() (spans map[string]time.Duration, ok bool) {
	spans = make(map[string]time.Duration, len(c.Timeouts))
	for _, s := range c.Timeouts {
		host, span, _ := strings.Cut(s, "=")
		d, err := time.ParseDuration(span)
		if err != nil || d < time.Second || d > maxTSATimeout {
			return nil, false
		}
		spans[host] = d
	}
	return spans, true
}

// client asks the services by these settings.
func (c *TSAConfig) client(urls []string, pauses []time.Duration, now func() time.Time) (*tsa.Client, error) {
	spans, _ := c.byHost() // checked when the configuration was read
	maps.DeleteFunc(spans, func(host string, _ time.Duration) bool {
		return !slices.ContainsFunc(urls, func(s string) bool { u, err := url.Parse(s); return err == nil && u.Host == host })
	})
	return tsa.New(tsa.Options{URLs: urls, Timeout: c.Timeout, Timeouts: spans, Pauses: pauses, Now: now})
}

// KeysConfig says where the agency's seal is.
type KeysConfig struct {
	Helper           string   `yaml:"helper" path:"file"`            // Unix socket of the key helper
	Seal             string   `yaml:"seal"`                          // the helper's id of the seal
	SealCertificates []string `yaml:"seal_certificates" path:"file"` // listed for receivers and checked on uploads
}

// LimitsConfig bounds what callers may ask.
type LimitsConfig struct {
	RequestsPerMinute int `yaml:"requests_per_minute"` // of one API key
	MaxPayloadMB      int `yaml:"max_payload_mb"`      // of one transfer
}

// Sessions bounds logged-in sessions.
type Sessions struct {
	Idle     time.Duration `yaml:"idle"`
	Absolute time.Duration `yaml:"absolute"`
}

// ExpiryConfig is how long a transfer waits for its receiver.
type ExpiryConfig struct {
	Normal time.Duration `yaml:"normal"`
	Urgent time.Duration `yaml:"urgent"`
}

// LogConfig says what is logged, to standard error, one JSON object a line.
type LogConfig struct {
	Level string `yaml:"level" enum:"debug,info,warn,error"`
}

// origin is where a setting's value comes from.
type origin struct {
	Env  string // the variable, when it came from the environment
	File string // the file, when it came from one
	Line int
}

// defaultConfigFile is read when no other is named and it exists.
const defaultConfigFile = "/etc/antin/antin.yaml"

// maxConfigFile bounds a configuration or directory file, in bytes: a directory of
// a thousand agencies with two certificates each fits.
const maxConfigFile = 8 << 20

// defaultConfig returns the values that hold where nothing else is said.
func defaultConfig() *Config {
	return &Config{
		Agency:           AgencyConfig{SealDiameterMM: 36, Numbering: "own"},
		DataDir:          "/var/lib/antin",
		Listen:           ListenConfig{Desk: "127.0.0.1:8080", Public: "127.0.0.1:8081", Peer: ":8443", Admin: "127.0.0.1:9090"},
		Desk:             OriginConfig{URL: "http://127.0.0.1:8080"},
		Public:           OriginConfig{URL: "http://127.0.0.1:8081"},
		DirectoryExpired: "stop",
		TSA:              TSAConfig{Timeout: tsa.DefaultTimeout},
		Limits:           LimitsConfig{RequestsPerMinute: 600, MaxPayloadMB: 200},
		Sessions:         Sessions{Idle: 30 * time.Minute, Absolute: 12 * time.Hour},
		Expiry:           ExpiryConfig{Normal: 5 * 24 * time.Hour, Urgent: 24 * time.Hour},
		Traces:           TracesConfig{Sample: 1},
		Folder:           FolderConfig{When: "accepted"},
		Webhooks:         WebhooksConfig{Timeout: webhook.DefaultTimeout},
		Log:              LogConfig{Level: "info"},
		origins:          map[string]origin{},
	}
}

// loadConfig reads the file that --config or ANTIN_CONFIG names (else the default
// one when it is there), then the environment, and checks each value by itself.
// Errors: config-invalid naming the line or variable, not-found.
func loadConfig(e *env) (*Config, error) {
	file, named := e.config, e.config != ""
	if !named {
		file = defaultConfigFile
	}
	c := defaultConfig()
	data, err := readConfigFile(file)
	switch {
	case err == nil:
		if err := c.read(file, data); err != nil {
			return nil, err
		}
	case named || !errors.Is(err, fs.ErrNotExist):
		return nil, inputError(file, err)
	}
	if err := c.fromEnvironment(os.Environ()); err != nil {
		return nil, err
	}
	return c, c.check()
}

// read takes the values of one file, and notes where each stood.
func (c *Config) read(file string, data []byte) error {
	c.file = file
	base := filepath.Dir(file)
	return strictYAML(file, data, c, func(path string, line int, value reflect.Value, kind string) {
		c.origins[path] = origin{File: file, Line: line}
		absolute(value, kind, base)
	})
}

func readConfigFile(file string) ([]byte, error) {
	st, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if st.Size() > maxConfigFile {
		return nil, text.Detailed(text.TooLarge, nil, "cli.path", file)
	}
	return os.ReadFile(file)
}

// absolute makes relative file names relative to where they were written.
func absolute(v reflect.Value, kind, base string) {
	if kind != "file" {
		return
	}
	join := func(v reflect.Value) {
		if s := v.String(); s != "" && !filepath.IsAbs(s) {
			if abs, err := filepath.Abs(filepath.Join(base, s)); err == nil {
				v.SetString(abs)
			}
		}
	}
	if v.Kind() == reflect.Slice {
		for i := range v.Len() {
			join(v.Index(i))
		}
		return
	}
	join(v)
}

// notSettings are the variables of this program that set nothing of the file.
var notSettings = []string{"ANTIN_CONFIG", "ANTIN_LANG", "ANTIN_KEY_PASSWORD", "ANTIN_PASSWORD", "ANTIN_TEST_"}

// fromEnvironment sets what ANTIN_* variables say; lists are separated by commas.
func (c *Config) fromEnvironment(environ []string) error {
	byEnv := map[string]setting{}
	for _, s := range c.settings() {
		byEnv[s.Env] = s
	}
	slices.Sort(environ)
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "ANTIN_") {
			continue
		}
		s, ok := byEnv[name]
		if !ok {
			if !slices.ContainsFunc(notSettings, func(p string) bool { return strings.HasPrefix(name, p) }) {
				c.strange = append(c.strange, name)
			}
			continue
		}
		if err := setScalar(s.Value, value, s.Enum); err != nil {
			return text.Detailed(text.ConfigInvalid, nil, "config.bad_env", name, wanted(s.Value.Type(), s.Enum).VI, wanted(s.Value.Type(), s.Enum).EN)
		}
		absolute(s.Value, s.Kind, ".")
		c.origins[s.Path] = origin{Env: name}
	}
	return nil
}

// setting is one leaf of Config.
type setting struct {
	Path  string // "listen.desk"
	Env   string // "ANTIN_LISTEN_DESK"
	Value reflect.Value
	Kind  string   // "file" for names of files
	Enum  []string // the words allowed; nil for any
}

// settings lists every leaf in the order of the struct.
func (c *Config) settings() []setting {
	return leaves(reflect.ValueOf(c).Elem(), "")
}

func leaves(v reflect.Value, prefix string) (all []setting) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := f.Tag.Get("yaml")
		if name == "" {
			continue
		}
		if f.Type.Kind() == reflect.Struct {
			all = append(all, leaves(v.Field(i), prefix+name+".")...)
			continue
		}
		path := prefix + name
		all = append(all, setting{Path: path, Env: "ANTIN_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_")),
			Value: v.Field(i), Kind: f.Tag.Get("path"), Enum: enumOf(f)})
	}
	return all
}

func enumOf(f reflect.StructField) []string {
	if e := f.Tag.Get("enum"); e != "" {
		return strings.Split(e, ",")
	}
	return nil
}
