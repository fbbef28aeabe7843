package argo

import (
	"testing"

	"github.com/backout-dev/backout/bot"
)

func TestRepoOn(t *testing.T) {
	for _, c := range []struct {
		ours, url string
		want      bot.RepoName // "" when it is elsewhere
	}{
		{"github.com", "https://github.com/acme/fleet", "acme/fleet"},
		{"github.com", "https://github.com/acme/fleet.git", "acme/fleet"},
		{"github.com", "https://github.com/acme/fleet/", "acme/fleet"},
		{"github.com", " https://GitHub.com/Acme/Fleet.git ", "Acme/Fleet"},
		{"github.com", "https://user:secret@github.com/acme/fleet.git", "acme/fleet"},
		{"github.com", "https://github.com:443/acme/fleet", "acme/fleet"},
		{"github.com", "https://github.com:8443/acme/fleet", ""},
		{"github.com", "https://www.github.com/acme/fleet", "acme/fleet"},
		{"github.com", "http://github.com/acme/fleet", "acme/fleet"},
		{"github.com", "git@github.com:acme/fleet.git", "acme/fleet"},
		{"github.com", "github.com:acme/fleet.git", "acme/fleet"},
		{"github.com", "git@github.com:/acme/fleet.git", "acme/fleet"},
		{"github.com", "ssh://git@github.com/acme/fleet.git", "acme/fleet"},
		{"github.com", "ssh://git@github.com:22/acme/fleet.git", "acme/fleet"},
		{"github.com", "ssh://git@ssh.github.com:443/acme/fleet.git", "acme/fleet"},
		{"github.com", "git://github.com/acme/fleet.git", "acme/fleet"},
		{"github.com", "https://gitlab.com/acme/fleet", ""},
		{"github.com", "https://github.com.evil.example/acme/fleet", ""},
		{"github.com", "https://evil.example/github.com/acme/fleet", ""},
		{"github.com", "https://github.com@evil.example/acme/fleet", ""},
		{"github.com", "git@evil.example:github.com/acme/fleet", ""},
		{"github.com", "https://github.com/acme", ""},
		{"github.com", "https://github.com/acme/fleet/tree/main", ""},
		{"github.com", "oci://github.com/acme/fleet", ""},
		{"github.com", "file:///srv/acme/fleet", ""},
		{"github.com", "/srv/acme/fleet", ""},
		{"github.com", "", ""},
		{"github.example.com:8443", "https://github.example.com:8443/acme/fleet", "acme/fleet"},
		{"github.example.com:8443", "https://github.example.com/acme/fleet", ""},
		{"github.example.com:8443", "git@github.example.com:acme/fleet", "acme/fleet"},
		{"127.0.0.1:4000", "http://127.0.0.1:4000/acme/fleet.git", "acme/fleet"},
		{"[::1]:4000", "http://[::1]:4000/acme/fleet.git", "acme/fleet"},
	} {
		got, _, ok := repoOn(c.ours, c.url)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("repoOn(%q, %q) = %q, %v; want %q", c.ours, c.url, got, ok, c.want)
		}
	}
}

func FuzzRepoOn(f *testing.F) {
	f.Add("git@github.com:acme/fleet.git")
	f.Add("https://github.com/acme/fleet")
	f.Fuzz(func(t *testing.T, url string) {
		name, _, ok := repoOn("github.com", url)
		if owner, repo := name.Split(); ok && (owner == "" || repo == "") {
			t.Errorf("repoOn(%q) = %q, which is no repository", url, name)
		}
	})
}
