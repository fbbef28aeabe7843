package bot

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// imageHold is how long an image automation is held at most: long enough for
// people to make a newer tag, and bounded, as every hold is.
const imageHold = 7 * 24 * time.Hour

// mostCommits bounds how many of a culprit's commits are read to learn who wrote
// them.
const mostCommits = 50

// images recognises the tags that a revert takes back and a program would write
// again. It is part of the plan, so it only reads.
func (f *Flow) images(ctx context.Context, rb Rollback, p Policy, rv Revert) ([]ImageUpdate, error) {
	if f.Ports.Images == nil || p.Images == "" || p.Images == "none" || rv.Status != RevertClean {
		return nil, nil
	}
	var commits []Commit
	for _, sha := range rb.Culprit.Commits[:min(len(rb.Culprit.Commits), mostCommits)] {
		c, err := f.Ports.History.Commit(ctx, rb.Repo, sha)
		if err != nil {
			return nil, fmt.Errorf("read commit %s: %w", sha.Short(), err)
		}
		commits = append(commits, c)
	}
	return f.Ports.Images.Recognise(rb.Culprit, commits, rv), nil
}

// heldImages is what holding image automations came to.
type heldImages struct {
	Held      []ImageHeld   `json:"held,omitempty"`
	Uncovered []ImageUpdate `json:"uncovered,omitempty"`
	// Failed is set when some cluster could not be asked.
	Failed string `json:"failed,omitempty"`
}

// holdImages keeps image automations from writing the bad tags again. It comes
// before the merge where Backout merges, and else right after it. That it did
// not work is no reason to leave production broken: people are told.
func (r *run) holdImages(ctx context.Context) error {
	if len(r.plan.Images) == 0 || r.imagesAsked {
		return nil
	}
	r.imagesAsked = true
	d, err := attemptUpTo(ctx, r.Flow, r.j, commandTries, "hold images", func(ctx context.Context) (heldImages, error) {
		var out heldImages
		var err error
		out.Held, out.Uncovered, err = HoldImages(ctx, r.Ports.Fleet.Images, ImageLease{
			Updates: r.plan.Images, Culprit: r.rb.Culprit.Head(), Repo: r.rb.Repo, Owner: r.id,
			Reason:   fmt.Sprintf("Backout reverts %s", r.rb.Culprit.Head().Short()),
			Deadline: r.Now().Add(imageHold).UTC().Truncate(time.Second),
		})
		if err != nil {
			out.Failed = AsTrouble(err).Text
		}
		return out, nil
	})
	if err != nil {
		return err
	}
	r.imagesHeld = d.Value.Held
	r.view.Notes = append(r.view.Notes, imageNotes(d.Value)...)
	if d.Trouble != nil {
		r.view.Notes = append(r.view.Notes, "Nothing keeps the image automation from bringing the bad tag back: "+d.Trouble.Text)
	}
	return nil
}

// imageNotes tell people what is held, until when, and what nobody holds.
func imageNotes(h heldImages) []string {
	var out []string
	for _, held := range h.Held {
		if held.Placed {
			out = append(out, fmt.Sprintf("%s is held until %s, so that %s does not bring back %s. It is let go before that once a newer tag is chosen, or by `/reapply`.",
				held.ImageHold, held.Deadline.UTC().Format(time.RFC3339), held.Updates[0].By, badTags(held.Updates)))
		}
		if held.Left != "" {
			out = append(out, held.Left)
		}
	}
	if h.Failed != "" {
		out = append(out, "Some image automations could not be held: "+h.Failed)
	}
	for _, u := range h.Uncovered {
		out = append(out, fmt.Sprintf("Nothing keeps %s from bringing back %s (`%s`). %s", u.By, badTags([]ImageUpdate{u}), u.Path, u.advice()))
	}
	return out
}

// advice is what a person does where nothing is held.
func (u ImageUpdate) advice() string {
	switch u.By {
	case ImageFlux:
		return fmt.Sprintf("No ImageUpdateAutomation for ImagePolicy %s was found: suspend it by hand.", strings.Replace(u.Ref, ":", "/", 1))
	case ImageArgo:
		return "Add the tag to what the Image Updater ignores."
	case ImageRenovate:
		return "Close the pull request that Renovate opens anew, or leave the version out with allowedVersions in its configuration."
	case ImageDependabot:
		return "Answer its next pull request with \"@dependabot ignore this patch version\" (or minor, or major)."
	}
	return ""
}

// badTags names tags with their images, few of them.
func badTags(us []ImageUpdate) string {
	const few = 5
	var out []string
	for i, u := range us {
		if i == few {
			out = append(out, fmt.Sprintf("%d more", len(us)-few))
			break
		}
		name := u.Bad
		if u.Image != "" {
			name = u.Image + ":" + u.Bad
			if strings.HasPrefix(u.Bad, "sha256:") {
				name = u.Image + "@" + u.Bad
			}
		}
		out = append(out, "`"+name+"`")
	}
	return strings.Join(out, ", ")
}

// letImagesGo is the compensation: without a merge nothing was taken back, and
// the automation must go on.
func (r *run) letImagesGo(ctx context.Context, end *stop) error {
	if r.merged.Merged || !placed(r.imagesHeld) {
		return nil
	}
	d, err := attemptUpTo(ctx, r.Flow, r.j, commandTries, "let images go", func(ctx context.Context) ([]string, error) {
		return ReleaseImagesOf(ctx, r.Ports.Fleet.Images, r.id)
	})
	if err != nil {
		return err
	}
	r.view.Notes = append(r.view.Notes, d.Value...)
	if d.Trouble != nil {
		end.todo = append(end.todo, "Let the image automation go on, or it is let go at its deadline: "+d.Trouble.Text)
		return nil
	}
	r.view.Notes = append(r.view.Notes, "The image automation goes on: nothing was merged.")
	return nil
}

func placed(held []ImageHeld) bool {
	for _, h := range held {
		if h.Placed {
			return true
		}
	}
	return false
}

// freeImages lets the image automation of a Rollback go on, since somebody wants
// its tag back. What can't be released now is released at its deadline.
func (f *Flow) freeImages(ctx context.Context, id RollbackID) {
	left, err := ReleaseImagesOf(ctx, f.Ports.Fleet.Images, id)
	if err != nil || len(left) > 0 {
		f.Log.WarnContext(ctx, "image automation not let go", "rollback", id, "left", left, "error", err)
	}
}
