// Package edxml reads and writes the national message format of electronic
// documents (QCVN 102:2016/BTTTT, amendment 1:2022).
//
// The writer emits one dialect only, that of the national axis's client software;
// the reader also accepts the older ones seen in the field, in any prefix and
// element order, and keeps what it does not know. Reading is strict where
// leniency would be unsafe: a document type declaration, a processing
// instruction, an undeclared prefix, a doubled element or attribute, and anything
// past [Limits] are refused with the line and the element that caused it.
//
// Attachments are never held in memory: [Read] notes where they lie in the
// source and [Attachment.Open] decodes from there.
//
// The package knows nothing of transfer, storage or validation of signatures.
// The XML signature of an envelope proves nothing in practice and is only kept.
// exchange calls it for every message.
package edxml
