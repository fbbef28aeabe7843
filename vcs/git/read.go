package git

import (
	"context"
	"errors"
	"fmt"

	"github.com/backout-dev/backout/bot"
)

// read returns the store to read repo from. A mirror that is not there yet is
// cloned; one that lacks a wanted commit is fetched once, since the commit may be
// newer than the mirror.
func (ms *Mirrors) read(ctx context.Context, repo bot.RepoName, want ...bot.SHA) (*store, error) {
	for _, sha := range want {
		if !sha.Valid() {
			return nil, bot.NewTrouble(bot.TroubleInvalid, nil, "%q is not a full commit SHA", sha)
		}
	}
	m, err := ms.mirror(repo)
	if err != nil {
		return nil, err
	}
	s, lacks, err := m.look(want)
	if s == nil || lacks != "" {
		if err := ms.Fetch(ctx, repo); err != nil {
			return nil, err
		}
		s, lacks, err = m.look(want)
	}
	switch {
	case err != nil || s == nil:
		return nil, bot.NewTrouble(bot.TroubleTransient, err, "the mirror of %s can't be read", repo)
	case lacks != "":
		return nil, bot.NewTrouble(bot.TroubleNotFound, nil, "commit %s is not in %s", lacks.Short(), repo)
	}
	return s, nil
}

// look opens the mirror, if it is on disk, and names the first wanted commit that
// it lacks.
func (m *mirror) look(want []bot.SHA) (s *store, lacks bot.SHA, err error) {
	if s, err = m.open(); s == nil {
		return nil, "", err
	}
	for _, sha := range want {
		_, err := s.commit(toHash(sha))
		if err == nil {
			continue
		}
		if !errors.Is(err, errMissing) {
			m.damaged.Store(true)
		}
		return s, sha, nil
	}
	return s, "", nil
}

// failed gives an error of reading s its meaning. What a commit in the mirror
// refers to must be in the mirror: when it is not, the next fetch clones anew.
func (ms *Mirrors) failed(act string, repo bot.RepoName, s *store, err error) error {
	if err == nil {
		return nil
	}
	var known *bot.Trouble
	switch {
	case errors.As(err, &known):
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case errors.Is(err, errTooBig), errors.Is(err, errMalformed):
		err = bot.NewTrouble(bot.TroubleInvalid, err, "%s holds something that Backout does not read", repo)
	default:
		// A store that was replaced under its reader proves nothing.
		if m, e := ms.mirror(repo); e == nil && m.is(s) {
			m.damaged.Store(true)
		}
		err = bot.NewTrouble(bot.TroubleTransient, err, "the mirror of %s can't be read; it will be cloned anew if it is damaged", repo)
	}
	return fmt.Errorf("%s of %s: %w", act, repo, err)
}
