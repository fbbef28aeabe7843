package flux

import (
	"net/url"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// repoOn returns the repository that a clone URL names, when it is on our
// GitHub host. It takes what git takes for GitHub
// (https://git-scm.com/docs/git-clone#_git_urls): https, http, ssh, and the
// form "git@host:owner/name", each with or without user, port and ".git".
//
// Over HTTP the port must be the host's own: another port is another server.
// Over SSH it says nothing, and GitHub also answers at "ssh.<host>" on port 443
// (https://docs.github.com/authentication/troubleshooting-ssh/using-ssh-over-the-https-port).
// In doubt the answer is no: a repository mistaken for ours would be written to.
func repoOn(host, raw string) (repo bot.RepoName, ok bool) {
	scheme, server, path, ok := splitURL(raw)
	if !ok || !sameServer(strings.ToLower(host), scheme, strings.ToLower(server)) {
		return "", false
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	owner, name, ok := strings.Cut(path, "/")
	if !ok || !validSegment(owner) || !validSegment(name) {
		return "", false
	}
	return bot.RepoName(owner + "/" + name), true
}

// splitURL takes a clone URL apart; server is host or host:port.
func splitURL(raw string) (scheme, server, path string, ok bool) {
	raw = strings.TrimSpace(raw)
	if !strings.Contains(raw, "://") {
		// scp-like: [user@]host:path, where the path has no port before it.
		server, path, ok = strings.Cut(raw, ":")
		if i := strings.LastIndex(server, "@"); i >= 0 {
			server = server[i+1:]
		}
		if !ok || server == "" || strings.Contains(server, "/") {
			return "", "", "", false
		}
		return "ssh", server, path, true
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return "", "", "", false
	}
	return strings.ToLower(u.Scheme), u.Host, u.Path, true
}

// sameServer compares our host with a URL's. Both are lower-case.
func sameServer(host, scheme, server string) bool {
	name, _ := cutPort(host)
	other, port := cutPort(server)
	switch scheme {
	case "https", "http":
		standard := map[string]string{"https": "443", "http": "80"}[scheme]
		if port == standard {
			server = other
		}
		return server == host || server == name && host == name+":"+standard
	case "ssh":
		return other == name || other == "ssh."+name && port == "443"
	}
	return false
}

// cutPort splits "host:port"; an IPv6 address keeps its brackets.
func cutPort(server string) (name, port string) {
	i := strings.LastIndex(server, ":")
	if i < 0 || strings.HasSuffix(server, "]") {
		return server, ""
	}
	return server[:i], server[i+1:]
}

// validSegment reports whether s can be an owner or a repository name on
// GitHub: letters, digits, hyphen, underscore and dot, but not a dot path.
func validSegment(s string) bool {
	if s == "" || s == "." || s == ".." {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !letter && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r)
	}) < 0
}

// serverOf is the server of a clone URL for people, without user and password.
func serverOf(raw string) string {
	if _, server, _, ok := splitURL(raw); ok {
		return server
	}
	return "an address that is not a git URL"
}
