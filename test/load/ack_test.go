package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/test/memory/contract"
	"github.com/backout-dev/backout/test/stage"
	"github.com/backout-dev/backout/webhooks"
)

// BenchmarkAck answers alerts one after the other: by the webhook server with
// the durable engine, whose intakes do nothing here, and in turn by the plain
// handler, which inserts each body into SQLite. What it tells is the ratio.
func BenchmarkAck(b *testing.B) {
	product, plainly := ackHandler(b), plainHandler(b)
	var ours, theirs []time.Duration
	n := 0
	for b.Loop() {
		n++
		body := ackBody(n)
		ours = append(ours, ack(b, product, body))
		theirs = append(theirs, ack(b, plainly, body))
	}
	for name, q := range map[string]float64{"p50": .5, "p99": .99} {
		us, them := quantile(ours, q), quantile(theirs, q)
		b.ReportMetric(float64(us)/1e6, "ack-"+name+"-ms")
		b.ReportMetric(float64(them)/1e6, "plain-"+name+"-ms")
		b.ReportMetric(float64(us)/float64(them), name+"-ratio")
	}
}

func ack(b *testing.B, h http.Handler, body []byte) time.Duration {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/alertmanager", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	began := time.Now()
	h.ServeHTTP(w, r)
	took := time.Since(began)
	if w.Code/100 != 2 {
		b.Fatalf("answered %d: %s", w.Code, w.Body)
	}
	return took
}

func ackBody(n int) []byte {
	labels := map[string]string{"alertname": "HighErrorRate", "namespace": "shop", "deployment": fmt.Sprintf("app-%d", n)}
	return notice{fmt.Sprintf(`{}:{app="%d"}`, n), []stage.NotifiedAlert{{Status: "firing", Labels: labels, StartsAt: time.Unix(int64(n), 0), Fingerprint: fmt.Sprintf("%016x", n)}}}.body()
}

func ackHandler(b *testing.B) http.Handler {
	engine, err := durable.Open(b.Context(), durable.Config{Dir: b.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := engine.Close(time.Minute); err != nil {
			b.Error(err)
		}
	})
	engine.Register(contract.First(
		func(context.Context, bot.Journal, bot.Event) error { return nil },
		func(context.Context, bot.Journal, bot.RollbackID) error { return nil }))
	if err := engine.Launch(b.Context()); err != nil {
		b.Fatal(err)
	}
	s, err := webhooks.New(webhooks.Config{Engine: engine, Secrets: [][]byte{[]byte(secret)}, AlertTokens: [][]byte{[]byte(token)}})
	if err != nil {
		b.Fatal(err)
	}
	return s.Public()
}

func plainHandler(b *testing.B) http.Handler {
	db, err := openPlain(filepath.Join(b.TempDir(), "plain.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(b.Context(), plainSchema); err != nil {
		b.Fatal(err)
	}
	return plain(db)
}
