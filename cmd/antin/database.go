package main

import (
	"net/url"
	"os"
	"strings"

	"antin/internal/text"
	"antin/store"
)

// DatabaseConfig says where the rows are, when that is not the data directory.
type DatabaseConfig struct {
	URL          string `yaml:"url"`                       // postgres://USER@HOST/NAME; empty: SQLite in the data directory
	PasswordFile string `yaml:"password_file" path:"file"` // its password, where the URL has none
}

// maxPasswordFile bounds a file that holds one password, in bytes.
const maxPasswordFile = 4 << 10

func (c *Config) checkDatabase() error {
	if c.Database.URL == "" {
		return nil
	}
	u, err := url.Parse(c.Database.URL)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") || u.Host == "" && u.Query().Get("host") == "" ||
		u.Query().Has("password") { // what stands there is not masked when settings are shown
		return c.wrong("database.url", "config.want.postgres")
	}
	return nil
}

// storeOptions says to the store what the configuration says of it. Errors:
// file-unreadable for the password and the keys of S3.
func (c *Config) storeOptions(e *env) (store.Options, error) {
	o := store.Options{Dir: c.DataDir, Database: c.Database.URL, Logger: e.log, Now: e.now}
	var err error
	if o.S3, err = c.Blobs.S3.options(); err != nil {
		return o, err
	}
	if o.BlobKey, err = c.Blobs.key(c); err != nil {
		return o, err
	}
	if c.Database.URL == "" || c.Database.PasswordFile == "" {
		return o, nil
	}
	u, err := url.Parse(c.Database.URL)
	if err != nil {
		return o, c.wrong("database.url", "config.want.postgres")
	}
	password, err := readSmall(c.Database.PasswordFile)
	if err != nil {
		return o, err
	}
	u.User = url.UserPassword(u.User.Username(), password)
	o.Database = u.String()
	return o, nil
}

// readSmall reads a file that holds one secret on one line.
func readSmall(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", inputError(path, err)
	}
	if info.Size() > maxPasswordFile {
		return "", text.Detailed(text.TooLarge, nil, "cli.path", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", inputError(path, err)
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}
