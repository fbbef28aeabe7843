package images

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// Revert is what taking a change back writes, and what is known of who made the
// change.
type Revert struct {
	// Files are as the revert writes them: the bad tags stand in Before.
	Files []bot.FileChange
	// Commits are those of the culprit.
	Commits []bot.Commit
	// Author is the author of its pull request and Branch its head branch; empty
	// when there is none.
	Author, Branch string
}

// Finder implements [bot.ImageFinder].
type Finder struct{}

var _ bot.ImageFinder = Finder{}

// mergeOf is the subject that GitHub gives a merge commit, with the head branch.
var mergeOf = regexp.MustCompile(`^Merge pull request #\d+ from [^/\s]+/(\S+)`)

// Recognise implements [bot.ImageFinder].
func (Finder) Recognise(culprit bot.Change, commits []bot.Commit, rv bot.Revert) []bot.ImageUpdate {
	r := Revert{Files: rv.Files, Commits: commits, Author: culprit.Author}
	for _, c := range commits {
		if m := mergeOf.FindStringSubmatch(c.Subject); m != nil {
			r.Branch = m[1]
		}
	}
	return Recognise(r)
}

// most bounds how many updates are told of one revert.
const most = 100

// Recognise lists the image tags that the revert takes back and a program would
// write again, in the order of the files. None is the usual answer: people write
// tags, too.
func Recognise(r Revert) []bot.ImageUpdate {
	var out []bot.ImageUpdate
	by := r.by()
	for _, f := range r.Files {
		marked := setters(f)
		out = append(out, marked...)
		app, overrides := strings.CutPrefix(path.Base(f.Path), ".argocd-source-")
		app, isYAML := strings.CutSuffix(app, ".yaml")
		switch {
		case overrides && isYAML && app != "":
			out = append(out, from(bot.ImageArgo, app, references(f))...)
		case by == bot.ImageArgo:
			out = append(out, from(by, r.application(), r.announced(references(f)))...)
		case by != "":
			// What a setter governs is Flux's, whoever wrote it last.
			out = append(out, from(by, "", without(references(f), marked))...)
		}
	}
	return out[:min(len(out), most)]
}

// by is the program that made the change, by its author and branch; "" when a
// person did, as far as that tells. Flux is not among them: its marks tell.
func (r Revert) by() bot.ImageBot {
	names := []string{r.Author}
	for _, c := range r.Commits {
		names = append(names, c.Author, c.Email)
	}
	for _, name := range names {
		name = strings.ToLower(name)
		switch {
		case strings.Contains(name, "argocd-image-updater"):
			return bot.ImageArgo
		case strings.HasPrefix(name, "renovate"), strings.Contains(name, "renovate[bot]"), name == "bot@renovateapp.com":
			return bot.ImageRenovate
		case strings.HasPrefix(name, "dependabot"), strings.Contains(name, "dependabot[bot]"):
			return bot.ImageDependabot
		}
	}
	switch {
	case strings.HasPrefix(r.Branch, "renovate/"):
		return bot.ImageRenovate
	case strings.HasPrefix(r.Branch, "dependabot/"):
		return bot.ImageDependabot
	case r.application() != "":
		return bot.ImageArgo
	}
	return ""
}

// The default message of Argo CD Image Updater
// (https://argocd-image-updater.readthedocs.io: git.commit-message-template).
var (
	updatesApp   = regexp.MustCompile(`^build: automatic update of (\S+)`)
	updatesImage = regexp.MustCompile(`updates image (\S+) tag '([^']*)' to '([^']*)'`)
)

func (r Revert) application() string {
	for _, c := range r.Commits {
		if m := updatesApp.FindStringSubmatch(c.Message + "\n" + c.Subject); m != nil {
			return m[1]
		}
	}
	return ""
}

// announced names the images that the message tells, where the file does not.
func (r Revert) announced(us []bot.ImageUpdate) []bot.ImageUpdate {
	for _, c := range r.Commits {
		for _, m := range updatesImage.FindAllStringSubmatch(c.Message, most) {
			for i := range us {
				if us[i].Image == "" && us[i].Bad == m[3] {
					us[i].Image = m[1]
				}
			}
		}
	}
	return us
}

// from says whose updates they are.
func from(by bot.ImageBot, ref string, us []bot.ImageUpdate) []bot.ImageUpdate {
	for i := range us {
		us[i].By, us[i].Ref = by, ref
	}
	return us
}

// without drops those that are told already.
func without(us, told []bot.ImageUpdate) []bot.ImageUpdate {
	return slices.DeleteFunc(us, func(u bot.ImageUpdate) bool {
		return slices.ContainsFunc(told, func(t bot.ImageUpdate) bool { return t.Bad == u.Bad && t.Good == u.Good })
	})
}
