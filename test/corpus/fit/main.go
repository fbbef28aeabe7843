// Command fit fits the weights of the ranking on what the command gather wrote,
// prints what they reach on repositories that they were not fitted on, and writes
// them as Go code.
package main

import (
	"flag"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"slices"

	"github.com/backout-dev/backout/bot/culprit"
	"github.com/backout-dev/backout/test/corpus"
)

func main() {
	rows := flag.String("rows", "", "folder that gather wrote")
	write := flag.String("write", "", "file to write the weights to, such as bot/culprit/weights.go")
	flag.Parse()
	if err := run(*rows, *write); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir, write string) error {
	var sets corpus.Sets
	var err error
	for name, rows := range map[string]*[]corpus.Row{"culprit": &sets.App, "culprit-calm": &sets.Calm, "culprit-file": &sets.File, "culprit-object": &sets.Object} {
		if *rows, err = corpus.ReadRows(filepath.Join(dir, name+".jsonl")); err != nil {
			return err
		}
	}
	report, err := corpus.Assess(sets)
	if err != nil {
		return err
	}
	fmt.Print(report)
	all := slices.Concat(sets.App, sets.Calm)
	m, err := corpus.Train(all, sets.File)
	if err != nil {
		return err
	}
	if m, err = corpus.TrainObject(m, sets.Object); err != nil {
		return err
	}
	m.Sure = corpus.Threshold(corpus.CallsOf(all, m), corpus.WantPrecision)
	if write == "" {
		return nil
	}
	about := fmt.Sprintf("%d incidents whose culprit was reverted and %d calm moments of %d public repositories", len(sets.App), len(sets.Calm), len(report.Repositories()))
	code, err := format.Source([]byte(culprit.Source(m, about)))
	if err != nil {
		return err
	}
	return os.WriteFile(write, code, 0o600)
}
