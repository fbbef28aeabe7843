package replay

import "fmt"

// Difference is how the code's way through a kept journal differs from the
// recorded one, and what to do about it.
type Difference struct {
	File, Flow string
	// Step counts from 1; Steps is how many the journal has.
	Step, Steps int
	// Code is what the code does there, Record what the journal has there.
	Code, Record string
}

func (j *journal) differ(code, record string) *Difference {
	return &Difference{File: j.kept.File, Flow: j.kept.Flow, Step: j.next + 1, Steps: len(j.kept.Steps), Code: code, Record: record}
}

func (d *Difference) Error() string {
	return fmt.Sprintf(`test/replay/testdata/%s, step %d of %d: the code of %s %s; the record %s there.
Work of %[4]s that is unfinished when this change is deployed would be given up at this step.
If the change of order was not meant, undo it. If it was:
  1. keep the stages as they were for %[4]s, and register the changed flow as the next version after it (Flow.Versions in bot/versions.go);
  2. record the journals of the new version with "make journals", and leave those of %[4]s as they are;
  3. remove %[4]s and its journals one minor release later.
docs/reliability.md and the package comment of test/replay tell more.`, d.File, d.Step, d.Steps, d.Flow, d.Code, d.Record)
}
