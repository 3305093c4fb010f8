package web

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/url"

	"antin/certs"
	"antin/exchange"
	"antin/internal/text"
)

// sealView is the preview of a seal: exactly what will be sealed, with its SHA-256.
type sealView struct {
	paperOf
	Back   string
	Paper  paperView
	Shown  string
	Short  string
	Until  string
	Key    string
	Action string
	// Token is what else is needed when the seal's key is văn thư's token.
	Token *tokenView
}

// tokenView are the two ways to sign with a key that is not held here.
type tokenView struct {
	File      string // what is downloaded, signed with any tool and uploaded
	Upload    string
	UploadKey string
	State     string // the prepared signing, for a program
	Complete  string
	Digest    string // what the key signs, hex
	Algorithm string
	Until     string
	UploadFor field
	Value     field
	ValueFile field
	Kinds     []option
	Open      bool // the value was sent and something was wrong
}

// preparedSeal prepares the seal: with the key behind the gateway, or, when the
// agency's seal is a token, for the seal certificate that the agency lists.
func (h *desk) preparedSeal(r *http.Request) (s exchange.Signing, token bool, err error) {
	office, err := h.Outbox.Offices.Office(r.Context(), h.Actor(r).Agency)
	if err != nil {
		return s, false, err
	}
	var chain []*certs.Certificate
	if token = office.SealKey == ""; token {
		if chain, err = newest(office.Agency.Seals, h.now()); err != nil {
			return s, true, err
		}
	}
	s, err = h.Outbox.Press.Prepare(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")), exchange.SigningSeal, chain)
	return s, token, err
}

// sealPage shows what will be sealed.
func (h *desk) sealPage(w http.ResponseWriter, r *http.Request) {
	h.showSeal(w, r, filled{values: url.Values{}}, nil)
}

func (h *desk) showSeal(w http.ResponseWriter, r *http.Request, f filled, failed error) {
	p := h.page(r, "desk.seal.title")
	x, err := h.paperOf(r, p.Lang)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	s, token, err := h.preparedSeal(r)
	if err != nil {
		if failed == nil {
			failed = err
		}
		h.showPaper(w, r, f, failed)
		return
	}
	p.Where = whereOf(x)
	path := "/press/" + string(x.ID) + "/seal"
	p.at(h.Prefix + path)
	if failed != nil {
		p.Err = h.blame(p.Lang, &f, failed)
	}
	v := sealView{paperOf: x, Back: p.U(x.Folder + string(x.ID)), Shown: string(s.Shown), Short: string(s.Shown[:min(12, len(s.Shown))]),
		Until: vnTime(s.ExpiresAt), Key: rand.Text(), Action: p.U(path)}
	v.Paper = h.images.paper(r.Context(), &p, h.previewSource(h.Actor(r), s), x.File, h.Prefix+path+"/pages/")
	if token {
		v.Token = h.tokenView(p, f, s, p.U("/press/"+string(x.ID)+"/file"), path)
	}
	p.Data = v
	status := http.StatusOK
	if p.Err != nil {
		status = p.Err.status
	}
	h.show(w, status, "seal", p)
}

// whereOf is the entry of the navigation that x belongs to.
func whereOf(x paperOf) string {
	if x.ID.Has(exchange.PrefixResult) {
		return "results"
	}
	return "documents"
}

func (h *desk) tokenView(p page, f filled, s exchange.Signing, file, path string) *tokenView {
	m := fields{p.Lang, "value", f}
	v := &tokenView{File: file, Upload: p.U(path + "/upload"), UploadKey: rand.Text(), State: p.U(path + "/state"), Complete: p.U(path + "/complete"),
		Digest: hexOf(s.Prepared.ToSign()), Algorithm: s.Prepared.Digest, Until: vnTime(s.ExpiresAt), UploadFor: must(fields{p.Lang, "signed", filled{}}.make("file", "file")),
		Value: m.area("value", 4), ValueFile: fields{p.Lang, "valuefile", filled{}}.make("file", "file"), Open: f.V("value") != "" || f.V("form") != ""}
	v.UploadFor.Help, v.ValueFile.Help = p.say("desk.token.signed.help"), p.say("desk.token.valuefile.help")
	v.UploadFor.Label, v.ValueFile.Label = p.say("desk.token.signed"), p.say("desk.token.valuefile")
	for _, k := range []string{valueRaw, valueCMS} {
		v.Kinds = append(v.Kinds, option{Value: k, Label: p.say(text.Key("desk.value." + k)), Selected: f.V("form") == k || f.V("form") == "" && k == valueRaw})
	}
	return v
}

func (h *desk) previewSource(actor exchange.Actor, s exchange.Signing) source {
	return source{digest: s.Shown, open: func(ctx context.Context) (exchange.BlobReader, error) {
		return h.Outbox.Press.Preview(ctx, actor, s.ID)
	}}
}

func (h *desk) sealPreview(w http.ResponseWriter, r *http.Request) {
	s, _, err := h.preparedSeal(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.images.servePage(w, r, h.previewSource(h.Actor(r), s))
}

// seal seals exactly what the preview showed.
func (h *desk) seal(w http.ResponseWriter, r *http.Request) {
	f, err := h.readForm(r)
	shown := exchange.Digest(f.V("shown"))
	if err == nil && shown == "" {
		err = text.Errorf(text.DocumentChanged, nil)
	}
	if err == nil {
		err = twice(f.key(), func() error {
			return h.Outbox.Press.Seal(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")), shown)
		})
	}
	if err != nil {
		h.showSeal(w, r, f, err)
		return
	}
	h.paperDone(w, r, f, nil)
}

func (h *desk) sealState(w http.ResponseWriter, r *http.Request) {
	s, _, err := h.preparedSeal(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	sendState(w, r, s)
}

func (h *desk) completeSeal(w http.ResponseWriter, r *http.Request) {
	f, err := h.readForm(r)
	if err == nil {
		err = h.complete(r, func() (exchange.Signing, error) {
			s, _, err := h.preparedSeal(r)
			return s, err
		}, f)
	}
	if err != nil {
		h.showSeal(w, r, f, err)
		return
	}
	h.paperDone(w, r, f, nil)
}

func (h *desk) uploadSeal(w http.ResponseWriter, r *http.Request) {
	f, err := h.readForm(r)
	if err == nil {
		err = h.withFile(r, f, func(pdf io.Reader) error {
			return h.Outbox.Press.UploadSeal(r.Context(), h.Actor(r), exchange.ID(r.PathValue("id")), pdf)
		})
	}
	if err != nil {
		h.showSeal(w, r, f, err)
		return
	}
	h.paperDone(w, r, f, nil)
}
