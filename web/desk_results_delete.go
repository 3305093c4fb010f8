package web

import (
	"net/http"
	"net/url"

	"antin/exchange"
	"antin/internal/text"
)

// deleteResult throws the draft of a result away, unless somebody changed it since
// the page was read, and goes on to the list.
func (h *desk) deleteResult(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	f, err := h.readForm(r)
	version := 0
	if err == nil {
		version, err = f.needed("version")
	}
	if err == nil {
		err = h.forms.do(h.formOf(r), func() error { return h.Results.Delete(r.Context(), h.Actor(r), id, version) })
	}
	if err != nil {
		if f.values == nil {
			f.values = url.Values{}
		}
		h.showResult(w, r, f, err)
		return
	}
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	http.Redirect(w, r, withLang(h.Prefix+"/results", lang), http.StatusSeeOther)
}
