package bot

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func TestEachAnswersInOrderAndInBounds(t *testing.T) {
	items := make([]int, 10*atOnce)
	for i := range items {
		items[i] = i
	}
	var now, most atomic.Int64
	var meet sync.WaitGroup // of the first ones: they go on when all have come
	meet.Add(atOnce)
	got, err := each(t.Context(), items, func(_ context.Context, i int) (int, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if i < atOnce {
			meet.Done()
			meet.Wait()
		}
		return i, nil
	})
	if err != nil || !slices.Equal(got, items) {
		t.Errorf("answers %v, %v", got, err)
	}
	if most.Load() != atOnce {
		t.Errorf("%d asked at once, want %d", most.Load(), atOnce)
	}
}

func TestEachEndsAtTheFirstError(t *testing.T) {
	down := errors.New("down")
	asked := atomic.Int64{}
	got, err := each(t.Context(), make([]int, 1000), func(context.Context, int) (int, error) {
		asked.Add(1)
		return 0, down
	})
	if got != nil || !errors.Is(err, down) {
		t.Errorf("answers %v, %v", got, err)
	}
	if asked.Load() > atOnce {
		t.Errorf("%d were asked after the first said no", asked.Load())
	}
	if none, err := each(t.Context(), []int{}, func(context.Context, int) (int, error) { return 0, down }); none != nil || err != nil {
		t.Errorf("nothing to ask: %v, %v", none, err)
	}
}
