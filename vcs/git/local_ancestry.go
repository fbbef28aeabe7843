package git

import (
	"context"
	"errors"

	"github.com/backout-dev/backout/bot"
)

// Contains reports whether commit is tip or an ancestor of it. Where a shallow
// clone may hide that it is, that is an error.
func (r *Repository) Contains(ctx context.Context, tip, commit bot.SHA) (bool, error) {
	is, err := r.store.graph.contains(ctx, toHash(tip), toHash(commit))
	if err == nil && !is && len(r.shallow) > 0 {
		err = errShallow
	}
	return is, r.failed("ancestry of "+tip.Short(), err)
}

// Unreadable gives an error of reading a tree its meaning where an object is
// missing or damaged; nil where it only says what is there, such as that nothing
// is. Who passes over what can't be read needs it, to tell the two apart.
func (r *Repository) Unreadable(err error) error {
	if errors.Is(err, errMissing) || errors.Is(err, errDamaged) || errors.Is(err, errMalformed) || errors.Is(err, errShallow) {
		return r.failed("read a tree", err)
	}
	return nil
}
