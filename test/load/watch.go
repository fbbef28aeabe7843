package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// memory is the resident size of a process over time, in MiB.
type memory struct {
	at  []time.Duration
	mib []float64
}

// watchMemory samples a process until ctx ends.
func watchMemory(ctx context.Context, pid int, began time.Time) <-chan memory {
	out := make(chan memory, 1)
	go func() {
		var m memory
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for {
			if kib, err := resident(pid); err == nil {
				m.at, m.mib = append(m.at, time.Since(began)), append(m.mib, float64(kib)/1024)
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				out <- m
				return
			}
		}
	}()
	return out
}

// resident reads VmRSS in KiB.
func resident(pid int) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strconv.Atoi(strings.Fields(v)[0])
		}
	}
	return 0, fmt.Errorf("process %d shows no VmRSS", pid)
}

// within is the least, the greatest and the last size in a stretch of time.
func (m memory) within(from, to time.Duration) (low, peak, last float64) {
	for i, at := range m.at {
		if at < from || at > to {
			continue
		}
		if low == 0 || m.mib[i] < low {
			low = m.mib[i]
		}
		peak, last = max(peak, m.mib[i]), m.mib[i]
	}
	return low, peak, last
}
