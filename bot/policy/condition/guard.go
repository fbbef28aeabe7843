package condition

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/types"

	"github.com/backout-dev/backout/bot"
)

// longest is how long one evaluation may take; its cost bounds it before, but
// for a machine that stands still.
const longest = 10 * time.Second

// Guard is a guard that was compiled. The zero Guard is always raised.
type Guard struct {
	name    string
	program cel.Program
	// objects is true when it looks at the objects of the revert.
	objects bool
}

// Compile compiles a guard's condition. The error says each thing that is wrong
// with it, and where: "1:9: undefined field 'athor'".
func Compile(g bot.CustomGuard) (out *Guard, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, errors.New("when: the condition could not be compiled: the compiler broke down")
		}
	}()
	if strings.TrimSpace(g.When) == "" {
		return nil, errors.New("when: it is empty; write a condition, such as revert.objects.exists(o, o.kind == \"Service\")")
	}
	env, err := environment()
	if err != nil {
		return nil, err
	}
	a, issues := env.Compile(g.When)
	if err := issues.Err(); err != nil {
		return nil, problems(issues)
	}
	if a.OutputType().Kind() != types.BoolKind {
		return nil, fmt.Errorf("when: the result is %s; it must be true or false, so write a comparison", a.OutputType())
	}
	issues = cel.NewIssuesWithSourceInfo(common.NewErrors(a.Source()), a.NativeRep().SourceInfo())
	for _, o := range offences(a.NativeRep()) {
		issues.ReportErrorAtID(o.id, "%s", o.text)
	}
	if issues.Err() != nil {
		return nil, problems(issues)
	}
	program, err := env.Program(a, cel.CostLimit(costLimit), costs(), cel.InterruptCheckFrequency(1))
	if err != nil {
		return nil, fmt.Errorf("when: %w", err)
	}
	return &Guard{name: g.Name, program: program, objects: needsObjects(a.NativeRep())}, nil
}

// problems are CEL's errors without its drawings: line and column, counted from
// 1, and what is wrong.
func problems(issues *cel.Issues) error {
	const most = 5
	var out []string
	for _, e := range issues.Errors() {
		if len(out) == most {
			out = append(out, "and more")
			break
		}
		at := ""
		if e.Location.Line() > 0 { // what is wrong with the whole has no place
			at = fmt.Sprintf("%d:%d: ", e.Location.Line(), e.Location.Column()+1)
		}
		out = append(out, at+strings.Join(strings.Fields(e.Message), " "))
	}
	return fmt.Errorf("when: %s", strings.Join(out, "; "))
}

// Raised judges one case; see [Guard.Judge].
func (g *Guard) Raised(ctx context.Context, c bot.Case) (raised bool, why string) {
	return g.Judge(ctx, NewView(c))
}

// Judge reports whether the guard is raised. why is empty when its condition
// holds; else the guard is raised because nobody could tell, and why is a
// sentence about that. It may quote what stands in the repository.
func (g *Guard) Judge(ctx context.Context, v *View) (raised bool, why string) {
	// CEL turns its own panics into errors; this is for ours.
	defer func() {
		if r := recover(); r != nil {
			raised, why = true, "Its condition could not be judged: the evaluation broke down."
		}
	}()
	if g == nil || g.program == nil {
		return true, "Its condition was not understood."
	}
	values, why := v.values(g.objects)
	if why != "" {
		return true, why
	}
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	out, _, err := g.program.ContextEval(ctx, values)
	switch {
	case ctx.Err() != nil:
		return true, "Its condition could not be judged: it took too long."
	case err != nil && strings.Contains(err.Error(), "cost limit exceeded"):
		return true, "Its condition could not be judged: it costs too much on a change of this size."
	case err != nil:
		return true, "Its condition could not be judged: " + brief(err.Error()) + "."
	}
	holds, ok := out.Value().(bool)
	if !ok {
		return true, "Its condition is neither true nor false."
	}
	return holds, ""
}

// brief keeps a text to one line of bounded length.
func brief(s string) string {
	const most = 150
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}
