// Package failpoint names the places at which the torture tests kill, fail or stop
// the program, and moves its clock. Only a program built with the tag "failpoint"
// has them: in every other build the calls are empty and compiled away.
//
// A place is where one more or one less thing has happened: between a commit and its
// answer, between bytes and the row that names them.
package failpoint

// Point is a place in the program.
type Point string

// The points, in the order in which a transfer passes them: of the sender first.
const (
	SendBeforeCommit     Point = "send.before_commit"     // everything is prepared, nothing committed
	SendAfterCommit      Point = "send.after_commit"      // committed, the caller not told
	AttemptBegins        Point = "attempt.begins"         // no byte has left
	AttemptHalfSent      Point = "attempt.half_sent"      // the peer has the manifest and not all bytes
	AttemptAnswered      Point = "attempt.answered"       // the receipt is here, not stored
	AttemptSettled       Point = "attempt.settled"        // the receipt is stored, the lane not ended
	BlobBeforeName       Point = "blob.before_name"       // bytes are on disk without their name
	BlobAfterName        Point = "blob.after_name"        // bytes have their name, no row
	ReceiveBegins        Point = "receive.begins"         // identity and manifest are checked, no byte stored
	ReceiveBeforeReceipt Point = "receive.before_receipt" // bytes stored, no receipt signed
	ReceiveBeforeCommit  Point = "receive.before_commit"  // the receipt is signed, nobody has seen it
	ReceiveAfterCommit   Point = "receive.after_commit"   // committed, the peer not told
	AdmitBegins          Point = "admit.begins"           // the message is in, unread
	AdmitBeforeCommit    Point = "admit.before_commit"    // read and checked, nothing committed
	AdmitAfterCommit     Point = "admit.after_commit"     // committed, the job not ended
	StoreBeforeCommit    Point = "store.before_commit"    // statements done, COMMIT not asked
	StoreAfterCommit     Point = "store.after_commit"     // COMMIT has returned, nobody told
)

// Points returns all of them, in order.
func Points() []Point {
	return []Point{SendBeforeCommit, SendAfterCommit, AttemptBegins, AttemptHalfSent, AttemptAnswered, AttemptSettled, BlobBeforeName, BlobAfterName,
		ReceiveBegins, ReceiveBeforeReceipt, ReceiveBeforeCommit, ReceiveAfterCommit, AdmitBegins, AdmitBeforeCommit, AdmitAfterCommit,
		StoreBeforeCommit, StoreAfterCommit}
}
