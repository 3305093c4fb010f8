package peer

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

// maxRetryAfter bounds how long a peer may put us off.
const maxRetryAfter = time.Hour

// unreached classifies a request that got no answer; alert is what the peer's TLS
// said on the connection used, nil mostly. A certificate that either side does not
// believe is a matter of trust; all else passes.
func unreached(err, alert error) error {
	class := exchange.ClassPeerDown
	if distrusted(err) || alert != nil {
		class = exchange.ClassTrust
	}
	return &exchange.DeliveryError{Class: class, Err: text.Errorf(text.PeerUnavailable, errors.Join(err, alert))}
}

// refused classifies an answer that is no success.
func refused(res *http.Response, body []byte) error {
	var p problem
	if json.Unmarshal(body, &p) != nil {
		p = problem{}
	}
	p.Status = res.StatusCode
	return problemError(p, retryAfterOf(res))
}

// problemError classifies a peer's problem.
func problemError(p problem, retryAfter time.Duration) error {
	err := fmt.Errorf("peer answered %d", p.Status)
	if p.Code.Known() {
		err = text.Errorf(p.Code, err)
	} else {
		err = text.Errorf(text.PeerUnavailable, err)
	}
	return &exchange.DeliveryError{Class: classOf(p.Status, text.CodeOf(err)), RetryAfter: retryAfter, Err: err}
}

func classOf(status int, code text.Code) exchange.DeliveryClass {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return exchange.ClassTrust
	case http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return exchange.ClassPermanent
	case http.StatusConflict:
		if code == text.ReplayConflict {
			return exchange.ClassPermanent
		}
		return exchange.ClassTransfer // an upload that the peer has forgotten: from the start
	case http.StatusBadRequest:
		if code == text.InvalidInput {
			return exchange.ClassPermanent
		}
		return exchange.ClassTransfer // bytes spoiled on the way
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusInternalServerError:
		// One transfer may trip over a fault of the peer that others do not meet.
		return exchange.ClassTransfer
	}
	return exchange.ClassPeerDown
}

func retryAfterOf(res *http.Response) time.Duration {
	s, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if err != nil || s <= 0 {
		return 0
	}
	return min(time.Duration(min(s, int(maxRetryAfter/time.Second)))*time.Second, maxRetryAfter)
}
