package durable

import (
	"sync"

	"github.com/backout-dev/backout/bot"
)

// Matches reports whether a hint may concern a flow that waits on topic. Both
// speak of one repository unless either leaves it open. A side that names no
// pull request, branch or commit speaks of the whole repository and meets
// everything there. Otherwise one thing that both name must be the same, so a
// topic with a number and a head wakes for news of either.
//
// A busy repository sends thousands of check events an hour, so two sides that
// name different kinds of things do not match: a false wake costs a request to
// GitHub, a missed one costs a poll interval.
func Matches(topic, hint bot.Hint) bool {
	if topic.Repo != "" && hint.Repo != "" && topic.Repo != hint.Repo {
		return false
	}
	if wide(topic) || wide(hint) {
		return true
	}
	return topic.Number != 0 && topic.Number == hint.Number ||
		topic.Ref != "" && topic.Ref == hint.Ref ||
		topic.Head != "" && topic.Head == hint.Head
}

func wide(h bot.Hint) bool { return h.Number == 0 && h.Ref == "" && h.Head == "" }

// bellMemory is how many hints a bell remembers. A flow whose look at the world
// takes longer than so many hints is simply woken once more.
const bellMemory = 512

// bell carries hints to waiting flows of this process. It remembers the latest
// ones for a moment: a webhook that arrives while a flow still looks at the
// world would otherwise be missed by the wait that follows, and cost a whole
// poll interval just when something happened.
type bell struct {
	mu     sync.Mutex
	rung   uint64 // how often it rang since the process began
	recent [bellMemory]bot.Hint
	ears   map[*ear]struct{}
}

// ear is one flow that waits. Its channel gets at most one wake.
type ear struct {
	topics []bot.Hint
	wake   chan struct{}
}

func newBell() *bell { return &bell{ears: make(map[*ear]struct{})} }

// ring wakes every ear that the hint may concern.
func (b *bell) ring(h bot.Hint) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.recent[b.rung%bellMemory] = h
	b.rung++
	for e := range b.ears {
		e.hear(h)
	}
}

// count is how often the bell has rung; listen takes it to know what is news.
func (b *bell) count() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rung
}

// listen returns an ear for topics. It has already heard what rang after since.
func (b *bell) listen(topics []bot.Hint, since uint64) *ear {
	e := &ear{topics: topics, wake: make(chan struct{}, 1)}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ears[e] = struct{}{}
	if b.rung-since > bellMemory {
		// More rang than is remembered; one of them may have concerned us.
		e.wake <- struct{}{}
		return e
	}
	for n := since; n < b.rung; n++ {
		e.hear(b.recent[n%bellMemory])
	}
	return e
}

// leave stops the ear from being rung.
func (b *bell) leave(e *ear) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.ears, e)
}

// hear is called with the bell's lock held.
func (e *ear) hear(h bot.Hint) {
	for _, topic := range e.topics {
		if !Matches(topic, h) {
			continue
		}
		select {
		case e.wake <- struct{}{}:
		default: // it has been woken already
		}
		return
	}
}
