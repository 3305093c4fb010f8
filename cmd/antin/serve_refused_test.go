package main

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"antin/internal/text"
)

// listening says where the agency's doors are.
func (m madeAgency) listening() []string {
	c := m.config
	return []string{"ANTIN_LISTEN_DESK=" + c.Listen.Desk, "ANTIN_DESK_URL=" + c.Desk.URL, "ANTIN_LISTEN_PUBLIC=" + c.Listen.Public,
		"ANTIN_PUBLIC_URL=" + c.Public.URL, "ANTIN_LISTEN_PEER=127.0.0.1:0", "ANTIN_LISTEN_ADMIN=127.0.0.1:0"}
}

func TestADatabaseOfANewerProgramIsRefusedAtTheStartAndLeftAlone(t *testing.T) {
	t.Parallel()
	m := initAgency(t, "H98.73")
	db, err := sql.Open("sqlite", filepath.Join(m.config.DataDir, "antin.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(m.config.DataDir, "antin.db"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := again(t, roleProgram, "--config", filepath.Join(m.dir, "antin.yaml"), "serve")
	cmd.Env = append(cmd.Env, m.listening()...)
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != text.DatabaseNewer.Exit() || !strings.Contains(string(out), "99999") || !strings.Contains(string(out), "["+string(text.DatabaseNewer)) {
		t.Errorf("exit %d: %s", code, out)
	}
	if lines := strings.Split(strings.TrimSpace(string(out)), "\n"); !strings.HasPrefix(lines[len(lines)-1], "→ ") {
		t.Errorf("the last line is no next step: %s", out)
	}
	if after, err := os.ReadFile(filepath.Join(m.config.DataDir, "antin.db")); err != nil || string(after) != string(before) {
		t.Errorf("the database was touched: %v", err)
	}
}

func TestAClockThatCannotBeRightIsRefusedBeforeAnythingIsOpened(t *testing.T) {
	t.Parallel()
	m := initAgency(t, "H98.74")
	for _, year := range []int{1970, 2020, 2101} {
		e := testEnv(newWatched())
		e.now = func() time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
		cfg := *m.config
		cfg.DataDir = filepath.Join(m.dir, "khong-tao")
		if err := serve(t.Context(), e, &cfg, nil); text.CodeOf(err) != text.ConfigInvalid || !strings.Contains(text.As(err).Message().VI, "Đồng hồ") {
			t.Errorf("the year %d: %v", year, err)
		}
		if _, err := os.Stat(cfg.DataDir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the year %d: a data directory was made: %v", year, err)
		}
	}
}

func TestAClockBehindTheLastRecordIsRefused(t *testing.T) {
	t.Parallel()
	m := initAgency(t, "H98.75")
	for name, c := range map[string]struct {
		back time.Duration
		want text.Code
	}{"corrected by a little": {time.Minute, ""}, "a day behind": {24 * time.Hour, text.ConfigInvalid}} {
		e := testEnv(newWatched())
		e.now = func() time.Time { return time.Now().Add(-c.back) }
		g, err := openGateway(t.Context(), e, m.config)
		if err == nil {
			err = g.close()
		}
		if (err != nil || c.want != "") && text.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
