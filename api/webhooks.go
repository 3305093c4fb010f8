package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"antin/exchange"
)

func (s *Server) webhookRoutes(b *builder) {
	operator := []exchange.Role{exchange.RoleOperator}
	// Keys may not: one that was stolen could have everything told to another address.
	list := route{method: http.MethodGet, path: "/v1/webhooks", tag: "events", people: true, roles: operator}
	act := func(id, verb string, keyed bool) route {
		return route{id: id, method: http.MethodPost, path: "/v1/webhooks/{id}:" + verb, tag: "events", people: true, roles: operator, keyed: keyed, maxJSON: maxSmallJSON}
	}
	list.id = "list-webhooks"
	register(b, list, s.listWebhooks)
	// Without an idempotency key: what is answered under one is kept, and this has a secret in it.
	register(b, route{id: "create-webhook", method: http.MethodPost, path: "/v1/webhooks", tag: "events", people: true, roles: operator, status: http.StatusCreated,
		maxJSON: maxSmallJSON}, s.createWebhook)
	register(b, route{id: "get-webhook", method: http.MethodGet, path: "/v1/webhooks/{id}", tag: "events", people: true, roles: operator}, s.getWebhook)
	register(b, act("disable-webhook", "disable", true), s.disableWebhook)
	register(b, act("enable-webhook", "enable", true), s.enableWebhook)
	register(b, act("rotate-webhook", "rotate", false), s.rotateWebhook)
	register(b, act("redeliver-webhook", "redeliver", true), s.redeliverWebhook)
}

type webhookBody struct {
	ID           exchange.ID           `json:"id"`
	Name         string                `json:"name"`
	URL          string                `json:"url"`
	Kinds        []string              `json:"kinds"`
	State        exchange.WebhookState `json:"state" enum:"active,failing,parked,disabled"`
	Seq          int64                 `json:"seq"`
	Behind       int64                 `json:"behind"`
	Attempts     int                   `json:"attempts"`
	FailingSince time.Time             `json:"failing_since,omitzero"`
	NextAt       time.Time             `json:"next_at,omitzero"`
	TakenAt      time.Time             `json:"taken_at,omitzero"`
	Note         *noteBody             `json:"note,omitempty"`
	Parked       []parkedBody          `json:"parked"`
	CreatedAt    time.Time             `json:"created_at"`
	RotatedAt    time.Time             `json:"rotated_at,omitzero"`
	OldUntil     time.Time             `json:"old_until,omitzero"`
}

// parkedBody is an event that the webhook did not take.
type parkedBody struct {
	Seq   int64     `json:"seq"`
	At    time.Time `json:"at"`
	Note  *noteBody `json:"note,omitempty"`
	Again bool      `json:"again"`
}

func webhookOf(v exchange.WebhookView) webhookBody {
	b := webhookBody{ID: v.ID, Name: v.Name, URL: v.URL, Kinds: append([]string{}, v.Kinds...), State: v.State, Seq: v.Handover.Seq, Behind: v.Behind,
		Attempts: v.Handover.Attempts, FailingSince: local(v.Handover.FailingSince), NextAt: local(v.Handover.NextAt), TakenAt: local(v.Handover.TakenAt),
		Note: noteOf(v.Handover.Note), Parked: []parkedBody{}, CreatedAt: local(v.CreatedAt), RotatedAt: local(v.RotatedAt), OldUntil: local(v.OldUntil)}
	if b.Note == nil {
		b.Note = noteOf(v.Why)
	}
	for _, p := range v.Parked {
		b.Parked = append(b.Parked, parkedBody{Seq: p.Seq, At: local(p.At), Note: noteOf(p.Note), Again: p.Again})
	}
	return b
}

type webhooksOut struct {
	Body struct {
		Items []webhookBody `json:"items"`
	}
}

type webhookOut struct{ Body webhookBody }

func (s *Server) listWebhooks(ctx context.Context, _ *struct{}) (*webhooksOut, error) {
	all, err := s.Webhooks.List(ctx, actor(ctx))
	if err != nil {
		return nil, err
	}
	var out webhooksOut
	out.Body.Items = make([]webhookBody, len(all))
	for i, v := range all {
		out.Body.Items[i] = webhookOf(v)
	}
	return &out, nil
}

type createWebhookIn struct {
	Body struct {
		Name  string   `json:"name" minLength:"1" maxLength:"100"`
		URL   string   `json:"url" minLength:"1" maxLength:"2000"`
		Kinds []string `json:"kinds,omitempty" maxItems:"64"`
		After *int64   `json:"after,omitempty" minimum:"0" maximum:"9007199254740991"`
	}
}

// newWebhookOut is the one answer that holds the secret.
type newWebhookOut struct {
	Location string `header:"Location"`
	Body     struct {
		Webhook webhookBody `json:"webhook"`
		Secret  string      `json:"secret"`
	}
}

func (s *Server) secretOut(secret string, v exchange.WebhookView) *newWebhookOut {
	out := &newWebhookOut{Location: s.Prefix + "/v1/webhooks/" + string(v.ID)}
	out.Body.Webhook, out.Body.Secret = webhookOf(v), secret
	return out
}

func (s *Server) createWebhook(ctx context.Context, in *createWebhookIn) (*newWebhookOut, error) {
	n := exchange.NewWebhook{Name: in.Body.Name, URL: in.Body.URL, Kinds: in.Body.Kinds, After: -1}
	if in.Body.After != nil {
		n.After = *in.Body.After
	}
	for i, k := range n.Kinds {
		if !exchange.KnownKinds(k) {
			return nil, invalid("/kinds/"+strconv.Itoa(i), faultValue)
		}
	}
	secret, v, err := s.Webhooks.Add(ctx, actor(ctx), n)
	if err != nil {
		return nil, err
	}
	return s.secretOut(secret, v), nil
}

func (s *Server) getWebhook(ctx context.Context, in *IDIn) (*webhookOut, error) {
	id, err := parseID(in.ID, exchange.PrefixWebhook)
	if err != nil {
		return nil, err
	}
	v, err := s.Webhooks.Get(ctx, actor(ctx), id)
	return &webhookOut{Body: webhookOf(v)}, err
}

// WebhookIn is the part that the acts on a webhook share that are done once under a key.
type WebhookIn struct {
	ID             string `path:"id"`
	IdempotencyKey string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$"`
}

type webhookActIn struct {
	WebhookIn
	Body struct{}
}

// webhookAct does one act on a webhook and answers with what it is by then.
func (s *Server) webhookAct(ctx context.Context, raw string, act func(context.Context, exchange.Actor, exchange.ID) error) (*webhookOut, error) {
	id, err := parseID(raw, exchange.PrefixWebhook)
	if err != nil {
		return nil, err
	}
	if err := act(ctx, actor(ctx), id); err != nil {
		return nil, err
	}
	v, err := s.Webhooks.Get(ctx, actor(ctx), id)
	return &webhookOut{Body: webhookOf(v)}, err
}

func (s *Server) disableWebhook(ctx context.Context, in *webhookActIn) (*webhookOut, error) {
	return s.webhookAct(ctx, in.ID, s.Webhooks.Disable)
}

func (s *Server) enableWebhook(ctx context.Context, in *webhookActIn) (*webhookOut, error) {
	return s.webhookAct(ctx, in.ID, s.Webhooks.Enable)
}

type rotateWebhookIn struct {
	IDIn
	Body struct {
		OverlapDays int `json:"overlap_days,omitempty" minimum:"0" maximum:"30"`
	}
}

func (s *Server) rotateWebhook(ctx context.Context, in *rotateWebhookIn) (*newWebhookOut, error) {
	id, err := parseID(in.ID, exchange.PrefixWebhook)
	if err != nil {
		return nil, err
	}
	secret, v, err := s.Webhooks.Rotate(ctx, actor(ctx), id, time.Duration(in.Body.OverlapDays)*hoursOfDay*time.Hour)
	if err != nil {
		return nil, err
	}
	return s.secretOut(secret, v), nil
}

type redeliverWebhookIn struct {
	WebhookIn
	Body struct {
		Seq int64 `json:"seq,omitempty" minimum:"1" maximum:"9007199254740991"`
	}
}

func (s *Server) redeliverWebhook(ctx context.Context, in *redeliverWebhookIn) (*webhookOut, error) {
	return s.webhookAct(ctx, in.ID, func(ctx context.Context, by exchange.Actor, id exchange.ID) error {
		_, err := s.Webhooks.Redeliver(ctx, by, id, in.Body.Seq)
		return err
	})
}
