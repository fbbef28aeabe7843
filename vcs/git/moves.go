package git

// moveFiles merges the files that were renamed in one side and touched in the
// other, at the place where they went.
func (m *merge) moveFiles(inOurs, inTheirs map[string]file) error {
	for _, s := range m.changed {
		ours, movedHere := inOurs[s.path]
		theirs, movedThere := inTheirs[s.path]
		if !movedHere && !movedThere {
			continue
		}
		m.settled[s.path] = true
		var err error
		switch {
		case movedHere && movedThere:
			if ours.path != theirs.path {
				m.conflict(s.path, kindRenameRename)
				break
			}
			err = m.moved(sides{change: change{ours.path, s.before, theirs.entry}, ours: ours.entry})
		case movedHere && s.after.absent(), movedThere && s.ours.absent():
			m.conflict(s.path, kindRenameDelete)
		case movedHere:
			err = m.movedAlone(m.theirs, sides{change: change{ours.path, s.before, s.after}, ours: ours.entry})
		case movedThere:
			m.edits[s.path] = entry{}
			err = m.movedAlone(m.ours, sides{change{theirs.path, s.before, theirs.entry}, s.ours, s.path})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// movedAlone merges a file that one side moved, if nothing else is or was at its
// new path. Git 2.39 can't merge a file moved to where a directory was.
func (m *merge) movedAlone(other hash, s sides) error {
	for _, root := range []hash{m.base, other} {
		there, err := lookup(m.objects, root, s.path)
		if err != nil {
			return err
		}
		if !there.absent() {
			m.conflict(s.path, kindAddAdd)
			m.settled[s.path] = true
			return nil
		}
	}
	return m.moved(s)
}

// moved merges a file at its new path.
func (m *merge) moved(s sides) error {
	m.settled[s.path] = true
	if k := s.before.mode.kind(); s.ours.mode.kind() != k || s.after.mode.kind() != k {
		m.clash(s, kindMode) // where it is no longer the same thing, git does not follow
		return nil
	}
	return m.file(s)
}
