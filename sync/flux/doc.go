// Package flux observes, holds and syncs the Apps that Flux delivers to one
// cluster: Kustomizations and HelmReleases. It implements [bot.Deployer].
//
// # What an App is here
//
// A Kustomization's source is its GitRepository; its revision is
// status.lastAppliedRevision, which kustomize-controller writes only after the
// health checks passed. A deploy that fails its health checks is therefore live
// in the cluster and yet not the App's revision: it is App.Attempted, and
// App.Message names it.
//
// A HelmRelease tells charts and values apart from commits: its status never
// names the commit that its values came from. So a HelmRelease has the source
// and the revision of the Kustomization that delivers it, and its own health.
// A chart in the same repository and branch adds its path, and the release is
// current only once that chart was built from the applied commit.
//
// # When the status proves something
//
// App.Current is true when the conditions were written for the present
// generation, no requested reconciliation is outstanding and the object is not
// suspended. A suspended object proves nothing: its controller copies
// reconcile.fluxcd.io/requestedAt into the status, advances
// status.observedGeneration and leaves Ready as it was, without applying
// anything.
//
// Ready on a Kustomization without spec.wait or spec.healthChecks means only
// that the objects were accepted; whether pods run is for [bot.Workloads].
//
// # Holds
//
// A hold is spec.suspend with annotations that say whose it is (see
// [AnnotationOwner]). It is a JSON merge patch against the resourceVersion that
// was read, so it never overwrites what somebody wrote meanwhile, and it is
// written as field manager "backout". The manager's name matters: a
// Kustomization takes back fields written by a manager called kubectl from the
// objects that it delivers, so a suspend set by kubectl on a delivered
// HelmRelease lasts until the next reconciliation of its parent.
//
// A hold does not stop a reconciliation that has begun; it may apply objects for
// as long as its timeout.
//
// Who else asserts spec.suspend is read from metadata.managedFields. When we
// set it, every other manager loses it, so one that owns it later came later:
//
//   - A parent whose manifest says "suspend: false" takes our hold off. App,
//     Holds, Hold and Release say so and name it; App.Hold is nil, since
//     reconciliation is on.
//   - Where somebody suspends on top of us, Release takes only our mark off,
//     and our ownership of the field, so that theirs can be taken off later.
//   - One case shows nowhere: "suspend: true" is committed under our hold and
//     nothing else of the object changes. kustomize-controller compares values
//     and finds nothing to apply. After our release it asserts the suspend on
//     the parent's next reconciliation.
//
// # Image automation
//
// A hold on an image automation is the same on an ImageUpdateAutomation, with
// what it is for (see [AnnotationImages]). It outlives its Rollback, so the
// janitor of Apps does not see it and has a sibling, [bot.SweepImages]. The
// ImagePolicy is read and never written: see [Controller.HoldImages].
//
// # Permissions
//
// To observe:
//
//	kustomize.toolkit.fluxcd.io  kustomizations                       get, list
//	helm.toolkit.fluxcd.io       helmreleases                         get, list
//	source.toolkit.fluxcd.io     gitrepositories, helmcharts          get, list
//	apps                         deployments, statefulsets, daemonsets list (metadata only; the workloads of HelmReleases)
//
// To keep image automations from bringing a bad tag back (policy "images: hold"):
//
//	image.toolkit.fluxcd.io      imageupdateautomations               list, get, patch
//	image.toolkit.fluxcd.io      imagepolicies                        get
//
// To hold, release and sync, besides: patch on kustomizations, helmreleases and
// gitrepositories. All are needed in the configured namespaces only (besides get
// on sources elsewhere, and list on workloads where releases install), or in the
// whole cluster when none is configured. API discovery is open to every
// authenticated user by default (system:discovery).
//
// # Sources
//
// Flux's documentation of Kustomization, HelmRelease and GitRepository
// (https://fluxcd.io/flux/components/), the code of kustomize-controller v1.9,
// and runs against it on test/bed.
package flux
