package main

import (
	"time"

	"antin/certs/fetch"
	"antin/exchange"
	"antin/exchange/webhook"
)

// WebhooksConfig says which addresses of the house's own systems may be called.
type WebhooksConfig struct {
	AllowHosts []string      `yaml:"allow_hosts"` // HOST|CIDR[:PORT]; empty: none
	Timeout    time.Duration `yaml:"timeout"`     // of one call
}

const (
	// maxWebhookTimeout bounds the setting: who needs longer should take the event first
	// and work on it later.
	maxWebhookTimeout = 2 * time.Minute
	// webhooksAgain is when the handing over begins again after it ended in a panic.
	webhooksAgain = 5 * time.Second
)

// hookGuards are what stands between webhooks and the network: only what is listed is
// called at all, and without TLS only within the house.
func (c *Config) hookGuards() (secure, plain *fetch.Dialer, err error) {
	o := fetch.Options{AllowHosts: c.Webhooks.AllowHosts, RefuseHosts: c.ownListeners(), ListedOnly: true}
	if secure, err = fetch.NewDialer(o, false); err != nil {
		return nil, nil, err
	}
	plain, err = fetch.NewDialer(o, true)
	return secure, plain, err
}

// hooks calls webhooks by these settings.
func (c *Config) hooks() (*webhook.Client, error) {
	secure, plain, err := c.hookGuards()
	if err != nil {
		return nil, err
	}
	return webhook.New(secure, plain, c.Webhooks.Timeout), nil
}

func (c *Config) checkHandover() error {
	if _, _, err := c.hookGuards(); err != nil {
		return c.wrong("webhooks.allow_hosts", "config.want.host")
	}
	if c.Webhooks.Timeout < time.Second || c.Webhooks.Timeout > maxWebhookTimeout {
		return c.wrong("webhooks.timeout", "config.want.between", time.Second.String(), maxWebhookTimeout.String())
	}
	if err := c.checkFolders(); err != nil {
		return err
	}
	return c.checkTraces()
}

// webhookAlarm hears of a webhook that was given up, or of an event that was set aside.
func (g *gateway) webhookAlarm(w exchange.Webhook, h exchange.Handover) {
	g.log.Error("webhook", "id", w.ID, "name", w.Name, "given_up", !h.Parked.IsZero(), "seq", h.Seq, "why", h.Note.Message.EN)
}
