package exchange

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// backoff is the wait after each failure in a row; the last holds from then on.
var backoff = []time.Duration{
	5 * time.Second, 15 * time.Second, 45 * time.Second, 2 * time.Minute,
	5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour,
}

const (
	// maxAttempts is how often one transfer may fail by itself before a person looks.
	maxAttempts = 8
	// haltedRetry is how often a lane that lost its peer's trust is probed.
	haltedRetry = 15 * time.Minute
	// expiredRetry is how often a peer is asked about an expired transfer.
	expiredRetry = time.Hour
	// maxRetryAfter bounds what a peer may ask for, so that it cannot silence us.
	maxRetryAfter = time.Hour
)

// wait returns how long to wait after the given number of failures in a row: the
// schedule, 20 % more or less, so that lanes that failed together do not come back
// together. The spread follows from seed.
func wait(failures int, seed string) time.Duration {
	return spread(backoff[min(max(failures, 1), len(backoff))-1], fmt.Sprintf("%s %d", seed, failures))
}

// spread returns d, 20 % more or less, as follows from seed.
func spread(d time.Duration, seed string) time.Duration {
	sum := sha256.Sum256([]byte(seed))
	part := float64(binary.BigEndian.Uint32(sum[:4])) / (1 << 32) // 0 to 1
	return d + time.Duration((part*0.4-0.2)*float64(d))
}
