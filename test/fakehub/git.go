package fakehub

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// gitRepo is one bare repository. Objects are written as loose files and read
// through one `git cat-file` process that lives as long as the hub; refs are
// moved only by `git update-ref` with the old value, so that a push going on
// at the same time can't be overwritten.
type gitRepo struct {
	dir string

	mu      sync.Mutex
	cat     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	commits map[string]*commit
}

var errNoObject = errors.New("object not found")

const bareConfig = `[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
[http]
	receivepack = true
[uploadpack]
	allowAnySHA1InWant = true
	allowFilter = true
[receive]
	unpackLimit = 100000
	autogc = false
[gc]
	auto = 0
[merge]
	conflictStyle = merge
`

// initBare lays out what `git init --bare` would, without the process.
func initBare(dir, defaultBranch string) (*gitRepo, error) {
	for _, d := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags", "info", "hooks"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, fmt.Errorf("make bare repository: %w", err)
		}
	}
	files := map[string]string{
		"HEAD":         "ref: refs/heads/" + defaultBranch + "\n",
		"config":       bareConfig,
		"hooks/update": updateHook,
	}
	for name, text := range files {
		mode := os.FileMode(0o644)
		if strings.HasPrefix(name, "hooks/") {
			mode = 0o755
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			return nil, fmt.Errorf("make bare repository: %w", err)
		}
	}
	return &gitRepo{dir: dir, commits: map[string]*commit{}}, nil
}

// gitEnv keeps the machine's and the developer's git settings out.
func gitEnv(dir string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
		"GIT_TERMINAL_PROMPT=0",
	}
}

// run executes one git command in the repository and returns its output.
func (g *gitRepo) run(stdin string, args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"--git-dir", g.dir}, args...)...)
	cmd.Env = append(gitEnv(g.dir), "GIT_DIR="+g.dir)
	cmd.Stdin = strings.NewReader(stdin)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return out.String(), nil
}

// exitCode tells how git ended, or -1 when it could not run.
func exitCode(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return -1
}

// read returns an object by name: a SHA, `branch`, `rev:path`, an abbreviation.
func (g *gitRepo) read(name string) (oid, kind string, data []byte, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if name == "" || strings.ContainsAny(name, "\n\x00") {
		return "", "", nil, errNoObject
	}
	if g.cat == nil {
		if err := g.start(); err != nil {
			return "", "", nil, err
		}
	}
	if _, err := io.WriteString(g.in, name+"\n"); err != nil {
		return "", "", nil, fmt.Errorf("ask git for %s: %w", name, err)
	}
	header, err := g.out.ReadString('\n')
	if err != nil {
		return "", "", nil, fmt.Errorf("read %s from git: %w", name, err)
	}
	f := strings.Fields(header)
	if len(f) != 3 || strings.HasPrefix(header, name+" missing") || strings.HasPrefix(header, name+" ambiguous") {
		return "", "", nil, errNoObject
	}
	size, err := strconv.Atoi(f[2])
	if err != nil {
		return "", "", nil, errNoObject
	}
	data = make([]byte, size+1)
	if _, err := io.ReadFull(g.out, data); err != nil {
		return "", "", nil, fmt.Errorf("read %s from git: %w", name, err)
	}
	return f[0], f[1], data[:size], nil
}

func (g *gitRepo) start() error {
	cmd := exec.Command("git", "--git-dir", g.dir, "cat-file", "--batch")
	cmd.Env = gitEnv(g.dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start git cat-file: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start git cat-file: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start git cat-file: %w", err)
	}
	g.cat, g.in, g.out = cmd, in, bufio.NewReader(out)
	return nil
}

func (g *gitRepo) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cat != nil {
		g.in.Close() //nolint:errcheck // that is how it is told to end.
		g.cat.Wait() //nolint:errcheck // it ends because we closed its input.
		g.cat = nil
	}
}
