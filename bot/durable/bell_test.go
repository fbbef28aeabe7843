package durable

import (
	"testing"

	"github.com/backout-dev/backout/bot"
)

func pull(number int) bot.Hint { return bot.Hint{Repo: "acme/fleet", Number: number} }

// TestBellForgetsSafely: whoever slept through more hints than the bell
// remembers is woken.
func TestBellForgetsSafely(t *testing.T) {
	t.Parallel()
	b := newBell()
	since := b.count()
	b.ring(pull(7))
	for range bellMemory - 1 {
		b.ring(pull(8))
	}
	woken := func(number int) bool {
		e := b.listen([]bot.Hint{pull(number)}, since)
		defer b.leave(e)
		return len(e.wake) == 1
	}
	if !woken(7) || !woken(8) || woken(9) {
		t.Error("the remembered hints are not the ones that rang")
	}
	b.ring(pull(8)) // the first is forgotten
	if !woken(7) || !woken(9) {
		t.Error("a hint was forgotten and nobody woken for it")
	}
	e := b.listen([]bot.Hint{pull(9)}, b.count())
	b.leave(e)
	b.ring(pull(9))
	if len(e.wake) != 0 {
		t.Error("an ear that left is still rung")
	}
}
