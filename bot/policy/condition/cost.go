package condition

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
)

// costs makes a comparison cost what it does: CEL counts how long its two sides
// are, and not what their elements hold.
func costs() cel.ProgramOption {
	compare := func(args []ref.Val, _ ref.Val) *uint64 {
		cost := min(weigh(args[0]), weigh(args[1]))
		return &cost
	}
	search := func(args []ref.Val, _ ref.Val) *uint64 {
		cost := weigh(args[1])
		return &cost
	}
	return cel.CostTrackerOptions(
		interpreter.OverloadCostTracker(overloads.Equals, compare),
		interpreter.OverloadCostTracker(overloads.NotEquals, compare),
		interpreter.OverloadCostTracker(overloads.InList, search),
	)
}

// textUnit is how many bytes of a text count as one value.
const textUnit = 10

// weigh counts the values that a value is made of, up to the limit.
func weigh(v ref.Val) uint64 {
	var n uint64
	count(v, &n)
	return n
}

func count(v ref.Val, n *uint64) {
	*n++
	switch t := v.(type) {
	case traits.Mapper:
		for it := t.Iterator(); *n < costLimit && it.HasNext() == types.True; {
			count(t.Get(it.Next()), n)
		}
	case traits.Lister:
		for it := t.Iterator(); *n < costLimit && it.HasNext() == types.True; {
			count(it.Next(), n)
		}
	case types.String:
		*n += uint64(len(t) / textUnit)
	case types.Bytes:
		*n += uint64(len(t) / textUnit)
	}
}
