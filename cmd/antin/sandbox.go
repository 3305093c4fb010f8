package main

import (
	"os"
)

// sandboxCmd runs the sandbox's trust services alone.
type sandboxCmd struct {
	Dir  string `help:"${help_sandbox_dir}" placeholder:"DIR"`
	Addr string `help:"${help_sandbox_addr}" default:"127.0.0.1:8318"`
}

// Run serves until it is stopped.
func (c *sandboxCmd) Run(e *env, ctx *ctxHolder) error {
	if _, _, err := loopbackAddr(c.Addr); err != nil {
		return err
	}
	dir := c.Dir
	if dir == "" {
		tmp, err := os.MkdirTemp("", "antin-sandbox-")
		if err != nil {
			return storageError(err)
		}
		dir = tmp
	} else if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the user's own folder; keys inside have their own mode
		return storageError(err)
	}
	l, err := listen(ctx, c.Addr)
	if err != nil {
		return err
	}
	addr := l.Addr().String()
	pki, err := loadOrMakePKI(e, dir, "http://"+addr)
	if err != nil {
		_ = l.Close()
		return err
	}
	e.say("sandbox.ready", addr, dir)
	return serveUntil(ctx, l, guardHost(addr, pki.Handler()))
}
