package api

import (
	"fmt"
	"strings"

	"antin/exchange"
	"antin/internal/text"
)

// Endpoint is an agency's API as someone reaches it.
type Endpoint struct {
	Base   string // "http://127.0.0.1:8080/a", without the /v1
	Key    string
	Agency exchange.AgencyCode
}

// Example is one step of the developer card: commands for a POSIX shell with curl.
type Example struct {
	Title   text.Message
	Command string
}

// CurlExamples shows the API at work, from a signed PDF to its acceptance by another
// agency. The commands are run in order in one shell, since later ones use what
// earlier ones set; the first makes vanban.pdf in the current folder out of the
// sender's newest document. Each may be pasted twice:
// its Idempotency-Key is fixed by what it acts on. The last is for a second document
// that waits at the receiver. Neither Base nor Key may hold an apostrophe.
func CurlExamples(from, to Endpoint) []Example {
	fill := strings.NewReplacer("{A}", from.Base, "{KEY_A}", from.Key, "{B}", to.Base, "{KEY_B}", to.Key, "{CODE_B}", string(to.Agency))
	var out []Example
	for _, e := range []struct{ name, command string }{
		{"sample", `VB=$(curl -sS -H 'Authorization: Bearer {KEY_A}' '{A}/v1/documents?limit=1' | ` + pick("id") + `)
curl -sS -H 'Authorization: Bearer {KEY_A}' -o vanban.pdf "{A}/v1/documents/$VB/file"`},
		{"verify", `curl -sS -H 'Authorization: Bearer {KEY_A}' -F file=@vanban.pdf '{A}/v1/verifications'`},
		{"upload", `TEP=$(curl -sS -H 'Authorization: Bearer {KEY_A}' -H 'Content-Type: application/pdf' \
  --data-binary @vanban.pdf '{A}/v1/files' | ` + pick("sha256") + `); echo "$TEP"`},
		{"create", `SO=${SO:-1$(date +%H%M%S)}; VB=$(curl -sS -H 'Authorization: Bearer {KEY_A}' -H 'Content-Type: application/json' -H "Idempotency-Key: tao-$SO-$TEP" \
  -d '{"kind":{"code":18,"name":"Công văn"},"code_notation":"UBND-API","subject":"Gửi thử bằng API","file":"'"$TEP"'",
       "final":{"code_number":"'"$SO"'","promulgation_date":"'"$(date +%F)"'"},
       "acting_person":"Nguyễn Văn Thư"}' \
  '{A}/v1/documents' | ` + pick("id") + `); echo "$VB"`},
		{"send", `curl -sS -H 'Authorization: Bearer {KEY_A}' -H 'Content-Type: application/json' -H "Idempotency-Key: gui-$VB" \
  -d '{"to":[{"organ_id":"{CODE_B}"}],"acting_person":"Nguyễn Văn Thư"}' "{A}/v1/documents/$VB:send"`},
		{"deliveries", `sleep 2; curl -sS -H 'Authorization: Bearer {KEY_A}' "{A}/v1/documents/$VB/deliveries"`},
		{"inbox", `DEN=$(curl -sS -H 'Authorization: Bearer {KEY_B}' '{B}/v1/inbox?state=WAITING&limit=1' | ` + pick("id") + `); echo "$DEN"`},
		{"accept", `curl -sS -H 'Authorization: Bearer {KEY_B}' -H 'Content-Type: application/json' -H "Idempotency-Key: nhan-$DEN" \
  -d '{"assignee":"Văn phòng","acting_person":"Hoàng Văn Tiếp Nhận"}' "{B}/v1/inbox/$DEN:accept"`},
		{"refuse", `DEN=$(curl -sS -H 'Authorization: Bearer {KEY_B}' '{B}/v1/inbox?state=WAITING&limit=1' | ` + pick("id") + `)
curl -sS -H 'Authorization: Bearer {KEY_B}' -H 'Content-Type: application/json' -H "Idempotency-Key: tra-$DEN" \
  -d '{"reason":"wrong_receiver","note":"Đề nghị gửi lại đúng nơi nhận","acting_person":"Hoàng Văn Tiếp Nhận"}' "{B}/v1/inbox/$DEN:refuse"`},
	} {
		out = append(out, Example{Title: text.Get(text.Key("api.curl." + e.name)), Command: fill.Replace(e.command)})
	}
	return out
}

// pick is a command that prints the first member of that name; it spares the
// reader the installation of jq.
func pick(member string) string {
	return fmt.Sprintf(`grep -o '"%s":"[^"]*"' | head -n1 | cut -d'"' -f4`, member)
}
