package corpus

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// Case is one question and its answer.
type Case struct {
	Repo bot.RepoName `json:"repo"`
	Head bot.SHA      `json:"head"`
	At   int64        `json:"at"` // Unix time, seconds
	Path string       `json:"path"`
	// Culprit is what people reverted; empty at a calm point.
	Culprit bot.SHA `json:"culprit,omitempty"`
}

// Time is when the question is asked.
func (c Case) Time() time.Time { return time.Unix(c.At, 0).UTC() }

// Cases reads a table of tab-separated values with the columns repo, head, time,
// path and culprit, and sorts them by repository. Those whose repository is not at
// hand as owner/name.git below dir are counted as absent, by repository. That no
// case is left is an error.
func Cases(dir, name string) (all []Case, absent map[bot.RepoName]int, err error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	absent = map[bot.RepoName]int{}
	sc := bufio.NewScanner(f)
	for n := 0; sc.Scan(); n++ {
		col := strings.Split(sc.Text(), "\t")
		if n == 0 {
			continue
		}
		if len(col) < 5 {
			return nil, nil, fmt.Errorf("%s line %d has %d columns", name, n+1, len(col))
		}
		if _, err := os.Stat(filepath.Join(dir, col[0]+".git")); err != nil {
			absent[bot.RepoName(col[0])]++
			continue
		}
		at, err := strconv.ParseInt(col[2], 10, 64)
		if err != nil {
			return nil, nil, fmt.Errorf("%s line %d: %w", name, n+1, err)
		}
		all = append(all, Case{bot.RepoName(col[0]), bot.SHA(col[1]), at, col[3], bot.SHA(col[4])})
	}
	if len(all) == 0 && sc.Err() == nil {
		return nil, absent, fmt.Errorf("%s has no case of a repository in %s, which must hold them as owner/name.git; cases of others: %v", name, dir, absent)
	}
	slices.SortStableFunc(all, func(a, b Case) int { return cmp.Compare(a.Repo, b.Repo) })
	return all, absent, sc.Err()
}
