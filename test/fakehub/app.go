package fakehub

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// AppOptions describe a GitHub App.
type AppOptions struct {
	Slug string // its bot is "<slug>[bot]"
	// Permissions maps names to "read" or "write"; default DefaultPermissions.
	Permissions map[string]string
	// Events it subscribes to; default DefaultEvents. installation and
	// installation_repositories always come, as on GitHub.
	Events []string
	// PrivateKey signs the App's JWTs; default a new key, which takes a moment.
	PrivateKey *rsa.PrivateKey
}

// DefaultPermissions are the ones that Backout asks for.
func DefaultPermissions() map[string]string {
	return map[string]string{
		"metadata": "read", "contents": "write", "pull_requests": "write", "issues": "read",
		"checks": "write", "statuses": "read", "merge_queues": "read",
	}
}

// DefaultEvents are the ones that Backout listens to.
func DefaultEvents() []string {
	return []string{
		"issue_comment", "pull_request", "pull_request_review", "push", "check_run", "check_suite", "status",
		"merge_group",
	}
}

// App is a GitHub App registered on the hub.
type App struct {
	hub     *Hub
	id      int64
	slug    string
	key     *rsa.PrivateKey
	bot     *account
	owner   *account
	perms   map[string]string
	events  []string
	created time.Time
	hook    webhook
	log     []*Delivery
}

type webhook struct {
	id          int64
	url, secret string
}

// installation is an App on one account.
type installation struct {
	id        int64
	app       *App
	account   *account
	repos     map[*Repo]bool
	created   time.Time
	suspended time.Time
}

// CreateApp registers an App.
func (h *Hub) CreateApp(opts AppOptions) (*App, error) {
	key := opts.PrivateKey
	if key == nil {
		var err error
		if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return nil, fmt.Errorf("create app %s: %w", opts.Slug, err)
		}
	}
	if opts.Permissions == nil {
		opts.Permissions = DefaultPermissions()
	}
	if opts.Events == nil {
		opts.Events = DefaultEvents()
	}
	if opts.Slug == "" {
		return nil, errors.New("create app: it has no slug")
	}
	h.lock()
	defer h.unlock()
	if h.appBySlug(opts.Slug) != nil {
		return nil, fmt.Errorf("create app %s: it exists", opts.Slug)
	}
	return h.newApp(opts.Slug, key, opts.Permissions, opts.Events), nil
}

func (h *Hub) newApp(slug string, key *rsa.PrivateKey, perms map[string]string, events []string) *App {
	a := &App{
		hub: h, id: h.nextID(), slug: slug, key: key, perms: map[string]string{"metadata": "read"}, events: slices.Clone(events),
		bot: h.account(slug+"[bot]", "Bot"), owner: h.account(slug+"-dev", "Organization"), created: h.now(),
	}
	maps.Copy(a.perms, perms)
	h.apps[a.id] = a
	return a
}

// actionsApp is who reports checks that no other App reports.
func (h *Hub) actionsApp() *App {
	if a := h.appBySlug("github-actions"); a != nil {
		return a
	}
	return h.newApp("github-actions", nil, map[string]string{"checks": "write"}, nil)
}

func (h *Hub) appBySlug(slug string) *App {
	for _, a := range h.apps {
		if a.slug == slug {
			return a
		}
	}
	return nil
}

func (h *Hub) appByClientID(id string) *App {
	for _, a := range h.apps {
		if a.ClientID() == id {
			return a
		}
	}
	return nil
}

// ClientID is the other issuer that GitHub takes in an App's JWTs.
func (a *App) ClientID() string { return fmt.Sprintf("Iv23fake%012d", a.id) }

// ID is the App's number, the issuer of its JWTs.
func (a *App) ID() int64 { return a.id }

// Slug is the App's name in URLs.
func (a *App) Slug() string { return a.slug }

// BotLogin is the login under which the App acts: "<slug>[bot]".
func (a *App) BotLogin() string { return a.bot.login }

// BotID is the user ID of the App's bot.
func (a *App) BotID() int64 { return a.bot.id }

// PrivateKeyPEM is the key that signs the App's JWTs, as downloaded.
func (a *App) PrivateKeyPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(a.key)})
}

// SetWebhook sets where deliveries go and what signs them; "" switches them
// off.
func (a *App) SetWebhook(url, secret string) {
	a.hub.lock()
	defer a.hub.unlock()
	a.hook = webhook{id: a.hub.nextID(), url: url, secret: secret}
}

// SetPermissions changes what the App may do, for tokens minted from now on.
func (a *App) SetPermissions(perms map[string]string) {
	a.hub.lock()
	defer a.hub.unlock()
	a.perms = map[string]string{"metadata": "read"}
	maps.Copy(a.perms, perms)
}

// SetEvents changes what the App is subscribed to.
func (a *App) SetEvents(events []string) {
	a.hub.lock()
	defer a.hub.unlock()
	a.events = slices.Clone(events)
}

// Install installs an App on repositories of one owner, or adds repositories
// to its installation there, and returns the installation's ID.
func (h *Hub) Install(app *App, fullNames ...string) (int64, error) {
	h.lock()
	defer h.unlock()
	repos, err := h.sameOwner(fullNames)
	if err != nil {
		return 0, fmt.Errorf("install %s: %w", app.slug, err)
	}
	in := h.installationOn(app, repos[0].owner)
	if in == nil {
		in = &installation{id: h.nextID(), app: app, account: repos[0].owner, repos: map[*Repo]bool{}, created: h.now()}
		h.installs[in.id] = in
		for _, r := range repos {
			in.repos[r] = true
		}
		h.emitInstallation(in, "installation", "created", obj{"repositories": briefRepos(repos), "requester": nil})
		return in.id, nil
	}
	for _, r := range repos {
		in.repos[r] = true
	}
	h.emitInstallation(in, "installation_repositories", "added", obj{
		"repositories_added": briefRepos(repos), "repositories_removed": []obj{},
		"repository_selection": "selected", "requester": nil,
	})
	return in.id, nil
}

// Uninstall takes repositories out of an App's installation; with none named,
// the installation goes.
func (h *Hub) Uninstall(app *App, owner string, fullNames ...string) error {
	h.lock()
	defer h.unlock()
	in := h.installationOn(app, h.accounts[strings.ToLower(owner)])
	if in == nil {
		return fmt.Errorf("uninstall %s from %s: it is not installed", app.slug, owner)
	}
	if len(fullNames) == 0 {
		delete(h.installs, in.id)
		h.emitInstallation(in, "installation", "deleted", obj{"repositories": briefRepos(in.list()), "requester": nil})
		return nil
	}
	repos, err := h.sameOwner(fullNames)
	if err != nil {
		return fmt.Errorf("uninstall %s: %w", app.slug, err)
	}
	for _, r := range repos {
		delete(in.repos, r)
	}
	h.emitInstallation(in, "installation_repositories", "removed", obj{
		"repositories_added": []obj{}, "repositories_removed": briefRepos(repos),
		"repository_selection": "selected", "requester": nil,
	})
	return nil
}

// Suspend stops (or resumes) an installation: its tokens answer 403.
func (h *Hub) Suspend(app *App, owner string, suspended bool) error {
	h.lock()
	defer h.unlock()
	in := h.installationOn(app, h.accounts[strings.ToLower(owner)])
	if in == nil {
		return fmt.Errorf("suspend %s on %s: it is not installed", app.slug, owner)
	}
	action := "unsuspend"
	in.suspended = time.Time{}
	if suspended {
		action, in.suspended = "suspend", h.now()
	}
	h.emitInstallation(in, "installation", action, obj{"repositories": briefRepos(in.list()), "requester": nil})
	return nil
}

func (h *Hub) sameOwner(fullNames []string) ([]*Repo, error) {
	var repos []*Repo
	for _, name := range fullNames {
		r := h.repos[strings.ToLower(name)]
		if r == nil {
			return nil, fmt.Errorf("there is no repository %s", name)
		}
		if len(repos) > 0 && repos[0].owner != r.owner {
			return nil, fmt.Errorf("%s has another owner than %s", name, repos[0].FullName())
		}
		repos = append(repos, r)
	}
	if len(repos) == 0 {
		return nil, errors.New("no repository named")
	}
	return repos, nil
}

func (h *Hub) installationOn(app *App, owner *account) *installation {
	for _, in := range h.installs {
		if in.app == app && in.account == owner {
			return in
		}
	}
	return nil
}

// list is the installation's repositories by ID.
func (in *installation) list() []*Repo {
	return slices.SortedFunc(maps.Keys(in.repos), func(a, b *Repo) int { return cmp.Compare(a.id, b.id) })
}
