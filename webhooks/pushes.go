package webhooks

import (
	"context"
	"sync"

	"github.com/backout-dev/backout/bot"
)

// pushesAtOnce bounds for how many repositories OnPush runs at once.
const pushesAtOnce = 4

// pushes runs OnPush beside the answers to webhooks, at most once at a time for
// each repository: pushes that come meanwhile are one more run.
type pushes struct {
	run   func(ctx context.Context, repo bot.RepoName)
	slots chan struct{}
	done  sync.WaitGroup

	mu      sync.Mutex
	ctx     context.Context //nolint:containedctx // the life of the goroutines below
	end     context.CancelFunc
	running map[bot.RepoName]bool // true when it has to run again
}

func newPushes(run func(context.Context, bot.RepoName)) *pushes {
	ctx, end := context.WithCancel(context.Background())
	return &pushes{run: run, slots: make(chan struct{}, pushesAtOnce), ctx: ctx, end: end, running: map[bot.RepoName]bool{}}
}

// add notes a push and returns at once.
func (p *pushes) add(repo bot.RepoName) {
	if p.run == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, running := p.running[repo]; running {
		p.running[repo] = true
		return
	}
	if p.ctx.Err() != nil {
		return // stopped: the mirror is fetched when it is next needed
	}
	p.running[repo] = false
	p.done.Go(func() {
		for again := true; again; again = p.again(repo) {
			select {
			case p.slots <- struct{}{}:
				p.run(p.ctx, repo)
				<-p.slots
			case <-p.ctx.Done():
			}
		}
	})
}

// again reports whether there was a push during the run that has just ended,
// and forgets the repository otherwise.
func (p *pushes) again(repo bot.RepoName) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running[repo] && p.ctx.Err() == nil {
		p.running[repo] = false
		return true
	}
	delete(p.running, repo)
	return false
}

// stop ends what runs and waits for it.
func (p *pushes) stop() {
	p.mu.Lock()
	p.end()
	p.mu.Unlock()
	p.done.Wait()
}
