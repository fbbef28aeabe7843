package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Journal is the record that makes a flow durable: each act's result is
// written before the next act begins, and an act that has a result is not
// done again. It speaks bytes, so that an engine needs to know no type of ours.
//
// A Go error from any method means only that the engine is down or shutting
// down: the flow returns it at once and is resumed later. Everything that can
// be expected of the world is part of the recorded bytes.
type Journal interface {
	// Do runs act once and records what it returns under name. Acts run at
	// least once: a crash between act and record runs it again, so its outside
	// effect must have a natural key.
	Do(ctx context.Context, name string, act func(context.Context) ([]byte, error)) ([]byte, error)
	// Sleep waits for d, across restarts, whatever hints arrive.
	Sleep(ctx context.Context, name string, d time.Duration) error
	// Wait waits for a hint on one of the topics, at most d. Waking early or
	// for nothing is allowed; the caller looks at the world again.
	Wait(ctx context.Context, name string, topics []Hint, d time.Duration) error
	// Now is the time, recorded.
	Now(ctx context.Context) (time.Time, error)
	// NewID is a random identifier, recorded.
	NewID(ctx context.Context) (string, error)
}

// stepVersion is written into every recorded step. Readers accept versions up
// to their own.
const stepVersion = 1

// stepRecord is a step's result as it is kept. Fields may be added, never
// renamed or reused.
type stepRecord struct {
	Version int             `json:"v"`
	Start   time.Time       `json:"start"`
	End     time.Time       `json:"end"`
	Value   json.RawMessage `json:"value,omitempty"`
	Trouble *Trouble        `json:"trouble,omitempty"`
}

// Done is a step's recorded outcome: a value, or the trouble that came instead.
type Done[T any] struct {
	Value   T
	Trouble *Trouble
	// Start and End are when the act ran, the same on every replay.
	Start, End time.Time
}

// Step runs act once, durably, and returns what it returned then. The error is
// the engine's (see Journal); the act's own error is in Done.Trouble.
func Step[T any](ctx context.Context, j Journal, now func() time.Time, name string, act func(context.Context) (T, error)) (Done[T], error) {
	raw, err := j.Do(ctx, name, func(ctx context.Context) ([]byte, error) {
		rec := stepRecord{Version: stepVersion, Start: now().UTC()}
		v, err := act(ctx)
		if ctx.Err() != nil {
			// The engine is going down. What the act returned may be the echo
			// of that, so nothing is recorded and the act runs again.
			return nil, fmt.Errorf("step %s interrupted: %w", name, context.Cause(ctx))
		}
		rec.End = now().UTC()
		if err != nil {
			rec.Trouble = AsTrouble(err)
		}
		if rec.Value, err = json.Marshal(v); err != nil {
			return nil, fmt.Errorf("encode result of step %s: %w", name, err)
		}
		return json.Marshal(rec)
	})
	var done Done[T]
	if err != nil {
		return done, err
	}
	var rec stepRecord
	if err := json.Unmarshal(raw, &rec); err != nil {
		return done, fmt.Errorf("decode record of step %s: %w", name, err)
	}
	if rec.Version > stepVersion {
		return done, fmt.Errorf("step %s was recorded by a newer Backout (version %d, this one reads up to %d): start the newer one", name, rec.Version, stepVersion)
	}
	if err := json.Unmarshal(rec.Value, &done.Value); err != nil {
		return done, fmt.Errorf("decode value of step %s: %w", name, err)
	}
	done.Trouble, done.Start, done.End = rec.Trouble, rec.Start, rec.End
	return done, nil
}
