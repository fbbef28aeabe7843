package durable_test

import (
	"context"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
)

func TestPruneForgetsOnlyWhatEndedLongAgo(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	e := open(t, durable.Config{Dir: dir}, noIntake, func(ctx context.Context, j bot.Journal, id bot.RollbackID) error {
		if _, err := j.Now(ctx); err != nil {
			return err
		}
		if id == "rb-waiting" {
			return j.Sleep(ctx, "rest", 1000*time.Hour)
		}
		return nil
	})
	for _, id := range []bot.RollbackID{"rb-old", "rb-new", "rb-waiting"} {
		if err := e.Start(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	db := database(t, dir)
	until(t, "two flows to end", func() bool { return count(t, db, "status = 'SUCCESS'") == 2 })
	execute(t, db, `UPDATE workflow_status SET created_at = created_at - 86400000 * 30, completed_at = completed_at - 86400000 * 30 WHERE workflow_uuid = 'rb-old'`)
	execute(t, db, `UPDATE workflow_status SET created_at = created_at - 86400000 * 30 WHERE workflow_uuid = 'rb-waiting'`)

	if n, err := e.Prune(t.Context(), time.Now()); n != 1 || err != nil {
		t.Errorf("pruned %d, %v; want the one that ended 30 days ago", n, err)
	}
	if n := count(t, db, "workflow_uuid IN ('rb-new', 'rb-waiting')"); n != 2 {
		t.Errorf("%d of 2 flows are left that an event may still come back for or that are not done", n)
	}
	if steps, err := e.Steps(t.Context(), "rb-old"); err != nil || len(steps) != 0 {
		t.Errorf("the journal of what was pruned is still there: %v, %v", steps, err)
	}
}
