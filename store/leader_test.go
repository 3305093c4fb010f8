package store

import (
	"testing"
)

func TestALeaderThatWasKilledHoldsNothingBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for life := range 2 {
		db, err := Open(t.Context(), Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		var leaders int
		if err := db.write.QueryRowContext(t.Context(), `SELECT count(*) FROM river_leader`).Scan(&leaders); err != nil || leaders != 0 {
			t.Errorf("life %d begins with %d leaders: %v", life, leaders, err)
		}
		// As a process leaves it that is killed at work: a lease with its time to run.
		if _, err := db.write.ExecContext(t.Context(), `INSERT INTO river_leader (elected_at, expires_at, leader_id, name)
			VALUES (datetime('now'), datetime('now', '+1 hour'), 'killed', 'default')`); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
