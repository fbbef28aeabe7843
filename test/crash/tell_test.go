package crash

import (
	"fmt"

	"github.com/backout-dev/backout/test/fakehub"
)

// How each story is told. What a story waits for is in the world or on record,
// so that it comes however often the bot was killed before.

func command(r *run) error { return r.comment("ann", "/rollback") }

func approve(r *run) error {
	if err := r.comment("ann", "/rollback"); err != nil {
		return err
	}
	if err := r.step("look for approval"); err != nil {
		return err
	}
	return r.comment("carol", "/rollback approve")
}

func alert(r *run) error { return r.alert("web") }

// cancel changes its mind while the App is held and the gate is closed.
func cancel(r *run) error {
	if err := r.comment("ann", "/rollback"); err != nil {
		return err
	}
	if err := r.step("gate"); err != nil {
		return err
	}
	return r.comment("carol", "/rollback cancel")
}

// alertsJoin has a second App's alert while the revert waits at the gate.
func alertsJoin(r *run) error {
	if err := r.alert("web"); err != nil {
		return err
	}
	if err := r.step("gate"); err != nil {
		return err
	}
	if err := r.alert("cart"); err != nil {
		return err
	}
	if err := r.until("both alerts to be taken in", func() (bool, string) {
		flows, err := r.flows()
		n := 0
		for _, status := range flows {
			if status == "SUCCESS" {
				n++
			}
		}
		return err == nil && n == 2, fmt.Sprint(flows, err)
	}); err != nil {
		return err
	}
	return r.green()
}

// baseMoves has somebody push while the revert waits at the gate.
func baseMoves(r *run) error {
	if err := r.comment("ann", "/rollback"); err != nil {
		return err
	}
	if err := r.step("gate"); err != nil {
		return err
	}
	head, err := r.stage.Repo.Commit("main", "bob", "something else", map[string]*string{"docs/other.yaml": to("other: true\n")})
	if err != nil {
		return err
	}
	r.before = head
	return r.green()
}

// review has the second pair of eyes that the branch asks for.
func review(r *run) error {
	if err := r.comment("ann", "/rollback"); err != nil {
		return err
	}
	if err := r.revert("a review to be asked for", func(pr fakehub.PR) bool { return len(pr.Asked) > 0 }); err != nil {
		return err
	}
	return r.stage.Repo.Review(r.reverts()[0].Number, "carol", "APPROVE", "")
}

// queued leaves the merge to the branch's queue.
func queued(r *run) error {
	if err := r.comment("ann", "/rollback"); err != nil {
		return err
	}
	if err := r.revert("the revert to be queued", func(pr fakehub.PR) bool { return pr.Queued }); err != nil {
		return err
	}
	return r.stage.Repo.RunQueue("main")
}

func cancelQueued(r *run) error {
	if err := r.comment("ann", "/rollback"); err != nil {
		return err
	}
	if err := r.revert("the revert to be queued", func(pr fakehub.PR) bool { return pr.Queued }); err != nil {
		return err
	}
	return r.comment("carol", "/rollback cancel")
}

// armed leaves the merge to GitHub's auto-merge.
func armed(r *run) error {
	if err := r.comment("ann", "/rollback"); err != nil {
		return err
	}
	if err := r.revert("auto-merge to be armed", func(pr fakehub.PR) bool { return pr.Auto }); err != nil {
		return err
	}
	return r.green()
}

func cancelArmed(r *run) error {
	if err := r.comment("ann", "/rollback"); err != nil {
		return err
	}
	if err := r.revert("auto-merge to be armed", func(pr fakehub.PR) bool { return pr.Auto }); err != nil {
		return err
	}
	return r.comment("carol", "/rollback cancel")
}
