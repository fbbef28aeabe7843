package durable

import (
	"database/sql"
	"path/filepath"
	"testing"
)

// TestEveryConnectionSyncs: one connection with synchronous=NORMAL is enough to
// lose an accepted command in a power cut.
func TestEveryConnectionSyncs(t *testing.T) {
	t.Parallel()
	const connections = 4
	path := filepath.Join(t.TempDir(), "odd name?#%.db")
	db, err := openSQLiteFile(path, connections)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var held []*sql.Conn
	for range connections {
		c, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	want := map[string]string{"synchronous": "2", "journal_mode": "wal", "busy_timeout": "5000", "foreign_keys": "1"}
	for i, c := range held {
		for pragma, value := range want {
			var got string
			if err := c.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != value {
				t.Errorf("connection %d: %s is %s, want %s", i, pragma, got, value)
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if found, err := filepath.Glob(filepath.Join(filepath.Dir(path), "odd name[?]#%.db")); err != nil || len(found) != 1 {
		t.Errorf("the database is not at the path that was named: %v, %v", found, err)
	}
}
