package bed

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWaitTellsWhatItSawLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, looks := time.Now(), 0
		err := (&Bed{}).Wait(t.Context(), "the sun", func(ctx context.Context) (bool, error) {
			if looks++; looks > 3 {
				<-ctx.Done() // a call that hangs is cut off at the limit
				return false, ctx.Err()
			}
			return true, fmt.Errorf("cloud %d", looks)
		})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != waitLimit {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
		for _, want := range []string{"the sun", "2m0s", "cloud 3"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error does not say %q: %v", want, err)
			}
		}
	})
}

func TestWaitEndsWithTheCondition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, looks := time.Now(), 0
		err := (&Bed{}).Wait(t.Context(), "five", func(context.Context) (bool, error) { looks++; return looks == 5, nil })
		if err != nil || time.Since(begun) != 4*waitEvery {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	gone := errors.New("the program has ended")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	err := (&Bed{}).Wait(ctx, "it", func(context.Context) (bool, error) { return false, nil })
	if !errors.Is(err, gone) {
		t.Errorf("got %v, want the cause", err)
	}
}
