// Command antin signs documents, exchanges them between agencies and checks what
// is received. `antin --help` lists its verbs; each verb is one file here, and
// wire.go is the only one that names drivers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"antin/internal/failpoint"
	"antin/internal/text"
)

// version is set by the release build; a build from source says so.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// streams are the program's standard streams: data goes to out, messages and
// progress to err.
type streams struct {
	in       *os.File
	out, err io.Writer
	disk     disk // of outputs; nil is the computer's own
}

// outputs are where the verb writes its files.
func (s streams) outputs() outputs { return outputs{s.disk} }

// cli is the whole command line; kong fills it.
type cli struct {
	Lang    string `help:"${help_lang}" default:"vi" enum:"vi,en" env:"ANTIN_LANG" placeholder:"vi|en"`
	Quiet   bool   `help:"${help_quiet}" short:"q"`
	NoInput bool   `help:"${help_no_input}" name:"no-input"`
	Config  string `help:"${help_config}" env:"ANTIN_CONFIG" placeholder:"FILE"`

	Demo    demoCmd       `cmd:"" help:"${help_demo}"`
	Sandbox sandboxCmd    `cmd:"" help:"${help_sandbox}"`
	Sign    signCmd       `cmd:"" help:"${help_sign}"`
	Augment augmentCmd    `cmd:"" help:"${help_augment}"`
	Verify  verifyCmd     `cmd:"" help:"${help_verify}"`
	Revs    revisionsCmd  `cmd:"" name:"revisions" help:"${help_revisions}"`
	EdXML   edxmlCmd      `cmd:"" name:"edxml" help:"${help_edxml}"`
	Serve   serveCmd      `cmd:"" help:"${help_serve}"`
	Init    initCmd       `cmd:"" help:"${help_init}"`
	Doctor  doctorCmd     `cmd:"" help:"${help_doctor}"`
	Audit   auditCmd      `cmd:"" help:"${help_audit}"`
	Backup  backupCmd     `cmd:"" help:"${help_backup}"`
	Restore restoreCmd    `cmd:"" help:"${help_restore}"`
	Quar    quarantineCmd `cmd:"" name:"quarantine" help:"${help_quarantine}"`
	Carry   carryCmd      `cmd:"" help:"${help_carry}"`
	Blobs   blobsCmd      `cmd:"" name:"blobs" help:"${help_blobs}"`
	Migrate migrateCmd    `cmd:"" help:"${help_migrate}"`
	Conf    configCmd     `cmd:"" name:"config" help:"${help_config_cmd}"`
	Trust   trustCmd      `cmd:"" help:"${help_trust_cmd}"`
	Dir     directoryCmd  `cmd:"" name:"directory" help:"${help_directory}"`
	User    userCmd       `cmd:"" help:"${help_user}"`
	Apikey  apikeyCmd     `cmd:"" help:"${help_apikey}"`
	Webhook webhookCmd    `cmd:"" help:"${help_webhook}"`
	Keys    keyhelperCmd  `cmd:"" name:"keyhelper" help:"${help_keyhelper}"`
	Bench   benchCmd      `cmd:"" help:"${help_bench}"`
	Version versionCmd    `cmd:"" help:"${help_version}"`
	Render  renderCmd     `cmd:"" hidden:""`

	BenchGateway     benchGatewayCmd     `cmd:"" hidden:""`
	BenchExchangeEnd benchExchangeEndCmd `cmd:"" hidden:""`
}

// env is what every verb runs with.
type env struct {
	streams
	lang    text.Lang
	quiet   bool
	noInput bool
	now     func() time.Time
	config  string       // --config, else ANTIN_CONFIG; empty when neither is given
	log     *slog.Logger // of serve; nil for commands that only talk
}

// say prints a message for a person on standard error, unless --quiet was given.
func (e *env) say(key text.Key, args ...any) {
	if !e.quiet {
		fmt.Fprintln(e.err, text.Get(key, args...).In(e.lang))
	}
}

// warn prints a message that --quiet does not silence.
func (e *env) warn(key text.Key, args ...any) {
	fmt.Fprintln(e.err, text.Get(key, args...).In(e.lang))
}

// fail prints what went wrong and, as its last line, what to do next.
func (e *env) fail(err error) {
	te := text.As(err)
	fmt.Fprintf(e.err, "✗ %s [%s]\n", te.Message().In(e.lang), te.Code)
	if te.Code == text.Internal && te.Err != nil {
		fmt.Fprintf(e.err, "  %v\n", te.Err)
	}
	fmt.Fprintf(e.err, "→ %s\n", te.Fix().In(e.lang))
}

// exitError carries an exit code that is an outcome rather than an error: what
// there was to say has been said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// run parses args, runs the verb and returns the process's exit code.
func run(ctx context.Context, args []string, s streams) int {
	lang := languageOf(args)
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("antin"), kong.Description(text.Get("cli.description").In(lang)),
		helpTexts(lang), kong.Writers(s.out, s.err), kong.UsageOnError(),
		kong.Exit(func(code int) { exited = code; panic(exitPanic{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		fmt.Fprintln(s.err, err)
		return 1
	}
	parser.Model.HelpFlag.Help = text.Get("cli.help").In(lang)
	kctx, err := parse(parser, args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintf(s.err, "✗ %s: %s\n→ %s\n", text.Get("cli.usage").In(lang), usageProblem(lang, err), usageHint(err))
		return 2
	}
	e := &env{streams: s, lang: lang, quiet: c.Quiet, noInput: c.NoInput, now: failpoint.Clock(time.Now), config: c.Config}
	return exitCode(ctx, e, kctx.Run(e, &ctxHolder{ctx}))
}

// ctxHolder passes the context to kong's Run, which binds by type.
type ctxHolder struct{ context.Context }

type exitPanic struct{}

// parse keeps kong's own way out of --help from ending the process.
func parse(p *kong.Kong, args []string) (k *kong.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(exitPanic); !ok {
				panic(r)
			}
		}
	}()
	return p.Parse(args)
}

func exitCode(ctx context.Context, e *env, err error) int {
	var outcome exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &outcome):
		return int(outcome)
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		e.fail(text.Errorf(text.Interrupted, nil))
		return text.Interrupted.Exit()
	}
	e.fail(err)
	return text.CodeOf(err).Exit()
}

// languageOf finds --lang before the real parse, because the help itself is
// written in the language asked for.
func languageOf(args []string) text.Lang {
	lang, _ := text.ParseLang(os.Getenv("ANTIN_LANG"))
	for i, a := range args {
		switch {
		case a == "--":
			return lang
		case a == "--lang" && i+1 < len(args):
			lang, _ = text.ParseLang(args[i+1])
		case len(a) > 7 && a[:7] == "--lang=":
			lang, _ = text.ParseLang(a[7:])
		}
	}
	return lang
}
