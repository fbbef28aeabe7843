package argo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"

	"github.com/backout-dev/backout/bot"
)

// The annotations of a hold on the Image Updater: those of a hold on the
// Application itself are others, since this one outlives its Rollback. They may
// be added to, never renamed.
const (
	imageOwnerKey    = "backout.dev/image-hold-owner"
	imageReasonKey   = "backout.dev/image-hold-reason"
	imageDeadlineKey = "backout.dev/image-hold-deadline" // RFC 3339
	imageUpdatesKey  = "backout.dev/image-hold-images"   // JSON of []bot.ImageUpdate
	imagePreviousKey = "backout.dev/image-hold-previous" // JSON of []ignored
)

var _ bot.ImageAutomations = (*Server)(nil)

// HoldImages adds the bad tags to what the Image Updater ignores on the
// Application. So newer tags still come, which no switch of the Image Updater
// would allow. An ImageUpdater resource, which version 1 reads instead of
// annotations, is out of our reach: that is told.
func (s *Server) HoldImages(ctx context.Context, l bot.ImageLease) ([]bot.ImageHeld, error) {
	byApp := map[instance][]bot.ImageUpdate{}
	var order []instance
	for _, u := range l.Updates {
		if u.By != bot.ImageArgo || u.Ref == "" {
			continue
		}
		i := s.instanceOf(strings.Replace(u.Ref, "/", "_", 1))
		if byApp[i] == nil {
			order = append(order, i)
		}
		byApp[i] = append(byApp[i], u)
	}
	if len(order) == 0 {
		return nil, nil
	}
	list, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	var out []bot.ImageHeld
	var errs []error
	for _, i := range order {
		at := slices.IndexFunc(list, func(a argov1.Application) bool { return instance{a.Namespace, a.Name} == i })
		if at < 0 {
			continue
		}
		if !s.deliversFrom(&list[at], l.Repo) {
			id := s.idOf(&list[at])
			out = append(out, bot.ImageHeld{
				ImageHold: bot.ImageHold{
					Cluster: id.Cluster, Kind: string(id.Kind), Namespace: id.Namespace, Name: id.Name,
					Owner: l.Owner, Reason: l.Reason, Deadline: l.Deadline, Updates: byApp[i],
				},
				Left: fmt.Sprintf("%s is not delivered from %s, so its images are left alone.", titleOf(&list[at]), l.Repo),
			})
			continue
		}
		held, err := s.holdImages(ctx, s.idOf(&list[at]), byApp[i], l)
		errs = append(errs, err)
		if err == nil {
			out = append(out, held)
		}
	}
	return out, errors.Join(errs...)
}

// deliversFrom reports whether an Application is built from a repository, or its
// updater writes there. Which Application a change speaks of stands in the change:
// what is written in one repository must reach no other.
func (s *Server) deliversFrom(a *argov1.Application, repo bot.RepoName) bool {
	urls := []string{a.Annotations[updaterPrefix+"git-repository"]}
	for _, src := range a.Spec.GetSources() {
		urls = append(urls, src.RepoURL)
	}
	if h := a.Spec.SourceHydrator; h != nil {
		urls = append(urls, h.DrySource.RepoURL)
	}
	return slices.ContainsFunc(urls, func(raw string) bool {
		name, _, ok := repoOn(s.cfg.Host, raw)
		return ok && strings.EqualFold(string(name), string(repo))
	})
}

func (s *Server) holdImages(ctx context.Context, id bot.AppID, updates []bot.ImageUpdate, l bot.ImageLease) (bot.ImageHeld, error) {
	held := bot.ImageHeld{ImageHold: bot.ImageHold{
		Cluster: id.Cluster, Kind: string(id.Kind), Namespace: id.Namespace, Name: id.Name,
		Owner: l.Owner, Reason: l.Reason, Deadline: l.Deadline, Updates: updates,
	}}
	a, err := s.get(ctx, id)
	if err != nil {
		return held, err
	}
	p, left, err := ignoring(a, held.ImageHold)
	if err != nil || left != "" {
		held.Left = left
		return held, err
	}
	if p != nil {
		if a, err = s.write(ctx, a, p, "hold the images of"); err != nil {
			return held, err
		}
	}
	h, ok := s.readImageHold(a)
	if held.Placed = ok && h.Owner == l.Owner; !held.Placed {
		held.Left = fmt.Sprintf("The ignored tags on %s were taken off at once by %s.", titleOf(a), s.others(a))
	}
	return held, nil
}

// ignoring decides about a hold: what to write, or what was found and is left.
// Nothing of both means that it stands.
func ignoring(a *argov1.Application, h bot.ImageHold) (p patch, left string, err error) {
	switch owner := a.Annotations[imageOwnerKey]; {
	case owner == string(h.Owner):
		return nil, "", nil
	case owner != "":
		return nil, fmt.Sprintf("%s already ignores tags for Rollback %s until %s.", titleOf(a), owner, a.Annotations[imageDeadlineKey]), nil
	}
	changes, left := ignore(a, h.Updates)
	if left != "" {
		return nil, left, nil
	}
	updates, err := json.Marshal(h.Updates)
	if err != nil {
		return nil, "", fmt.Errorf("encode a hold: %w", err)
	}
	previous, err := json.Marshal(changes)
	if err != nil {
		return nil, "", fmt.Errorf("encode a hold: %w", err)
	}
	p.test(annotationPath(imageOwnerKey), nil)
	for _, c := range changes {
		p.test(annotationPath(c.Key), c.value())
		p.annotate(c.Key, c.After)
	}
	p.annotate(imageOwnerKey, string(h.Owner))
	p.annotate(imageReasonKey, h.Reason)
	p.annotate(imageDeadlineKey, h.Deadline.UTC().Truncate(time.Second).Format(time.RFC3339))
	p.annotate(imageUpdatesKey, string(updates))
	p.annotate(imagePreviousKey, string(previous))
	return p, "", nil
}

// ReleaseImages puts the lists of ignored tags back as they were. One that
// somebody changed meanwhile is left.
func (s *Server) ReleaseImages(ctx context.Context, h bot.ImageHold) (left string, err error) {
	id := bot.AppID{Cluster: h.Cluster, Kind: bot.AppKind(h.Kind), Namespace: h.Namespace, Name: h.Name}
	if !s.Handles(id) {
		return "", bot.NewTrouble(bot.TroubleInvalid, nil, "%s is not an App of this Argo CD.", id)
	}
	a, err := s.get(ctx, id)
	if bot.IsTrouble(err, bot.TroubleNotFound) {
		return nameOf(id) + " no longer exists.", nil
	}
	if err != nil {
		return "", err
	}
	p, left := attending(a, h.Owner)
	if p == nil {
		return left, nil
	}
	a, err = s.write(ctx, a, p, "release the images of")
	if err != nil {
		return left, err
	}
	if again, ok := s.readImageHold(a); ok && again.Owner == h.Owner {
		return left, soon(nil, "release the images of "+nameOf(id), "the hold is there again")
	}
	return left, nil
}

// attending decides about the end of a hold.
func attending(a *argov1.Application, owner bot.RollbackID) (p patch, left string) {
	switch is := a.Annotations[imageOwnerKey]; {
	case is == "":
		return nil, ""
	case is != string(owner):
		return nil, fmt.Sprintf("%s ignores tags for Rollback %s.", titleOf(a), is)
	}
	p.test(annotationPath(imageOwnerKey), string(owner))
	var changes []ignored
	if json.Unmarshal([]byte(a.Annotations[imagePreviousKey]), &changes) != nil {
		left = fmt.Sprintf("The hold on %s does not say what stood there before; look at its annotations %s*.ignore-tags.", titleOf(a), updaterPrefix)
		changes = nil
	}
	for _, c := range changes {
		switch now, ok := a.Annotations[c.Key]; {
		case !strings.HasPrefix(c.Key, updaterPrefix) || !strings.HasSuffix(c.Key, ignoreTags):
			left = fmt.Sprintf("The hold on %s names annotation %s, which is not ours to change.", titleOf(a), c.Key)
		case !ok || now != c.After:
			left = fmt.Sprintf("Annotation %s of %s was changed meanwhile and was left so.", c.Key, titleOf(a))
		case c.Before == nil:
			p.test(annotationPath(c.Key), now)
			p.remove(annotationPath(c.Key))
		default:
			p.test(annotationPath(c.Key), now)
			p.annotate(c.Key, *c.Before)
		}
	}
	for _, key := range []string{imageOwnerKey, imageReasonKey, imageDeadlineKey, imageUpdatesKey, imagePreviousKey} {
		if _, ok := a.Annotations[key]; ok {
			p.remove(annotationPath(key))
		}
	}
	return p, left
}

// ImageHolds lists the Applications that bear our mark of ignored tags.
func (s *Server) ImageHolds(ctx context.Context) ([]bot.ImageHold, error) {
	list, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	var out []bot.ImageHold
	for i := range list {
		if h, ok := s.readImageHold(&list[i]); ok {
			out = append(out, h)
		}
	}
	return out, nil
}

// readImageHold reads our annotations. As with a hold on the Application, a
// deadline that can't be read is in the past.
func (s *Server) readImageHold(a *argov1.Application) (bot.ImageHold, bool) {
	id := s.idOf(a)
	deadline, _ := time.Parse(time.RFC3339, a.Annotations[imageDeadlineKey])
	h := bot.ImageHold{
		Cluster: id.Cluster, Kind: string(id.Kind), Namespace: id.Namespace, Name: id.Name,
		Owner: bot.RollbackID(a.Annotations[imageOwnerKey]), Reason: a.Annotations[imageReasonKey], Deadline: deadline,
	}
	if json.Unmarshal([]byte(a.Annotations[imageUpdatesKey]), &h.Updates) != nil {
		h.Updates = nil
	}
	return h, h.Owner != ""
}

// Newer reports whether the Application runs a later version of each image than
// the bad one: what the registry has is not ours to ask. Versions that can't be
// compared are never taken for later, since without the hold the Image Updater
// may well choose the bad tag again.
func (s *Server) Newer(ctx context.Context, h bot.ImageHold) (tags string, ok bool, err error) {
	a, err := s.get(ctx, bot.AppID{Cluster: h.Cluster, Kind: bot.AppKind(h.Kind), Namespace: h.Namespace, Name: h.Name})
	if err != nil || len(h.Updates) == 0 {
		return "", false, err
	}
	var later []string
	for _, u := range h.Updates {
		tag, ok := laterThan(u, a.Status.Summary.Images)
		if !ok {
			return "", false, nil
		}
		later = append(later, tag)
	}
	return strings.Join(later, ", "), true, nil
}

// laterThan finds what runs of an image, when all of it is later than the bad
// tag.
func laterThan(u bot.ImageUpdate, running []string) (tag string, ok bool) {
	bad, err := semver.NewVersion(tagOf(u.Bad))
	if err != nil || u.Image == "" {
		return "", false
	}
	for _, image := range running {
		name, now := splitImage(image)
		if name != u.Image {
			continue
		}
		v, err := semver.NewVersion(tagOf(now))
		if err != nil || !v.GreaterThan(bad) {
			return "", false
		}
		tag, ok = now, true
	}
	return tag, ok
}
