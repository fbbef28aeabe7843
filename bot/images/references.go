package images

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/manifest"
)

// reference is what an image reference with a tag or digest looks like
// (https://github.com/distribution/reference), in small: a text that is anything
// else must not be taken for an image.
var reference = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._/:-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$`)

const letters = "abcdefghijklmnopqrstuvwxyz"

// The keys beside which a tag stands, and by which its image is called: those of
// kustomizations and of the values of most charts.
var (
	tagKeys   = []string{"tag", "newTag", "digest"}
	imageKeys = []string{"repository", "newName", "name", "image"}
)

// deepest bounds how deep a document is looked into.
const deepest = 100

// references lists the images that differ between both versions of a file.
func references(f bot.FileChange) []bot.ImageUpdate {
	if !manifest.IsFile(f.Path) {
		return nil
	}
	bad, err := manifest.Documents(f.Before)
	if err != nil {
		return nil
	}
	good, err := manifest.Documents(f.After)
	if err != nil {
		return nil
	}
	c := comparison{path: f.Path, gone: len(good) == 0}
	for i, doc := range bad {
		var is any
		if i < len(good) {
			is = good[i]
		}
		c.compare(doc, is, 0)
	}
	return c.out
}

type comparison struct {
	path string
	// gone is true when the revert deletes the file: then all that it holds goes.
	gone bool
	out  []bot.ImageUpdate
}

func (c *comparison) add(u bot.ImageUpdate) {
	if u.Path = c.path; u.Bad != u.Good && u.Bad != "" && !slices.Contains(c.out, u) && len(c.out) < most {
		c.out = append(c.out, u)
	}
}

func (c *comparison) compare(bad, good any, depth int) {
	if depth > deepest {
		return
	}
	switch was := bad.(type) {
	case map[string]any:
		if is, ok := good.(map[string]any); ok || c.gone {
			c.tags(was, is)
			c.parameter(was, is)
			for _, k := range sorted(was) {
				c.compare(was[k], is[k], depth+1)
			}
		}
	case []any:
		is, _ := good.([]any)
		for i, e := range was {
			if c.gone {
				c.compare(e, nil, depth+1)
			} else if i < len(is) {
				c.compare(e, is[i], depth+1)
			}
		}
	case string:
		if is, ok := good.(string); (ok || c.gone) && was != is {
			c.whole(was, is)
		}
	}
}

// whole takes a text that is a whole reference, of the same image both times.
func (c *comparison) whole(bad, good string) {
	// Argo CD writes "old=new:tag" where the image is another one.
	bad, good = bad[strings.LastIndexByte(bad, '=')+1:], good[strings.LastIndexByte(good, '=')+1:]
	if !reference.MatchString(bad) || !c.gone && !reference.MatchString(good) {
		return
	}
	image, badTag := split(bad)
	if image == "sha256" || !strings.ContainsAny(image, letters) {
		return // a digest, or two ports
	}
	if was, goodTag := split(good); was == image || c.gone {
		c.add(bot.ImageUpdate{Image: image, Bad: badTag, Good: goodTag})
	}
}

// tags takes a tag that stands in a key of its own.
func (c *comparison) tags(bad, good map[string]any) {
	for _, k := range tagKeys {
		was, okWas := bad[k].(string)
		is, okIs := good[k].(string)
		if !okWas || !okIs && !c.gone || was == is {
			continue
		}
		u := bot.ImageUpdate{Bad: was, Good: is}
		for _, k := range imageKeys {
			if name, ok := bad[k].(string); ok {
				u.Image = name
				break
			}
		}
		if registry, ok := bad["registry"].(string); ok && u.Image != "" {
			u.Image = registry + "/" + u.Image
		}
		c.add(u)
	}
}

// parameter takes a Helm parameter of Argo CD: {name: image.tag, value: v2}.
func (c *comparison) parameter(bad, good map[string]any) {
	name, _ := bad["name"].(string)
	was, okWas := bad["value"].(string)
	is, okIs := good["value"].(string)
	same := okIs && name == good["name"]
	if okWas && (same || c.gone) && (name == "tag" || strings.HasSuffix(strings.ToLower(name), ".tag")) {
		c.add(bot.ImageUpdate{Bad: was, Good: is})
	}
}

func sorted(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
