package exchange

import (
	"encoding/json"
	"fmt"
	"time"

	"antin/internal/text"
)

// webhookIDHash is how much of an event's hash stands in its webhook-id, in hexadecimal
// digits: enough that an event of the same number in a database restored from a backup
// has another id.
const webhookIDHash = 16

// WebhookID is the webhook-id under which e is handed over, however often: what its
// receiver knows a repeat by.
func (e Event) WebhookID() string {
	return fmt.Sprintf("evt_%d_%s", e.Seq, string(e.Hash)[:min(webhookIDHash, len(e.Hash))])
}

// webhookMessage is an event as it is handed over: a CloudEvents 1.0 event whose data is
// the item of the feed (GET /v1/events).
type webhookMessage struct {
	SpecVersion string    `json:"specversion"`
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Type        string    `json:"type"`
	Subject     ID        `json:"subject,omitempty"`
	Time        time.Time `json:"time"`
	ContentType string    `json:"datacontenttype"`
	// Timestamp is Time under the name that Standard Webhooks recommends.
	Timestamp time.Time `json:"timestamp"`
	Data      feedItem  `json:"data"`
}

// feedItem is an event as programs see it.
type feedItem struct {
	Seq     int64             `json:"seq"`
	At      time.Time         `json:"at"`
	Kind    EventKind         `json:"kind"`
	Message text.Message      `json:"message"`
	Subject ID                `json:"subject_id"`
	By      feedActor         `json:"by"`
	Peer    AgencyCode        `json:"organ_id,omitempty"`
	SHA256  Digest            `json:"sha256,omitempty"`
	Data    map[string]string `json:"data,omitempty"`
	Hash    Digest            `json:"hash"`
}

type feedActor struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Role Role   `json:"role"`
}

// webhookBody is the body of the message that tells of e.
func webhookBody(e Event) ([]byte, error) {
	at := e.At.In(Vietnam).Truncate(time.Second) // as the feed shows it
	return json.Marshal(webhookMessage{
		SpecVersion: "1.0", ID: e.WebhookID(), Source: "urn:antin:" + string(e.Agency), Type: "vn.antin." + string(e.Kind), Subject: e.Subject,
		Time: at, Timestamp: at, ContentType: "application/json",
		Data: feedItem{Seq: e.Seq, At: at, Kind: e.Kind, Message: e.Message(), Subject: e.Subject,
			By: feedActor{ID: e.By.ID, Name: e.By.Name, Role: e.By.Role}, Peer: e.Peer, SHA256: e.Digest, Data: e.Data, Hash: e.Hash},
	})
}
