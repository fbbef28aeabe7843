package faults

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/cmd/app"
)

// disk is a small disk of its own. Mounting needs root; elsewhere the trial is
// skipped.
func disk(t *testing.T, mib int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mib)); err != nil {
		t.Skipf("a small disk can't be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// fill writes until nothing more fits, and returns how to make room.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for chunk := make([]byte, 4<<10); err == nil; {
		_, err = f.Write(chunk)
	}
	_ = f.Close() // the disk is full
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

// TestDiskFull fills the disk while a revert waits for CI.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := disk(t, 24)
	storeSpoiled(t, dir, func(t *testing.T) (mend func()) { return fill(t, dir) })
}

// TestDatabaseTurnsReadOnly makes the files of the open database unwritable, for
// root as well, while a revert waits for CI.
func TestDatabaseTurnsReadOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	storeSpoiled(t, dir, func(t *testing.T) (mend func()) {
		// Not the index of the log: it is mapped into memory, and a page of it
		// that can't be written ends the process.
		db := filepath.Join(dir, "data", "backout.db")
		files := []string{db, db + "-wal"}
		chattr := func(flag string) ([]byte, error) {
			return exec.Command("chattr", append([]string{flag}, files...)...).CombinedOutput()
		}
		free := func() { _, _ = chattr("-i") }
		t.Cleanup(free)
		if out, err := chattr("+i"); err != nil {
			t.Skipf("files can't be made immutable here: %v\n%s", err, out)
		}
		return free
	})
}

// storeSpoiled spoils the store while a revert waits for CI. Nothing is accepted
// that isn't durable, readiness is red, and the Rollback goes on when the store
// is mended: one pull request, one merge, one comment.
func storeSpoiled(t *testing.T, dir string, spoil func(t *testing.T) (mend func())) {
	t.Helper()
	w := newWorld(t, setup{slowCI: true, durable: true, config: func(c *app.Config) { c.DataDir = filepath.Join(dir, "data") }})
	w.comment("/rollback")
	w.waitsForCI()
	if code := w.ready(); code != http.StatusOK {
		t.Fatalf("readiness %d before", code)
	}
	w.faulty = w.clock.Now()
	mend := spoil(t)
	// What the store still has room for is accepted and kept.
	var accepted []string
	w.await("a webhook that is not accepted", func() (bool, string) {
		a := w.stage.Cluster.Alerts()[0]
		a.Fingerprint = fmt.Sprintf("%016x", 1000+len(accepted))
		a.Labels = map[string]string{"alertname": "Noise" + strings.Repeat("x", 2000), "n": a.Fingerprint}
		code, err := w.stage.SendAlerts(w.ctx, a)
		w.must(err)
		if code/100 == 2 {
			accepted = append(accepted, a.Fingerprint)
		}
		return code == http.StatusServiceUnavailable, fmt.Sprint(code)
	})
	if code := w.ready(); code != http.StatusServiceUnavailable {
		t.Errorf("readiness %d with a spoiled store", code)
	}
	w.must(w.stage.Repo.SetCheck(w.mine()[0].HeadSHA, "ci", "success", nil))
	w.await("a step that is not recorded", func() (bool, string) { return w.log.has("flow failed and will run again"), "" })
	mend()
	w.await("readiness", func() (bool, string) { code := w.ready(); return code == http.StatusOK, fmt.Sprint(code) })
	w.verified()
	t.Logf("%d alerts accepted before the first 503", len(accepted))
}

// waitsForCI waits until the revert is open and its check is not.
func (w *world) waitsForCI() {
	w.t.Helper()
	w.await("a revert that waits for CI", func() (bool, string) {
		rec, ok := w.rollback()
		return ok && rec.View != nil && strings.Contains(rec.View.Waiting, "ci"), fmt.Sprintf("%+v", rec.View)
	})
}

// verified waits for the end that everybody wants, in real time.
func (w *world) verified() {
	w.t.Helper()
	var rec bot.Record
	w.await("a verdict", func() (bool, string) {
		rec, _ = w.rollback()
		return rec.End != nil, fmt.Sprintf("%+v", rec.View)
	})
	w.await("the comment", func() (bool, string) {
		all := strings.Join(w.comments(), "\n")
		return strings.Contains(all, "verified"), all
	})
	w.settled(rec, want{verdict: bot.VerdictVerified, says: []string{"verified"}})
	w.once()
}

// TestReadOnlyDisk refuses to start on a disk that can't be written, and says
// so; when it can be, the Rollback goes on.
func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	dir := disk(t, 24)
	w := newWorld(t, setup{slowCI: true, durable: true, config: func(c *app.Config) { c.DataDir = filepath.Join(dir, "data") }})
	w.comment("/rollback")
	w.waitsForCI()
	w.faulty = w.clock.Now()
	w.must(w.stage.Stop())
	w.await("that nothing there is open for writing", func() (bool, string) {
		err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
		return err == nil, fmt.Sprint(err)
	})
	err := w.stage.Rewire(w.ctx, nil)
	if err == nil || !strings.Contains(err.Error(), "read-only") && !strings.Contains(err.Error(), "not writable") {
		t.Errorf("started on a read-only disk: %v", err)
	}
	w.must(syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=24m"))
	w.must(w.stage.Rewire(w.ctx, nil))
	w.stage.Start(w.ctx)
	w.must(w.stage.Repo.SetCheck(w.mine()[0].HeadSHA, "ci", "success", nil))
	w.verified()
}

// ready asks for readiness as a kubelet does.
func (w *world) ready() int {
	w.t.Helper()
	resp, err := (&http.Client{Timeout: 5 * time.Second}).Get(w.stage.InternalURL() + "/readyz")
	w.must(err)
	w.must(resp.Body.Close())
	return resp.StatusCode
}
