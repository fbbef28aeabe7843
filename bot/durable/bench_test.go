package durable_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/test/memory/contract"
)

// BenchmarkFsync is the disk that the others are measured on: what is written
// at an Accept or a step, written and synced without any database.
func BenchmarkFsync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	page := make([]byte, 4<<10)
	for b.Loop() {
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

func benchEngine(b *testing.B, in intakeFlow, rb rollbackFlow) *durable.Engine {
	b.Helper()
	e, err := durable.Open(b.Context(), durable.Config{Dir: b.TempDir(), Log: discard})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = e.Close(patience) })
	e.Register(contract.First(in, rb))
	if err := e.Launch(b.Context()); err != nil {
		b.Fatal(err)
	}
	return e
}

// BenchmarkAccept is from a webhook's body to its flow running, one after the
// other.
func BenchmarkAccept(b *testing.B) {
	running := make(chan struct{})
	e := benchEngine(b, func(context.Context, bot.Journal, bot.Event) error {
		running <- struct{}{}
		return nil
	}, noRollback)
	n := 0
	for b.Loop() {
		n++
		event := bot.Event{ID: fmt.Sprint(n), Comment: &bot.Comment{Repo: "acme/fleet", Number: n, Body: "/rollback"}}
		if err := e.Accept(b.Context(), event); err != nil {
			b.Fatal(err)
		}
		<-running
	}
}

// BenchmarkStep is one recorded step of a flow, with a result of 2 kB.
func BenchmarkStep(b *testing.B) {
	result, err := json.Marshal(make([]byte, 1500))
	if err != nil {
		b.Fatal(err)
	}
	next, done := make(chan struct{}), make(chan error)
	e := benchEngine(b, noIntake, func(ctx context.Context, j bot.Journal, _ bot.RollbackID) error {
		for range next {
			_, err := j.Do(ctx, "step", func(context.Context) ([]byte, error) { return result, nil })
			done <- err
		}
		return nil
	})
	if err := e.Start(b.Context(), "rb-1"); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		next <- struct{}{}
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	close(next)
}

// BenchmarkResume is from opening the record to a flow being at its unfinished
// step again, behind a hundred recorded ones.
func BenchmarkResume(b *testing.B) {
	dir, there := b.TempDir(), make(chan struct{}, 1)
	flow := func(ctx context.Context, j bot.Journal, _ bot.RollbackID) error {
		for range 100 {
			if _, err := j.Now(ctx); err != nil {
				return err
			}
		}
		_, err := j.Do(ctx, "unfinished", func(ctx context.Context) ([]byte, error) {
			there <- struct{}{}
			<-ctx.Done()
			return nil, ctx.Err()
		})
		return err
	}
	run := func(first bool) {
		e, err := durable.Open(b.Context(), durable.Config{Dir: dir, Log: discard})
		if err != nil {
			b.Fatal(err)
		}
		e.Register(contract.First(noIntake, flow))
		if err := e.Launch(b.Context()); err != nil {
			b.Fatal(err)
		}
		if first {
			err = e.Start(b.Context(), "rb-1")
		}
		if err != nil {
			b.Fatal(err)
		}
		<-there
		b.StopTimer()
		if err := e.Close(patience); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	run(true)
	for b.Loop() {
		run(false)
	}
}
