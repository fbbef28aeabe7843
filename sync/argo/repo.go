package argo

import (
	"net"
	"net/url"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// repoOn turns the URL of a repository into its name on our GitHub host. ok is
// false when it is elsewhere; host is then where.
//
// The forms are those that git knows (git-clone(1), "GIT URLS"): https://, http://,
// ssh:// and git:// with user and port, and scp-like "git@host:owner/name".
// The name keeps the letter case of the URL, though GitHub ignores it.
func repoOn(ours, raw string) (name bot.RepoName, host string, ok bool) {
	raw = strings.TrimSpace(raw)
	u, err := url.Parse(raw)
	if err != nil || !strings.Contains(raw, "://") {
		u, ok = scpLike(raw)
		if !ok {
			return "", raw, false
		}
	}
	if !sameHost(ours, u) {
		return "", u.Host, false
	}
	name = bot.RepoName(strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git"))
	if owner, repo := name.Split(); owner == "" || repo == "" {
		return "", u.Host, false
	}
	return name, u.Host, true
}

// scpLike reads "[user@]host:path"; git takes it so when no slash comes before
// the first colon.
func scpLike(raw string) (*url.URL, bool) {
	host, path, ok := strings.Cut(raw, ":")
	if !ok || strings.Contains(host, "/") {
		return nil, false
	}
	if _, after, ok := strings.Cut(host, "@"); ok {
		host = after
	}
	return &url.URL{Scheme: "ssh", Host: host, Path: path}, true
}

// sameHost compares names, and for HTTP the ports too: another port is another
// server. The port of SSH says nothing about the host.
func sameHost(ours string, u *url.URL) bool {
	name, port := strings.ToLower(ours), ""
	if h, p, err := net.SplitHostPort(name); err == nil {
		name, port = h, p
	}
	their := strings.ToLower(u.Hostname())
	if name == "github.com" && (their == "ssh.github.com" || their == "www.github.com") {
		their = name // SSH over the HTTPS port has a host of its own
	}
	if their != name {
		return false
	}
	standard := map[string]string{"https": "443", "http": "80"}[u.Scheme]
	if standard == "" {
		return u.Scheme == "ssh" || u.Scheme == "git"
	}
	theirPort := u.Port()
	if theirPort == "" {
		theirPort = standard
	}
	return theirPort == port || port == "" && theirPort == standard
}
