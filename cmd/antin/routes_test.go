package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"antin/api"
	"antin/exchange"
)

// pageTable is who may open which page, written down apart from the program: a
// page without an entry fails, and so does an entry that the program sees otherwise.
var pageTable = map[string]string{
	"GET /accounts":                                      "it",
	"POST /accounts":                                     "it",
	"GET /accounts/new":                                  "it",
	"GET /accounts/{id}":                                 "it",
	"POST /accounts/{id}":                                "it",
	"POST /accounts/{id}/certificate":                    "it",
	"POST /accounts/{id}/certificate/bind":               "it",
	"POST /accounts/{id}/disabled":                       "it",
	"POST /accounts/{id}/password":                       "it",
	"GET /api-keys":                                      "it",
	"POST /api-keys":                                     "it",
	"POST /api-keys/{id}/revoke":                         "it",
	"POST /api-keys/{id}/rotate":                         "it",
	"GET /assets/{name}":                                 "open",
	"GET /documents":                                     "lanh_dao mot_cua van_thu",
	"GET /documents/new":                                 "lanh_dao mot_cua van_thu",
	"POST /documents/new":                                "lanh_dao mot_cua van_thu",
	"GET /documents/{id}":                                "lanh_dao mot_cua van_thu",
	"POST /documents/{id}/deliveries/{delivery}/handed":  "van_thu",
	"POST /documents/{id}/deliveries/{delivery}/resume":  "van_thu",
	"GET /documents/{id}/deliveries/{delivery}/{export}": "van_thu",
	"GET /documents/{id}/edit":                           "lanh_dao mot_cua van_thu",
	"POST /documents/{id}/delete":                        "lanh_dao mot_cua van_thu",
	"POST /documents/{id}/edit":                          "lanh_dao mot_cua van_thu",
	"GET /documents/{id}/file":                           "lanh_dao mot_cua van_thu",
	"GET /documents/{id}/message":                        "lanh_dao mot_cua van_thu",
	"GET /documents/{id}/pages/{page}":                   "lanh_dao mot_cua van_thu",
	"POST /documents/{id}/recall":                        "van_thu",
	"GET /documents/{id}/replace":                        "van_thu",
	"POST /documents/{id}/replace":                       "van_thu",
	"POST /documents/{id}/send":                          "van_thu",
	"GET /enter":                                         "open",
	"GET /home":                                          "it",
	"GET /inbox":                                         "lanh_dao van_thu",
	"GET /inbox/{id}":                                    "lanh_dao van_thu",
	"POST /inbox/{id}/accept":                            "van_thu",
	"GET /inbox/{id}/files/{n}":                          "lanh_dao van_thu",
	"GET /inbox/{id}/files/{n}/pages/{page}":             "lanh_dao van_thu",
	"GET /inbox/{id}/files/{n}/report":                   "lanh_dao van_thu",
	"POST /inbox/{id}/handle":                            "lanh_dao van_thu",
	"GET /inbox/{id}/message":                            "lanh_dao van_thu",
	"POST /inbox/{id}/recall":                            "van_thu",
	"GET /inbox/{id}/receipt":                            "lanh_dao van_thu",
	"POST /inbox/{id}/refuse":                            "van_thu",
	"GET /login":                                         "open",
	"POST /login":                                        "open",
	"POST /logout":                                       "everyone",
	"GET /password":                                      "everyone",
	"POST /password":                                     "everyone",
	"GET /peers":                                         "it",
	"POST /press/{id}/ask":                               "mot_cua van_thu",
	"GET /press/{id}/file":                               "van_thu",
	"POST /press/{id}/number":                            "van_thu",
	"GET /press/{id}/seal":                               "van_thu",
	"POST /press/{id}/seal":                              "van_thu",
	"POST /press/{id}/seal/complete":                     "van_thu",
	"GET /press/{id}/seal/pages/{page}":                  "van_thu",
	"GET /press/{id}/seal/state":                         "van_thu",
	"POST /press/{id}/seal/upload":                       "van_thu",
	"GET /registers":                                     "lanh_dao mot_cua van_thu",
	"GET /registers/{book}/new":                          "van_thu",
	"POST /registers/{book}/new":                         "van_thu",
	"GET /registers/{book}/{year}":                       "lanh_dao mot_cua van_thu",
	"GET /registers/{book}/{year}/csv":                   "lanh_dao mot_cua van_thu",
	"POST /registers/{book}/{year}/first":                "van_thu",
	"POST /registers/{book}/{year}/void":                 "van_thu",
	"GET /results":                                       "lanh_dao mot_cua van_thu",
	"GET /results/new":                                   "mot_cua van_thu",
	"POST /results/new":                                  "mot_cua van_thu",
	"GET /results/{id}":                                  "lanh_dao mot_cua van_thu",
	"POST /results/{id}/delete":                          "mot_cua van_thu",
	"GET /results/{id}/file":                             "lanh_dao mot_cua van_thu",
	"GET /results/{id}/pages/{page}":                     "lanh_dao mot_cua van_thu",
	"GET /results/{id}/replace":                          "mot_cua van_thu",
	"POST /results/{id}/replace":                         "mot_cua van_thu",
	"POST /results/{id}/revoke":                          "van_thu",
	"GET /search":                                        "it van_thu",
	"GET /search/{id}":                                   "it van_thu",
	"POST /search/{id}/resume":                           "it van_thu",
	"GET /lanes":                                         "it van_thu",
	"GET /lanes/{to}":                                    "it van_thu",
	"POST /lanes/{to}/hold":                              "it van_thu",
	"POST /lanes/{to}/release":                           "it van_thu",
	"GET /deliveries/{id}":                               "it van_thu",
	"POST /deliveries/{id}/hold":                         "it van_thu",
	"POST /deliveries/{id}/quarantine":                   "it van_thu",
	"POST /deliveries/{id}/resume":                       "it van_thu",
	"GET /sign":                                          "lanh_dao",
	"GET /sign/{id}":                                     "lanh_dao",
	"POST /sign/{id}/complete":                           "lanh_dao",
	"GET /sign/{id}/file":                                "lanh_dao",
	"POST /sign/{id}/key":                                "lanh_dao",
	"GET /sign/{id}/pages/{page}":                        "lanh_dao",
	"POST /sign/{id}/return":                             "lanh_dao",
	"GET /sign/{id}/state":                               "lanh_dao",
	"POST /sign/{id}/upload":                             "lanh_dao",
	"GET /verifications":                                 "lanh_dao mot_cua van_thu",
	"POST /verifications":                                "lanh_dao mot_cua van_thu",
	"GET /verifications/{id}":                            "lanh_dao mot_cua van_thu",
	"GET /verifications/{id}/pages/{page}":               "lanh_dao mot_cua van_thu",
	"GET /verifications/{id}/report":                     "lanh_dao mot_cua van_thu",
	"GET /verifications/{id}/report.pdf":                 "lanh_dao mot_cua van_thu",
	"GET /verifications/{id}/report.xml":                 "lanh_dao mot_cua van_thu",
	"GET /{$}":                                           "everyone",
}

// apiTable is the scope that a key needs, then the roles of sessions ("-": keys may not).
var apiTable = map[string]string{
	"GET /healthz":                                               "open",
	"GET /v1":                                                    "open",
	"GET /v1/agencies":                                           "agencies:read: it lanh_dao mot_cua van_thu",
	"GET /v1/agencies/{organ_id}":                                "agencies:read: it lanh_dao mot_cua van_thu",
	"GET /v1/deliveries/{id}/export":                             "documents:send: van_thu",
	"POST /v1/deliveries/{id}:mark-delivered":                    "documents:send: van_thu",
	"POST /v1/deliveries/{id}:hold":                              "lanes:write: it van_thu",
	"POST /v1/deliveries/{id}:quarantine":                        "lanes:write: it van_thu",
	"POST /v1/deliveries/{id}:resume":                            "lanes:write: it van_thu",
	"GET /v1/search":                                             "lanes:read: it van_thu",
	"GET /v1/deliveries/{id}":                                    "lanes:read: it van_thu",
	"GET /v1/lanes":                                              "lanes:read: it van_thu",
	"POST /v1/lanes/{organ_id}:hold":                             "lanes:write: it van_thu",
	"POST /v1/lanes/{organ_id}:release":                          "lanes:write: it van_thu",
	"GET /v1/documents":                                          "documents:read: lanh_dao mot_cua van_thu",
	"POST /v1/documents":                                         "documents:write: lanh_dao mot_cua van_thu",
	"POST /v1/documents/paper":                                   "registers:write: van_thu",
	"GET /v1/documents/{id}":                                     "documents:read: lanh_dao mot_cua van_thu",
	"PATCH /v1/documents/{id}":                                   "documents:write: lanh_dao mot_cua van_thu",
	"DELETE /v1/documents/{id}":                                  "documents:write: lanh_dao mot_cua van_thu",
	"GET /v1/documents/{id}/deliveries":                          "documents:read: lanh_dao mot_cua van_thu",
	"GET /v1/documents/{id}/edxml":                               "documents:read: lanh_dao mot_cua van_thu",
	"GET /v1/documents/{id}/file":                                "documents:read: lanh_dao mot_cua van_thu",
	"GET /v1/documents/{id}/timeline":                            "documents:read: lanh_dao mot_cua van_thu",
	"POST /v1/documents/{id}:attach-signed":                      "-: lanh_dao van_thu",
	"POST /v1/documents/{id}:complete":                           "-: lanh_dao van_thu",
	"POST /v1/documents/{id}:confirm-seal":                       "-: van_thu",
	"POST /v1/documents/{id}:number":                             "registers:write: van_thu",
	"POST /v1/documents/{id}:prepare":                            "-: lanh_dao van_thu",
	"POST /v1/documents/{id}:recall":                             "documents:send: van_thu",
	"POST /v1/documents/{id}:replace":                            "documents:send: van_thu",
	"POST /v1/documents/{id}:return":                             "-: lanh_dao",
	"POST /v1/documents/{id}:seal":                               "seal:queue: mot_cua van_thu",
	"POST /v1/documents/{id}:send":                               "documents:send: van_thu",
	"POST /v1/documents/{id}:sign-request":                       "sign:queue: mot_cua van_thu",
	"GET /v1/events":                                             "events:read: it lanh_dao mot_cua van_thu",
	"GET /v1/webhooks":                                           "-: it",
	"POST /v1/webhooks":                                          "-: it",
	"GET /v1/webhooks/{id}":                                      "-: it",
	"POST /v1/webhooks/{id}:disable":                             "-: it",
	"POST /v1/webhooks/{id}:enable":                              "-: it",
	"POST /v1/webhooks/{id}:redeliver":                           "-: it",
	"POST /v1/webhooks/{id}:rotate":                              "-: it",
	"POST /v1/files":                                             "files:write: lanh_dao mot_cua van_thu",
	"GET /v1/files/{sha256}":                                     "files:read: lanh_dao mot_cua van_thu",
	"GET /v1/inbox":                                              "inbox:read: lanh_dao mot_cua van_thu",
	"POST /v1/inbox/paper":                                       "registers:write: van_thu",
	"GET /v1/inbox/{id}":                                         "inbox:read: lanh_dao mot_cua van_thu",
	"GET /v1/inbox/{id}/attachments/{n}":                         "inbox:read: lanh_dao mot_cua van_thu",
	"GET /v1/inbox/{id}/edxml":                                   "inbox:read: lanh_dao mot_cua van_thu",
	"GET /v1/inbox/{id}/report":                                  "inbox:read: lanh_dao mot_cua van_thu",
	"POST /v1/inbox/{id}:accept":                                 "inbox:decide: van_thu",
	"POST /v1/inbox/{id}:answer-recall":                          "inbox:decide: van_thu",
	"POST /v1/inbox/{id}:assign":                                 "inbox:decide: lanh_dao van_thu",
	"POST /v1/inbox/{id}:complete":                               "inbox:decide: lanh_dao van_thu",
	"POST /v1/inbox/{id}:process":                                "inbox:decide: lanh_dao van_thu",
	"POST /v1/inbox/{id}:refuse":                                 "inbox:decide: van_thu",
	"GET /v1/operations/{id}":                                    "operations:read: lanh_dao mot_cua van_thu",
	"GET /v1/public/results/{code}":                              "open",
	"GET /v1/registers/{register}/numbers":                       "registers:read: lanh_dao mot_cua van_thu",
	"POST /v1/registers/{register}/numbers":                      "registers:write: van_thu",
	"POST /v1/registers/{register}/numbers/{year}/{number}:void": "-: van_thu",
	"POST /v1/registers/{register}:start":                        "-: van_thu",
	"GET /v1/results":                                            "results:read: lanh_dao mot_cua van_thu",
	"POST /v1/signatures":                                        "sign:queue: mot_cua van_thu",
	"POST /v1/results":                                           "results:write: mot_cua van_thu",
	"DELETE /v1/results/{id}":                                    "results:write: mot_cua van_thu",
	"GET /v1/results/{id}":                                       "results:read: lanh_dao mot_cua van_thu",
	"GET /v1/results/{id}/file":                                  "results:read: lanh_dao mot_cua van_thu",
	"POST /v1/results/{id}:attach-signed":                        "-: lanh_dao van_thu",
	"POST /v1/results/{id}:complete":                             "-: lanh_dao van_thu",
	"POST /v1/results/{id}:confirm-seal":                         "-: van_thu",
	"POST /v1/results/{id}:issue":                                "results:issue: mot_cua van_thu",
	"POST /v1/results/{id}:number":                               "registers:write: van_thu",
	"POST /v1/results/{id}:prepare":                              "-: lanh_dao van_thu",
	"POST /v1/results/{id}:replace":                              "results:revoke: van_thu",
	"POST /v1/results/{id}:return":                               "-: lanh_dao",
	"POST /v1/results/{id}:revoke":                               "results:revoke: van_thu",
	"POST /v1/results/{id}:seal":                                 "seal:queue: mot_cua van_thu",
	"POST /v1/results/{id}:sign-request":                         "sign:queue: mot_cua van_thu",
	"POST /v1/verifications":                                     "verify: it lanh_dao mot_cua van_thu",
	"GET /v1/verifications/{id}":                                 "verify: lanh_dao mot_cua van_thu",
	"GET /v1/verifications/{id}/report.json":                     "verify: lanh_dao mot_cua van_thu",
	"GET /v1/verifications/{id}/report.pdf":                      "verify: lanh_dao mot_cua van_thu",
	"GET /v1/verifications/{id}/report.xml":                      "verify: lanh_dao mot_cua van_thu",
}

func roleNames(roles []exchange.Role) string {
	var out []string
	for _, r := range roles {
		out = append(out, string(r))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func (r pageRow) entry() string {
	switch {
	case r.open:
		return "open"
	case r.roles == nil:
		return "everyone"
	}
	return roleNames(r.roles)
}

func apiEntry(r api.Route) string {
	switch {
	case r.Open():
		return "open"
	case r.People:
		return "-: " + roleNames(r.Roles)
	}
	return string(r.Scope) + ": " + roleNames(r.Roles)
}

func TestEveryRouteHasItsEntryInTheTable(t *testing.T) {
	t.Parallel()
	d := newGates(t)
	compare := func(what string, table map[string]string, got map[string]string) {
		for route, entry := range got {
			if want, ok := table[route]; !ok {
				t.Errorf("%s: no entry: %q: %q,", what, route, entry)
			} else if want != entry {
				t.Errorf("%s: %s is for %q, the table says %q", what, route, entry, want)
			}
		}
		for route := range table {
			if _, ok := got[route]; !ok {
				t.Errorf("%s: the table names %s, which is not there", what, route)
			}
		}
	}
	pages, calls := map[string]string{}, map[string]string{}
	for _, r := range d.pageRows {
		pages[r.method+" "+r.path] = r.entry()
	}
	for _, r := range d.apiRows {
		calls[r.Method+" "+r.Path] = apiEntry(r)
	}
	compare("page", pageTable, pages)
	compare("api", apiTable, calls)
}

func TestAnOperatorHasNoLegalActAndSeesNoDocument(t *testing.T) {
	t.Parallel()
	for route, entry := range pageTable {
		path := strings.SplitN(route, " ", 2)[1]
		if !strings.Contains(entry, string(exchange.RoleOperator)) {
			continue
		}
		if !slices.Contains([]string{"accounts", "api-keys", "peers", "home", "search", "lanes", "deliveries"}, strings.Split(path, "/")[1]) {
			t.Errorf("%s is open to operators", route)
		}
	}
}

func TestNobodyComesInByTheWrongDoor(t *testing.T) {
	t.Parallel()
	d := newGates(t)
	before := d.digest(t)
	for _, r := range d.pageRows {
		path := d.aim(r.path)
		refused := func(who, cookie string, allowed ...int) {
			if w := knock(t.Context(), d.pages, r.method, path, cookie, ""); !slices.Contains(allowed, w.Code) {
				t.Errorf("%s %s by %s: status %d", r.method, path, who, w.Code)
			}
		}
		if r.open {
			continue
		}
		outside := http.StatusUnauthorized
		if r.method == http.MethodGet {
			outside = http.StatusSeeOther // to the log-in page
		}
		for who, cookie := range map[string]string{"nobody": "", "a made-up session": "abc", "another agency": d.foreign} {
			refused(who, cookie, outside)
		}
		if r.path != "/password" && r.path != "/logout" {
			refused("one whose password must be changed", d.must, http.StatusSeeOther, http.StatusForbidden)
		}
		for _, role := range exchange.AccountRoles() {
			if r.roles != nil && !slices.Contains(r.roles, role) {
				refused(string(role), d.sessions[role], http.StatusForbidden)
			}
		}
	}
	for _, r := range d.apiRows {
		if r.Open() {
			continue
		}
		path := d.aim(r.Path)
		refused := func(who, cookie, bearer string, allowed ...int) {
			if w := knock(t.Context(), d.api, r.Method, path, cookie, bearer); !slices.Contains(allowed, w.Code) {
				t.Errorf("%s %s by %s: status %d: %.200s", r.Method, path, who, w.Code, w.Body)
			}
		}
		refused("nobody", "", "", http.StatusUnauthorized)
		for _, name := range []string{"revoked", "expired"} {
			refused("a key "+name, "", d.keys[name], http.StatusUnauthorized)
		}
		refused("another agency's key", "", d.keys["foreign"], http.StatusUnauthorized, http.StatusForbidden)
		refused("another agency's session", "", api.SessionPrefix+d.foreign, http.StatusUnauthorized, http.StatusForbidden)
		refused("another agency's cookie", d.foreign, "", http.StatusUnauthorized, http.StatusForbidden)
		refused("one whose password must be changed", "", api.SessionPrefix+d.must, http.StatusUnauthorized, http.StatusForbidden)
		for name, secret := range d.keys {
			if scope, ok := strings.CutPrefix(name, "only "); ok && (r.People || scope != string(r.Scope)) {
				refused("a key for "+scope, "", secret, http.StatusForbidden)
			}
		}
		for _, role := range exchange.AccountRoles() {
			if !slices.Contains(r.Roles, role) {
				refused(string(role), "", api.SessionPrefix+d.sessions[role], http.StatusForbidden)
			}
		}
	}
	if after := d.digest(t); after != before {
		t.Error("a refused request changed the store")
	}
}
