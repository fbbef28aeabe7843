package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// figures sum up what senders saw.
type figures struct {
	answers  int
	ok       int
	busy     int // 503
	rate     float64
	p50, p99 time.Duration
	max      time.Duration
}

// sum counts all answers, and the times of first attempts and of later ones
// alike: each from when it was due.
func sum(list []answer, began time.Time) figures {
	f := figures{answers: len(list)}
	var times []time.Duration
	var last time.Time
	for _, a := range list {
		switch {
		case a.status/100 == 2:
			f.ok++
			if a.at.After(last) {
				last = a.at
			}
		case a.status == 503:
			f.busy++
		}
		times = append(times, a.took)
	}
	f.p50, f.p99, f.max = quantile(times, .5), quantile(times, .99), quantile(times, 1)
	if span := last.Sub(began); span > 0 {
		f.rate = float64(f.ok) / span.Seconds()
	}
	return f
}

func quantile(times []time.Duration, q float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	times = slices.Sorted(slices.Values(times))
	return times[min(len(times)-1, int(q*float64(len(times))))]
}

func (f figures) String() string {
	return fmt.Sprintf("%6d answered, %6d accepted, %4d told to come again (503), %7.1f accepted/s, ack p50 %s p99 %s max %s",
		f.answers, f.ok, f.busy, f.rate, ms(f.p50), ms(f.p99), ms(f.max))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }

// duringStorm keeps what was answered from the beginning of the storm until all
// of it was answered.
func (s *storm) duringStorm(list []answer, kinds ...string) []answer {
	return slices.DeleteFunc(slices.Clone(list), func(a answer) bool {
		return len(kinds) > 0 && !slices.Contains(kinds, a.kind) || a.at.Before(s.began) || a.at.After(s.began.Add(s.shot))
	})
}

// print writes all figures.
func (s *storm) print(w io.Writer) {
	line := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	line("\nmachine: %d CPUs, %s %s/%s, %s", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, cpu())
	line("\nsent within %s, open loop, times from when each was due:", s.size.Within)
	answers := s.duringStorm(s.gun.answers)
	f := sum(answers, s.began)
	line("  Backout        %s", f)
	for _, kind := range []string{kindAlert, kindComment, kindRedelivery, kindOther} {
		one := sum(s.duringStorm(answers, kind), s.began)
		line("    %-13s%s", kind, one)
	}
	line("  plain handler  %s", s.plain)
	if s.plain.rate > 0 && s.plain.p99 > 0 && s.plain.p50 > 0 {
		line("  ratio          accepted/s %.2f, ack p50 %.1f, ack p99 %.1f", f.rate/s.plain.rate,
			float64(f.p50)/float64(s.plain.p50), float64(f.p99)/float64(s.plain.p99))
	}
	line("\nafterwards: %d accepted events were still to be handled when the last was answered (%s); the last was handled after %s",
		s.backlog, s.shot.Round(100*time.Millisecond), s.drained.Round(100*time.Millisecond))
	s.printMemory(line)
	spent := s.bot.cmd.ProcessState
	line("\nprocessor time of the bot over the whole run: %.1f s user, %.1f s system", spent.UserTime().Seconds(), spent.SystemTime().Seconds())
	s.printPeople(line)
	line("  requests by the bot to the hub in all: %d", s.requests())
}

func (s *storm) printMemory(line func(string, ...any)) {
	line("\nresident memory, MiB (lowest, highest, last):")
	sixth := s.size.Within / 6
	for i := range 6 {
		low, peak, last := s.memory.within(time.Duration(i)*sixth, time.Duration(i+1)*sixth)
		line("  %4.0f s to %4.0f s   %5.0f %5.0f %5.0f", (time.Duration(i) * sixth).Seconds(), (time.Duration(i+1) * sixth).Seconds(), low, peak, last)
	}
	low, peak, last := s.memory.within(s.size.Within, 24*time.Hour)
	line("  until handled     %5.0f %5.0f %5.0f", low, peak, last)
	_, peak, last = s.plainMemory.within(0, 24*time.Hour)
	line("  plain handler           %5.0f %5.0f", peak, last)
}

// printPeople tells how long people waited for what they commanded.
func (s *storm) printPeople(line func(string, ...any)) {
	var seen, answered []time.Duration
	for _, c := range s.commands {
		eyes, reply := s.served(c)
		if eyes > 0 {
			seen = append(seen, eyes)
		}
		if reply > 0 {
			answered = append(answered, reply)
		}
	}
	line("\npeople's commands in the storm (%d):", len(s.commands))
	line("  seen (reaction)  p50 %s max %s", ms(quantile(seen, .5)), ms(quantile(seen, 1)))
	line("  answered         p50 %s max %s", ms(quantile(answered, .5)), ms(quantile(answered, 1)))
	line("  /rollback of a change of its own, from the comment to the verdict: %s in the storm, %s in quiet before it",
		ms(s.stormCommand()), ms(s.quietCommand))
}

// cpu is the processor's name, where the system tells.
func cpu() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for l := range strings.Lines(string(b)) {
		if name, ok := strings.CutPrefix(l, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, "\t: "))
		}
	}
	return "processor unknown"
}
