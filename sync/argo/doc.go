// Package argo delivers through Argo CD: it observes, holds, releases and syncs
// Applications over the API of one argocd-server, and is the only package that
// imports argo-cd. It was written against v2.14.21.
//
// # What an Application is to us
//
// An Application is a [bot.App] of kind [bot.KindApplication]. Its ID carries
// the Application's own namespace and name, and the cluster that it delivers
// *to*, which need not be the one that it lives in.
//
//   - Source: the sources on our GitHub host that share repository and branch
//     with the first one that tracks a branch (see source.go). An empty
//     targetRevision and HEAD both mean the default branch; Branch is "HEAD"
//     then, since Argo CD does not tell its name. A name does not say whether it
//     is a branch or a tag: full versions (v1.2.3) and version ranges count as
//     tags, which refuses a branch of such a name; other tags count as branches
//     and are found out when the branch is looked up.
//   - Revision: what was applied, not what was compared. Synced means that the
//     live objects equal status.sync.revision; otherwise it is the newest entry
//     of status.history. Attempted is the commit of a sync that has not
//     succeeded, or not yet (see revision.go).
//   - Current: Argo CD keeps no observedGeneration. A status counts as current
//     when no refresh and no operation is pending, the comparison was made with
//     today's source, and it is not older than the end of the last operation.
//
// # Holds
//
// A hold removes spec.syncPolicy.automated and keeps its exact JSON in an
// annotation, in one write; releasing puts it back. The skip-reconcile
// annotation is never used: it stops comparing as well. An Application that had
// no automated sync gets the annotations only, with previous "null": releasing
// turns nothing on, and people who are about to press Sync see that we are at
// work. An automated operation that still runs (retries, waits for a wave) would
// undo a mitigation, so Hold stops it; one that a person started is left and
// named.
//
// The API has no optimistic locking: Application.Patch reads, patches and writes
// on the server and, on a conflict, writes its spec and annotations again over
// the newer object; it does not look at a resourceVersion. So the patch tests
// what we have read (patch.go), and every hold is read back. What remains is the
// moment between the server's own read and write, in which a person who saves
// the same Application may win or lose.
//
// Patch also renders the branch head before it writes; where the head does not
// render, Update with validate=false is used, or no hold could be released on a
// broken branch. Update carries the whole spec, so this is done on version 2
// only: a client of version 2 would drop what version 3 has added.
//
// Whoever delivers the Application's own object (a parent Application, an
// ApplicationSet, a Flux Kustomization) may put automated sync back. That is
// seen by reading back, named in [bot.App].Message and, where it is an App, in
// Parent. An ApplicationSet removes even the annotations, unless it preserves
// them and ignores differences in /spec/syncPolicy/automated.
//
// # Image Updater
//
// A hold on the Image Updater adds the bad tags to its list of ignored tags on
// the Application, under annotations of its own (backout.dev/image-hold-*): it
// outlives its Rollback. Newer tags still come. Version 1 of the Image Updater
// reads ImageUpdater resources instead, which argocd-server does not serve; that
// is told to people. It needs "update", as any hold.
//
// # Sync
//
// Sync refreshes and then syncs what the Application tracks, never a SHA: with
// automated sync on that is refused. It prunes when the automated policy does.
// See [Server.Sync] for what it does about operations that are under way.
//
// # The connection
//
// The generated client of argo-cd (pkg/apiclient/application) runs on a
// connection of our own rather than that of pkg/apiclient, which ends the
// process when it can't open its socket in the temporary folder, dials without
// regard to the context, and keeps one token for life. Ours reconnects by itself
// within 5 s of the server's return, reads the token for each call, and speaks
// gRPC-web (web.go) where a proxy in front of Argo CD knows only HTTP/1.
//
// # Permissions
//
// The account (accounts.backout: apiKey in argocd-cm) needs in argocd-rbac-cm,
// for each project it is to see:
//
//	p, role:backout, applications, get,    <project>/*, allow   # observe, refresh, read sync windows
//	p, role:backout, applications, sync,   <project>/*, allow   # sync, stop a stuck operation
//	p, role:backout, applications, update, <project>/*, allow   # hold and release only
//	g, backout, role:backout
//
// In Argo CD 2 update on an Application also allows writing to the objects that
// it delivers. To take that away, add
//
//	p, role:backout, applications, update/*, <project>/*, deny
//
// and server.rbac.disableApplicationFineGrainedRBACInheritance: "true" in
// argocd-cm, without which the denial has no effect.
//
// A bot that never holds has the first two only. Applications outside the
// control plane's namespace are <project>/<namespace>/* instead of <project>/*.
// No other resource (projects, repositories, clusters) is read. The version is
// told to everybody.
package argo
