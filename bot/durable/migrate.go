package durable

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

// The ledger's schema, one file per version, named so that they sort. A file
// that was released never changes; a change is a new file. The SQL must be such
// that both databases take it.
//
//go:embed schema/*.sql
var schemaFiles embed.FS

// migrations returns the schema's versions in order; the first is version 1.
func migrations() ([]string, error) {
	names, err := fs.Glob(schemaFiles, "schema/*.sql")
	if err != nil {
		return nil, err
	}
	all := make([]string, len(names))
	for i, name := range names {
		b, err := schemaFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all[i] = string(b)
	}
	return all, nil
}

// migrate brings the schema to the newest version, all in one transaction.
func (l *Ledger) migrate(ctx context.Context) error {
	known, err := migrations()
	if err != nil {
		return err
	}
	return l.write(ctx, "migrate the ledger", func(tx tx) error {
		if err := tx.exec(`CREATE TABLE IF NOT EXISTS backout_schema (version BIGINT NOT NULL)`); err != nil {
			return err
		}
		var version int
		if err := tx.row(`SELECT COALESCE(MAX(version), 0) FROM backout_schema`).Scan(&version); err != nil {
			return err
		}
		if version > len(known) {
			return fmt.Errorf("the database was written by a newer Backout (schema version %d, this one knows up to %d): start the newer one, or restore the backup from before the upgrade", version, len(known))
		}
		for n, script := range known[version:] {
			for _, statement := range statements(script) {
				if err := tx.exec(statement); err != nil {
					return fmt.Errorf("schema version %d: %w", version+n+1, err)
				}
			}
			if err := tx.exec(`INSERT INTO backout_schema (version) VALUES (?)`, version+n+1); err != nil {
				return err
			}
		}
		return nil
	})
}

// statements splits a script at its semicolons; comments may not hold any.
func statements(script string) []string {
	var all []string
	for s := range strings.SplitSeq(script, ";") {
		if s = strings.TrimSpace(s); s != "" {
			all = append(all, s)
		}
	}
	return all
}
