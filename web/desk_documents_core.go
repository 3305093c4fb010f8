package web

import (
	"slices"
	"strings"

	"antin/exchange"
)

// holds reports whether the receiver of a delivery has the document or is getting
// it: it needs no other.
func (h *desk) holds(d exchange.DeliveryView) bool {
	switch d.State {
	case exchange.DeliveryRefused, exchange.DeliveryNonDelivered:
		return false
	case exchange.DeliveryReady, exchange.DeliveryHeld, exchange.DeliveryQuarantined, exchange.DeliveryDelivered, exchange.DeliveryDeliveredLate,
		exchange.DeliveryUnknownExpired, exchange.DeliveryManual, exchange.DeliveryByHand:
	}
	return true
}

// reached reports whether an agency has a channel from here.
func (h *desk) reached(a exchange.Agency) bool { return a.Endpoint != "" }

// tabStages is what a tab of the outgoing and the results' list narrows to; no
// stage narrows nothing.
var tabStages = map[string][]exchange.Stage{
	"sign":  {exchange.StageDraft, exchange.StageAwaitingSignature},
	"issue": {exchange.StageSigned, exchange.StageAwaitingSeal, exchange.StageNumbered},
	"sent":  {exchange.StageIssued},
}

// merged is one page of a list that is asked for stage by stage, newest first.
func merged[T any](tab string, limit int, id func(T) exchange.ID, list func(exchange.Stage) ([]T, error)) ([]T, error) {
	stages := tabStages[tab]
	if len(stages) == 0 {
		stages = []exchange.Stage{""}
	}
	var all []T
	for _, s := range stages {
		part, err := list(s)
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
	}
	slices.SortStableFunc(all, func(a, b T) int { return strings.Compare(string(id(b)), string(id(a))) })
	return all[:min(len(all), limit)], nil
}
