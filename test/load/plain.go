package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"time"
)

// servePlain is what the bot is measured against: the least that a webhook
// receiver can do that loses nothing. It reads the body, inserts it in one
// transaction of its own, and answers.
func servePlain(ctx context.Context, p part) error {
	db, err := openPlain(filepath.Join(p.Dir, "plain.db"))
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, plainSchema); err != nil {
		return err
	}
	l, err := listen()
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: plain(db), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = srv.Shutdown(context.WithoutCancel(ctx))
	}()
	announce(l)
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return db.Close()
}

const plainSchema = `CREATE TABLE events (id TEXT PRIMARY KEY, body TEXT NOT NULL)`

func plain(db *sql.DB) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "read", http.StatusBadRequest)
			return
		}
		id := r.Header.Get("X-GitHub-Delivery")
		if id == "" {
			sum := sha256.Sum256(body)
			id = hex.EncodeToString(sum[:])
		}
		if _, err := db.ExecContext(r.Context(), `INSERT INTO events (id, body) VALUES (?, ?) ON CONFLICT (id) DO NOTHING`, id, string(body)); err != nil {
			http.Error(w, "insert", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
}

// openPlain opens a file with the driver and the pragmas of the product
// (bot/durable/sqlite.go), and like it with one connection for what is accepted.
func openPlain(file string) (*sql.DB, error) {
	q := url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)"},
		"_txlock": {"immediate"},
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: file, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}
