package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ImageBot is a program that writes image tags into repositories.
type ImageBot string

// The programs that are recognised.
const (
	ImageFlux       ImageBot = "Flux image automation"
	ImageArgo       ImageBot = "Argo CD Image Updater"
	ImageRenovate   ImageBot = "Renovate"
	ImageDependabot ImageBot = "Dependabot"
)

// ImageUpdate is one image tag that the revert takes back and a program would
// write again. Fields may be added, never renamed: they are recorded, and stand
// in annotations.
type ImageUpdate struct {
	By ImageBot `json:"by"`
	// Ref is whose choice the tag is: for Flux "namespace:name" of the
	// ImagePolicy, for Argo CD the name of the Application; empty where the
	// program has no such thing, or the change does not tell.
	Ref string `json:"ref,omitempty"`
	// Image is the image without its tag, "ghcr.io/acme/web"; empty where the
	// change does not tell.
	Image string `json:"image,omitempty"`
	// Bad and Good are the tags before and after the revert, with "@" and the
	// digest where one is pinned; a digest alone begins with "sha256:".
	Bad  string `json:"bad"`
	Good string `json:"good,omitempty"`
	Path string `json:"path"`
}

// ImageLease asks for a hold on what would write bad tags again.
type ImageLease struct {
	Updates []ImageUpdate
	// Culprit is the commit that brought the tags, and Repo where it is.
	Culprit  SHA
	Repo     RepoName
	Owner    RollbackID
	Reason   string
	Deadline time.Time
}

// ImageHold is a hold on an image automation as it is written on the object. It
// outlives its Rollback: it stands until the program would no longer choose the
// bad tag, somebody wants the tag back, or its deadline.
type ImageHold struct {
	Cluster   string `json:"cluster"`
	Kind      string `json:"kind"` // ImageUpdateAutomation or Application
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Owner is the Rollback that placed it.
	Owner    RollbackID `json:"owner"`
	Reason   string     `json:"reason,omitempty"`
	Deadline time.Time  `json:"deadline"`
	// Updates are what it keeps from coming back.
	Updates []ImageUpdate `json:"updates"`
}

// ImageHeld answers HoldImages for one object.
type ImageHeld struct {
	ImageHold
	// Placed is true when our hold stands after the call.
	Placed bool `json:"placed"`
	// Left is set when something else was found and left, or could not be held:
	// a sentence.
	Left string `json:"left,omitempty"`
}

// String is "Kind namespace/name", as people read it.
func (h ImageHold) String() string {
	return fmt.Sprintf("%s %s/%s", h.Kind, h.Namespace, h.Name)
}

// ImageFinder recognises the image tags that a revert takes back and a program
// would write again. Pure.
type ImageFinder interface {
	// Recognise gets the culprit, its commits as far as they were read, and the
	// revert with the contents of its files.
	Recognise(culprit Change, commits []Commit, rv Revert) []ImageUpdate
}

// ImageAutomations is the image automation of one cluster. As for Deployer, each
// method may be called again after a crash.
type ImageAutomations interface {
	// HoldImages holds whatever would write one of the bad tags again, and tells
	// each object that it found, held or not. Updates of other programs, and of
	// what is not in this cluster, are passed over.
	HoldImages(ctx context.Context, l ImageLease) ([]ImageHeld, error)
	// ReleaseImages undoes one hold of ours exactly. left says what was found
	// otherwise; a hold that is gone is no error.
	ReleaseImages(ctx context.Context, h ImageHold) (left string, err error)
	// ImageHolds lists the holds that carry our annotations.
	ImageHolds(ctx context.Context) ([]ImageHold, error)
	// Newer reports whether the programs would by now write none of the bad tags
	// that a hold is for, and what they would write instead. Where that can't be
	// told, ok is false: a hold too long is told, a bad tag back is an incident.
	Newer(ctx context.Context, h ImageHold) (tags string, ok bool, err error)
}

// HoldImages asks every cluster. uncovered are the updates for which no object
// was found anywhere: nothing keeps their tags from coming back. It goes on
// after errors and returns them joined; a cluster that could not be asked
// covers nothing.
func HoldImages(ctx context.Context, all []ImageAutomations, l ImageLease) (held []ImageHeld, uncovered []ImageUpdate, err error) {
	if l.Owner == "" || l.Deadline.IsZero() {
		return nil, l.Updates, NewTrouble(TroubleInvalid, nil, "A hold on image automations needs an owner and a deadline.")
	}
	var errs []error
	for _, a := range all {
		more, err := a.HoldImages(ctx, l)
		held, errs = append(held, more...), append(errs, err)
	}
	for _, u := range l.Updates {
		covers := func(h ImageHeld) bool { return slices.Contains(h.Updates, u) }
		if !slices.ContainsFunc(held, covers) {
			uncovered = append(uncovered, u)
		}
	}
	return held, uncovered, errors.Join(errs...)
}

// SweepImages is the janitor of holds on image automations: it releases each
// that is past its deadline, or whose bad tag nobody would choose any more. It
// looks only at the objects. It goes on after errors and returns them joined.
func SweepImages(ctx context.Context, all []ImageAutomations, now time.Time) (released []ImageHold, err error) {
	var errs []error
	for _, a := range all {
		holds, err := a.ImageHolds(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("list holds on image automations: %w", err))
			continue
		}
		for _, h := range holds {
			if now.Before(h.Deadline) {
				_, newer, err := a.Newer(ctx, h)
				if err != nil {
					errs = append(errs, fmt.Errorf("look for a newer tag than that of %s: %w", h, err))
				}
				if err != nil || !newer {
					continue
				}
			}
			if _, err := a.ReleaseImages(ctx, h); err != nil {
				errs = append(errs, fmt.Errorf("release %s: %w", h, err))
				continue
			}
			released = append(released, h)
		}
	}
	return released, errors.Join(errs...)
}

// ReleaseImagesOf releases the holds of one Rollback: somebody wants the tag
// back. It goes on after errors and returns them joined.
func ReleaseImagesOf(ctx context.Context, all []ImageAutomations, owner RollbackID) (left []string, err error) {
	var errs []error
	for _, a := range all {
		holds, err := a.ImageHolds(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("list holds on image automations: %w", err))
		}
		for _, h := range slices.DeleteFunc(holds, func(h ImageHold) bool { return h.Owner != owner || owner == "" }) {
			said, err := a.ReleaseImages(ctx, h)
			if err != nil {
				errs = append(errs, fmt.Errorf("release %s: %w", h, err))
			}
			if said != "" {
				left = append(left, said)
			}
		}
	}
	return left, errors.Join(errs...)
}
