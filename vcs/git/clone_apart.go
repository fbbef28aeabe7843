package git

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"
)

// A first clone is the one thing that takes memory by the size of a repository: the
// pack is indexed as it comes in. With Config.CloneCommand it happens in a process of
// its own, which gives all of it back, and which the system may kill without harm to
// the bot. Parent and child speak lines of JSON: the job goes in, news come out. The
// input stays open for as long as the child is wanted; its end ends the child, so
// that none is left behind when the parent is killed.

// cloneJob is what the child is told. The token is in no argument and in no
// environment, where others could read it.
type cloneJob struct {
	Dir      string `json:"dir"` // a mirror without objects
	URL      string `json:"url"`
	Token    string `json:"token,omitempty"`
	MaxBytes int64  `json:"max_bytes,omitempty"`
}

// cloneNews is what the child tells: how far it is, at last how it ended.
type cloneNews struct {
	Bytes  int64  `json:"bytes,omitempty"`
	Done   bool   `json:"done,omitempty"`
	Kind   string `json:"kind,omitempty"`   // of the failure, one of cloneFailures
	Status int    `json:"status,omitempty"` // of HTTP, if that was it
	Text   string `json:"text,omitempty"`
}

// cloneFailures are the errors that mean something to the parent.
var cloneFailures = map[string]error{
	"too large":      errTooLarge,
	"not found":      transport.ErrRepositoryNotFound,
	"authentication": transport.ErrAuthenticationRequired,
	"authorization":  transport.ErrAuthorizationFailed,
}

// statusError is an HTTP status that ended a clone in another process.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

// errNotStarted says that there is no process to clone in, for instance because the
// program's file was replaced by a newer one.
var errNotStarted = errors.New("the process that clones did not start")

// cloneCollector has the child's garbage collected twice as often as usual: it is in
// no hurry, and lives beside the bot.
const cloneCollector = "GOGC=50"

// CloneApart is the child's side: the whole of a process that Config.CloneCommand
// starts. It reads a job from in and tells how it goes on out.
func CloneApart(ctx context.Context, in io.Reader, out io.Writer) error {
	var job cloneJob
	from := json.NewDecoder(in)
	if err := from.Decode(&job); err != nil {
		return fmt.Errorf("read what to clone: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, in)
		cancel() // nobody is left to clone for
	}()
	say := json.NewEncoder(out)
	r := remote{
		url: job.URL, token: job.Token, maxBytes: job.MaxBytes, client: http.DefaultClient,
		progress: func(n int64) { _ = say.Encode(cloneNews{Bytes: n}) },
	}
	return say.Encode(newsOf(r.fetchInto(ctx, job.Dir), job.Token))
}

func newsOf(err error, token string) cloneNews {
	if err == nil {
		return cloneNews{Done: true}
	}
	news := cloneNews{Kind: "other", Status: statusCode(err), Text: scrub(err, token).Error()}
	for kind, known := range cloneFailures {
		if errors.Is(err, known) {
			news.Kind = kind
		}
	}
	return news
}

// cloneApart fetches into a new mirror in a process of its own.
func (r *remote) cloneApart(ctx context.Context, command []string, dir string) error {
	job, err := json.Marshal(cloneJob{Dir: dir, URL: r.url, Token: r.token, MaxBytes: r.maxBytes})
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // Of our own configuration.
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(os.Environ(), cloneCollector)
	said := &tail{limit: maxCause}
	cmd.Stderr = said
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w: %w", errNotStarted, err)
	}
	_, _ = in.Write(append(job, '\n')) // A child that does not read it says nothing, either.
	last, readErr := r.listen(out)
	_ = in.Close()
	waitErr := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case last.Done:
		return nil
	case last.Kind != "":
		return last.err()
	}
	return fmt.Errorf("the process that clones ended early: %w: %q", errors.Join(waitErr, readErr), said.text)
}

// listen passes progress on and returns how it ended.
func (r *remote) listen(out io.Reader) (last cloneNews, err error) {
	for news := json.NewDecoder(out); ; {
		var one cloneNews
		if err := news.Decode(&one); err != nil {
			return last, err
		}
		if last = one; one.Bytes > 0 && r.progress != nil {
			r.progress(one.Bytes)
		}
		if one.Done || one.Kind != "" {
			return last, nil
		}
	}
}

func (n cloneNews) err() error {
	if known, ok := cloneFailures[n.Kind]; ok {
		return fmt.Errorf("%w (in a process of its own: %s)", known, n.Text)
	}
	if n.Status != 0 {
		return &statusError{n.Status, n.Text}
	}
	return errors.New(n.Text)
}

// tail keeps the end of what is written to it.
type tail struct {
	limit int
	text  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if over := len(t.text) - t.limit; over > 0 {
		t.text = bytes.Clone(t.text[over:])
	}
	return len(p), nil
}
