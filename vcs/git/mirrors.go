package git

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/backout-dev/backout/bot"
)

// Config says where mirrors live and where they come from.
type Config struct {
	// Dir holds the mirrors, as Dir/<owner>/<name>.git. It belongs to one process.
	Dir string
	// BaseURL is where repositories are found, "https://github.com"; the mirror of
	// owner/name is cloned from BaseURL/owner/name.git. It must hold no credentials.
	BaseURL string
	// Token returns a token that may read repo; nil, or an empty token, for public
	// access. It is asked before each fetch, so that it may return short-lived ones.
	Token func(ctx context.Context, repo bot.RepoName) (string, error)
	// Refused is told of a token that the server did not take, before Token is
	// asked for another, once; nil where there is only one.
	Refused func(repo bot.RepoName, token string)
	Log     *slog.Logger
	// MaxBytes limits what one fetch may download: a repository that is larger is
	// refused while it is being cloned. 0 means no limit.
	MaxBytes int64
	// CloneCommand is a program with its arguments that does nothing but call
	// [CloneApart]: first clones then take place in a process of their own. Without
	// it they take place in this one.
	CloneCommand []string
	// Timeout ends a fetch or a clone; 0 means 15 minutes.
	Timeout time.Duration
	// Client is for proxies, private roots and tests; nil means http.DefaultClient.
	Client *http.Client
}

const defaultTimeout = 15 * time.Minute

// Mirrors are the mirrors below one directory. It is safe for concurrent use.
type Mirrors struct {
	cfg      Config
	maxPacks int
	fetches  singleflight.Group

	ctx    context.Context //nolint:containedctx // A shared fetch must outlive the caller that began it.
	cancel context.CancelFunc
	wait   sync.WaitGroup // fetches under way

	mu     sync.Mutex
	closed bool
	byName map[bot.RepoName]*mirror
}

var _ bot.History = (*Mirrors)(nil)

// New prepares dir and returns its mirrors. None is opened yet.
func New(cfg Config) (*Mirrors, error) {
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Client == nil {
		cfg.Client = http.DefaultClient
	}
	base, err := url.Parse(strings.TrimSuffix(cfg.BaseURL, "/"))
	if err != nil || base.User != nil {
		return nil, errors.New("prepare mirrors: the base URL is malformed or holds credentials")
	}
	cfg.BaseURL = base.String()
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("prepare mirrors: %w", err)
	}
	sweep(cfg.Dir, time.Now().Add(-2*cfg.Timeout))
	ms := &Mirrors{cfg: cfg, maxPacks: maxPacks, byName: make(map[bot.RepoName]*mirror)}
	ms.ctx, ms.cancel = context.WithCancel(context.Background())
	return ms, nil
}

// unfinished marks directories that are no mirrors: clones under way and mirrors
// on their way out. No owner's name begins with a dot.
const unfinished = ".unfinished-"

// sweep removes what a killed process left behind. What is younger may be a clone
// that another process, started to clone, is still at.
func sweep(dir string, before time.Time) {
	left, _ := filepath.Glob(filepath.Join(dir, unfinished+"*"))
	for _, path := range left {
		if info, err := os.Stat(path); err == nil && info.ModTime().Before(before) {
			_ = os.RemoveAll(path)
		}
	}
}

// Close ends fetches under way and closes all mirrors.
func (ms *Mirrors) Close() error {
	ms.cancel()
	ms.mu.Lock()
	ms.closed = true
	mirrors := ms.byName
	ms.byName = make(map[bot.RepoName]*mirror)
	ms.mu.Unlock()
	ms.wait.Wait() // Nothing is added any more: begin has seen closed.
	var errs []error
	for _, m := range mirrors {
		m.mu.Lock()
		if m.store != nil {
			ms.keepIndex(m, m.store)
			errs = append(errs, m.store.close())
		}
		m.mu.Unlock()
	}
	return errors.Join(errs...)
}

// begin notes that work in the background starts; false once the mirrors are closed.
func (ms *Mirrors) begin() bool {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if !ms.closed {
		ms.wait.Add(1)
	}
	return !ms.closed
}

// Remove deletes the mirror of a repository, for when the App was uninstalled.
func (ms *Mirrors) Remove(repo bot.RepoName) error {
	m, err := ms.mirror(repo)
	if err != nil {
		return err
	}
	m.fetching.Lock()
	defer m.fetching.Unlock()
	if err := m.discard(); err != nil {
		return fmt.Errorf("remove mirror of %s: %w", repo, err)
	}
	return nil
}

// mirror is one repository's mirror. It exists before there is anything on disk.
type mirror struct {
	repo     bot.RepoName
	dir      string
	log      *slog.Logger
	fetching sync.Mutex // held by the one fetch under way
	// damaged is set when something was missing that must be there; the next fetch
	// then clones anew.
	damaged atomic.Bool
	// renewing is set while the mirror is cloned anew because it has too many packs.
	renewing atomic.Bool
	// indexing is set while the history is indexed, indexed once that was begun: a
	// mirror that is only read from is never written to.
	indexing, indexed atomic.Bool

	mu    sync.Mutex // guards store
	store *store     // nil until opened
}

// nameParts is what GitHub allows in names (owners have underscores in enterprises
// that manage their users); nothing else becomes part of a path.
var nameParts = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+$`)

func (ms *Mirrors) mirror(repo bot.RepoName) (*mirror, error) {
	_, name := repo.Split()
	if !nameParts.MatchString(string(repo)) || name == "." || name == ".." {
		return nil, bot.NewTrouble(bot.TroubleInvalid, nil, "%q is not a repository's name", repo)
	}
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if ms.closed {
		return nil, bot.NewTrouble(bot.TroubleTransient, nil, "the mirrors are closed")
	}
	m, ok := ms.byName[repo]
	if !ok {
		m = &mirror{repo: repo, log: ms.cfg.Log.With("repo", repo), dir: filepath.Join(ms.cfg.Dir, filepath.FromSlash(string(repo))+".git")}
		ms.byName[repo] = m
	}
	return m, nil
}

// open returns the store of a mirror that is on disk, or nil.
func (m *mirror) open() (*store, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.store != nil {
		return m.store, nil
	}
	if _, err := os.Stat(filepath.Join(m.dir, "packed-refs")); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
		return nil, err
	}
	s, err := openStore(m.dir)
	if err != nil {
		return nil, err
	}
	m.store = s
	m.loadIndex(s)
	for _, h := range s.allHeads() {
		if !s.has(h) {
			m.damaged.Store(true)
			break
		}
	}
	return s, nil
}

// is reports whether s is the store that readers get now.
func (m *mirror) is(s *store) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.store == s
}

// discard takes the mirror away, in one step as far as others can see. A store
// that is still being read from is left to the garbage collector, which closes its
// files.
func (m *mirror) discard() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.store = nil
	m.damaged.Store(false)
	trash, err := os.MkdirTemp(filepath.Dir(filepath.Dir(m.dir)), unfinished)
	if err != nil {
		return err
	}
	err = os.Rename(m.dir, filepath.Join(trash, "mirror"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.RemoveAll(trash)
}
