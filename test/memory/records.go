package memory

// Record is a flow as it is on record: what another program would find.
type Record struct {
	ID    string
	Flow  string // the version that it was begun under, "rollback/v1"
	Input string
	Steps []Entry
	Ended bool
}

// Entry is one recorded step: its name (see durable.StepName) and result.
type Entry struct{ Name, Out string }

// Records lists all flows, in the order they began.
func (s *Store) Records() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Record
	for _, id := range s.order {
		f := s.flows[id]
		r := Record{ID: id, Flow: f.Name, Input: f.input, Ended: f.ended}
		for _, st := range f.steps {
			r.Steps = append(r.Steps, Entry{string(st.name), st.out})
		}
		all = append(all, r)
	}
	return all
}
