package git

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// BenchmarkCorpus takes back every case of the corpus that git finds clean, all in one
// operation, in a repository that is opened for it: what the objects cost is in it.
func BenchmarkCorpus(b *testing.B) {
	_, all := corpus(b)
	byRepo := make(map[bot.RepoName][]corpusCase)
	for _, c := range all {
		if c.want == "clean" {
			byRepo[c.repo] = append(byRepo[c.repo], c)
		}
	}
	for name, cases := range byRepo {
		b.Run(string(name), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := Open(filepath.Join(os.Getenv("BACKOUT_CORPUS"), string(name)+".git"))
				if err != nil {
					b.Fatal(err)
				}
				for _, c := range cases {
					_, err := r.Revert(context.Background(), c.onto, bot.Change{Commits: []bot.SHA{c.culprit}, Mainline: c.mainline})
					if err != nil {
						b.Fatal(err)
					}
				}
				_ = r.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(cases)), "µs/revert")
		})
	}
}
