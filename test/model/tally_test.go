package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// tally counts what the stories reached: a model that never gets anywhere
// breaks no promise.
type tally struct {
	mu     sync.Mutex
	counts map[string]map[string]int
}

var count = &tally{counts: map[string]map[string]int{}}

func (c *tally) add(kind, what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts[kind] == nil {
		c.counts[kind] = map[string]int{}
	}
	c.counts[kind][what]++
}

// note counts a line of the bot's trail by its first words.
func (c *tally) note(line string) {
	if strings.HasPrefix(line, "  bot: ") {
		verb, _, _ := strings.Cut(strings.TrimPrefix(line, "  bot: "), " ")
		c.add("effect", verb)
	}
}

func (c *tally) of(kind, what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[kind][what]
}

func (c *tally) total(kind string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, m := range c.counts[kind] {
		n += m
	}
	return n
}

func (c *tally) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(c.counts)) {
		fmt.Fprintf(&b, "%s:\n", kind)
		for _, what := range slices.Sorted(maps.Keys(c.counts[kind])) {
			fmt.Fprintf(&b, "  %6d %s\n", c.counts[kind][what], what)
		}
	}
	return b.String()
}
