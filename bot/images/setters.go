package images

import (
	"regexp"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/manifest"
)

// marker is a field that Flux writes: its value, and the comment with the policy
// and, unless it takes the whole image, the part of it
// (https://fluxcd.io/flux/guides/image-update/#configure-image-update-for-custom-resources).
var marker = regexp.MustCompile(`^\s*(?:-\s+)?(?:[^\s#:][^#:]*:\s+)?["']?([^\s"'#]+)["']?\s+#\s*\{\s*"\$imagepolicy"\s*:\s*"([^\s":]+:[^\s":]+?)(?::(tag|name|digest))?"\s*\}`)

// mark is one marked field of one version of a file.
type mark struct{ value, ref, part string }

func marks(b []byte) []mark {
	var out []mark
	for line := range strings.Lines(string(b)) {
		if m := marker.FindStringSubmatch(line); m != nil {
			out = append(out, mark{m[1], m[2], m[3]})
		}
	}
	return out
}

// setters lists the marked fields that the revert changes. The n-th field of a
// policy before is the n-th after: an automation moves no lines.
func setters(f bot.FileChange) []bot.ImageUpdate {
	if !manifest.IsFile(f.Path) {
		return nil
	}
	good := map[string][]mark{}
	for _, m := range marks(f.After) {
		good[m.ref+" "+m.part] = append(good[m.ref+" "+m.part], m)
	}
	bad := marks(f.Before)
	var out []bot.ImageUpdate
	for _, m := range bad {
		was := ""
		if left := good[m.ref+" "+m.part]; len(left) > 0 {
			was, good[m.ref+" "+m.part] = left[0].value, left[1:]
		}
		if m.value == was || m.part == "name" {
			continue
		}
		u := bot.ImageUpdate{By: bot.ImageFlux, Ref: m.ref, Path: f.Path, Bad: m.value, Good: was}
		if m.part == "" {
			u.Image, u.Bad = split(m.value)
			_, u.Good = split(was)
		} else {
			u.Image = nameOf(bad, m.ref)
		}
		// An automation always writes a tag.
		if u.Bad != "" && !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	return out
}

// nameOf is the image of a policy, where a marked field tells it.
func nameOf(ms []mark, ref string) string {
	for _, m := range ms {
		if m.ref != ref {
			continue
		}
		if m.part == "name" {
			return m.value
		}
		if image, _ := split(m.value); m.part == "" {
			return image
		}
	}
	return ""
}

// split takes an image reference apart: "ghcr.io/acme/web:v2@sha256:…" is
// ghcr.io/acme/web and v2@sha256:….
func split(ref string) (image, tag string) {
	name, digest, pinned := strings.Cut(ref, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name, tag = name[:i], name[i+1:]
	}
	switch {
	case pinned && tag != "":
		tag += "@" + digest
	case pinned:
		tag = digest
	}
	return name, tag
}
