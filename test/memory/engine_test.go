package memory_test

import (
	"context"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/test/memory"
	"github.com/backout-dev/backout/test/memory/contract"
)

// home is an engine's store and clock, which survive a restart.
type home struct {
	options memory.Options
}

func (h *home) Open(_ *testing.T, onDead func(context.Context, durable.Dead) error) contract.Engine {
	o := h.options
	o.OnDead = onDead
	return memory.New(o)
}

func (h *home) Advance(d time.Duration) { h.options.Clock.Advance(d) }

func TestContract(t *testing.T) {
	contract.Run(t, func(*testing.T) contract.Home {
		return &home{memory.Options{Clock: memory.NewClock(), Store: memory.NewStore()}}
	})
}
