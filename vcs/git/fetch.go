package git

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/backout-dev/backout/bot"
)

// Fetch brings the mirror of repo up to its branches, cloning it on first use.
// Branches that were deleted or rewritten are so here. Concurrent calls share one
// fetch, but never one that had begun before the call: what the remote had when
// Fetch was called, the mirror has when it returns. So a burst of calls costs two
// fetches at most. A caller whose context ends is let go; the fetch goes on for
// the others, until its own timeout.
func (ms *Mirrors) Fetch(ctx context.Context, repo bot.RepoName) error {
	m, err := ms.mirror(repo)
	if err != nil {
		return err
	}
	done := ms.fetches.DoChan(string(repo), func() (any, error) {
		if !ms.begin() {
			return nil, bot.NewTrouble(bot.TroubleTransient, nil, "the mirrors are closed")
		}
		defer ms.wait.Done()
		m.fetching.Lock()
		defer m.fetching.Unlock()
		// From here on the remote is read: who comes now waits for the next fetch.
		ms.fetches.Forget(string(repo))
		ctx, cancel := context.WithTimeout(ms.ctx, ms.cfg.Timeout)
		defer cancel()
		return nil, ms.update(ctx, m)
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return fmt.Errorf("fetch %s: %w", repo, r.Err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("fetch %s: %w", repo, ctx.Err())
	}
}

// update fetches or clones. A token that the server no longer takes, since it
// was revoked or has expired, is replaced once.
func (ms *Mirrors) update(ctx context.Context, m *mirror) error {
	r, err := ms.remote(ctx, m.repo)
	if err != nil {
		return err
	}
	err = ms.updateFrom(ctx, m, r)
	if errors.Is(err, transport.ErrAuthenticationRequired) && r.token != "" && ms.cfg.Refused != nil {
		ms.cfg.Refused(m.repo, r.token)
		if r, err = ms.remote(ctx, m.repo); err != nil {
			return err
		}
		err = ms.updateFrom(ctx, m, r)
	}
	if err != nil {
		return ms.trouble(m.repo, r.token, err)
	}
	if s, err := m.open(); s != nil && err == nil {
		ms.indexHistory(m, s)
	}
	return nil
}

// updateFrom fetches or clones. A mirror found damaged is cloned anew, once.
func (ms *Mirrors) updateFrom(ctx context.Context, m *mirror, r remote) error {
	log := ms.cfg.Log.With("repo", m.repo)
	s, err := m.open()
	if s != nil && !m.damaged.Load() {
		if err = r.fetch(ctx, s); err == nil {
			if s.packs() > ms.maxPacks {
				ms.renew(m)
			}
			return nil
		}
		if !damaged(err) {
			return err
		}
	}
	if s != nil || err != nil {
		log.Warn("mirror is damaged and is cloned anew", "error", scrub(err, r.token))
	}
	fresh, err := ms.clone(ctx, m, r)
	if err == nil {
		err = m.install(fresh)
	}
	if err != nil {
		return err
	}
	log.Info("cloned")
	return nil
}

// remote prepares one fetch.
func (ms *Mirrors) remote(ctx context.Context, repo bot.RepoName) (remote, error) {
	r := remote{
		url:      ms.cfg.BaseURL + "/" + string(repo) + ".git",
		client:   ms.cfg.Client,
		maxBytes: ms.cfg.MaxBytes,
	}
	if ms.cfg.Token != nil {
		token, err := ms.cfg.Token(ctx, repo)
		if err != nil {
			return r, fmt.Errorf("get a token for %s: %w", repo, err)
		}
		r.token = token
	}
	return r, nil
}

// damaged reports whether an error means that the mirror, not the remote, is at
// fault.
func damaged(err error) bool {
	return errors.Is(err, errDamaged) || errors.Is(err, errMissing) ||
		errors.Is(err, idxfile.ErrMalformedIdxFile) || errors.Is(err, os.ErrNotExist)
}

// trouble tells what a failed fetch means for people.
func (ms *Mirrors) trouble(repo bot.RepoName, token string, err error) error {
	cause := scrub(err, token)
	status := statusCode(err)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return bot.NewTrouble(bot.TroubleTransient, cause, "fetching %s took too long or was ended", repo)
	case errors.Is(err, errTooLarge):
		return bot.NewTrouble(bot.TroubleInvalid, cause, "%s is larger than the %d MiB that may be downloaded", repo, ms.cfg.MaxBytes>>20).
			WithAdvice("Raise the size limit of mirrors in Backout's configuration.")
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return bot.NewTrouble(bot.TroubleNotFound, cause, "%s does not exist or Backout can't see it", repo).
			WithAdvice("Install the GitHub App on the repository.")
	case errors.Is(err, transport.ErrAuthenticationRequired), errors.Is(err, transport.ErrAuthorizationFailed):
		return bot.NewTrouble(bot.TroubleForbidden, cause, "Backout may not read %s", repo).
			WithAdvice("Install the GitHub App on the repository and grant it read access to contents.")
	case status >= 400 && status < 500 && status != http.StatusTooManyRequests:
		return bot.NewTrouble(bot.TroubleInvalid, cause, "the server refused to serve %s", repo)
	}
	return bot.NewTrouble(bot.TroubleTransient, cause, "%s could not be fetched", repo)
}

// statusCode is the HTTP status that made go-git give up, 0 if it was another
// reason. The type that carries it does not unwrap.
func statusCode(err error) int {
	var unexpected *plumbing.UnexpectedError
	if errors.As(err, &unexpected) {
		err = unexpected.Err
	}
	var status *githttp.Err
	if errors.As(err, &status) {
		return status.StatusCode()
	}
	var apart *statusError
	if errors.As(err, &apart) {
		return apart.status
	}
	return 0
}

// maxCause is how much of a server's answer may end up in a log.
const maxCause = 500

// scrub makes err fit for logs: without the token in any form it was sent in, and
// short, since servers answer with whole pages.
func scrub(err error, token string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if token != "" {
		for _, secret := range []string{token, base64.StdEncoding.EncodeToString([]byte("x-access-token:" + token))} {
			text = strings.ReplaceAll(text, secret, "[redacted]")
		}
	}
	if len(text) > maxCause {
		text = strings.ToValidUTF8(text[:maxCause], "") + "…"
	}
	return errors.New(text)
}
