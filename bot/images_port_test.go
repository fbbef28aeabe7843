package bot

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fakeImages is the image automation of a cluster: one object that writes every
// update.
type fakeImages struct {
	holds    []ImageHold
	chosen   string // what it would write by now
	listErr  error
	newerErr error
	freeErr  error
}

func (f *fakeImages) HoldImages(_ context.Context, l ImageLease) ([]ImageHeld, error) {
	if f.listErr != nil {
		return nil, f.listErr
	}
	f.holds = append(f.holds, ImageHold{Kind: "Fake", Owner: l.Owner, Deadline: l.Deadline, Updates: l.Updates[:1]})
	return []ImageHeld{{ImageHold: f.holds[len(f.holds)-1], Placed: true}}, nil
}

func (f *fakeImages) ReleaseImages(_ context.Context, h ImageHold) (string, error) {
	if f.freeErr != nil {
		return "", f.freeErr
	}
	f.holds = slices.DeleteFunc(f.holds, func(have ImageHold) bool { return have.Owner == h.Owner })
	return "released " + string(h.Owner), nil
}

func (f *fakeImages) ImageHolds(context.Context) ([]ImageHold, error) {
	return slices.Clone(f.holds), f.listErr
}

func (f *fakeImages) Newer(context.Context, ImageHold) (string, bool, error) {
	return f.chosen, f.chosen != "", f.newerErr
}

// TestImagesGoOnAfterErrors: one cluster that fails keeps no other from being
// held, swept or released, and is told.
func TestImagesGoOnAfterErrors(t *testing.T) {
	down := &fakeImages{listErr: errors.New("down")}
	up := &fakeImages{}
	all := []ImageAutomations{down, up}
	deadline := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	a, b := ImageUpdate{By: ImageFlux, Bad: "v2"}, ImageUpdate{By: ImageRenovate, Bad: "v3"}
	l := ImageLease{Owner: "rb-1", Deadline: deadline, Updates: []ImageUpdate{a, b}}

	held, uncovered, err := HoldImages(t.Context(), all, l)
	if diff := cmp.Diff([]ImageUpdate{b}, uncovered); err == nil || len(held) != 1 || diff != "" {
		t.Errorf("held %v, %v, uncovered (-want +got):\n%s", held, err, diff)
	}
	for _, step := range []struct {
		name     string
		now      time.Time
		change   func()
		released int
	}{
		{"before the deadline", deadline.Add(-1), func() {}, 0},
		{"nobody can tell", deadline.Add(-1), func() { up.chosen, up.newerErr = "v4", errors.New("broken") }, 0},
		{"past the deadline, not released", deadline, func() { up.freeErr = errors.New("broken") }, 0},
		{"past the deadline", deadline, func() { up.freeErr = nil }, 1},
		{"again", deadline, func() {}, 0},
	} {
		step.change()
		released, err := SweepImages(t.Context(), all, step.now)
		if len(released) != step.released || err == nil {
			t.Errorf("%s: released %v, %v", step.name, released, err)
		}
	}
	if _, _, err := HoldImages(t.Context(), all, l); err == nil {
		t.Error("the cluster that is down is not told")
	}
	left, err := ReleaseImagesOf(t.Context(), all, "rb-1")
	if len(up.holds) != 0 || len(left) != 1 || err == nil {
		t.Errorf("%v held, left %q, %v", up.holds, left, err)
	}
}

// TestHoldImagesNeedsOwnerAndDeadline: a hold that nobody could end is not placed.
func TestHoldImagesNeedsOwnerAndDeadline(t *testing.T) {
	up := &fakeImages{}
	for _, l := range []ImageLease{{Owner: "rb-1"}, {Deadline: time.Now()}} {
		l.Updates = []ImageUpdate{{Bad: "v2"}}
		if _, uncovered, err := HoldImages(t.Context(), []ImageAutomations{up}, l); !IsTrouble(err, TroubleInvalid) || len(uncovered) != 1 || len(up.holds) != 0 {
			t.Errorf("%+v: %v, %v, %v", l, uncovered, err, up.holds)
		}
	}
}
