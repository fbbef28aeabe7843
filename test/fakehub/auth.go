package fakehub

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// actor is who sends a request: nobody, a user, an App (by JWT), or an
// installation of an App (by token).
type actor struct {
	account *account // nil for nobody; the bot for an installation
	app     *App     // by JWT
	token   *token   // of an installation
}

// token is an installation access token.
type token struct {
	secret  string
	in      *installation
	perms   map[string]string
	repos   map[*Repo]bool // nil: all of the installation
	expires time.Time
}

// tokenLife is how long GitHub lets an installation token live.
const tokenLife = time.Hour

func (a *actor) name() string {
	switch {
	case a == nil:
		return ""
	case a.app != nil:
		return "app:" + a.app.slug
	case a.account != nil:
		return a.account.login
	}
	return ""
}

// bot is the App behind an installation token, or nil.
func (a *actor) bot() *App {
	if a.token == nil {
		return nil
	}
	return a.token.in.app
}

func errBadCredentials() *apiError {
	return &apiError{status: http.StatusUnauthorized, message: "Bad credentials"}
}

// RevokeTokens ends every installation token before its time: what uses one is
// answered with 401 until it has a new one.
func (h *Hub) RevokeTokens() {
	h.lock()
	defer h.unlock()
	clear(h.tokens)
}

// identify reads the Authorization header.
func (h *Hub) identify(r *http.Request) (*actor, error) {
	if user, pass, ok := r.BasicAuth(); ok {
		return h.identifySecret(user, pass)
	}
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case scheme == "":
		return &actor{}, nil
	case !strings.EqualFold(scheme, "bearer") && !strings.EqualFold(scheme, "token"):
		return nil, errBadCredentials()
	case strings.Count(secret, ".") == 2:
		app, err := h.verifyJWT(secret)
		if err != nil {
			return nil, err
		}
		return &actor{app: app, account: app.bot}, nil
	}
	return h.identifySecret("", secret)
}

// identifySecret looks up a token, or a user's password where a login comes
// with it.
func (h *Hub) identifySecret(login, secret string) (*actor, error) {
	if t := h.tokens[secret]; t != nil {
		if !h.opts.AuthNow().Before(t.expires) || h.installs[t.in.id] == nil {
			return nil, errBadCredentials()
		}
		return &actor{account: t.in.app.bot, token: t}, nil
	}
	for _, a := range h.accounts {
		if a.token != "" && a.token == secret {
			return &actor{account: a}, nil
		}
		if a.password != "" && a.password == secret && strings.EqualFold(a.login, login) {
			return &actor{account: a}, nil
		}
	}
	return nil, errBadCredentials()
}

// verifyJWT checks an App's JWT as GitHub documents it: RS256, issued by the
// App's ID, not yet expired, and good for ten minutes at most.
// See https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app.
func (h *Hub) verifyJWT(jwt string) (*App, error) {
	deny := func(message string) (*App, error) {
		return nil, &apiError{status: http.StatusUnauthorized, message: message}
	}
	parts := strings.Split(jwt, ".")
	var head struct{ Alg string }
	var claims struct {
		Iss      any
		Iat, Exp *float64
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || decodePart(parts[0], &head) != nil || decodePart(parts[1], &claims) != nil || head.Alg != "RS256" {
		return deny("A JSON web token could not be decoded")
	}
	var app *App
	switch iss := claims.Iss.(type) {
	case string:
		id, _ := strconv.ParseInt(iss, 10, 64)
		if app = h.apps[id]; app == nil {
			app = h.appByClientID(iss)
		}
	case float64:
		app = h.apps[int64(iss)]
	}
	if app == nil || app.key == nil {
		return deny("Integration must generate a public key")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(&app.key.PublicKey, crypto.SHA256, sum[:], sig) != nil {
		return deny("A JSON web token could not be decoded")
	}
	now := float64(h.opts.AuthNow().Unix())
	switch {
	case claims.Exp == nil || *claims.Exp <= now:
		return deny("'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")
	case *claims.Exp > now+600+60:
		return deny("'Expiration time' claim ('exp') is too far in the future")
	case claims.Iat == nil || *claims.Iat > now+60:
		return deny("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
	}
	return app, nil
}

func decodePart(part string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return fmt.Errorf("decode JWT: %w", err)
	}
	return json.Unmarshal(raw, into)
}

// Token mints an installation token without the exchange, for tests that
// speak to the hub themselves. It may do all the App may.
func (h *Hub) Token(app *App, owner string) (string, error) {
	h.lock()
	defer h.unlock()
	in := h.installationOn(app, h.accounts[strings.ToLower(owner)])
	if in == nil {
		return "", fmt.Errorf("mint token for %s on %s: it is not installed", app.slug, owner)
	}
	return h.mint(in, nil, app.perms).secret, nil
}

func (h *Hub) mint(in *installation, repos map[*Repo]bool, perms map[string]string) *token {
	t := &token{
		secret: newSecret("ghs"), in: in, repos: repos, perms: maps.Clone(perms),
		expires: h.opts.AuthNow().UTC().Add(tokenLife).Truncate(time.Second),
	}
	h.tokens[t.secret] = t
	return t
}

// covers tells whether a token reaches a repository.
func (t *token) covers(r *Repo) bool {
	return t.in.repos[r] && (t.repos == nil || t.repos[r])
}
