package exchange

import "antin/internal/text"

// flowMessage is the fact in words, of recall, replacement, registers and what
// goes outside the network.
func (e Event) flowMessage() text.Message {
	key := text.Key("event." + string(e.Kind))
	peer := string(e.Peer)
	switch e.Kind { //nolint:exhaustive // the rest are Message's own
	case EventRecallRequested:
		return text.Get(key, peer, e.Data["reason"])
	case EventRecallAnswered:
		if e.Data["status"] == string(StatusRecallAgreed) {
			return text.Get(key+".agreed", peer)
		}
		return text.Get(key+".refused", peer, e.Data["reason"])
	case EventDeliveryManual:
		return text.Get(key, peer)
	case EventDeliveredByHand:
		return text.Get(key, peer, e.Data["how"])
	case EventRecorded:
		return text.Get(key, e.Data["number"], e.Data["channel"])
	case EventRegisterStarted:
		return text.Get(key, e.Data["year"], e.Data["first"])
	case EventNumberVoided:
		return text.Get(key, e.Data["number"], e.Data["reason"])
	case EventResultRevoked, EventReplaced, EventResultReplaced:
		return text.Get(key, e.Data["reason"])
	}
	return text.Get(key)
}
