package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"time"

	"antin/certs"
	"antin/exchange"
	"antin/internal/text"
	"antin/signer"
)

// maxChain bounds the certificates that a signer brings, the signing certificate
// first: longer paths are in nobody's use.
const maxChain = 10

// paperRoutes registers what documents and results have in common: the way from a
// draft to a sealed file.
func (s *Server) paperRoutes(b *builder, collection, noun string) {
	post := func(verb string) route {
		return route{id: verb + "-" + noun, method: http.MethodPost, path: "/v1/" + collection + "/{id}:" + verb, tag: collection, legal: true, maxJSON: maxSmallJSON}
	}
	p := papers{s, paperPrefix(collection)}
	r := post("number")
	r.scope, r.roles = ScopeRegistersWrite, clerk
	register(b, r, p.number)
	r = post("sign-request")
	r.scope, r.status = ScopeSignQueue, http.StatusAccepted
	register(b, r, p.askSignature)
	r = post("seal")
	r.scope, r.status = ScopeSealQueue, http.StatusAccepted
	register(b, r, p.seal)
	r = post("prepare")
	r.people, r.roles, r.status = true, signers, http.StatusCreated
	register(b, r, p.prepare)
	r = post("complete")
	r.people, r.roles = true, signers
	register(b, r, p.complete)
	r = post("confirm-seal")
	r.people, r.roles = true, clerk
	register(b, r, p.confirmSeal)
	r = post("attach-signed")
	r.people, r.roles, r.maxJSON = true, signers, maxSmallJSON
	register(b, r, p.attach)
	r = post("return")
	r.people, r.roles = true, []exchange.Role{exchange.RoleLeader}
	register(b, r, p.sendBack)
}

// papers acts on the objects whose ids begin with prefix.
type papers struct {
	*Server
	prefix string
}

type paperOut struct {
	ETag string `header:"ETag"`
	Body paperBody
}

// paperBody is how far a document or a result has come.
type paperBody struct {
	ID               exchange.ID      `json:"id"`
	Stage            exchange.Stage   `json:"stage" enum:"draft,awaiting_signature,signed,numbered,awaiting_seal,issued"`
	CodeNumber       string           `json:"code_number,omitempty"`
	CodeNotation     string           `json:"code_notation,omitempty"`
	PromulgationDate string           `json:"promulgation_date,omitempty" format:"date"`
	Signer           *signerBody      `json:"signer,omitempty"`
	File             *blobBody        `json:"file,omitempty"`
	Verdict          exchange.Verdict `json:"verdict,omitempty"`
	Issued           *factBody        `json:"issued,omitempty"`
}

// state is how far id has come.
func (p papers) state(ctx context.Context, id exchange.ID) (*paperOut, error) {
	var i exchange.Issuance
	var version int
	var name string
	if id.Has(exchange.PrefixResult) {
		r, err := p.Results.Result(ctx, actor(ctx), id)
		if err != nil {
			return nil, err
		}
		i, version, name = r.Issuance, r.Version, r.FileName
	} else {
		v, err := p.Outbox.Document(ctx, actor(ctx), id)
		if err != nil {
			return nil, err
		}
		i, version, name = v.Issuance, v.Version, v.FileName
	}
	body := paperBody{ID: id, Stage: i.Stage(), CodeNotation: i.Number.Notation, PromulgationDate: day(i.Number.Date), Signer: signerOf(i.Signer),
		File: blobOf(i.Newest(), name), Verdict: i.Verdict, Issued: factOf(i.Issued)}
	if !i.Number.IsZero() {
		body.CodeNumber = i.Number.CodeNumber()
	}
	return &paperOut{ETag: etagOf(version), Body: body}, nil
}

type numberRequest struct {
	Number       int    `json:"number,omitempty" minimum:"1" maximum:"9999999"`
	ActingPerson string `json:"acting_person,omitempty" maxLength:"200"`
}

type numberIn struct {
	ActIn
	Body numberRequest
}

// number gives the next number, or enters the one that the agency's own register gave.
func (p papers) number(ctx context.Context, in *numberIn) (*paperOut, error) {
	ctx, who, id, err := p.paperAct(ctx, in.ActIn, p.prefix, in.Body.ActingPerson)
	if err != nil {
		return nil, err
	}
	if _, err := p.Press.Number(ctx, who, id, in.Body.Number); err != nil {
		return nil, err
	}
	return p.state(ctx, id)
}

type actIn struct {
	ActIn
	Body actRequest
}

// askSignature puts the paper before the leader.
func (p papers) askSignature(ctx context.Context, in *actIn) (*operationOut, error) {
	return p.ask(ctx, in.ActIn, exchange.SigningPerson, in.Body.ActingPerson)
}

func (p papers) ask(ctx context.Context, a ActIn, kind exchange.SigningKind, person string) (*operationOut, error) {
	ctx, who, id, err := p.paperAct(ctx, a, p.prefix, person)
	if err != nil {
		return nil, err
	}
	o, err := p.Press.Ask(ctx, who, id, kind, keyPrefix+a.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	return p.newOperation(o), nil
}

// seal puts the paper before a văn thư, who confirms each sealing.
func (p papers) seal(ctx context.Context, in *actIn) (*operationOut, error) {
	return p.ask(ctx, in.ActIn, exchange.SigningSeal, in.Body.ActingPerson)
}

type confirmRequest struct {
	Shown exchange.Digest `json:"shown_sha256" pattern:"^[0-9a-f]{64}$"`
}

type confirmIn struct {
	ActIn
	Body confirmRequest
}

// confirmSeal has a logged-in văn thư seal, with the key that the key helper keeps,
// exactly what the preparation showed.
func (p papers) confirmSeal(ctx context.Context, in *confirmIn) (*paperOut, error) {
	ctx, who, id, err := p.paperAct(ctx, in.ActIn, p.prefix, "")
	if err != nil {
		return nil, err
	}
	if err := p.Press.Seal(ctx, who, id, in.Body.Shown); err != nil {
		return nil, err
	}
	return p.state(ctx, id)
}

type prepareRequest struct {
	Kind         exchange.SigningKind `json:"kind" enum:"person,seal"`
	Certificates []string             `json:"certificates,omitempty" maxItems:"10"`
}

type prepareIn struct {
	ActIn
	Body prepareRequest
}

type signingBody struct {
	ID               exchange.ID          `json:"id"`
	Kind             exchange.SigningKind `json:"kind" enum:"person,seal"`
	Subject          exchange.ID          `json:"subject_id"`
	Digest           string               `json:"digest"`
	ToSign           string               `json:"to_sign"`
	SignedAttributes string               `json:"signed_attributes"`
	DocumentDigest   string               `json:"document_digest"`
	PSS              bool                 `json:"rsa_pss"`
	Shown            exchange.Digest      `json:"shown_sha256"`
	ExpiresAt        time.Time            `json:"expires_at"`
	Warnings         []signer.Warning     `json:"warnings,omitempty"`
}

type signingOut struct {
	Body signingBody
}

// prepare makes the revision that a person's own key, or văn thư's token, is to sign.
func (p papers) prepare(ctx context.Context, in *prepareIn) (*signingOut, error) {
	ctx, who, id, err := p.paperAct(ctx, in.ActIn, p.prefix, "")
	if err != nil {
		return nil, err
	}
	chain, err := chainOf(in.Body.Certificates)
	if err != nil {
		return nil, err
	}
	if in.Body.Kind == exchange.SigningPerson && len(chain) == 0 {
		return nil, invalid("/certificates", faultRequired)
	}
	k, err := p.Press.Prepare(ctx, who, id, in.Body.Kind, chain)
	if err != nil {
		return nil, err
	}
	b64 := base64.StdEncoding.EncodeToString
	return &signingOut{Body: signingBody{ID: k.ID, Kind: k.Kind, Subject: k.Subject, Digest: k.Prepared.Digest, ToSign: b64(k.Prepared.ToSign()),
		SignedAttributes: b64(k.Prepared.SignedAttributes), DocumentDigest: b64(k.Prepared.DocumentDigest), PSS: k.Prepared.PSS,
		Shown: k.Shown, ExpiresAt: local(k.ExpiresAt), Warnings: k.Prepared.Warnings}}, nil
}

// chainOf reads certificates, base64 of DER each.
func chainOf(encoded []string) ([]*certs.Certificate, error) {
	if len(encoded) > maxChain {
		return nil, invalid("/certificates", faultValue)
	}
	var chain []*certs.Certificate
	for _, e := range encoded {
		der, err := base64.StdEncoding.DecodeString(e)
		if err != nil {
			return nil, invalid("/certificates", faultValue)
		}
		c, err := certs.ParseCertificate(der)
		if err != nil {
			return nil, invalid("/certificates", faultValue)
		}
		chain = append(chain, c)
	}
	return chain, nil
}

type completeRequest struct {
	Signing string `json:"signing" minLength:"1" maxLength:"64"`
	Value   string `json:"value,omitempty" maxLength:"8192"`
	CMS     string `json:"cms,omitempty" maxLength:"200000"`
}

type completeIn struct {
	ActIn
	Body completeRequest
}

// completion reads what came from the key: one of the two.
func (r completeRequest) completion() (signer.Completion, error) {
	var c signer.Completion
	if (r.Value == "") == (r.CMS == "") {
		return c, &refusal{err: text.Detailed(text.InvalidInput, nil, "api.value-or-cms"), fields: []fault{newFault("/value", faultRequired), newFault("/cms", faultRequired)}}
	}
	var err error
	if c.Raw, err = base64.StdEncoding.DecodeString(r.Value); err != nil {
		return c, invalid("/value", faultValue)
	}
	if c.CMS, err = base64.StdEncoding.DecodeString(r.CMS); err != nil {
		return c, invalid("/cms", faultValue)
	}
	return c, nil
}

// complete puts the value from the key into the revision that was prepared.
func (p papers) complete(ctx context.Context, in *completeIn) (*paperOut, error) {
	value, err := in.Body.completion()
	if err != nil {
		return nil, err
	}
	signing := exchange.ID(in.Body.Signing)
	if !plausible(in.Body.Signing, "ks_") {
		return nil, invalid("/signing", faultValue)
	}
	ctx, who, id, err := p.paperAct(ctx, in.ActIn, p.prefix, "")
	if err != nil {
		return nil, err
	}
	if err := p.Press.Complete(ctx, who, signing, value); err != nil {
		return nil, err
	}
	return p.state(ctx, id)
}

type attachRequest struct {
	Kind exchange.SigningKind `json:"kind" enum:"person,seal"`
	File exchange.Digest      `json:"file" pattern:"^[0-9a-f]{64}$"`
}

type attachIn struct {
	ActIn
	Body attachRequest
}

// attach takes in a file that was signed or sealed with another tool: the paper's
// own bytes and one signature more.
func (p papers) attach(ctx context.Context, in *attachIn) (*paperOut, error) {
	ctx, who, id, err := p.paperAct(ctx, in.ActIn, p.prefix, "")
	if err != nil {
		return nil, err
	}
	r, err := p.uploaded(ctx, who, in.Body.File)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	take := p.Press.Upload
	if in.Body.Kind == exchange.SigningSeal {
		take = p.Press.UploadSeal
	}
	if err := take(ctx, who, id, section(r)); err != nil {
		return nil, err
	}
	return p.state(ctx, id)
}

type returnRequest struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500"`
}

type returnIn struct {
	ActIn
	Body returnRequest
}

// sendBack has the leader return the paper to its author.
func (p papers) sendBack(ctx context.Context, in *returnIn) (*paperOut, error) {
	ctx, who, id, err := p.paperAct(ctx, in.ActIn, p.prefix, "")
	if err != nil {
		return nil, err
	}
	if err := p.Press.Return(ctx, who, id, in.Body.Reason); err != nil {
		return nil, err
	}
	return p.state(ctx, id)
}
