package web

import (
	"encoding/json"
	"net/http"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer/report"
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
		{Method: http.MethodGet, Path: "/verifications/{id}/report.pdf", Roles: desks, Handler: h.verificationPaper(report.PDF)},
		{Method: http.MethodGet, Path: "/verifications/{id}/report.xml", Roles: desks, Handler: h.verificationPaper(report.XML)},
	}
}

// keptView is a verification as its page shows it.
type keptView struct {
	verifyView
	Kept exchange.Verification // zero on the page that only has the form
	File string                // address of the report as JSON, of its paper and of its XML
	PDF  string
	XML  string
}

func (h *desk) verifyPage(w http.ResponseWriter, r *http.Request) { h.showVerify(w, r, nil) }

// showVerify is the form, with failed above it when the last file could not be judged.
func (h *desk) showVerify(w http.ResponseWriter, r *http.Request, failed error) {
	p := h.page(r, "web.nav.verify")
	p.at(h.Prefix + "/verifications")
	p.Where = "verify"
	v := keptView{verifyView: newVerifyView(p, "/verifications", "web.check.privacy")}
	status := http.StatusOK
	if failed != nil {
		var f filled
		p.Err = h.blame(p.Lang, &f, failed)
		f.put("file", "file")
		status, v.Wrong = p.Err.status, f.wrong
	}
	v.Keyed = true
	p.Data = v
	h.show(w, status, "check", p)
}

// verify judges an uploaded file and keeps the report; the file only stays at hand
// for a while, to show its pages.
func (h *desk) verify(w http.ResponseWriter, r *http.Request) {
	judged, u, err := h.checker.check(w, r)
	if err != nil {
		h.showVerify(w, r, err)
		return
	}
	digest, key := exchange.DigestOf(u.data), ""
	if k := u.values["key"]; k != "" {
		key = h.Actor(r).ID + " " + r.URL.Path + " " + k + " " + string(digest)
	}
	m, err := h.secrets.again(key, h.now(), func() (made, error) {
		kept, err := h.Verifications.Keep(r.Context(), h.Actor(r), judged, u.name, digest)
		return made{secret: string(kept.ID)}, err
	})
	if err != nil {
		h.showVerify(w, r, err)
		return
	}
	h.shelf.put(exchange.ID(m.secret), u.data)
	h.back(w, r, "/verifications/", exchange.ID(m.secret))
}

// verification shows a report that was kept.
func (h *desk) verification(w http.ResponseWriter, r *http.Request) {
	kept, judged, err := h.judgement(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p := h.page(r, "web.check.title", kept.Name)
	p.Where = "verify"
	v := keptView{verifyView: newVerifyView(p, "/verifications", "web.check.privacy"), Kept: kept,
		File: p.U("/verifications/" + string(kept.ID) + "/report"), PDF: p.U("/verifications/" + string(kept.ID) + "/report.pdf"),
		XML: p.U("/verifications/" + string(kept.ID) + "/report.xml")}
	v.Keyed = true
	v.judged(p.Lang, judged)
	if data, ok := h.shelf.get(kept.ID); ok {
		paper := h.images.judged(r.Context(), &p, inMemory(kept.Digest, data), kept.Name, h.Prefix+"/verifications/"+string(kept.ID)+"/pages/", judged, sender{})
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
	var judged validation.Report
	if err := json.Unmarshal(kept.Report, &judged); err != nil {
		return kept, nil, err
	}
	return kept, &judged, nil
}

// verificationPage shows a page of the file while it is at hand.
func (h *desk) verificationPage(w http.ResponseWriter, r *http.Request) {
	kept, judged, err := h.judgement(r)
	data, ok := h.shelf.get(exchange.ID(r.PathValue("id")))
	if err == nil && !ok {
		err = text.Errorf(text.NotFound, nil)
	}
	var src source
	if err == nil {
		src, err = signedSource(r, inMemory(kept.Digest, data), func() (*validation.Report, error) { return judged, nil })
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

// verificationPaper is the kept report on paper or as XML of ETSI. One that was kept
// without it is written from what its JSON says.
func (h *desk) verificationPaper(f report.Format) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		kept, judged, err := h.judgement(r)
		var data []byte
		if err == nil {
			var there bool
			if data, there, err = h.Verifications.Written(r.Context(), kept, f); err == nil && !there {
				data, err = report.Write(judged, f, report.Options{})
			}
		}
		if err != nil {
			h.fail(w, r, err)
			return
		}
		downloadBytes(w, r, data, string(kept.ID)+"."+string(f))
	}
}

// newVerifyView is the form that takes a file to path.
func newVerifyView(p page, path string, privacy text.Key) verifyView {
	return verifyView{Action: p.U(path), Limit: MaxUpload, LimitM: MaxUpload >> 20, Privacy: p.say(privacy, MaxUpload>>20)}
}

// judged adds a report to v.
func (v *verifyView) judged(lang text.Lang, judged *validation.Report) {
	v.Report = viewReport(lang, judged, sender{})
	v.Lines = fiveLines(lang, exchange.ItemView{}, judged, sender{})[:4] // the fifth is about the way it came
}
