package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"
)

// remote is one fetch from one repository. The token lives here and nowhere else:
// it is sent as a header, and the mirror's own files know no remote at all.
type remote struct {
	url      string
	token    string
	client   *http.Client
	maxBytes int64 // of one pack; 0 means no limit
	// progress is called now and then while a pack comes in.
	progress func(bytes int64)
}

// limits on what we tell the server that we have. A branch that moved on needs one
// name; one that was rewritten needs some of its past, since the server may have
// forgotten its tip.
const (
	maxHaves        = 1024
	havesPerRewrite = 64
)

// errTooLarge says that a pack grew over the limit.
var errTooLarge = errors.New("repository is larger than allowed")

// fetch brings s up to the remote's branches. The order is what keeps a mirror
// whole: first all objects, then the branches.
func (r *remote) fetch(ctx context.Context, s *store) error {
	session, err := r.connect()
	if err != nil {
		return err
	}
	defer session.Close() //nolint:errcheck // Closing a session over HTTP does nothing.
	advertised, err := session.AdvertisedReferencesContext(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		advertised, err = packp.NewAdvRefs(), nil
	}
	if err != nil {
		return err
	}
	heads := make(map[string]hash)
	for name, h := range advertised.References {
		if branch, ok := strings.CutPrefix(name, headPrefix); ok && plausible(branch) {
			heads[branch] = h
		}
	}
	known, main := s.allHeads(), advertisedMain(advertised.Capabilities)
	if sameHeads(heads, known) {
		return s.setMain(main)
	}
	if err := r.fetchObjects(ctx, s, session, advertised.Capabilities, heads, known); err != nil {
		return err
	}
	for branch, h := range heads {
		if known[branch] == h {
			continue
		}
		if err := s.sound(h); err != nil {
			return fmt.Errorf("branch %q: %w: %w", branch, errDamaged, err)
		}
	}
	if err := s.setHeads(heads); err != nil {
		return err
	}
	return s.setMain(main)
}

func (r *remote) connect() (transport.UploadPackSession, error) {
	endpoint, err := transport.NewEndpoint(r.url)
	if err != nil {
		return nil, err
	}
	var auth transport.AuthMethod
	if r.token != "" {
		auth = &githttp.BasicAuth{Username: "x-access-token", Password: r.token}
	}
	return githttp.NewClient(r.client).NewUploadPackSession(endpoint, auth)
}

// fetchObjects downloads what heads need and s lacks, as one pack.
func (r *remote) fetchObjects(ctx context.Context, s *store, session transport.UploadPackSession,
	capabilities *capability.List, heads, known map[string]hash,
) error {
	request := packp.NewUploadPackRequestFromCapabilities(capabilities)
	if capabilities.Supports(capability.NoProgress) {
		if err := request.Capabilities.Set(capability.NoProgress); err != nil {
			return err
		}
	}
	wanted := make(map[hash]bool)
	for _, h := range heads {
		if !wanted[h] && !s.has(h) {
			wanted[h] = true
			request.Wants = append(request.Wants, h)
		}
	}
	if len(request.Wants) == 0 {
		return nil
	}
	request.Haves = s.haves(heads, known)
	response, err := session.UploadPack(ctx, request)
	if err != nil {
		return err
	}
	defer response.Close() //nolint:errcheck // Read to its end or given up.
	pack := &meter{r: demultiplex(request.Capabilities, response), limit: r.maxBytes, progress: r.progress}
	if err := packfile.WritePackfileToObjectStorage(packSink{s}, pack); err != nil {
		s.sweepPacks()
		if pack.over {
			return errTooLarge
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("receive pack: %w", err)
	}
	return nil
}

func demultiplex(capabilities *capability.List, r io.Reader) io.Reader {
	switch {
	case capabilities.Supports(capability.Sideband64k):
		return sideband.NewDemuxer(sideband.Sideband64k, r)
	case capabilities.Supports(capability.Sideband):
		return sideband.NewDemuxer(sideband.Sideband, r)
	}
	return r
}

// haves names commits that s has, for the server to build on.
func (s *store) haves(heads, known map[string]hash) []hash {
	have := make(map[hash]bool)
	for branch, h := range known {
		if len(have) >= maxHaves {
			break
		}
		have[h] = true
		if heads[branch] == h {
			continue
		}
		for range havesPerRewrite {
			c, err := s.commit(h)
			if err != nil {
				break
			}
			if h = c.first(); h.IsZero() || have[h] {
				break
			}
			have[h] = true
		}
	}
	all := make([]hash, 0, len(have))
	for h := range have {
		all = append(all, h)
	}
	return all
}

// sound checks that a branch's tip can be read.
func (s *store) sound(h hash) error {
	c, err := s.commit(h)
	if err != nil {
		return err
	}
	_, err = s.tree(c.TreeHash)
	return err
}

// packSink lets go-git index an incoming pack, without the store's own: that would
// load the indexes of all packs for it. Readers see the pack when they miss an object.
type packSink struct{ s *store }

func (p packSink) PackfileWriter() (io.WriteCloser, error) {
	return dotgit.New(osfs.New(p.s.dir)).NewObjectPack()
}

// sweepPacks removes what a broken download left behind.
func (s *store) sweepPacks() {
	left, _ := filepath.Glob(filepath.Join(s.dir, "objects", "pack", "tmp_pack_*"))
	for _, path := range left {
		_ = os.Remove(path)
	}
}

// progressEvery is how many bytes pass between two calls of progress.
const progressEvery = 16 << 20

// meter counts what is read, reports it and stops over the limit.
type meter struct {
	r        io.Reader
	limit    int64
	progress func(bytes int64)
	n        int64
	over     bool
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if (m.n+int64(n))/progressEvery > m.n/progressEvery && m.progress != nil {
		m.progress(m.n + int64(n))
	}
	if m.n += int64(n); m.limit > 0 && m.n > m.limit {
		m.over = true
		return n, errTooLarge
	}
	return n, err
}

func sameHeads(a, b map[string]hash) bool {
	if len(a) != len(b) {
		return false
	}
	for name, h := range a {
		if b[name] != h {
			return false
		}
	}
	return true
}
