package git

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// spent is what something took: time on the clock, and of processors.
type spent struct{ clock, processor time.Duration }

// clocked measures.
func clocked(b *testing.B, act func()) spent {
	used, began := processors(b), time.Now()
	act()
	return spent{time.Since(began), processors(b) - used}
}

// processors is the time that this process and those it waited for have used.
func processors(b *testing.B) time.Duration {
	all := processorTime(b)
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &used); err != nil {
		b.Fatal(err)
	}
	return all + time.Duration(used.Utime.Nano()+used.Stime.Nano())
}

// report prints the table and the metrics.
func report(b *testing.B, rounds []round, clones []float64) {
	byKind := map[string][]round{"all": rounds}
	for _, r := range rounds {
		byKind[r.kind] = append(byKind[r.kind], r)
	}
	var table strings.Builder
	fmt.Fprintf(&table, "\n%-24s %5s %26s %26s %26s %15s %15s\n", "", "cases",
		"ours p50 p99 max ms", "cold p50 p99 max ms", "git p50 p99 max ms", "ratio p50 p99", "of processor")
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		rs := byKind[kind]
		ours, cold, git := column(rs, func(r round) spent { return r.ours }), column(rs, func(r round) spent { return r.cold }), column(rs, func(r round) spent { return r.git })
		fmt.Fprintf(&table, "%-24s %5d", kind, len(rs))
		for _, c := range []quantiles{ours, cold, git} {
			fmt.Fprintf(&table, " %8.2f %8.2f %8.2f", ms(c.clock[0]), ms(c.clock[1]), ms(c.clock[2]))
		}
		fmt.Fprintf(&table, " %7.1f %7.1f %7.1f %7.1f\n", by(git.clock[0], ours.clock[0]), by(git.clock[1], ours.clock[1]),
			by(git.processor[0], ours.processor[0]), by(git.processor[1], ours.processor[1]))
		if kind != "all" {
			continue
		}
		b.ReportMetric(ms(ours.clock[0]), "backout-p50-ms")
		b.ReportMetric(ms(ours.clock[1]), "backout-p99-ms")
		b.ReportMetric(ms(git.clock[0]), "merge-tree-p50-ms")
		b.ReportMetric(ms(git.clock[1]), "merge-tree-p99-ms")
		b.ReportMetric(by(git.clock[0], ours.clock[0]), "ratio-p50")
		b.ReportMetric(by(git.clock[1], ours.clock[1]), "ratio-p99")
		b.ReportMetric(by(git.processor[0], ours.processor[0]), "processor-ratio-p50")
		b.ReportMetric(by(git.processor[1], ours.processor[1]), "processor-ratio-p99")
		b.ReportMetric(by(git.clock[0], cold.clock[0]), "cold-ratio-p50")
		b.ReportMetric(by(git.clock[1], cold.clock[1]), "cold-ratio-p99")
		if len(clones) > 0 {
			slices.Sort(clones)
			b.ReportMetric(clones[len(clones)/2], "git-revert-ratio-p50")
		}
	}
	b.Log(table.String())
}

// quantiles are the middle, the 99th percentile and the most.
type quantiles struct{ clock, processor [3]time.Duration }

func column(rs []round, of func(round) spent) (q quantiles) {
	for i, pick := range []func(spent) time.Duration{
		func(s spent) time.Duration { return s.clock },
		func(s spent) time.Duration { return s.processor },
	} {
		all := make([]time.Duration, len(rs))
		for j, r := range rs {
			all[j] = pick(of(r))
		}
		slices.Sort(all)
		*[]*[3]time.Duration{&q.clock, &q.processor}[i] = [3]time.Duration{percentile(all, 50), percentile(all, 99), all[len(all)-1]}
	}
	return q
}

func by(git, ours time.Duration) float64 { return float64(git) / float64(max(ours, 1)) }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func percentile(sorted []time.Duration, n int) time.Duration {
	return sorted[min(len(sorted)-1, len(sorted)*n/100)]
}
