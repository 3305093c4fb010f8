package main

import (
	"antin/internal/text"
	"antin/store"
)

// blobsCmd looks after the store of files.
type blobsCmd struct {
	Rekey blobsRekeyCmd `cmd:"" help:"${help_blobs_rekey}"`
}

// blobsRekeyCmd puts the data keys under another key-encryption key.
type blobsRekeyCmd struct {
	NewKeyFile string `name:"new-key-file" required:"" help:"${help_blobs_new_key}" placeholder:"FILE"`
	Fresh      bool   `help:"${help_blobs_fresh}"`
}

// Run rewraps beside whatever process works in the data directory, which goes on with
// the keys that it has; the configuration is changed by hand before the next start.
func (c *blobsRekeyCmd) Run(e *env, ctx *ctxHolder) error {
	cfg, err := loadConfig(e)
	if err != nil {
		return err
	}
	o, err := cfg.storeOptions(e)
	if err != nil {
		return err
	}
	written, err := readSmall(c.NewKeyFile)
	if err != nil {
		return err
	}
	key, ok := parseBlobKey(written)
	if !ok {
		return text.Detailed(text.InvalidInput, nil, "vault.size")
	}
	if err := store.RewrapBlobKeys(ctx, o, key, c.Fresh); err != nil {
		return err
	}
	e.say("vault.rekeyed")
	return nil
}
