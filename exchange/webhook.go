package exchange

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"antin/internal/text"
)

const (
	// PrefixWebhook begins the ID of a webhook.
	PrefixWebhook = "wh_"
	// webhookSecret begins a secret, as Standard Webhooks has it.
	webhookSecret = "whsec_"
	// webhookSecretBytes is how much of a secret is random, of the 24 to 64 bytes that the
	// specification allows.
	webhookSecretBytes = 32
	// MaxWebhooks bounds the webhooks of an agency that are not disabled: each may have one
	// request under way, so that this is also what calls to them hold of memory.
	MaxWebhooks = 32
	// maxWebhookURL bounds an address, in bytes.
	maxWebhookURL = 2000
	// maxWebhookKinds bounds the kinds of event that one webhook names.
	maxWebhookKinds = 64
)

// Webhook is an address of the agency's own systems that is told of every fact of the
// evidence log, or of some kinds of fact.
type Webhook struct {
	ID      ID         `json:"id"`
	Agency  AgencyCode `json:"agency"`
	Version int        `json:"-"`
	Name    string     `json:"name"` // for people
	URL     string     `json:"url"`
	// Kinds are the events it is told of, "delivered" or, for all that begin so,
	// "delivery.*"; none means all.
	Kinds []string `json:"kinds,omitempty"`
	// Secret makes the signatures. OldSecret, until OldUntil, makes a second one beside it.
	Secret    WebhookSecret `json:"secret"`
	OldSecret WebhookSecret `json:"old_secret,omitempty"`
	OldUntil  time.Time     `json:"old_until,omitzero"`
	CreatedAt time.Time     `json:"created_at"`
	RotatedAt time.Time     `json:"rotated_at,omitzero"`
	// Disabled, where done, says who stopped it and when; Why says in what words, where
	// the address itself asked for it.
	Disabled Fact `json:"disabled,omitzero"`
	Why      Note `json:"why,omitzero"`
}

// WebhookSecret is the key of a webhook's signatures, in the form "whsec_" and base64. It
// prints as a mark in its place; whoever needs the key itself converts it to a string.
type WebhookSecret string

// String implements fmt.Stringer without telling the secret.
func (WebhookSecret) String() string { return webhookSecret + "…" }

// GoString implements fmt.GoStringer without telling the secret.
func (s WebhookSecret) GoString() string { return s.String() }

// key returns the bytes behind the prefix; nil when s is no secret.
func (s WebhookSecret) key() []byte {
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(s), webhookSecret))
	if err != nil || !strings.HasPrefix(string(s), webhookSecret) {
		return nil
	}
	return b
}

// Sign returns the signature of a message as it stands in webhook-signature: "v1," and
// the base64 of HMAC-SHA256 over id, the Unix time in seconds and body, with full stops
// between (Standard Webhooks 1.0.0). A string that is no secret signs nothing: "".
func (s WebhookSecret) Sign(id string, at time.Time, body []byte) string {
	key := s.key()
	if len(key) == 0 {
		return ""
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	m.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func newWebhookSecret() WebhookSecret {
	b := make([]byte, webhookSecretBytes)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return WebhookSecret(webhookSecret + base64.StdEncoding.EncodeToString(b))
}

// signature is the value of webhook-signature at the time at: that of the secret, and of
// the one before while it is still good.
func (w Webhook) signature(id string, at time.Time, body []byte) string {
	s := w.Secret.Sign(id, at, body)
	if w.OldSecret != "" && at.Before(w.OldUntil) {
		s += " " + w.OldSecret.Sign(id, at, body)
	}
	return s
}

// wants reports whether w is told of events of that kind.
func (w Webhook) wants(kind EventKind) bool {
	if len(w.Kinds) == 0 {
		return true
	}
	return slices.ContainsFunc(w.Kinds, func(k string) bool {
		group, all := strings.CutSuffix(k, "*")
		return string(kind) == k || all && strings.HasPrefix(string(kind), group)
	})
}

// handover is the name of w's row in HandoverRows.
func (w Webhook) handover() string { return "webhook:" + string(w.ID) }

// ParkedEvent is an event that a webhook did not take: it stays until someone has it
// handed over again.
type ParkedEvent struct {
	Webhook ID        `json:"webhook"`
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"` // when it was set aside, or asked for again
	Note    Note      `json:"note,omitzero"`
	// Again says that it is to be handed over once more.
	Again bool `json:"again,omitempty"`
}

// WebhookState says whether a webhook is called.
type WebhookState string

// The states of a webhook.
const (
	WebhookActive   WebhookState = "active"
	WebhookFailing  WebhookState = "failing"  // called again and again, as it did not answer last
	WebhookParked   WebhookState = "parked"   // given up after days: an alarm
	WebhookDisabled WebhookState = "disabled" // by a person, or by the address itself
)

// WebhookView is a webhook with how far it has come. Its secrets are left out.
type WebhookView struct {
	Webhook
	State    WebhookState
	Handover Handover
	Behind   int64 // how many events stand in the log behind the last it took
	Parked   []ParkedEvent
}

// NewWebhook describes a webhook to be made.
type NewWebhook struct {
	Name  string
	URL   string
	Kinds []string
	// After is the event behind which it begins; negative: with what happens from now on.
	After int64
}

// checkWebhook checks what a person asked for and returns it as it is kept.
func checkWebhook(n NewWebhook) (NewWebhook, error) {
	name, ok := plainLine(n.Name, maxKeyName)
	if n.Name = name; !ok || name == "" {
		return n, fieldError("name")
	}
	u, err := url.Parse(n.URL)
	if err != nil || len(n.URL) > maxWebhookURL || u.Host == "" || u.User != nil || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return n, text.Detailed(text.InvalidInput, nil, "webhook.url")
	}
	if len(n.Kinds) > maxWebhookKinds {
		return n, fieldError("kinds")
	}
	n.Kinds = slices.Compact(slices.Sorted(slices.Values(n.Kinds)))
	for _, k := range n.Kinds {
		if !KnownKinds(k) {
			return n, text.Detailed(text.InvalidInput, nil, "webhook.kind", limitText(k))
		}
	}
	return n, nil
}

// KnownKinds reports whether k names a kind of event or, with a star behind it, the
// beginning of some. Every kind has its words in the catalogue.
func KnownKinds(k string) bool {
	group, all := strings.CutSuffix(k, "*")
	if !all {
		return text.Known(text.Key("event." + k))
	}
	return slices.ContainsFunc(text.Keys(), func(e text.Key) bool { return group != "" && strings.HasPrefix(string(e), "event."+group) })
}
