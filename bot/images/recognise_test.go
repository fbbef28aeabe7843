package images

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// reverting is a revert of one file: bad is what stands there, good what the
// revert writes; an empty good deletes it.
func reverting(path, bad, good string) Revert {
	f := bot.FileChange{Path: path, Before: []byte(bad), BeforeMode: "100644"}
	if good != "" {
		f.After, f.AfterMode = []byte(good), "100644"
	}
	return Revert{Files: []bot.FileChange{f}}
}

func (r Revert) made(author, email, message string) Revert {
	subject, _, _ := strings.Cut(message, "\n")
	r.Commits = []bot.Commit{{Author: author, Email: email, Subject: subject, Message: message}}
	return r
}

func (r Revert) pull(author, branch string) Revert {
	r.Author, r.Branch = author, branch
	return r
}

const (
	renovateMail   = "29139614+renovate[bot]@users.noreply.github.com"
	dependabotMail = "49699333+dependabot[bot]@users.noreply.github.com"
	digest         = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	announcement   = "build: automatic update of web\n\nupdates image ghcr.io/acme/web tag 'v1' to 'v2'\n"
)

func TestRecognise(t *testing.T) {
	const deployment = "kind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        image: ghcr.io/acme/web:VERSION\n"
	at := func(text, version string) string { return strings.ReplaceAll(text, "VERSION", version) }
	bump := func(path, text string) Revert { return reverting(path, at(text, "v2"), at(text, "v1")) }
	flux := bot.ImageUpdate{By: bot.ImageFlux, Ref: "flux-system:web", Image: "ghcr.io/acme/web", Bad: "v2", Good: "v1", Path: "a.yaml"}
	tagOnly := flux
	tagOnly.Image = ""
	argo := bot.ImageUpdate{By: bot.ImageArgo, Ref: "web", Image: "ghcr.io/acme/web", Bad: "v2", Good: "v1", Path: "apps/.argocd-source-web.yaml"}
	renovate := bot.ImageUpdate{By: bot.ImageRenovate, Image: "ghcr.io/acme/web", Bad: "v2", Good: "v1", Path: "a.yaml"}
	dependabot := renovate
	dependabot.By = bot.ImageDependabot
	with := func(u bot.ImageUpdate, change func(*bot.ImageUpdate)) bot.ImageUpdate { change(&u); return u }
	for _, tt := range []struct {
		name string
		r    Revert
		want []bot.ImageUpdate
	}{
		{"a person", bump("a.yaml", deployment).made("Ann", "ann@acme.io", "Raise web"), nil},
		{"Flux, a whole image", bump("a.yaml", "image: ghcr.io/acme/web:VERSION # {\"$imagepolicy\": \"flux-system:web\"}\n"), []bot.ImageUpdate{flux}},
		{"Flux, quoted, in a list", bump("a.yaml", "- image: \"ghcr.io/acme/web:VERSION\"   # { \"$imagepolicy\" : \"flux-system:web\" }\n"), []bot.ImageUpdate{flux}},
		{"Flux, an element of a list", bump("a.yaml", "images:\n- ghcr.io/acme/web:VERSION # {\"$imagepolicy\":\"flux-system:web\"}\n"), []bot.ImageUpdate{flux}},
		{"Flux, in a template that is no YAML", bump("a.yaml", "{{ if .x }}\nimage: ghcr.io/acme/web:VERSION # {\"$imagepolicy\": \"flux-system:web\"}\n"), []bot.ImageUpdate{flux}},
		{"Flux, a tag alone", bump("a.yaml", "tag: VERSION # {\"$imagepolicy\": \"flux-system:web:tag\"}\n"), []bot.ImageUpdate{tagOnly}},
		{"Flux, a tag beside its name", bump("a.yaml", "name: ghcr.io/acme/web # {\"$imagepolicy\": \"flux-system:web:name\"}\nnewTag: 'VERSION' # {\"$imagepolicy\": \"flux-system:web:tag\"}\n"), []bot.ImageUpdate{flux}},
		{"Flux, twice the same", bump("a.yaml", strings.Repeat("- image: ghcr.io/acme/web:VERSION # {\"$imagepolicy\": \"flux-system:web\"}\n", 2)), []bot.ImageUpdate{flux}},
		{"Flux, a digest", reverting("a.yaml", "image: ghcr.io/acme/web:v1@"+digest+" # {\"$imagepolicy\": \"flux-system:web\"}\n", "image: ghcr.io/acme/web:v1 # {\"$imagepolicy\": \"flux-system:web\"}\n"),
			[]bot.ImageUpdate{with(flux, func(u *bot.ImageUpdate) { u.Bad = "v1@" + digest })}},
		{"Flux, of which one changes", reverting("a.yaml",
			"a: x/a:v1 # {\"$imagepolicy\": \"ns:a\"}\nimage: ghcr.io/acme/web:v2 # {\"$imagepolicy\": \"flux-system:web\"}\n",
			"a: x/a:v1 # {\"$imagepolicy\": \"ns:a\"}\nimage: ghcr.io/acme/web:v1 # {\"$imagepolicy\": \"flux-system:web\"}\n"), []bot.ImageUpdate{flux}},
		{"Flux marks what a person wrote", bump("a.yaml", "image: ghcr.io/acme/web:VERSION # {\"$imagepolicy\": \"flux-system:web\"}\n").made("Ann", "ann@acme.io", "Raise web"), []bot.ImageUpdate{flux}},
		{"Flux marks, and nothing marked changes", reverting("a.yaml", "image: a:v1 # {\"$imagepolicy\": \"ns:a\"}\nreplicas: 2\n", "image: a:v1 # {\"$imagepolicy\": \"ns:a\"}\nreplicas: 1\n"), nil},
		{"Flux, another image of the same tag", reverting("a.yaml", "image: ghcr.io/acme/web:v1 # {\"$imagepolicy\": \"flux-system:web\"}\n", "image: acme/web:v1 # {\"$imagepolicy\": \"flux-system:web\"}\n"),
			[]bot.ImageUpdate{with(flux, func(u *bot.ImageUpdate) { u.Bad = "v1" })}},
		{"Flux, a mark beside no tag", bump("a.yaml", "image: webVERSION # {\"$imagepolicy\": \"flux-system:web\"}\n"), nil},
		{"Flux marks in what is no manifest", bump("a.md", "image: ghcr.io/acme/web:VERSION # {\"$imagepolicy\": \"flux-system:web\"}\n"), nil},
		{"Flux, the file is new", reverting("a.yaml", "image: ghcr.io/acme/web:v2 # {\"$imagepolicy\": \"flux-system:web\"}\n", ""), []bot.ImageUpdate{with(flux, func(u *bot.ImageUpdate) { u.Good = "" })}},
		{"Argo CD, kustomize", bump("apps/.argocd-source-web.yaml", "kustomize:\n  images:\n  - ghcr.io/acme/web:VERSION\n"), []bot.ImageUpdate{argo}},
		{"Argo CD, kustomize under another name", bump("apps/.argocd-source-web.yaml", "kustomize:\n  images:\n  - web=ghcr.io/acme/web:VERSION\n"), []bot.ImageUpdate{argo}},
		{"Argo CD, Helm", bump("apps/.argocd-source-web.yaml", "helm:\n  parameters:\n  - {name: image.name, value: ghcr.io/acme/web, forcestring: true}\n  - {name: image.tag, value: VERSION, forcestring: true}\n"),
			[]bot.ImageUpdate{with(argo, func(u *bot.ImageUpdate) { u.Image = "" })}},
		{"Argo CD, the file is new", reverting("apps/.argocd-source-web.yaml", "kustomize:\n  images:\n  - ghcr.io/acme/web:v2\n", ""), []bot.ImageUpdate{with(argo, func(u *bot.ImageUpdate) { u.Good = "" })}},
		{"Argo CD, into a kustomization", bump("a.yaml", "images:\n- {name: ghcr.io/acme/web, newTag: VERSION}\n").made("argocd-image-updater", "noreply@argoproj.io", announcement),
			[]bot.ImageUpdate{with(argo, func(u *bot.ImageUpdate) { u.Path = "a.yaml" })}},
		{"Argo CD, into values, named by its message", bump("a.yaml", "app: {version: x, tag: VERSION}\n").made("bot", "b@acme.io", announcement),
			[]bot.ImageUpdate{with(argo, func(u *bot.ImageUpdate) { u.Path = "a.yaml" })}},
		{"a message that announces what the commit does not bring", bump("a.yaml", "replicas: VERSION\n").made("Mallory", "m@x", announcement), nil},
		{"Renovate", bump("a.yaml", deployment).made("renovate[bot]", renovateMail, "Update ghcr.io/acme/web Docker tag to v2"), []bot.ImageUpdate{renovate}},
		{"Renovate, self-hosted", bump("a.yaml", deployment).made("Renovate Bot", "bot@renovateapp.com", "Update"), []bot.ImageUpdate{renovate}},
		{"Renovate, merged by a person", bump("a.yaml", deployment).made("Ann", "ann@acme.io", "Merge pull request #7").pull("ann", "renovate/ghcr.io-acme-web-2.x"), []bot.ImageUpdate{renovate}},
		{"Renovate, values of a chart", bump("a.yaml", "image:\n  registry: ghcr.io\n  repository: acme/web\n  tag: VERSION\n").pull("renovate[bot]", "x"), []bot.ImageUpdate{renovate}},
		{"Renovate, a kustomization with a digest", reverting("a.yaml", "images: [{name: web, newName: ghcr.io/acme/web, digest: "+digest+"}]", "images: [{name: web, newName: ghcr.io/acme/web, digest: 'sha256:b'}]").pull("renovate[bot]", "x"),
			[]bot.ImageUpdate{with(renovate, func(u *bot.ImageUpdate) { u.Bad, u.Good = digest, "sha256:b" })}},
		{"Renovate, what is no image", reverting("a.yaml", "url: 'http://a/b'\nport: '8080:90'\ntext: 'a b:c'\n", "url: 'http://a/c'\nport: '8080:91'\ntext: 'a b:d'\n").pull("renovate[bot]", "x"),
			nil},
		{"Renovate and a mark of Flux: Flux writes it", bump("a.yaml", "image: ghcr.io/acme/web:VERSION # {\"$imagepolicy\": \"flux-system:web\"}\n").pull("renovate[bot]", "x"), []bot.ImageUpdate{flux}},
		{"Renovate, another library", bump("go.mod", "require a VERSION\n").pull("renovate[bot]", "x"), nil},
		{"Dependabot", bump("a.yaml", deployment).made("dependabot[bot]", dependabotMail, "Bump web"), []bot.ImageUpdate{dependabot}},
		{"Dependabot, merged by a person", bump("a.yaml", deployment).pull("ann", "dependabot/docker/web-2"), []bot.ImageUpdate{dependabot}},
		{"a file that does not parse", bump("a.yaml", "image: {{ x }}:VERSION").pull("renovate[bot]", "x"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Recognise(tt.r)); diff != "" {
				t.Errorf("updates (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSplit(t *testing.T) {
	for ref, want := range map[string][2]string{
		"web": {"web", ""}, "web:v1": {"web", "v1"}, "host:5000/web": {"host:5000/web", ""}, "host:5000/web:v1": {"host:5000/web", "v1"},
		"web@" + digest: {"web", digest}, "web:v1@" + digest: {"web", "v1@" + digest}, "": {"", ""},
	} {
		if image, tag := split(ref); image != want[0] || tag != want[1] {
			t.Errorf("split(%q) is %q, %q", ref, image, tag)
		}
	}
}

// FuzzRecognise: whatever stands in the files, what is told stands in them, and
// there are not too many.
func FuzzRecognise(f *testing.F) {
	f.Add("a.yaml", []byte("image: a:v2 # {\"$imagepolicy\": \"x:y\"}"), []byte("image: a:v1 # {\"$imagepolicy\": \"x:y\"}"), "renovate[bot]", "")
	f.Add("x/.argocd-source-web.yaml", []byte("kustomize: {images: ['a=b:v2']}"), []byte(""), "", announcement)
	f.Add("k.yaml", []byte("images: [{name: a, newTag: '2'}]"), []byte("images: [{name: a, newTag: '1'}]"), "dependabot", "")
	f.Fuzz(func(t *testing.T, path string, bad, good []byte, author, message string) {
		r := Revert{Files: []bot.FileChange{{Path: path, Before: bad, After: good}}, Author: author, Commits: []bot.Commit{{Message: message}}}
		got := Recognise(r)
		if len(got) > most {
			t.Errorf("%d updates", len(got))
		}
		for _, u := range got {
			if u.By == "" || u.Bad == "" || u.Bad == u.Good && u.By != bot.ImageFlux || u.Path != path {
				t.Errorf("an update that is none: %+v", u)
			}
		}
	})
}
