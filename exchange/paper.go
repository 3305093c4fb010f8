package exchange

import (
	"context"
	"fmt"
)

// paper is what Press works on: a Document or a Result, as last loaded.
type paper interface {
	issuance() *Issuance
	about() paperInfo
	// load reads the newest state; it must belong to the actor's agency.
	load(ctx context.Context, tx Tx) error
	// save writes the state that load read and the caller changed.
	save(ctx context.Context, tx Tx) error
	// numbered takes note of a number just given.
	numbered(n Number)
}

// paperInfo is what the press prints or enters in a register.
type paperInfo struct {
	id       ID
	agency   AgencyCode
	notation string
	fileName string
}

type documentPaper struct {
	id    ID
	actor Actor
	doc   Document
}

func (p *documentPaper) issuance() *Issuance { return &p.doc.Issuance }

func (p *documentPaper) about() paperInfo {
	return paperInfo{id: p.doc.ID, agency: p.doc.Agency, notation: p.doc.Notation, fileName: p.doc.FileName}
}

func (p *documentPaper) load(ctx context.Context, tx Tx) (err error) {
	if p.doc, err = tx.Document(ctx, p.id); err != nil {
		return err
	}
	return ownedBy(p.doc.Agency, p.actor)
}

func (p *documentPaper) save(ctx context.Context, tx Tx) error {
	err := tx.SaveDocument(ctx, p.doc)
	p.doc.Version++
	return err
}

func (p *documentPaper) numbered(n Number) { p.doc.DocumentID = documentID(p.doc.Agency, n) }

type resultPaper struct {
	id     ID
	actor  Actor
	result Result
}

func (p *resultPaper) issuance() *Issuance { return &p.result.Issuance }

func (p *resultPaper) about() paperInfo {
	return paperInfo{id: p.result.ID, agency: p.result.Agency, notation: p.result.Form.Notation, fileName: p.result.FileName}
}

func (p *resultPaper) load(ctx context.Context, tx Tx) (err error) {
	if p.result, err = tx.Result(ctx, p.id); err != nil {
		return err
	}
	return ownedBy(p.result.Agency, p.actor)
}

func (p *resultPaper) save(ctx context.Context, tx Tx) error {
	err := tx.SaveResult(ctx, p.result)
	p.result.Version++
	return err
}

func (p *resultPaper) numbered(Number) {}

// documentID is the business identifier of QCVN 102: issuer, date and full number.
func documentID(agency AgencyCode, n Number) string {
	return fmt.Sprintf("%s,%s,%s", agency, n.Date.In(Vietnam).Format("2006/01/02"), n)
}
