package argo

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/Masterminds/semver/v3"
	applicationpkg "github.com/argoproj/argo-cd/v2/pkg/apiclient/application"
	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	jsonpatch "github.com/evanphx/json-patch"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/backout-dev/backout/bot"
)

// isVersion2 reports whether every field of an Application passes through this
// client. From version 3 on there are some that it would drop.
func (s *Server) isVersion2(ctx context.Context) bool {
	v, err := s.version.Version(ctx, &emptypb.Empty{})
	if err != nil {
		return false
	}
	parsed, err := semver.NewVersion(v.Version)
	return err == nil && parsed.Major() == 2
}

// overwrite does what Patch does, but does not have the branch head rendered
// first: a head that does not render must not keep a hold from being released.
// It writes the whole spec from here, so only for an Argo CD of our version.
func (s *Server) overwrite(ctx context.Context, id bot.AppID, body []byte) error {
	a, err := s.get(ctx, id)
	if err != nil {
		return err
	}
	p, err := jsonpatch.DecodePatch(body)
	if err != nil {
		return err
	}
	before, err := json.Marshal(a)
	if err != nil {
		return err
	}
	after, err := p.Apply(before)
	if err != nil {
		return fmt.Errorf("%s: %w", saysMismatch, err)
	}
	next, validate := &argov1.Application{}, false
	if err := json.Unmarshal(after, next); err != nil {
		return err
	}
	_, err = s.apps.Update(ctx, &applicationpkg.ApplicationUpdateRequest{Application: next, Validate: &validate})
	return err
}
