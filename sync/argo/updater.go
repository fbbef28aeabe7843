package argo

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"

	"github.com/backout-dev/backout/bot"
)

// The annotations of Argo CD Image Updater
// (https://argocd-image-updater.readthedocs.io/en/stable/configuration/images/).
const (
	updaterPrefix = "argocd-image-updater.argoproj.io/"
	imageList     = updaterPrefix + "image-list"
	// ignoreTags is the whole key behind the prefix for all images, and follows
	// an alias and a dot for one.
	ignoreTags = "ignore-tags"
)

// ignored is one list of ignored tags that we changed.
type ignored struct {
	Key string `json:"key"`
	// Before is nil where there was no such annotation.
	Before *string `json:"before"`
	After  string  `json:"after"`
}

// value is what a test in a patch compares with.
func (i ignored) value() any {
	if i.Before == nil {
		return nil
	}
	return *i.Before
}

// plainTag is a tag (https://github.com/opencontainers/distribution-spec). None
// of its characters means anything in a list of glob patterns.
var plainTag = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

// ignore computes the lists of ignored tags with the bad tags in them; left says
// why that can't be done.
func ignore(a *argov1.Application, updates []bot.ImageUpdate) (changes []ignored, left string) {
	images := imagesOf(a)
	if len(images) == 0 {
		return nil, fmt.Sprintf("%s has no annotation %s, so an ImageUpdater resource governs its images, which Backout can't reach. Add %s to ignoreTags there.",
			titleOf(a), imageList, listed(updates))
	}
	for _, u := range updates {
		tag := tagOf(u.Bad)
		if !plainTag.MatchString(tag) {
			return nil, fmt.Sprintf("%s follows a digest, which can't be ignored. Suspend its updates by hand: %s<alias>.%s: \"*\".", titleOf(a), updaterPrefix, ignoreTags)
		}
		for _, key := range keysOf(images, u) {
			changes = with(a, changes, key, tag)
		}
	}
	if len(changes) == 0 {
		return nil, fmt.Sprintf("%s already ignores %s.", titleOf(a), listed(updates))
	}
	return changes, ""
}

// with adds a tag to a list, unless it is there.
func with(a *argov1.Application, changes []ignored, key, tag string) []ignored {
	at := slices.IndexFunc(changes, func(c ignored) bool { return c.Key == key })
	if at < 0 {
		c := ignored{Key: key}
		now, ok := a.Annotations[key]
		if ok {
			c.Before = &now
		} else {
			// What is ignored for all images no longer is for one that has a list
			// of its own.
			now = a.Annotations[updaterPrefix+ignoreTags]
		}
		if c.After = join(now, tag); c.After == now {
			return changes
		}
		return append(changes, c)
	}
	changes[at].After = join(changes[at].After, tag)
	return changes
}

func join(list, tag string) string {
	if strings.TrimSpace(list) == "" {
		return tag
	}
	for have := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(have) == tag {
			return list
		}
	}
	return list + "," + tag
}

// updated is one image of an image-list.
type updated struct{ alias, image string }

// imagesOf reads the image-list: [alias=]image[:constraint], with commas between.
func imagesOf(a *argov1.Application) []updated {
	var out []updated
	for entry := range strings.SplitSeq(a.Annotations[imageList], ",") {
		alias, image, ok := strings.Cut(strings.TrimSpace(entry), "=")
		if !ok {
			alias, image = "", alias
		}
		if image, _ = splitImage(image); image != "" {
			out = append(out, updated{alias, image})
		}
	}
	return out
}

// keysOf are the lists of ignored tags that govern an update: where its image
// can't be told from the list, those of all.
func keysOf(images []updated, u bot.ImageUpdate) []string {
	var out []string
	for _, all := range []bool{false, true} {
		for _, i := range images {
			if all || i.image == u.Image || strings.HasSuffix(u.Image, "/"+i.image) || strings.HasSuffix(i.image, "/"+u.Image) && u.Image != "" {
				key := updaterPrefix + ignoreTags
				if i.alias != "" {
					key = updaterPrefix + strings.ReplaceAll(i.alias, "/", "_") + "." + ignoreTags
				}
				if !slices.Contains(out, key) {
					out = append(out, key)
				}
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return out
}

// splitImage takes "ghcr.io/acme/web:v2@sha256:…" apart, before the tag.
func splitImage(ref string) (image, tag string) {
	name, _, _ := strings.Cut(ref, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		return name[:i], name[i+1:]
	}
	return name, ""
}

// tagOf drops the digest.
func tagOf(tag string) string {
	tag, _, _ = strings.Cut(tag, "@")
	return tag
}

func listed(updates []bot.ImageUpdate) string {
	var out []string
	for _, u := range updates {
		if tag := tagOf(u.Bad); !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	return strings.Join(out, ", ")
}
