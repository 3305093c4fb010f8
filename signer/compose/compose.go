// Package compose sets official documents as PDF: A4 pages in the layout of Annex
// I of Decree 30/2020/NĐ-CP, with a QR code to the verification page, empty text
// fields for number and date, and empty signature fields for the competent person
// and the agency, all placed before the first signature so that nothing of the
// page has to change afterwards. The same form gives the same bytes. It signs
// nothing, reads no clock and no files; exchange and the command line call it.
package compose

import (
	"time"
)

// The names of the fields that every composed document has.
const (
	FieldNumber = "so"
	FieldDay    = "ngay"
	FieldMonth  = "thang"
	FieldYear   = "nam"
	FieldPerson = "NguoiKy"
	FieldSeal   = "CoQuan"
)

// DocumentForm is the content of an official document. Texts may be in any
// normalisation form. The number, the date and the signatures are not in it: they
// come later, into fields.
type DocumentForm struct {
	// ParentAgency is the superior agency, set above Agency; may be empty.
	ParentAgency string
	// Agency is the issuing agency; required.
	Agency string
	// Place is where the document is issued, before the date.
	Place string
	// Type is the document type ("Quyết định"); empty sets an official letter (công
	// văn), whose subject stands under the number.
	Type string
	// Notation is what follows the number ("QĐ-UBND").
	Notation string
	// Subject is the abstract (trích yếu); required.
	Subject string
	// Addressees are set after "Kính gửi"; may be empty.
	Addressees []string
	// Body is the text; Text makes it from plain paragraphs.
	Body []Block
	// Signer is who will sign.
	Signer Signer
	// Receivers are the lines of "Nơi nhận".
	Receivers []string
	// Verify leads to the verification page; the zero value sets no QR code.
	Verify Verify
	// SealDiameterMM is the true diameter of the agency's seal, zero for 36 mm.
	SealDiameterMM float64
	// Created is written as the document's creation time; required. Its zone is not
	// kept: official documents state times in +07:00.
	Created time.Time
}

// Signer is the competent person's block.
type Signer struct {
	// Competence is the line above the position, such as "TM. ỦY BAN NHÂN DÂN" or
	// "KT. CHỦ TỊCH"; several lines are parted by a line feed; may be empty.
	Competence string
	// Position is the person's office; set in capitals like Competence.
	Position string
	// Name is the person's full name; required.
	Name string
}

// Verify is what the QR code and its caption say. Neither may hold personal data:
// URL is the public address and a random code, nothing else.
type Verify struct {
	// URL is the whole content of the QR code, http or https.
	URL string
	// Code is the random part, printed for those who cannot scan; may be empty.
	Code string
}

// ResultForm is the content of a dossier result: a document with the facts of the
// dossier above its text. Zero times and empty texts are left out.
type ResultForm struct {
	DocumentForm
	// DossierCode is the code of the dossier ("H15.50.05.13-261008-0975").
	DossierCode string
	// Procedure is the administrative procedure's name, with or without its code.
	Procedure string
	// Owner is the applicant's name. It is printed, never put into the QR code.
	Owner string
	// Received is when the dossier was taken in, ValidUntil the last day on which
	// the result holds; only the dates are printed.
	Received, ValidUntil time.Time
}

// Block is a part of the body: Paragraph, Heading or Table.
type Block interface{ isBlock() }

// Paragraph is justified text with an indented first line.
type Paragraph struct {
	// Lead is set in bold before the text ("Điều 1."); may be empty.
	Lead string
	Text string
	// Italic sets the text in italics, as the legal grounds of a decision are.
	Italic bool
}

// Heading is a centred line in bold ("QUYẾT ĐỊNH:").
type Heading struct{ Text string }

// Table is a simple ruled table. A row goes to the next page as a whole; the
// titles are repeated there.
type Table struct {
	Columns []Column
	// Rows have as many cells as there are columns.
	Rows [][]string
}

// Column is one column of a Table.
type Column struct {
	Title string
	// Weight is the column's share of the width; zero counts as 1.
	Weight float64
	// Centred sets the cells in the middle; else they are set from the left.
	Centred bool
}

func (Paragraph) isBlock() {}
func (Heading) isBlock()   {}
func (Table) isBlock()     {}

// Result returns a dossier result as PDF. Errors are *text.Error: invalid-input
// for a form that lacks something, glyph-missing for a character that the fonts
// lack, limit-exceeded for a text that is too long.
func Result(in ResultForm) ([]byte, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return in.set(in.facts())
}

// Document returns an official document as PDF. Errors are those of Result.
func Document(in DocumentForm) ([]byte, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return in.set(nil)
}
