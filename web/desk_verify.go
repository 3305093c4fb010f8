package web

import (
	"encoding/json"
	"net/http"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer/validation"
)

// verifyRoutes are checking a file inside the desk, and the reports kept of it.
func (h *desk) verifyRoutes() []route {
	return []route{
		{Method: http.MethodGet, Path: "/verifications", Roles: desks, Handler: h.verifyPage},
		{Method: http.MethodPost, Path: "/verifications", Roles: desks, Upload: true, Handler: h.verify},
		{Method: http.MethodGet, Path: "/verifications/{id}", Roles: desks, Handler: h.verification},
		{Method: http.MethodGet, Path: "/verifications/{id}/pages/{page}", Roles: desks, Handler: h.verificationPage},
		{Method: http.MethodGet, Path: "/verifications/{id}/report", Roles: desks, Handler: h.verificationReport},
	}
}

// keptView is a verification as its page shows it.
type keptView struct {
	verifyView
	Kept exchange.Verification // zero on the page that only has the form
	File string                // address of the report as JSON
}

func (h *desk) verifyPage(w http.ResponseWriter, r *http.Request) { h.showVerify(w, r, nil) }

// showVerify is the form, with failed above it when the last file could not be judged.
func (h *desk) showVerify(w http.ResponseWriter, r *http.Request, failed error) {
	p := h.page(r, "web.nav.verify")
	p.at(h.Prefix + "/verifications")
	p.Where = "verify"
	p.Data = keptView{verifyView: newVerifyView(p, "/verifications", "web.check.privacy")}
	status := http.StatusOK
	if failed != nil {
		p.Err = h.errView(p.Lang, failed)
		status = p.Err.status
	}
	h.show(w, status, "check", p)
}

// verify judges an uploaded file and keeps the report; the file only stays at hand
// for a while, to show its pages.
func (h *desk) verify(w http.ResponseWriter, r *http.Request) {
	report, u, err := h.checker.check(w, r)
	if err != nil {
		h.showVerify(w, r, err)
		return
	}
	kept, err := h.Verifications.Keep(r.Context(), h.Actor(r), report, u.name, exchange.DigestOf(u.data))
	if err != nil {
		h.showVerify(w, r, err)
		return
	}
	h.shelf.put(kept.ID, u.data)
	h.back(w, r, "/verifications/", kept.ID)
}

// verification shows a report that was kept.
func (h *desk) verification(w http.ResponseWriter, r *http.Request) {
	kept, report, err := h.judgement(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p := h.page(r, "web.check.title", kept.Name)
	p.Where = "verify"
	v := keptView{verifyView: newVerifyView(p, "/verifications", "web.check.privacy"), Kept: kept,
		File: p.U("/verifications/" + string(kept.ID) + "/report")}
	v.judged(p.Lang, report)
	if data, ok := h.shelf.get(kept.ID); ok {
		paper := h.images.judged(r.Context(), &p, inMemory(kept.Digest, data), kept.Name, h.Prefix+"/verifications/"+string(kept.ID)+"/pages/", report, sender{})
		v.Paper = &paper
		v.Report.link(p, v.Paper)
	} else {
		v.Gone = p.say("web.check.gone")
	}
	p.Data = v
	h.show(w, http.StatusOK, "check", p)
}

// judgement is the verification that r names, with its report.
func (h *desk) judgement(r *http.Request) (exchange.Verification, *validation.Report, error) {
	kept, err := h.Verifications.Verification(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")))
	if err != nil {
		return kept, nil, err
	}
	var report validation.Report
	if err := json.Unmarshal(kept.Report, &report); err != nil {
		return kept, nil, err
	}
	return kept, &report, nil
}

// verificationPage shows a page of the file while it is at hand.
func (h *desk) verificationPage(w http.ResponseWriter, r *http.Request) {
	kept, report, err := h.judgement(r)
	data, ok := h.shelf.get(exchange.ID(r.PathValue("id")))
	if err == nil && !ok {
		err = text.Errorf(text.NotFound, nil)
	}
	var src source
	if err == nil {
		src, err = signedSource(r, inMemory(kept.Digest, data), func() (*validation.Report, error) { return report, nil })
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.images.servePage(w, r, src)
}

func (h *desk) verificationReport(w http.ResponseWriter, r *http.Request) {
	kept, err := h.Verifications.Verification(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	downloadBytes(w, r, kept.Report, string(kept.ID)+".json")
}

// newVerifyView is the form that takes a file to path.
func newVerifyView(p page, path string, privacy text.Key) verifyView {
	return verifyView{Action: p.U(path), Limit: MaxUpload, LimitM: MaxUpload >> 20, Privacy: p.say(privacy, MaxUpload>>20)}
}

// judged adds a report to v.
func (v *verifyView) judged(lang text.Lang, report *validation.Report) {
	v.Report = viewReport(lang, report, sender{})
	v.Lines = fiveLines(lang, exchange.ItemView{}, report, sender{})[:4] // the fifth is about the way it came
}
