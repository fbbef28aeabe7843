package flux

import (
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

func TestRepoOn(t *testing.T) {
	for _, c := range []struct{ host, url, want string }{
		{"github.com", "https://github.com/acme/fleet", "acme/fleet"},
		{"github.com", "https://github.com/acme/fleet.git", "acme/fleet"},
		{"github.com", "https://github.com/acme/fleet/", "acme/fleet"},
		{"github.com", "https://github.com//acme/fleet.git", "acme/fleet"},
		{"github.com", "https://bot:secret@github.com/acme/fleet.git", "acme/fleet"},
		{"github.com", "https://github.com:443/acme/fleet", "acme/fleet"},
		{"github.com", "http://github.com/acme/fleet", "acme/fleet"},
		{"github.com", "https://GitHub.com/Acme/Fleet", "Acme/Fleet"},
		{"github.com", "ssh://git@github.com/acme/fleet.git", "acme/fleet"},
		{"github.com", "ssh://git@github.com:22/acme/fleet", "acme/fleet"},
		{"github.com", "ssh://git@ssh.github.com:443/acme/fleet.git", "acme/fleet"},
		{"github.com", "ssh://org-123@github.com/acme/fleet", "acme/fleet"},
		{"github.com", "git@github.com:acme/fleet.git", "acme/fleet"},
		{"github.com", "github.com:acme/fleet", "acme/fleet"},
		{"github.com", "  https://github.com/acme/fleet\n", "acme/fleet"},
		{"github.com", "https://github.com/acme/.github", "acme/.github"},
		{"GHE.example.com", "https://ghe.example.com/acme/fleet", "acme/fleet"},
		{"ghe.example.com:8443", "https://ghe.example.com:8443/acme/fleet", "acme/fleet"},
		{"ghe.example.com:8443", "ssh://git@ghe.example.com:2222/acme/fleet", "acme/fleet"},
		{"ghe.example.com:443", "https://ghe.example.com/acme/fleet", "acme/fleet"},
		{"127.0.0.1:4242", "http://127.0.0.1:4242/acme/fleet.git", "acme/fleet"},
		{"[::1]:4242", "http://[::1]:4242/acme/fleet.git", "acme/fleet"},

		{"github.com", "https://gitlab.com/acme/fleet", ""},
		{"github.com", "https://github.com.evil.example/acme/fleet", ""},
		{"github.com", "https://notgithub.com/acme/fleet", ""},
		{"github.com", "https://github.com@evil.example/acme/fleet", ""},
		{"github.com", "https://github.com:8443/acme/fleet", ""},
		{"ghe.example.com:8443", "https://ghe.example.com/acme/fleet", ""},
		{"127.0.0.1:4242", "http://127.0.0.1:4243/acme/fleet", ""},
		{"github.com", "ssh://git@ssh.github.com/acme/fleet", ""},
		{"github.com", "https://github.com/acme", ""},
		{"github.com", "https://github.com/acme/fleet/tree/main", ""},
		{"github.com", "https://github.com/acme/..", ""},
		{"github.com", "https://github.com/acme/fl%20eet", ""},
		{"github.com", "https://github.com/acme/fleet?ref=main", ""},
		{"github.com", "git://github.com/acme/fleet", ""},
		{"github.com", "file:///acme/fleet", ""},
		{"github.com", "/srv/git/acme/fleet", ""},
		{"github.com", "", ""},
	} {
		got, ok := repoOn(c.host, c.url)
		if string(got) != c.want || ok != (c.want != "") {
			t.Errorf("repoOn(%q, %q) = %q, %v, want %q", c.host, c.url, got, ok, c.want)
		}
	}
}

func TestServerOfHidesCredentials(t *testing.T) {
	for url, want := range map[string]string{
		"https://bot:secret@git.example.com/acme/fleet": "git.example.com",
		"bot:secret@git.example.com:acme/fleet":         "bot",
		"nonsense":                                      "an address that is not a git URL",
	} {
		if got := serverOf(url); got != want || strings.Contains(got, "secret") {
			t.Errorf("serverOf(%q) = %q, want %q", url, got, want)
		}
	}
}

func FuzzRepoOn(f *testing.F) {
	for _, s := range []string{"https://github.com/acme/fleet.git", "git@github.com:acme/fleet", "ssh://git@ssh.github.com:443/a/b", "https://github.com@x/a/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, url string) {
		repo, ok := repoOn("github.com", url)
		if ok != (repo != "") {
			t.Fatalf("repoOn(%q) = %q, %v", url, repo, ok)
		}
		if !ok {
			return
		}
		if owner, name := repo.Split(); owner == "" || name == "" {
			t.Errorf("repoOn(%q) = %q is no repository name", url, repo)
		}
		if again, _ := repoOn("github.com", "https://github.com/"+string(repo)+".git"); again != repo {
			t.Errorf("%q reads back as %q", repo, again)
		}
	})
}

func TestCommitOf(t *testing.T) {
	for revision, want := range map[string]bot.SHA{
		"main@sha1:" + goodSHA:                   goodSHA,
		"feature/x@sha1:" + goodSHA:              goodSHA,
		"refs/heads/main@sha1:" + goodSHA:        goodSHA,
		"v1.2.3@sha1:" + goodSHA:                 goodSHA,
		"a@b@sha1:" + goodSHA:                    goodSHA,
		"sha1:" + goodSHA:                        goodSHA,
		"main/" + goodSHA:                        goodSHA,
		"HEAD/" + goodSHA:                        goodSHA,
		goodSHA:                                  goodSHA,
		"main@sha256:" + strings.Repeat("a", 64): "",
		"main@sha1:1111111":                      "",
		"6.2.1+1111111111111":                    "",
		"latest@sha256:abc":                      "",
		"main":                                   "",
		"":                                       "",
	} {
		if got := commitOf(revision); got != want {
			t.Errorf("commitOf(%q) = %q, want %q", revision, got, want)
		}
	}
}
