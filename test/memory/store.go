package memory

import (
	"slices"
	"sync"

	"github.com/backout-dev/backout/bot/durable"
)

// Store is what survives a restart: the flows and their journals. Give the
// Store of one Engine to the next to play a process that dies and comes back.
type Store struct {
	mu    sync.Mutex
	flows map[string]*Flow
	order []string
}

// Flow is one workflow with its journal.
type Flow struct {
	ID   string
	Name string // the version that it was begun under, "rollback/v1"

	input string
	steps []step
	ended bool
	err   error // why it was given up
}

type step struct {
	name durable.StepName
	out  string
}

// NewStore returns an empty store.
func NewStore() *Store { return &Store{flows: map[string]*Flow{}} }

// begin adds a flow and reports whether it is new.
func (s *Store) begin(name, id, input string) (*Flow, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.flows[id]; ok {
		return f, false
	}
	f := &Flow{ID: id, Name: name, input: input}
	s.flows[id], s.order = f, append(s.order, id)
	return f, true
}

// unfinished lists flows that have not ended, oldest first.
func (s *Store) unfinished() []*Flow {
	s.mu.Lock()
	defer s.mu.Unlock()
	var open []*Flow
	for _, id := range s.order {
		if f := s.flows[id]; !f.ended {
			open = append(open, f)
		}
	}
	return open
}

func (s *Store) end(f *Flow, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.ended, f.err = true, err
}

// recorded returns the flow's step at index n, if there is one, and how many
// there are.
func (s *Store) recorded(f *Flow, n int) (st step, ok bool, length int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < len(f.steps) {
		return f.steps[n], true, len(f.steps)
	}
	return step{}, false, len(f.steps)
}

func (s *Store) record(f *Flow, st step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.steps = append(f.steps, st)
}

// Unfinished lists the IDs of the flows that have not ended, oldest first.
func (s *Store) Unfinished() []string {
	var ids []string
	for _, f := range s.unfinished() {
		ids = append(ids, f.ID)
	}
	return ids
}

// Workflows lists the IDs of all flows, in the order they began.
func (s *Store) Workflows() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}

// Steps lists the recorded steps of every flow, by workflow ID: what two runs
// of one story must have in common, with restarts and without.
func (s *Store) Steps() map[string][]durable.StepName {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string][]durable.StepName{}
	for id, f := range s.flows {
		all[id] = names(f.steps)
	}
	return all
}

func names(steps []step) []durable.StepName {
	list := make([]durable.StepName, len(steps))
	for i, st := range steps {
		list[i] = st.name
	}
	return list
}
