package main

import (
	"context"
	"fmt"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// webhookCmd manages webhooks on the gateway's own machine.
type webhookCmd struct {
	Add       webhookAddCmd       `cmd:"" help:"${help_webhook_add}"`
	List      webhookListCmd      `cmd:"" help:"${help_webhook_list}"`
	Disable   webhookDisableCmd   `cmd:"" help:"${help_webhook_disable}"`
	Enable    webhookEnableCmd    `cmd:"" help:"${help_webhook_enable}"`
	Redeliver webhookRedeliverCmd `cmd:"" help:"${help_webhook_redeliver}"`
	Rotate    webhookRotateCmd    `cmd:"" help:"${help_webhook_rotate}"`
}

type webhookAddCmd struct {
	URL   string   `arg:"" name:"url" help:"${help_webhook_url}"`
	Name  string   `required:"" help:"${help_webhook_name}" placeholder:"TEXT"`
	Kind  []string `sep:"," help:"${help_webhook_kind}" placeholder:"KIND"`
	After int64    `default:"-1" help:"${help_webhook_after}" placeholder:"N"`
	JSON  bool     `name:"json" help:"${help_apikey_json}"`
}

type webhookListCmd struct {
	JSON bool `name:"json" help:"${help_apikey_json}"`
}

type webhookDisableCmd struct {
	ID string `arg:"" help:"${help_webhook_id}"`
}

type webhookEnableCmd struct {
	ID string `arg:"" help:"${help_webhook_id}"`
}

type webhookRedeliverCmd struct {
	ID  string `arg:"" help:"${help_webhook_id}"`
	Seq int64  `help:"${help_webhook_seq}" placeholder:"N"`
}

type webhookRotateCmd struct {
	ID      string `arg:"" help:"${help_webhook_id}"`
	Overlap string `default:"7d" help:"${help_webhook_overlap}" placeholder:"DAYS"`
	JSON    bool   `name:"json" help:"${help_apikey_json}"`
}

// shownWebhook is one webhook as --json prints it. Secret is there once, when it is made.
type shownWebhook struct {
	ID        exchange.ID           `json:"id"`
	Name      string                `json:"name"`
	URL       string                `json:"url"`
	Kinds     []string              `json:"kinds"`
	State     exchange.WebhookState `json:"state"`
	Seq       int64                 `json:"seq"`
	Behind    int64                 `json:"behind"`
	Parked    []int64               `json:"parked"`
	Attempts  int                   `json:"attempts,omitempty"`
	NextAt    time.Time             `json:"next_at,omitzero"`
	Note      *text.Message         `json:"note,omitempty"`
	CreatedAt time.Time             `json:"created_at"`
	OldUntil  time.Time             `json:"old_until,omitzero"`
	Secret    string                `json:"secret,omitempty"`
}

func showWebhook(v exchange.WebhookView, secret string) shownWebhook {
	s := shownWebhook{ID: v.ID, Name: v.Name, URL: v.URL, Kinds: append([]string{}, v.Kinds...), State: v.State, Seq: v.Handover.Seq, Behind: v.Behind,
		Parked: []int64{}, Attempts: v.Handover.Attempts, NextAt: v.Handover.NextAt, CreatedAt: v.CreatedAt, OldUntil: v.OldUntil, Secret: secret}
	for _, n := range []exchange.Note{v.Why, v.Handover.Note} {
		if !n.IsZero() {
			s.Note = &n.Message
		}
	}
	for _, p := range v.Parked {
		s.Parked = append(s.Parked, p.Seq)
	}
	return s
}

// withWebhooks runs act with the webhooks of the configured agency. `serve` may be
// running: it sees within seconds what was changed.
func withWebhooks(ctx context.Context, e *env, act func(h *exchange.Webhooks, by exchange.Actor) error) error {
	cfg, err := loadConfig(e)
	if err != nil {
		return err
	}
	caller, err := cfg.hooks()
	if err != nil {
		return err
	}
	return withAccess(ctx, e, func(a *exchange.Access, by exchange.Actor) error {
		return act(&exchange.Webhooks{Store: a.Store, Now: e.now, Caller: caller, Agency: by.Agency}, by)
	})
}

// printWebhookSecret prints a new secret alone on standard output.
func printWebhookSecret(e *env, v exchange.WebhookView, secret string, json bool) error {
	if json {
		return printJSON(e.out, showWebhook(v, secret))
	}
	e.say("cli.webhook.made", v.ID)
	_, err := fmt.Fprintln(e.out, secret)
	return err
}

// Run adds a webhook.
func (c *webhookAddCmd) Run(e *env, ctx *ctxHolder) error {
	return withWebhooks(ctx, e, func(h *exchange.Webhooks, by exchange.Actor) error {
		secret, v, err := h.Add(ctx, by, exchange.NewWebhook{Name: c.Name, URL: c.URL, Kinds: c.Kind, After: c.After})
		if err != nil {
			return err
		}
		return printWebhookSecret(e, v, secret, c.JSON)
	})
}

// Run prints the webhooks.
func (c *webhookListCmd) Run(e *env, ctx *ctxHolder) error {
	return withWebhooks(ctx, e, func(h *exchange.Webhooks, by exchange.Actor) error {
		all, err := h.List(ctx, by)
		if err != nil {
			return err
		}
		for _, v := range all {
			if c.JSON {
				if err := printJSON(e.out, showWebhook(v, "")); err != nil {
					return err
				}
				continue
			}
			state := text.Get(text.Key("webhook.state." + string(v.State))).In(e.lang)
			if _, err := fmt.Fprintln(e.out, text.Get("cli.webhook.line", string(v.ID), state, v.Name, v.URL, v.Behind, len(v.Parked)).In(e.lang)); err != nil {
				return err
			}
			if note := showWebhook(v, "").Note; note != nil {
				fmt.Fprintf(e.out, "    %s\n", note.In(e.lang))
			}
		}
		return nil
	})
}

// Run stops a webhook.
func (c *webhookDisableCmd) Run(e *env, ctx *ctxHolder) error {
	return withWebhooks(ctx, e, func(h *exchange.Webhooks, by exchange.Actor) error {
		if err := h.Disable(ctx, by, exchange.ID(c.ID)); err != nil {
			return err
		}
		e.say("cli.webhook.disabled", c.ID)
		return nil
	})
}

// Run lets a webhook go on.
func (c *webhookEnableCmd) Run(e *env, ctx *ctxHolder) error {
	return withWebhooks(ctx, e, func(h *exchange.Webhooks, by exchange.Actor) error {
		if err := h.Enable(ctx, by, exchange.ID(c.ID)); err != nil {
			return err
		}
		e.say("cli.webhook.enabled", c.ID)
		return nil
	})
}

// Run asks for events once more.
func (c *webhookRedeliverCmd) Run(e *env, ctx *ctxHolder) error {
	if c.Seq < 0 {
		return text.Detailed(text.InvalidInput, nil, "exchange.field", "--seq")
	}
	return withWebhooks(ctx, e, func(h *exchange.Webhooks, by exchange.Actor) error {
		n, err := h.Redeliver(ctx, by, exchange.ID(c.ID), c.Seq)
		if err != nil {
			return err
		}
		e.say("cli.webhook.again", n)
		return nil
	})
}

// Run gives a webhook a new secret.
func (c *webhookRotateCmd) Run(e *env, ctx *ctxHolder) error {
	overlap, ok := parseDays(c.Overlap)
	if !ok {
		return text.Detailed(text.InvalidInput, nil, "access.overlap")
	}
	return withWebhooks(ctx, e, func(h *exchange.Webhooks, by exchange.Actor) error {
		secret, v, err := h.Rotate(ctx, by, exchange.ID(c.ID), overlap)
		if err != nil {
			return err
		}
		return printWebhookSecret(e, v, secret, c.JSON)
	})
}
