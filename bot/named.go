package bot

import (
	"context"
	"sync"
)

// named remembers which pull request brought a commit. A storm asks GitHub for
// the same few commits once for each App. What is merged stays what it is, so
// only commits with a merged pull request are remembered.
type named struct {
	mu      sync.Mutex
	changes map[namedKey]Change
}

type namedKey struct {
	repo RepoName
	sha  SHA
}

// maxNamed bounds how many are remembered; then it begins anew.
const maxNamed = 256

// namedChange is changeAt for suspects. The answer is shared: nobody may change what
// its slices hold.
func (f *Flow) namedChange(ctx context.Context, repo RepoName, sha SHA) (Change, error) {
	key := namedKey{repo, sha}
	f.named.mu.Lock()
	ch, ok := f.named.changes[key]
	f.named.mu.Unlock()
	if ok {
		return ch, nil
	}
	ch, err := f.changeAt(ctx, repo, sha)
	if err != nil || ch.PR == 0 {
		return ch, err
	}
	f.named.mu.Lock()
	defer f.named.mu.Unlock()
	if f.named.changes == nil || len(f.named.changes) >= maxNamed {
		f.named.changes = map[namedKey]Change{}
	}
	f.named.changes[key] = ch
	return ch, nil
}
