package git

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/config"
)

// settings are git's configuration: the last value of each key, in lower case but
// for the middle part of keys with three.
type settings map[string]string

func (s settings) get(key string) string { return s[key] }

// any reports whether a key with this beginning and end is set to something that
// is not false.
func (s settings) any(prefix, suffix string) bool {
	for key, value := range s {
		if strings.HasPrefix(key, prefix) && strings.HasSuffix(key, suffix) && !strings.EqualFold(value, "false") {
			return true
		}
	}
	return false
}

// settings reads the configuration as git does: the machine's, the user's, the
// repository's and the worktree's, later ones over earlier ones.
func (r *Repository) settings() (settings, error) {
	home, _ := os.UserHomeDir()
	var files []string
	if os.Getenv("GIT_CONFIG_NOSYSTEM") == "" {
		files = append(files, or(os.Getenv("GIT_CONFIG_SYSTEM"), "/etc/gitconfig"))
	}
	if global, ok := os.LookupEnv("GIT_CONFIG_GLOBAL"); ok {
		files = append(files, global)
	} else {
		files = append(files,
			filepath.Join(or(os.Getenv("XDG_CONFIG_HOME"), filepath.Join(home, ".config")), "git", "config"),
			filepath.Join(home, ".gitconfig"))
	}
	files = append(files, filepath.Join(r.common, "config"))
	s := make(settings)
	for _, f := range files {
		if err := s.read(f, r.own, 0); err != nil {
			return nil, err
		}
	}
	if strings.EqualFold(s.get("extensions.worktreeconfig"), "true") {
		if err := s.read(filepath.Join(r.own, "config.worktree"), r.own, 0); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// maxIncludes is how deep files may include others: git's limit.
const maxIncludes = 10

// read takes in one file; one that is not there says nothing.
func (s settings) read(file, gitDir string, depth int) error {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) || depth > maxIncludes {
		return nil
	}
	if err != nil {
		return err
	}
	parsed := config.New()
	if err := config.NewDecoder(bytes.NewReader(text)).Decode(parsed); err != nil {
		return err
	}
	for _, section := range parsed.Sections {
		name := strings.ToLower(section.Name)
		for _, o := range section.Options {
			if err := s.set(name+"."+strings.ToLower(o.Key), o.Value, file, gitDir, depth); err != nil {
				return err
			}
		}
		for _, sub := range section.Subsections {
			for _, o := range sub.Options {
				key := name + "." + sub.Name + "." + strings.ToLower(o.Key)
				if name == "includeif" && strings.EqualFold(o.Key, "path") && applies(sub.Name, file, gitDir) {
					key = "include.path"
				}
				if err := s.set(key, o.Value, file, gitDir, depth); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s settings) set(key, value, file, gitDir string, depth int) error {
	if key == "include.path" {
		return s.read(rooted(filepath.Dir(file), expandHome(value)), gitDir, depth+1)
	}
	s[key] = value
	return nil
}

func expandHome(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return path
}

// applies reports whether the condition of an includeIf holds. Of git's conditions
// it knows the one that people use, on the place of the repository.
func applies(condition, file, gitDir string) bool {
	pattern, ok := strings.CutPrefix(condition, "gitdir:")
	if insensitive, is := strings.CutPrefix(condition, "gitdir/i:"); is {
		pattern, ok, gitDir = strings.ToLower(insensitive), true, strings.ToLower(gitDir)
	}
	if !ok {
		return false
	}
	pattern = expandHome(pattern)
	if rest, ok := strings.CutPrefix(pattern, "./"); ok {
		pattern = filepath.Join(filepath.Dir(file), rest)
	} else if !filepath.IsAbs(pattern) {
		pattern = "**/" + pattern
	}
	if strings.HasSuffix(pattern, "/") {
		pattern += "**"
	}
	dir := filepath.ToSlash(gitDir)
	pattern, dir = strings.TrimPrefix(pattern, "/"), strings.TrimPrefix(dir, "/")
	return wildcard("/"+pattern).MatchString(dir) || wildcard("/"+pattern).MatchString(dir+"/")
}
