package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write makes a file and returns its name.
func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPolicyCheck(t *testing.T) {
	good := write(t, ".backout.yaml", "version: 1\napps:\n- match: prod/*/*/web\n  alerts: auto\n")
	out, err := run(t, "policy", "check", good)
	if err != nil || out != good+": good (version 1, 1 entries for Apps)\n" {
		t.Errorf("a good file: %q, %v", out, err)
	}
	t.Chdir(filepath.Dir(good))
	if out, err := run(t, "policy", "check"); err != nil || !strings.HasPrefix(out, ".backout.yaml: good") {
		t.Errorf("the file at hand: %q, %v", out, err)
	}

	bad := write(t, ".backout.yaml", "version: 1\ndefaults:\n  alert: auto\n  checks:\n  - {name: a, query: 'up{pod=\"{{pod}}\"}', operator: '<'}\n")
	_, err = run(t, "policy", "check", bad)
	if err == nil {
		t.Fatal("a bad file is good")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], bad+":3: unknown key defaults.alert; did you mean alerts?") || !strings.HasPrefix(lines[1], bad+":5: defaults.checks[0]: ") {
		t.Errorf("a bad file:\n%v", err)
	}
	if _, err := run(t, "policy", "check", "no-such-file"); err == nil || !strings.Contains(err.Error(), "there is no no-such-file; name the file") {
		t.Errorf("no file: %v", err)
	}
}

func TestPolicyExplain(t *testing.T) {
	file := write(t, ".backout.yaml", "version: 1\ndefaults:\n  alerts: auto\n  guards:\n    stateful: act\napps:\n- match: prod/*/*/web\n  commands: approve\n")
	config := write(t, "backout.yaml", `data_dir: d
github: {app_id: 1, private_key_file: k, webhook_secret_files: [s]}
clusters: [{name: prod, in_cluster: true, flux: {}}]
policy:
  defaults:
    per_day: 7
  limits:
    alerts: propose
`)
	out, err := run(t, "policy", "explain", "--app", "prod/Kustomization/flux-system/web", "--file", file, "--config", config)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"alerts propose " + file + ":3 " + config + ":8 (without: auto)",
		"commands approve " + file + ":8",
		"per_day 7 " + config + ":6",
		"hold auto built in",
		"stateful act " + file + ":5",
		"pvc ask built in",
		"kill-switch observe for alerts, refuse for commands built in",
	} {
		if !strings.Contains(strings.Join(strings.Fields(out), " ")+" ", want+" ") {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}

	broken := write(t, ".backout.yaml", "version: 1\ndefaults:\n  alerts: yolo\n")
	out, err = run(t, "policy", "explain", "--app", "prod/Kustomization/flux-system/web", "--file", broken)
	if err != nil || !strings.Contains(out, broken+`:3: defaults.alerts: "yolo" is none of`) || !strings.Contains(out, "the file that is not understood (without: auto)") {
		t.Errorf("a broken file: %v\n%s", err, out)
	}

	t.Chdir(t.TempDir())
	if out, err := run(t, "policy", "explain", "--app", "prod/Kustomization/flux-system/web"); err != nil || !strings.Contains(out, "There is no .backout.yaml here") {
		t.Errorf("without a file: %v\n%s", err, out)
	}
	for _, args := range [][]string{{}, {"--app", "web"}, {"--app", "prod/Kustomization/flux-system/web", "--file", "gone"}, {"--app", "prod/Kustomization/flux-system/web", "--config", "gone"}} {
		if _, err := run(t, append([]string{"policy", "explain"}, args...)...); err == nil {
			t.Errorf("explain %v has no error", args)
		}
	}
}

func TestPolicySchema(t *testing.T) {
	out, err := run(t, "policy", "schema")
	if err != nil || !json.Valid([]byte(out)) || !strings.Contains(out, "https://json-schema.org/draft/2020-12/schema") {
		t.Errorf("%v\n%s", err, out)
	}
}
