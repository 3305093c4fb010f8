package web

import (
	"context"
	"net/http"
	"strings"

	"antin/exchange"
	"antin/internal/text"
)

// handlingCodes are the later statuses in their order, with the signal of each.
var handlingCodes = []struct {
	code   exchange.StatusCode
	signal exchange.InboxSignal
}{
	{exchange.StatusAssigned, exchange.InboxAssign},
	{exchange.StatusProcessing, exchange.InboxProcess},
	{exchange.StatusCompleted, exchange.InboxComplete},
}

// steps are the statuses that may follow state.
func steps(p page, state exchange.InboxState) []step {
	var out []step
	for _, c := range handlingCodes {
		if _, ok := state.Next(c.signal); ok {
			out = append(out, step{Code: string(c.code), Label: c.code.Message().In(p.Lang) + " (" + string(c.code) + ")"})
		}
	}
	return out
}

// handle reports how far the handling of an accepted document is.
func (h *desk) handle(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	err := form(r)
	if err == nil {
		key := formKey(r)
		d := exchange.Decision{Item: id, Assignee: strings.TrimSpace(r.PostFormValue("assignee")), Key: key}
		err = twice(key, func() error {
			_, err := h.Inbox.Handle(r.Context(), h.Actor(r), exchange.StatusCode(r.PostFormValue("code")), d)
			return err
		})
	}
	h.decided(w, r, id, err)
}

// fillRecall adds a request to give the document back, or our answer to it.
func (h *desk) fillRecall(p page, actor exchange.Actor, v *itemView) {
	asked := v.Item.Recall
	switch {
	case asked.Open():
		if actor.Role == exchange.RoleClerk {
			v.Recall = &recallAsked{Reason: asked.Reason, At: asked.AskedAt}
		}
	case asked.Answered.Done():
		code := exchange.StatusRecallRefused
		if asked.Agreed {
			code = exchange.StatusRecallAgreed
		}
		v.RecallSaid = p.say("web.recall.said", string(code)+" "+code.Message().In(p.Lang))
		if asked.Answer != "" {
			v.RecallSaid += ": " + asked.Answer
		}
	}
}

// fillChain adds what the document replaces and what replaces it.
func (h *desk) fillChain(ctx context.Context, p page, actor exchange.Actor, v *itemView) error {
	if id := v.Item.ReplacedBy; id != "" {
		link, err := h.chainLink(ctx, p, actor, "web.chain.by", id)
		if err != nil {
			return err
		}
		v.Chain = append(v.Chain, link)
	}
	for n, id := range v.Item.Replaces {
		if n == maxChain {
			break
		}
		link, err := h.chainLink(ctx, p, actor, "web.chain.of", id)
		if err != nil {
			return err
		}
		v.Chain = append(v.Chain, link)
	}
	if len(v.Item.Replaces) == 0 && len(v.Item.Header.Replaces) > 0 { // of what never came here
		v.Chain = append(v.Chain, chainLink{Text: p.say("web.chain.of"), Number: strings.Join(v.Item.Header.Replaces[:min(maxChain, len(v.Item.Header.Replaces))], "; ")})
	}
	if len(v.Chain) > 0 && v.Item.Header.ReplaceReason != "" {
		v.Chain = append(v.Chain, chainLink{Text: p.say("web.reason") + " " + v.Item.Header.ReplaceReason})
	}
	return nil
}

// maxChain bounds the replaced documents that a page names.
const maxChain = 5

func (h *desk) chainLink(ctx context.Context, p page, actor exchange.Actor, said text.Key, id exchange.ID) (chainLink, error) {
	other, err := h.Inbox.Item(ctx, actor, id)
	if err != nil {
		return chainLink{}, err
	}
	return chainLink{Text: p.say(said), Number: other.Header.FullNumber(), URL: p.U("/inbox/" + string(id))}, nil
}

// answerRecall agrees to a request to give the document back, or refuses it.
func (h *desk) answerRecall(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	err := form(r)
	if err == nil {
		err = h.answerRecallWith(r, id, r.PostFormValue("agree"), strings.TrimSpace(r.PostFormValue("reason")))
	}
	h.decided(w, r, id, err)
}

func (h *desk) answerRecallWith(r *http.Request, id exchange.ID, agree, reason string) error {
	if agree != "yes" && agree != "no" {
		return text.Detailed(text.InvalidInput, nil, "web.recall.choose")
	}
	if agree == "no" && reason == "" {
		return text.Detailed(text.InvalidInput, nil, "web.recall.needs_reason")
	}
	key := formKey(r)
	return twice(key, func() error {
		_, err := h.Inbox.AnswerRecall(r.Context(), h.Actor(r), exchange.Decision{Item: id, Reason: reason, Key: key}, agree == "yes")
		return err
	})
}
