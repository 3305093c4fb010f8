package tsa

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"antin/signer/tsp"
)

// reply is an answer's body and what its sender calls it.
type reply struct {
	body        []byte
	contentType string
}

// post sends request and reads the answer within the time and size limits.
func (c *Client) post(ctx context.Context, s *service, request []byte) (reply, *failure) {
	limited, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(limited, http.MethodPost, s.url.String(), bytes.NewReader(request))
	if err != nil {
		return reply{}, fail(s, false, err, "tsa.unreachable")
	}
	r.Header.Set("Content-Type", "application/timestamp-query")
	r.Header.Set("Accept", "application/timestamp-reply")
	answer, err := c.http.Do(r)
	if err != nil {
		return reply{}, unanswered(limited, s, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return reply{}, fail(s, passingStatus(answer.StatusCode), nil, "tsa.status", answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxResponse+1))
	if err != nil {
		return reply{}, unanswered(limited, s, err)
	}
	if len(body) > maxResponse {
		return reply{}, fail(s, false, nil, "tsa.too_large")
	}
	return reply{body: body, contentType: answer.Header.Get("Content-Type")}, nil
}

// unanswered tells a service that is slow from one that cannot be reached.
func unanswered(limited context.Context, s *service, err error) *failure {
	if errors.Is(limited.Err(), context.DeadlineExceeded) {
		return fail(s, true, err, "tsa.timeout", int(s.timeout/time.Second))
	}
	return fail(s, true, err, "tsa.unreachable")
}

// passingStatus reports whether an HTTP status may be another one a moment later.
func passingStatus(code int) bool {
	return code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout
}

// check reads the answer to q and returns its token when every check of RFC 3161
// holds. The content type is not demanded, since services write what they like:
// it only helps to explain an answer that does not parse.
func (c *Client) check(s *service, q tsp.Query, r reply) ([]byte, *failure) {
	der, err := tsp.ParseResponse(r.body)
	var refused *tsp.RefusedError
	switch {
	case errors.As(err, &refused):
		return nil, fail(s, refused.Status == tsp.Waiting, err, "tsa.refused", int(refused.Status), refused.Text)
	case err != nil:
		return nil, fail(s, false, err, "tsa.not_a_token", short(r.contentType))
	}
	token, err := tsp.ParseToken(der)
	if err != nil {
		return nil, fail(s, false, err, "tsa.not_a_token", short(r.contentType))
	}
	if err := token.Answers(q); err != nil {
		return nil, fail(s, false, err, answerKey(err))
	}
	if d := c.o.Now().Sub(token.GenTime); d > maxSkew || d < -maxSkew {
		return nil, fail(s, false, nil, "tsa.clock", token.GenTime.Format(time.RFC3339))
	}
	return token.Raw, nil
}

// short bounds a header value that goes into a message.
func short(s string) string {
	const most = 60
	if len(s) > most {
		return s[:most]
	}
	return s
}
