package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot/audit"
)

// auditDir is an audit log with an hour between its lines.
func auditDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l, err := audit.Open(audit.Config{Dir: dir, Now: func() time.Time { now = now.Add(time.Hour); return now }})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []audit.Entry{
		{Kind: audit.KindStart, Act: "start", Actor: "backout"},
		{Kind: audit.KindAttempt, Act: "merge", Repo: "o/r", Rollback: "rb-1", Actor: "ann", Why: "it \x1b[31mbroke"},
		{Kind: audit.KindEffect, Act: "merge", Repo: "o/r", Rollback: "rb-1", Actor: "ann", Result: "forbidden", Detail: "no"},
		{Kind: audit.KindEffect, Act: "sync", App: "prod/Kustomization/flux-system/web", Actor: "eve\nx", Result: "done"},
	} {
		if _, err := l.Append(e, true); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAudit(t *testing.T) {
	dir := auditDir(t)
	got, err := run(t, "audit", "--dir", dir)
	if err != nil {
		t.Fatal(err)
	}
	want := `1 2026-03-01T13:00:00Z start    start for backout
2 2026-03-01T14:00:00Z attempt  merge o/r rb-1 for ann "it \x1b[31mbroke"
3 2026-03-01T15:00:00Z effect   merge o/r rb-1 for ann = forbidden "no"
4 2026-03-01T16:00:00Z effect   sync prod/Kustomization/flux-system/web for "eve\nx" = done
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for args, want := range map[string]int{
		"--since 2026-03-01T15:00:00Z": 2, "--since 2026-03-02": 0, "--since 1h": 0, "--rollback rb-1": 2, "--repo o/r": 2, "--repo o/r --rollback rb-2": 0,
	} {
		got, err := run(t, append([]string{"audit", "--dir", dir}, strings.Fields(args)...)...)
		if n := strings.Count(got, "\n"); err != nil || n != want {
			t.Errorf("%s: %d lines, %v, want %d", args, n, err, want)
		}
	}
	got, err = run(t, "audit", "--dir", dir, "--json", "--rollback", "rb-1")
	var e audit.Entry
	if err != nil || json.Unmarshal([]byte(strings.SplitN(got, "\n", 2)[0]), &e) != nil || e.Seq != 2 {
		t.Errorf("%s, %v", got, err)
	}
	for args, want := range map[string]string{
		"--dir " + t.TempDir():              "holds no audit log",
		"--since yesterday --dir " + dir:    "neither a duration",
		"--config /nowhere/backout.yaml":    "read configuration",
		"--dir /nowhere --verify":           "holds no audit log",
		"--dir " + dir + " and --more args": "unknown",
	} {
		if _, err := run(t, append([]string{"audit"}, strings.Fields(args)...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}

func TestAuditVerify(t *testing.T) {
	dir := auditDir(t)
	if got, err := run(t, "audit", "--verify", "--dir", dir); err != nil || !strings.HasPrefix(got, "4 lines, number 1 to 4, head ") {
		t.Errorf("%q, %v", got, err)
	}
	file := filepath.Join(dir, "audit-000000000001.jsonl")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(b, []byte("forbidden"), []byte("done"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := run(t, "audit", "--verify", "--json", "--dir", dir)
	var r audit.Report
	if err == nil || json.Unmarshal([]byte(got), &r) != nil || len(r.Problems) != 1 {
		t.Errorf("%q, %v", got, err)
	}
}
