package exchange

import "context"

// WebhookRows holds webhooks and the events that they did not take. SaveWebhook fails
// with state-conflict unless the stored version is the one that was read.
type WebhookRows interface {
	CreateWebhook(ctx context.Context, w Webhook) error
	SaveWebhook(ctx context.Context, w Webhook) error
	// Webhook returns the webhook id; not-found.
	Webhook(ctx context.Context, id ID) (Webhook, error)
	// Webhooks returns agency's webhooks, oldest first.
	Webhooks(ctx context.Context, agency AgencyCode) ([]Webhook, error)
	// ParkEvent keeps p, in place of what was kept of the same event.
	ParkEvent(ctx context.Context, p ParkedEvent) error
	// ParkedEvents returns at most limit events that a webhook did not take, behind the
	// event of seq after, in order.
	ParkedEvents(ctx context.Context, webhook ID, after int64, limit int) ([]ParkedEvent, error)
	// UnparkEvent forgets one; nothing when there is none.
	UnparkEvent(ctx context.Context, webhook ID, seq int64) error
}
