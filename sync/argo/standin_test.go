package argo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	applicationpkg "github.com/argoproj/argo-cd/v2/pkg/apiclient/application"
	versionpkg "github.com/argoproj/argo-cd/v2/pkg/apiclient/version"
	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/argoproj/gitops-engine/pkg/sync/common"
	jsonpatch "github.com/evanphx/json-patch"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backout-dev/backout/bot"
)

// standIn is a stand-in for argocd-server and its controller, over real gRPC. It
// keeps Applications in memory and copies the parts of v2.14.21 that we rely on,
// codes and sentences included (server/application/application.go); the same
// stories run against the real one in e2e_stories_test.go. It deploys nothing.
type standIn struct {
	applicationpkg.ApplicationServiceServer // what is not used

	addr string

	mu      sync.Mutex
	apps    map[instance]*argov1.Application
	live    map[instance]string // commit that the objects are made from
	head    string              // of the tracked branch
	broken  bool                // the head does not render
	hangs   bool                // operations do not end by themselves
	window  bool                // a sync window denies
	token   string
	version string
	denied  []string                  // actions that RBAC denies
	lost    bool                      // the cluster can't be read
	unasked func(*argov1.Application) // somebody writes right after our write
	rival   func(*argov1.Application) // somebody acts right before our sync
	deaf    int                       // how many terminations get lost
	calls   []string                  // writes
	grpc    *grpc.Server
}

const (
	token = "a-token"
	sha1  = "1111111111111111111111111111111111111111"
	sha2  = "2222222222222222222222222222222222222222"
	sha3  = "3333333333333333333333333333333333333333"
)

func newStandIn(t *testing.T) *standIn {
	t.Helper()
	s := &standIn{
		apps: map[instance]*argov1.Application{}, live: map[instance]string{},
		head: sha1, token: token, version: "v2.14.21+abcdef0",
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	s.serve(t, l)
	return s
}

func (s *standIn) serve(t *testing.T, l net.Listener, opts ...grpc.ServerOption) {
	server := grpc.NewServer(append(opts, grpc.UnaryInterceptor(s.authenticate))...)
	applicationpkg.RegisterApplicationServiceServer(server, s)
	versionpkg.RegisterVersionServiceServer(server, s)
	s.grpc = server
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
}

// client is ours, for a stand-in.
func (s *standIn) client(t *testing.T, edit ...func(*Config)) *Server {
	t.Helper()
	c := Config{
		Cluster: "prod", Server: s.addr, PlainText: true, Host: "github.com", Timeout: 10 * time.Second,
		Token: func() (string, error) { return token, nil },
		Log:   slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, e := range edit {
		e(&c)
	}
	server, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

// add makes an Application that runs the head.
func (s *standIn) add(name string, edit ...func(*argov1.Application)) *argov1.Application {
	a := application(name)
	for _, e := range edit {
		e(a)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[key(a)], s.live[key(a)] = a, s.head
	a.Status.History = argov1.RevisionHistories{{Revision: s.head, Source: a.Spec.GetSource(), DeployedAt: metav1.Now()}}
	s.compare(a)
	return a
}

func application(name string) *argov1.Application {
	return &argov1.Application{
		ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: name},
		Spec: argov1.ApplicationSpec{
			Project:     "default",
			Source:      &argov1.ApplicationSource{RepoURL: "https://github.com/acme/fleet", Path: "apps/" + name, TargetRevision: "main"},
			Destination: argov1.ApplicationDestination{Server: argov1.KubernetesInternalAPIServerAddr, Namespace: "shop"},
		},
	}
}

func auto(p argov1.SyncPolicyAutomated) func(*argov1.Application) {
	return func(a *argov1.Application) { a.Spec.SyncPolicy = &argov1.SyncPolicy{Automated: &p} }
}

func appID(name string) bot.AppID {
	return bot.AppID{Cluster: "prod", Kind: bot.KindApplication, Namespace: "argocd", Name: name}
}

func key(a *argov1.Application) instance { return instance{a.Namespace, a.Name} }

// look returns a copy of an Application.
func (s *standIn) look(name string) *argov1.Application {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.apps[instance{"argocd", name}].DeepCopy()
}

// set changes how the stand-in behaves.
func (s *standIn) set(edit func(*standIn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	edit(s)
}

// push moves the branch.
func (s *standIn) push(head string) { s.set(func(s *standIn) { s.head = head }) }

// change edits an Application past the API.
func (s *standIn) change(name string, edit func(*argov1.Application)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	edit(s.apps[instance{"argocd", name}])
}

func (s *standIn) called() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// compare is one look of the controller.
func (s *standIn) compare(a *argov1.Application) {
	delete(a.Annotations, argov1.AnnotationKeyRefresh)
	now := metav1.Now()
	a.Status.ReconciledAt = &now
	a.Status.Conditions = nil
	a.Status.Sync = argov1.SyncStatus{Status: argov1.SyncStatusCodeOutOfSync, Revision: s.head, ComparedTo: argov1.ComparedTo{Source: a.Spec.GetSource()}}
	a.Status.Health.Status = health.HealthStatusHealthy
	switch {
	case s.broken:
		a.Status.Sync.Status = argov1.SyncStatusCodeUnknown
		a.Status.Conditions = []argov1.ApplicationCondition{{Type: argov1.ApplicationConditionComparisonError, Message: "it does not render"}}
	case s.live[key(a)] == s.head:
		a.Status.Sync.Status = argov1.SyncStatusCodeSynced
	case automated(a) != nil && a.Operation == nil && !s.window:
		s.begin(a, &argov1.Operation{
			Sync: &argov1.SyncOperation{Revision: s.head, Prune: automated(a).Prune}, InitiatedBy: argov1.OperationInitiator{Automated: true},
		})
	}
}

// begin starts an operation and, unless it hangs, ends it.
func (s *standIn) begin(a *argov1.Application, o *argov1.Operation) {
	a.Operation = o
	a.Status.OperationState = &argov1.OperationState{
		Operation: *o, Phase: common.OperationRunning, StartedAt: metav1.Now(), Message: "waiting",
		SyncResult: &argov1.SyncOperationResult{Revision: o.Sync.Revision, Source: a.Spec.GetSource()},
	}
	if !s.hangs {
		s.end(a, common.OperationSucceeded)
	}
}

func (s *standIn) end(a *argov1.Application, phase common.OperationPhase) {
	o, now := a.Status.OperationState, metav1.Now()
	o.Phase, o.FinishedAt, o.Message = phase, &now, ""
	if phase == common.OperationSucceeded {
		s.live[key(a)] = a.Operation.Sync.Revision
		a.Status.History = append(a.Status.History, argov1.RevisionHistory{Revision: a.Operation.Sync.Revision, Source: a.Spec.GetSource(), DeployedAt: now})
	}
	a.Operation = nil
	s.compare(a)
}

func (s *standIn) authenticate(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	s.mu.Lock()
	want := s.token
	s.mu.Unlock()
	if !slices.Equal(md["token"], []string{want}) {
		return nil, status.Error(codes.Unauthenticated, "invalid session: signature is invalid")
	}
	return next(ctx, req)
}

func (s *standIn) Version(context.Context, *emptypb.Empty) (*versionpkg.VersionMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &versionpkg.VersionMessage{Version: s.version}, nil
}

// find is getAppEnforceRBAC.
func (s *standIn) find(namespace, name, action string) (*argov1.Application, error) {
	a := s.apps[instance{namespace, name}]
	if a == nil || s.lost || slices.Contains(s.denied, "get") {
		return nil, status.Error(codes.PermissionDenied, "permission denied")
	}
	return a, s.enforce(a, action)
}

func (s *standIn) enforce(a *argov1.Application, action string) error {
	if slices.Contains(s.denied, action) {
		return status.Errorf(codes.PermissionDenied, "permission denied: applications, %s, %s, sub: bot", action, a.RBACName("argocd"))
	}
	return nil
}

func (s *standIn) List(_ context.Context, q *applicationpkg.ApplicationQuery) (*argov1.ApplicationList, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &argov1.ApplicationList{}
	for k, a := range s.apps {
		if slices.Contains(s.denied, "get") || q.GetAppNamespace() != "" && q.GetAppNamespace() != k.namespace || q.GetName() != "" && q.GetName() != k.name ||
			len(q.Projects) > 0 && !slices.Contains(q.Projects, a.Spec.Project) {
			continue
		}
		l.Items = append(l.Items, *a.DeepCopy())
	}
	slices.SortFunc(l.Items, func(a, b argov1.Application) int { return len(a.Name) - len(b.Name) })
	return l, nil
}

func (s *standIn) Get(ctx context.Context, q *applicationpkg.ApplicationQuery) (*argov1.Application, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.find(q.GetAppNamespace(), q.GetName(), "get")
	if err != nil {
		return nil, err
	}
	if q.Refresh != nil {
		s.calls = append(s.calls, "refresh "+q.GetRefresh())
		s.compare(a)
	}
	return a.DeepCopy(), ctx.Err()
}

func (s *standIn) Patch(_ context.Context, q *applicationpkg.ApplicationPatchRequest) (*argov1.Application, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.find(q.GetAppNamespace(), q.GetName(), "update")
	if err != nil {
		return nil, err
	}
	s.calls = append(s.calls, "patch")
	p, err := jsonpatch.DecodePatch([]byte(q.GetPatch()))
	if err != nil {
		return nil, fmt.Errorf("error decoding json patch: %w", err)
	}
	before, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	after, err := p.Apply(before)
	if err != nil {
		return nil, fmt.Errorf("error applying patch: %w", err)
	}
	next := &argov1.Application{}
	if err := json.Unmarshal(after, next); err != nil {
		return nil, err
	}
	return s.update(a, next, true)
}

func (s *standIn) Update(_ context.Context, q *applicationpkg.ApplicationUpdateRequest) (*argov1.Application, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := q.GetApplication()
	a, err := s.find(next.Namespace, next.Name, "update")
	if err != nil {
		return nil, err
	}
	s.calls = append(s.calls, "update")
	return s.update(a, next, q.Validate == nil || *q.Validate)
}

// update is validateAndUpdateApp: spec, labels and annotations are replaced.
func (s *standIn) update(a, next *argov1.Application, validate bool) (*argov1.Application, error) {
	if validate && s.broken {
		return nil, status.Errorf(codes.InvalidArgument, "application spec for %s is invalid: InvalidSpecError: it does not render", a.Name)
	}
	if next.Spec.SyncPolicy.IsZero() {
		next.Spec.SyncPolicy = nil
	}
	a.Spec, a.Annotations = next.Spec, next.Annotations
	if s.unasked != nil {
		time.AfterFunc(settle/4, func() { s.change(a.Name, s.unasked) }) // a controller needs a moment
	}
	return a.DeepCopy(), nil
}

func (s *standIn) Sync(_ context.Context, q *applicationpkg.ApplicationSyncRequest) (*argov1.Application, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.find(q.GetAppNamespace(), q.GetName(), "get")
	if err != nil {
		return nil, err
	}
	if s.window {
		return nil, status.Error(codes.PermissionDenied, "cannot sync: blocked by sync window")
	}
	if err := s.enforce(a, "sync"); err != nil {
		return nil, err
	}
	if q.GetRevision() != "" && automated(a) != nil {
		return nil, status.Errorf(codes.FailedPrecondition, "Cannot sync to %s: auto-sync currently set to %s", q.GetRevision(), a.Spec.Source.TargetRevision)
	}
	if s.rival != nil {
		s.rival(a)
	}
	if a.Operation != nil {
		return nil, status.Error(codes.FailedPrecondition, "another operation is already in progress")
	}
	s.calls = append(s.calls, fmt.Sprintf("sync prune=%v", q.GetPrune()))
	s.begin(a, &argov1.Operation{
		Sync: &argov1.SyncOperation{Revision: s.head, Prune: q.GetPrune()}, Info: q.Infos, InitiatedBy: argov1.OperationInitiator{Username: "bot"},
	})
	return a.DeepCopy(), nil
}

func (s *standIn) TerminateOperation(_ context.Context, q *applicationpkg.OperationTerminateRequest) (*applicationpkg.OperationTerminateResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.find(q.GetAppNamespace(), q.GetName(), "sync")
	if err != nil {
		return nil, err
	}
	if a.Operation == nil || a.Status.OperationState == nil {
		return nil, status.Error(codes.InvalidArgument, "Unable to terminate operation. No operation is in progress")
	}
	s.calls = append(s.calls, "terminate")
	if s.deaf--; s.deaf >= 0 {
		return nil, status.Error(codes.Internal, "Failed to terminate app. Too many conflicts")
	}
	s.hangs = false
	s.end(a, common.OperationFailed)
	return &applicationpkg.OperationTerminateResponse{}, nil
}

func (s *standIn) GetApplicationSyncWindows(context.Context, *applicationpkg.ApplicationSyncWindowsQuery) (*applicationpkg.ApplicationSyncWindowsResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.window {
		return nil, errors.New("no windows")
	}
	kind, schedule, duration, manual, can := "deny", "0 18 * * 5", "60h", false, false
	return &applicationpkg.ApplicationSyncWindowsResponse{
		CanSync:       &can,
		ActiveWindows: []*applicationpkg.ApplicationSyncWindow{{Kind: &kind, Schedule: &schedule, Duration: &duration, ManualSync: &manual}},
	}, nil
}
