package main

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"os"
	"regexp"
	"strings"

	"antin/internal/text"
	"antin/store"
)

// BlobsConfig says where files are, when that is not the data directory.
type BlobsConfig struct {
	S3 S3Config `yaml:"s3"`
	// KeyFile and KeyEnv name the key-encryption key; where neither is set files lie as
	// they are.
	KeyFile string `yaml:"key_file" path:"file"`
	KeyEnv  string `yaml:"key_env"`
}

// key reads the key-encryption key; nil without one. Errors: config-invalid.
func (b BlobsConfig) key(c *Config) ([]byte, error) {
	written := ""
	switch {
	case b.KeyFile != "" && b.KeyEnv != "":
		return nil, c.wrong("blobs.key_env", "config.want.one_key")
	case b.KeyFile != "":
		var err error
		if written, err = readSmall(b.KeyFile); err != nil {
			return nil, err
		}
	case b.KeyEnv != "":
		if written = strings.TrimSpace(os.Getenv(b.KeyEnv)); written == "" {
			return nil, c.wrong("blobs.key_env", "config.want.blob_key")
		}
	default:
		return nil, nil
	}
	key, ok := parseBlobKey(written)
	if !ok {
		return nil, c.wrong("blobs.key_file", "config.want.blob_key")
	}
	return key, nil
}

// parseBlobKey reads 32 bytes written in hexadecimal or base64.
func parseBlobKey(s string) (key []byte, ok bool) {
	if b, err := hex.DecodeString(s); err == nil && len(b) == store.BlobKeySize {
		return b, true
	}
	b, err := base64.StdEncoding.DecodeString(s)
	return b, err == nil && len(b) == store.BlobKeySize
}

// S3Config is a bucket of an S3 service. An empty endpoint means none.
type S3Config struct {
	Endpoint      string `yaml:"endpoint"` // https://HOST[:PORT]; http only for one on the same machine
	Bucket        string `yaml:"bucket"`
	Prefix        string `yaml:"prefix"` // before every key
	Region        string `yaml:"region"`
	AccessKeyFile string `yaml:"access_key_file" path:"file"`
	SecretKeyFile string `yaml:"secret_key_file" path:"file"`
	CAFile        string `yaml:"ca_file" path:"file"` // PEM; trusted in place of the system's
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	// keyPrefix keeps keys readable and free of what services treat differently.
	keyPrefix = regexp.MustCompile(`^([A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*)?$`)
)

// checkBlobs refuses half a bucket, and documents in clear over a network.
func (c *Config) checkBlobs() error {
	s := c.Blobs.S3
	if s == (S3Config{}) {
		return nil
	}
	u, err := url.Parse(s.Endpoint)
	switch {
	case err != nil || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Host)) || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		return c.wrong("blobs.s3.endpoint", "config.want.s3")
	case !bucketName.MatchString(s.Bucket):
		return c.wrong("blobs.s3.bucket", "config.want.bucket")
	case !keyPrefix.MatchString(s.Prefix):
		return c.wrong("blobs.s3.prefix", "config.want.prefix")
	case s.AccessKeyFile == "":
		return c.wrong("blobs.s3.access_key_file", "config.want.key_file")
	case s.SecretKeyFile == "":
		return c.wrong("blobs.s3.secret_key_file", "config.want.key_file")
	}
	return nil
}

// options reads the keys and the anchors; nil without an endpoint.
func (s S3Config) options() (*store.S3Options, error) {
	if s.Endpoint == "" {
		return nil, nil //nolint:nilnil // files in the data directory
	}
	o := &store.S3Options{Endpoint: s.Endpoint, Bucket: s.Bucket, Prefix: s.Prefix, Region: s.Region}
	var err error
	if o.AccessKey, err = readSmall(s.AccessKeyFile); err != nil {
		return nil, err
	}
	if o.SecretKey, err = readSmall(s.SecretKeyFile); err != nil {
		return nil, err
	}
	if s.CAFile == "" {
		return o, nil
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, inputError(s.CAFile, err)
	}
	o.CA = x509.NewCertPool()
	if !o.CA.AppendCertsFromPEM(pem) {
		return nil, text.Detailed(text.ConfigInvalid, nil, "cli.path", s.CAFile)
	}
	return o, nil
}
