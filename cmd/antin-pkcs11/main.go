// Command antin-pkcs11 is the helper that signs with tokens and HSMs: the only program
// of this project that loads a vendor's PKCS #11 library. `antin sign --key pkcs11:…`
// starts it as a child (verb module). `antin-pkcs11 serve` holds keys for `antin serve`
// behind a Unix socket, as `antin keyhelper` does with keys in files; it starts itself
// as a child for each library, so that a crash there ends neither socket nor log.
//
// It needs cgo. Built without, it runs and says so.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"antin/internal/text"
	"antin/signer/keys/pkcs11"
)

// cli is the whole command line; kong fills it.
type cli struct {
	Lang string `help:"${lang}" default:"vi" enum:"vi,en" env:"ANTIN_LANG" placeholder:"vi|en"`

	Serve  serveCmd  `cmd:"" help:"${serve}"`
	Check  checkCmd  `cmd:"" help:"${check}"`
	Tokens tokensCmd `cmd:"" help:"${tokens}"`
	Module moduleCmd `cmd:"" hidden:""`
}

// env is what every verb runs with.
type env struct {
	lang     text.Lang
	out, err io.Writer
	now      func() time.Time
}

func (e *env) say(key text.Key, args ...any) {
	fmt.Fprintln(e.err, text.Get(key, args...).In(e.lang))
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run parses args, runs the verb and returns the process's exit code.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	lang, _ := text.ParseLang(os.Getenv("ANTIN_LANG"))
	vars := kong.Vars{"config_default": defaultConfig}
	for _, name := range []string{"lang", "serve", "check", "tokens", "config", "module"} {
		vars[name] = text.Get(text.Key("token.help." + name)).In(lang)
	}
	var c cli
	parser, err := kong.New(&c, kong.Name("antin-pkcs11"), kong.Description(text.Get("token.help").In(lang)), vars,
		kong.Writers(out, errOut), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(errOut, err)
		return 1
	}
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(errOut, "✗ %v\n→ antin-pkcs11 --help\n", err)
		return 2
	}
	lang, _ = text.ParseLang(c.Lang)
	e := &env{lang: lang, out: out, err: errOut, now: time.Now}
	k.BindTo(ctx, (*context.Context)(nil))
	return e.exit(ctx, k.Run(e))
}

// exit prints what went wrong and what to do next, and returns the exit code.
func (e *env) exit(ctx context.Context, err error) int {
	if err == nil {
		return 0
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return text.Interrupted.Exit()
	}
	te := text.As(err)
	fmt.Fprintf(e.err, "✗ %s [%s]\n", te.Message().In(e.lang), te.Code)
	if te.Err != nil {
		fmt.Fprintf(e.err, "  %v\n", te.Err)
	}
	fmt.Fprintf(e.err, "→ %s\n", te.Fix().In(e.lang))
	return te.Code.Exit()
}

// moduleCmd serves one library over the standard streams.
type moduleCmd struct{}

// Run answers until the input ends. Ctrl-C is for the program that started this one,
// which then closes the input.
func (moduleCmd) Run() error {
	signal.Ignore(os.Interrupt)
	out, err := ownOutput(os.Stdout)
	if err != nil {
		return err
	}
	return serveModule(os.Stdin, out)
}

// tokensCmd lists what a library sees.
type tokensCmd struct {
	Module string `arg:"" help:"${module}"`
}

// Run prints one line for each token: a URI that names it, and what it says of its PIN.
func (c *tokensCmd) Run(ctx context.Context, e *env) error {
	p, err := ownProvider()
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }()
	all, err := p.Tokens(ctx, c.Module)
	if err != nil {
		return err
	}
	for _, t := range all {
		state := "pin-ok"
		switch {
		case t.Locked:
			state = "pin-locked"
		case t.LastTry:
			state = "pin-last-try"
		case t.CountLow:
			state = "pin-count-low"
		}
		slot := t.Slot
		u := pkcs11.URI{Token: t.Label, Serial: t.Serial, ModulePath: c.Module}
		fmt.Fprintf(e.out, "%s\tslot-id=%d\t%s %s\t%s\n", u, slot, t.Manufacturer, t.Model, state)
	}
	return nil
}

// ownProvider starts this very program as the child.
func ownProvider() (*pkcs11.Provider, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, text.Detailed(text.KeyUnavailable, err, "token.no_helper")
	}
	return &pkcs11.Provider{Helper: self}, nil
}
