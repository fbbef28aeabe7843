package bed

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// publish makes sure that the head of the object's branch is served, and
// returns the status that says so.
func (s *Source) publish(ctx context.Context, r *unstructured.Unstructured) (map[string]any, error) {
	url, _, _ := unstructured.NestedString(r.Object, "spec", "url")
	ref, _, _ := unstructured.NestedStringMap(r.Object, "spec", "ref")
	branch, ok := ref["branch"]
	if !ok || len(ref) != 1 {
		return nil, errors.New("this stand-in for source-controller knows spec.ref.branch only")
	}
	head, err := s.git.head(ctx, url, branch)
	if err != nil {
		return nil, err
	}
	have, _, _ := unstructured.NestedString(r.Object, "status", "artifact", "revision")
	status := map[string]any{
		"observedGeneration":     r.GetGeneration(),
		"lastHandledReconcileAt": r.GetAnnotations()[requestedAt],
	}
	revision := branch + "@sha1:" + head
	if have != revision {
		artifact, err := s.store(ctx, r, url, branch)
		if err != nil {
			return nil, err
		}
		status["artifact"], revision = artifact, artifact["revision"].(string)
		s.log.Debug("stored", "object", r.GetName(), "revision", revision)
	}
	status["conditions"] = conditions(r, metav1.ConditionTrue, "Succeeded", "stored artifact for revision '"+revision+"'")
	return status, nil
}

// store fetches and packs a branch. Its head may have moved since it was asked
// for; the revision is that of what was packed.
func (s *Source) store(ctx context.Context, r *unstructured.Unstructured, url, branch string) (map[string]any, error) {
	folder := path.Join("gitrepository", r.GetNamespace(), r.GetName())
	if err := os.MkdirAll(filepath.Join(s.dir, filepath.FromSlash(folder)), 0o755); err != nil {
		return nil, err
	}
	pack, head, err := s.git.pack(ctx, url, branch)
	if err != nil {
		return nil, err
	}
	file := path.Join(folder, head+".tar.gz")
	full := filepath.Join(s.dir, filepath.FromSlash(file))
	if err := os.WriteFile(full+".tmp", pack, 0o644); err != nil {
		return nil, err
	}
	if err := os.Rename(full+".tmp", full); err != nil {
		return nil, err
	}
	return map[string]any{
		"path": file, "url": s.URL + "/" + file,
		"revision":       branch + "@sha1:" + head,
		"digest":         fmt.Sprintf("sha256:%x", sha256.Sum256(pack)),
		"size":           len(pack),
		"lastUpdateTime": time.Now().UTC().Format(time.RFC3339),
	}, nil
}

// conditions is the whole list: nobody else writes conditions here.
func conditions(r *unstructured.Unstructured, ready metav1.ConditionStatus, reason, message string) []metav1.Condition {
	c := Condition(r, "Ready")
	if c.Status != ready {
		c.LastTransitionTime = metav1.Now()
	}
	c.Type, c.Status, c.Reason, c.Message, c.ObservedGeneration = "Ready", ready, reason, message, r.GetGeneration()
	return []metav1.Condition{c}
}

// patch writes only what the stand-in knows of a status.
func (s *Source) patch(ctx context.Context, r *unstructured.Unstructured, status map[string]any) error {
	body, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	_, err = s.objects.Namespace(r.GetNamespace()).Patch(ctx, r.GetName(), types.MergePatchType, body,
		metav1.PatchOptions{FieldManager: "source-controller"}, "status")
	return err
}

// git runs the git command on repositories that need no credentials.
type git struct {
	env []string
	tmp string
}

// head asks a repository for the commit that a branch points at.
func (g git) head(ctx context.Context, url, branch string) (string, error) {
	out, err := g.run(ctx, "ls-remote", "--", url, "refs/heads/"+branch)
	if err != nil {
		return "", err
	}
	head, _, ok := strings.Cut(string(out), "\t")
	if !ok {
		return "", fmt.Errorf("no branch %q in %s", branch, url)
	}
	return head, nil
}

// pack fetches the head of a branch and packs its tree as tar.gz.
func (g git) pack(ctx context.Context, url, branch string) (pack []byte, head string, err error) {
	dir, err := os.MkdirTemp(g.tmp, "source-")
	if err != nil {
		return nil, "", err
	}
	defer os.RemoveAll(dir)
	if _, err := g.run(ctx, "clone", "--quiet", "--bare", "--depth=1", "--branch="+branch, "--", url, dir); err != nil {
		return nil, "", err
	}
	out, err := g.run(ctx, "-C", dir, "rev-parse", "HEAD")
	if err != nil {
		return nil, "", err
	}
	head = strings.TrimSpace(string(out))
	pack, err = g.run(ctx, "-C", dir, "archive", "--format=tar.gz", head)
	return pack, head, err
}

func (g git) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Env, cmd.Dir = g.env, g.tmp
	cmd.WaitDelay = time.Second
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(said.String()))
	}
	return out, nil
}
