package flux

import (
	"context"
	"strings"

	reflectorv1 "github.com/fluxcd/image-reflector-controller/api/v1beta2"

	"github.com/backout-dev/backout/bot"
)

// Newer implements [bot.ImageAutomations]: it looks at what each policy chooses.
func (c *Controller) Newer(ctx context.Context, h bot.ImageHold) (tags string, ok bool, err error) {
	if len(h.Updates) == 0 {
		return "", false, nil
	}
	var chosen []string
	for _, update := range h.Updates {
		namespace, name, ok := policyOf(update)
		if !ok {
			return "", false, nil
		}
		u, err := c.get(ctx, imagePolicies(), namespace, name)
		if bot.IsTrouble(err, bot.TroubleNotFound) && c.serves(imagePolicies()) {
			continue // nobody chooses it any more
		}
		if err != nil {
			return "", false, err
		}
		p, err := decode[reflectorv1.ImagePolicy](u)
		if err != nil {
			return "", false, err
		}
		tag := choice(p)
		if tag == "" || again(update.Bad, tag) {
			return "", false, nil
		}
		chosen = append(chosen, tag)
	}
	return strings.Join(chosen, ", "), true, nil
}

func (c *Controller) serves(r resource) bool {
	_, ok, err := c.served.version(r)
	return ok && err == nil
}

// choice is the tag that a policy chose last, with its digest where it tells it;
// empty before it has chosen.
func choice(p *reflectorv1.ImagePolicy) string {
	if ref := p.Status.LatestRef; ref != nil {
		if ref.Digest != "" {
			return ref.Tag + "@" + ref.Digest
		}
		return ref.Tag
	}
	image := p.Status.LatestImage // of reflectors before 0.33
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		return image[i+1:]
	}
	return ""
}

// again reports whether a choice is, or may be, the bad tag: where one of both
// tells no digest, the tag alone counts, and where one tells no tag, the digest.
func again(bad, chosen string) bool {
	badTag, badDigest, _ := strings.Cut(bad, "@")
	if strings.HasPrefix(bad, "sha256:") {
		badTag, badDigest = "", bad
	}
	tag, digest, _ := strings.Cut(chosen, "@")
	if badDigest != "" && digest != "" {
		return badDigest == digest
	}
	return badTag == "" || badTag == tag
}
