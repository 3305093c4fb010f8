//go:build !failpoint

package failpoint

import "time"

// Built reports whether this program was built with points that do something.
const Built = false

// Hit passes a point. In what is released it is nothing.
func Hit(Point) error { return nil }

// Clock is the clock that the program goes by.
func Clock(now func() time.Time) func() time.Time { return now }
