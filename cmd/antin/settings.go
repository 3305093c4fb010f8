package main

import (
	"context"
	"errors"
	"io/fs"

	"antin/exchange"
)

// noteSettings leaves in the evidence which configuration, directory and transport
// key the gateway works by from now on, where they are others than before.
func (g *gateway) noteSettings(ctx context.Context, e *env) error {
	by, now := exchange.System(g.office.Agency.Code), g.now().UTC()
	note := func(s exchange.Setting, content []byte) error {
		return g.evidence.NoteSetting(ctx, by, s, exchange.DigestOf(content), now)
	}
	file := e.config
	if file == "" {
		file = defaultConfigFile
	}
	for s, path := range map[exchange.Setting]string{exchange.SettingConfig: file, exchange.SettingDirectory: g.cfg.Directory} {
		content, err := readConfigFile(path)
		if path == "" || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return inputError(path, err)
		}
		if err := note(s, content); err != nil {
			return err
		}
	}
	return note(exchange.SettingTransportKey, g.own.current().Certificate)
}
