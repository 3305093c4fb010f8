// Package validation judges the signatures of a PDF by the building blocks of
// EN 319 102-1 and judges what was changed after each of them (ISO 32000-2, 12.8).
//
// Its one door is Validator.Validate, which turns a document and a time into a
// Report: the verdict, and why. A verdict is a value; an error means that
// validation could not run. The package signs nothing, opens no file and reaches
// the network only through the seams it is given. The command line, the signer's
// check of its own output, the exchange and the public pages all ask here.
//
// Each building block has a file of its own. The difference analysis (files
// difference_*.go) compares consecutive revisions from the first signed one on
// and permits only what it knows; everything else is a forbidden change.
package validation
