package audit

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/backout-dev/backout/bot"
)

// Query selects lines; zero fields match all.
type Query struct {
	Since    time.Time
	Rollback bot.RollbackID
	Repo     bot.RepoName
}

func (q Query) matches(e Entry) bool {
	return (q.Since.IsZero() || !e.Time.Before(q.Since)) &&
		(q.Rollback == "" || e.Rollback == q.Rollback) &&
		(q.Repo == "" || e.Repo == q.Repo)
}

// Read calls each with every line that a query selects, in order, as it is and
// decoded. Lines that can't be read are passed over: Verify tells of them.
func Read(dir string, q Query, each func(raw []byte, e Entry) error) error {
	list, err := found(dir)
	if err != nil {
		return err
	}
	for _, name := range list {
		err := eachLine(name, func(line []byte, _ bool) error {
			var e Entry
			if json.Unmarshal(line, &e) != nil || e.Seq == 0 || !q.matches(e) {
				return nil
			}
			return each(line, e)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func found(dir string) ([]string, error) {
	list, err := files(dir)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s holds no audit log", dir)
	}
	return list, err
}

// Report is what Verify found.
type Report struct {
	Lines int64 `json:"lines"`
	// First and Last are the numbers of the first and the last line. First is
	// more than 1 where older files were deleted.
	First int64 `json:"first"`
	Last  int64 `json:"last"`
	// Head is the SHA-256 of the last line, to compare with one noted earlier.
	Head string `json:"head"`
	// Torn counts lines that crashes left unfinished, each owned up to by the
	// line after it.
	Torn int `json:"torn"`
	// Problems say what does not fit, with file and line; none is good.
	Problems []string `json:"problems,omitempty"`
}

// maxProblems bounds what is listed: after the first break, little else can be
// told.
const maxProblems = 20

// Verify walks the chain.
func Verify(dir string) (Report, error) {
	v := verifier{}
	list, err := found(dir)
	if err != nil {
		return v.Report, err
	}
	for _, name := range list {
		v.file, v.line, v.begun = filepath.Base(name), 0, false
		if err := eachLine(name, v.take); err != nil {
			return v.Report, err
		}
	}
	// The process may be writing the last line just now.
	if v.odd != "" && !v.oddOpen {
		v.problem("the last line is no entry")
	}
	return v.Report, nil
}

type verifier struct {
	Report

	file    string
	begun   bool // the file's first entry was seen
	line    int
	odd     string // hash of lines that are no entries, until the next owns up to them
	oddOpen bool   // the last of them has no line break yet
}

func (v *verifier) problem(format string, args ...any) {
	if len(v.Problems) < maxProblems {
		v.Problems = append(v.Problems, fmt.Sprintf("%s, line %d: %s", v.file, v.line, fmt.Sprintf(format, args...)))
	}
}

func (v *verifier) take(line []byte, whole bool) error {
	v.line++
	var e Entry
	if json.Unmarshal(line, &e) != nil || e.Seq == 0 {
		v.odd, v.oddOpen = tear(v.odd, line), !whole
		return nil
	}
	switch {
	case v.odd != "" && e.Torn != v.odd:
		v.problem("the line before it is no entry, and this one does not own up to it")
	case v.odd == "" && e.Torn != "":
		v.problem("it speaks of an unfinished line before it, and there is none")
	case v.odd != "":
		v.Torn++
	}
	v.odd = ""
	if !v.begun && v.file != fileName(e.Seq) {
		v.problem("the file begins with line number %d: the lines before it are missing", e.Seq)
	}
	v.begun = true
	switch {
	case v.Last == 0: // the first line, or the first that was kept
		v.First = e.Seq
		if (e.Prev == "") != (e.Seq == 1) {
			v.problem("line number %d can't be the first", e.Seq)
		}
	case e.Seq != v.Last+1:
		v.problem("line number %d follows %d: lines are missing or were put in", e.Seq, v.Last)
	case e.Prev != v.Head:
		v.problem("the line before it (number %d) was changed: its hash is %.12s…, and %.12s… was written down", v.Last, v.Head, e.Prev)
	}
	v.Lines, v.Last, v.Head = v.Lines+1, e.Seq, digest(line)
	return nil
}
