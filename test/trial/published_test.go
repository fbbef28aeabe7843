package trial

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// install is what puts the published descriptions in their place.
const install = "npm ci --prefix test/trial"

// published reads a file of the packages that package-lock.json names. That it
// is missing is no reason to skip: then nothing would be on trial.
func published(path string) ([]byte, error) {
	body, err := os.ReadFile(filepath.Join("node_modules", "@octokit", path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("GitHub's published descriptions are not installed: run make deps, or: %s (%w)", install, err)
	}
	return body, err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestLockFileNamesNoAddress keeps the lock file free of where packages were
// downloaded from: that is up to whoever installs them.
func TestLockFileNamesNoAddress(t *testing.T) {
	body, err := os.ReadFile("package-lock.json")
	must(t, err)
	var lock struct {
		Packages map[string]struct{ Version, Resolved, Integrity string }
	}
	must(t, json.Unmarshal(body, &lock))
	installed := 0
	for name, p := range lock.Packages {
		if p.Resolved != "" {
			t.Errorf("%s has the address %s: see .npmrc", name, p.Resolved)
		}
		if name == "" {
			continue
		}
		if p.Integrity == "" {
			t.Errorf("%s has no integrity", name)
		}
		installed++
	}
	if installed < 4 {
		t.Errorf("the lock file has only %d packages", installed)
	}
}
