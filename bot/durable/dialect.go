package durable

import (
	"fmt"
	"strings"
)

// dialect is all that differs between the two databases for the ledger. Its SQL
// is written for both, with ? for arguments.
//
// In both, one transaction writes at a time. What the ledger decides by reading
// several tables (joined, busy or begun) must not be decided by two at once:
// under PostgreSQL's default isolation one of fifty starters of one Rollback
// was told that its App was busy with that very Rollback. Writes are few and
// take a millisecond.
type dialect struct {
	name    string
	rewrite func(query string) string
	// lock makes a transaction wait until it is the only writer; empty where
	// the database does so by itself.
	lock string
}

// sqliteDialect needs no lock: its transactions begin with one (_txlock).
func sqliteDialect() dialect {
	return dialect{name: "sqlite", rewrite: func(q string) string { return q }}
}

// postgresDialect locks a number that only the ledger uses, until the end of
// the transaction.
func postgresDialect() dialect {
	return dialect{name: "postgres", rewrite: numbered, lock: "SELECT pg_advisory_xact_lock(7221053601)"}
}

// numbered turns each ? into $1, $2… The ledger's SQL has no ? in any literal.
func numbered(q string) string {
	var b strings.Builder
	n := 0
	for _, r := range q {
		if r != '?' {
			b.WriteRune(r)
			continue
		}
		n++
		fmt.Fprintf(&b, "$%d", n)
	}
	return b.String()
}
