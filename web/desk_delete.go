package web

import (
	"context"
	"net/http"
	"net/url"

	"antin/exchange"
	"antin/internal/text"
)

// deleteDraft throws the draft of a document or result away by remove, unless somebody
// changed it since the page was read, and goes on to the list; show is the draft's page,
// with what went wrong.
func (h *desk) deleteDraft(list string, remove func(context.Context, exchange.Actor, exchange.ID, int) error,
	show func(http.ResponseWriter, *http.Request, filled, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := exchange.ID(r.PathValue("id"))
		f, err := h.readForm(r)
		version := 0
		if err == nil {
			version, err = f.needed("version")
		}
		if err == nil {
			err = h.forms.do(h.formOf(r), func() error { return remove(r.Context(), h.Actor(r), id, version) })
		}
		if err != nil {
			if f.values == nil {
				f.values = url.Values{}
			}
			show(w, r, f, err)
			return
		}
		lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
		http.Redirect(w, r, withLang(h.Prefix+list, lang), http.StatusSeeOther)
	}
}
