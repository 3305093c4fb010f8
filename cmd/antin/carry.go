package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"antin/exchange"
	"antin/internal/text"
	"antin/store"
)

// carryCmd carries transfers by medium.
type carryCmd struct {
	Export carryExportCmd `cmd:"" help:"${help_carry_export}"`
	Import carryImportCmd `cmd:"" help:"${help_carry_import}"`
}

// carryExportCmd writes what waits for one agency.
type carryExportCmd struct {
	To     string `required:"" help:"${help_carry_to}" placeholder:"CODE"`
	Output string `short:"o" required:"" help:"${help_carry_output}" placeholder:"FILE"`
	JSON   bool   `name:"json" help:"${help_json}"`
	Force  bool   `help:"${help_force}"`
}

// carryFile is a carried file as --json prints it.
type carryFile struct {
	File string `json:"file"`
	exchange.Carried
}

// Run reads the data directory beside whatever process works in it.
func (c *carryExportCmd) Run(e *env, ctx *ctxHolder) error {
	cfg, err := loadConfig(e)
	if err != nil {
		return err
	}
	to := exchange.AgencyCode(c.To)
	if !to.Valid() {
		return text.Detailed(text.InvalidInput, nil, "exchange.agency", c.To)
	}
	options, err := cfg.storeOptions(e)
	if err != nil {
		return err
	}
	if options.Database == "" && !store.Exists(cfg.DataDir) {
		return text.Detailed(text.NotFound, nil, "serve.data_dir", cfg.DataDir)
	}
	r, err := store.OpenReader(ctx, options)
	if err != nil {
		return storeError(cfg.DataDir, err)
	}
	defer func() { _ = r.Close() }()
	carrier := &exchange.Carrier{Store: r, Open: r.Open, Now: e.now}
	var done exchange.Carried
	// 0600: documents are in it.
	err = writeFileMode(c.Output, 0o600, c.Force, func(w io.Writer) error {
		done, err = carrier.Export(ctx, w, exchange.AgencyCode(cfg.Agency.Code), to)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e.out, carryFile{c.Output, done})
	}
	e.say("carry.exported", c.Output, done.Transfers, done.Receipts, c.To)
	if done.More {
		e.warn("carry.more")
	}
	return nil
}

// carryImportCmd takes in what another agency wrote.
type carryImportCmd struct {
	Files []string `arg:"" name:"file" help:"${help_carry_file}"`
	JSON  bool     `name:"json" help:"${help_json}"`
}

// partlyExit says that some of what was to be done could not be: the contract's “partly done”.
const partlyExit = 6

// Run takes the files in, or hands them to the process that works in the data directory.
func (c *carryImportCmd) Run(e *env, ctx *ctxHolder) error {
	cfg, err := loadConfig(e)
	if err != nil {
		return err
	}
	carrier, end, err := openCarrier(ctx, e, cfg)
	running := text.CodeOf(err) == text.DataInUse
	if err != nil && !running {
		return err
	}
	if !running {
		defer end()
	}
	refused := false
	for _, file := range c.Files {
		var done exchange.Carried
		if running {
			done, err = handOver(ctx, e, cfg, file)
		} else {
			done, err = importCarried(ctx, carrier, file)
		}
		if err != nil {
			return err
		}
		refused = refused || len(done.Refused) > 0
		if err := c.print(e, file, done); err != nil {
			return err
		}
	}
	if refused {
		return exitError(partlyExit)
	}
	return nil
}

func (c *carryImportCmd) print(e *env, file string, done exchange.Carried) error {
	if c.JSON {
		return printJSON(e.out, carryFile{file, done})
	}
	e.say("carry.imported", file, string(done.From), done.Transfers, done.Receipts)
	for _, r := range done.Refused {
		e.warn("carry.refused", string(r.ID), text.Errorf(r.Code, nil).Message().In(e.lang))
	}
	return nil
}

// openCarrier puts together what an import needs; data-in-use while another process
// works in the data directory.
func openCarrier(ctx context.Context, e *env, cfg *Config) (*exchange.Carrier, func(), error) {
	own, err := openIdentity(cfg, e.now, func(error) {})
	if err != nil {
		return nil, nil, err
	}
	seals, err := loadSeals(cfg)
	if err != nil {
		return nil, nil, err
	}
	own.office = cfg.office(own.files.value, seals, e.now())
	directory, err := cfg.openDirectory(own.office.Agency, e.now, nil)
	if err != nil {
		return nil, nil, err
	}
	db, err := openStore(ctx, e, cfg)
	if err != nil {
		return nil, nil, err
	}
	if err := directory.bind(ctx, &exchange.DirectoryGuard{Store: db, Agency: own.office.Agency.Code, Now: e.now}); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	outbox := &exchange.Outbox{Store: db, Blobs: db, Directory: directory, Offices: own, Now: e.now}
	inbox := &exchange.Inbox{Store: db, Blobs: db, Directory: directory, Offices: own, Outbox: outbox, Now: e.now, MaxPayload: int64(cfg.Limits.MaxPayloadMB) << 20}
	c := &exchange.Carrier{Store: db, Open: db.Open, Inbox: inbox, Held: &exchange.Held{Outbox: outbox}, Now: e.now}
	return c, func() { _ = db.Close() }, nil
}

func importCarried(ctx context.Context, c *exchange.Carrier, file string) (exchange.Carried, error) {
	f, size, err := openInput(file)
	if err != nil {
		return exchange.Carried{}, err
	}
	defer f.Close()
	return c.Import(ctx, f, size)
}

// carryFolder is where files wait for the process that works in the data directory.
func carryFolder(cfg *Config) string { return filepath.Join(cfg.DataDir, "carry") }

const (
	// carryEvery is how often the folder is looked at, carryPatience how long an import
	// waits for its answer.
	carryEvery, carryPatience = time.Second, time.Minute
)

// handOver lays a file into the folder and waits for what becomes of it.
func handOver(ctx context.Context, e *env, cfg *Config, file string) (done exchange.Carried, err error) {
	in, _, err := openInput(file)
	if err != nil {
		return done, err
	}
	defer in.Close()
	if err := os.MkdirAll(carryFolder(cfg), 0o700); err != nil {
		return done, storageError(err)
	}
	name := filepath.Join(carryFolder(cfg), string(exchange.NewTransferID(e.now()))+".xpk")
	if err := writeFileMode(name, 0o600, false, func(w io.Writer) error { _, err := io.Copy(w, in); return err }); err != nil {
		return done, err
	}
	e.say("carry.waiting", name)
	end := time.NewTimer(carryPatience)
	defer end.Stop()
	for {
		answer, err := readCarryAnswer(name + answered)
		if !errors.Is(err, os.ErrNotExist) {
			return answer, err
		}
		select {
		case <-end.C:
			e.warn("carry.still_waiting", name)
			return done, text.Errorf(text.DataInUse, nil)
		case <-ctx.Done():
			return done, ctx.Err()
		case <-time.After(carryEvery / 5):
		}
	}
}
