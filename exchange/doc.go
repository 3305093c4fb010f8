// Package exchange is the application core of Antin: what an agency issues,
// sends, receives and decides, and the evidence of each.
//
// Results issues dossier results; Outbox prepares, signs, seals and sends
// documents; Inbox takes in what other agencies send and lets a văn thư accept or
// refuse it; Worker drives what is due. Their exported methods are one
// transaction or one job step each, and are called by api, web and cmd.
//
// The truth is in the rows behind Store and the bytes behind Blobs. A job only
// wakes a worker: losing or doubling one changes nothing. Nothing here opens a
// socket, a file or a database, or reads the clock: those come through the seams
// in seams.go and the Now fields.
package exchange
