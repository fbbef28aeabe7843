// Command gather reads the signs of all cases and calm points and writes them as
// one JSON object a line, so that fitting need not read repositories again.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/corpus"
	"github.com/backout-dev/backout/vcs/git"
)

func main() {
	dir := flag.String("corpus", os.Getenv("BACKOUT_CORPUS"), "folder with the tables and bare repositories as owner/name.git")
	out := flag.String("out", "", "folder to write into, one file for each set of cases")
	flag.Parse()
	if err := run(context.Background(), *dir, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir, out string) error {
	ms, err := git.New(git.Config{Dir: dir, BaseURL: "http://invalid.invalid"})
	if err != nil {
		return err
	}
	defer ms.Close() //nolint:errcheck // only read from
	for _, set := range []struct {
		table, name   string
		calm, objects bool
	}{
		{"culprit", "culprit-object", false, true},
		{"culprit", "culprit", false, false},
		{"culprit", "culprit-calm", true, false},
		{"culprit-file", "culprit-file", false, false},
	} {
		cases, absent, err := corpus.Cases(dir, set.table+".tsv")
		if err == nil && set.calm {
			cases, err = corpus.Calm(ctx, ms, cases)
		}
		if err != nil {
			return err
		}
		n, skipped, err := gather(ctx, ms, cases, set.objects, filepath.Join(out, set.name+".jsonl"))
		if err != nil {
			return err
		}
		fmt.Println(set.name, len(cases), "cases,", n, "gathered; of repositories not at hand:", absent, "skipped:", skipped)
	}
	return nil
}

func gather(ctx context.Context, ms *git.Mirrors, cases []corpus.Case, objects bool, file string) (n int, skipped map[bot.RepoName]int, err error) {
	f, err := os.Create(file) //nolint:gosec // where the user says
	if err != nil {
		return 0, nil, err
	}
	w := bufio.NewWriter(f)
	enc := json.NewEncoder(w)
	skipped, err = corpus.Gather(ctx, ms, cases, objects, func(r corpus.Row) error {
		n++
		return enc.Encode(r)
	})
	return n, skipped, errors.Join(err, w.Flush(), f.Close())
}
