package main

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"testing"

	"antin/exchange"
)

func TestAuditVerifyFindsAnEditedRowAndExitsWithThree(t *testing.T) {
	t.Parallel()
	m := initAgency(t, "H15.21")
	config := filepath.Join(m.dir, "antin.yaml")
	check := func(want int, ok bool) (line auditLine) {
		t.Helper()
		code, stdout, stderr := invoke(t, "--config", config, "audit", "verify", "--json")
		if code != want {
			t.Fatalf("exit %d: %s%s", code, stdout, stderr)
		}
		if err := json.Unmarshal([]byte(stdout), &line); err != nil || line.OK != ok || line.Agency != "H15.21" || line.Events == 0 {
			t.Fatalf("%v: %s", err, stdout)
		}
		return line
	}
	check(0, true)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(m.config.DataDir, "antin.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{`DROP TRIGGER event_no_update`, `UPDATE event SET body = replace(body, '"at":"20', '"at":"19') WHERE seq = 1`} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if line := check(3, false); len(line.Faults) != 1 || line.Faults[0].Code != exchange.AuditChanged || line.Faults[0].Seq != 1 {
		t.Errorf("%+v", line.Faults)
	}
	if code, _, stderr := invoke(t, "--config", config, "audit", "verify"); code != 3 || stderr == "" {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestChangedSettingsAreInTheEvidenceOnce(t *testing.T) {
	t.Parallel()
	m := initAgency(t, "H15.22")
	for range 2 {
		s := startServe(t, m.config)
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		m.load(t)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(m.config.DataDir, "antin.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var keys int
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM event WHERE subject = 'setting:transport-key'`).Scan(&keys); err != nil {
		t.Fatal(err)
	}
	if keys != 1 {
		t.Errorf("the transport key was noted %d times", keys)
	}
}
