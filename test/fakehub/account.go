package fakehub

import (
	"fmt"
	"slices"
	"strings"
)

// account is a user, an organization or an App's bot.
type account struct {
	id       int64
	login    string
	kind     string // User, Organization, Bot
	email    string
	token    string // personal access token
	password string
}

// User is a person with an account on the hub.
type User struct {
	ID       int64
	Login    string
	Email    string // the private noreply address that commits carry
	Token    string // personal access token, for the API and for git
	Password string // for git over HTTP
}

// User returns the user of that name; it is created when new.
func (h *Hub) User(login string) User {
	h.lock()
	defer h.unlock()
	a := h.person(login)
	return User{ID: a.id, Login: a.login, Email: a.email, Token: a.token, Password: a.password}
}

// person finds or creates a user.
func (h *Hub) person(login string) *account { return h.account(login, "User") }

func (h *Hub) account(login, kind string) *account {
	if a := h.accounts[strings.ToLower(login)]; a != nil {
		return a
	}
	a := &account{id: h.nextID(), login: login, kind: kind}
	a.email = fmt.Sprintf("%d+%s@users.noreply.github.com", a.id, login)
	if kind == "User" {
		a.token, a.password = newSecret("ghp"), newSecret("pw")
	}
	h.accounts[strings.ToLower(login)] = a
	h.nodes[a.nodeID()] = a
	return a
}

func (a *account) nodeID() string {
	return nodeID(map[string]string{"User": "U", "Organization": "O", "Bot": "BOT"}[a.kind], a.id)
}

// Team puts users into a team of an organization, which is created when new.
func (h *Hub) Team(org, slug string, members ...string) {
	h.lock()
	defer h.unlock()
	h.account(org, "Organization")
	key := strings.ToLower(org + "/" + slug)
	if h.teams[key] == nil {
		h.teams[key] = map[string]bool{}
	}
	for _, m := range members {
		h.teams[key][strings.ToLower(h.person(m).login)] = true
	}
}

// Invite asks a user into a team. Until they accept they are no member.
func (h *Hub) Invite(org, slug, login string) {
	h.Team(org, slug)
	h.lock()
	defer h.unlock()
	h.teams[strings.ToLower(org+"/"+slug)][strings.ToLower(h.person(login).login)] = false
}

// Leave takes a user out of a team.
func (h *Hub) Leave(org, slug, login string) {
	h.lock()
	defer h.unlock()
	delete(h.teams[strings.ToLower(org+"/"+slug)], strings.ToLower(login))
}

// roles are what a collaborator may be, weakest first.
var roles = [...]string{"none", "read", "triage", "write", "maintain", "admin"}

func roleRank(role string) int { return max(0, slices.Index(roles[:], role)) }

// Grant makes a user a collaborator: "read", "triage", "write", "maintain" or
// "admin"; "none" takes it away. The owner of a repository is its admin.
func (r *Repo) Grant(login, role string) error {
	r.hub.lock()
	defer r.hub.unlock()
	if slices.Index(roles[:], role) < 0 {
		return fmt.Errorf("grant %s on %s: no role %q", login, r.FullName(), role)
	}
	r.grants[r.hub.person(login).id] = role
	return nil
}

// role is what a user may do, "read" for everybody where the repository is
// public.
func (r *Repo) role(a *account) string {
	if a == nil {
		a = &account{}
	}
	role := r.grants[a.id]
	if a.id == r.owner.id {
		role = "admin"
	}
	if r.public && roleRank(role) < roleRank("read") {
		role = "read"
	}
	if role == "" {
		role = "none"
	}
	return role
}

// association is the author_association of GitHub's comments and reviews. It
// says nothing about permissions, which is why Backout must not read it.
func (r *Repo) association(a *account) string {
	switch role := r.grants[a.id]; {
	case a.id == r.owner.id:
		return "OWNER"
	case a.kind == "Bot":
		return "NONE"
	case roleRank(role) >= roleRank("maintain"):
		return "MEMBER"
	case roleRank(role) > 0:
		return "COLLABORATOR"
	}
	return "NONE"
}
