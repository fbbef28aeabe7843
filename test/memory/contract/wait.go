package contract

import (
	"context"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

const long = 100 * time.Hour

func sleepOn(_ *testing.T, s *stage) {
	done, looked := signal(), signal()
	f := func(ctx context.Context, j bot.Journal) error {
		looked <- struct{}{}
		if err := j.Sleep(ctx, "rest", long); err != nil {
			return err
		}
		done <- struct{}{}
		return nil
	}
	s.open(f)
	s.start()
	s.get(looked, "the flow")
	s.untilSteps("sleep:rest")
	s.close()
	s.home.Advance(long + time.Second)
	s.open(f)
	s.get(done, "the sleep to end, since its time has passed")
	s.wantSteps("sleep:rest")
}

func sleepDeaf(t *testing.T, s *stage) {
	woke := signal()
	s.open(func(ctx context.Context, j bot.Journal) error {
		err := j.Sleep(ctx, "rest", long)
		if err == nil {
			woke <- struct{}{}
		}
		return err
	})
	s.start()
	s.untilSteps("sleep:rest")
	s.engine.Hint(bot.Hint{})
	s.close()
	if len(woke) > 0 {
		t.Error("a hint ended a sleep")
	}
}

// waits is a flow that looks, waits and tells.
func waits(topic bot.Hint, d time.Duration, woke chan<- struct{}) flow {
	return func(ctx context.Context, j bot.Journal) error {
		var look step
		if _, err := j.Do(ctx, "look", look.act); err != nil {
			return err
		}
		if err := j.Wait(ctx, "news", []bot.Hint{topic}, d); err != nil {
			return err
		}
		woke <- struct{}{}
		return nil
	}
}

func waitHint(_ *testing.T, s *stage) {
	woke := signal()
	s.open(waits(bot.Hint{Repo: "acme/fleet", Number: 7}, long, woke))
	s.start()
	s.untilSteps("look", "wait:news")
	s.engine.Hint(bot.Hint{Repo: "acme/fleet", Number: 7})
	s.get(woke, "the hint to wake the flow")
}

func waitTime(_ *testing.T, s *stage) {
	woke := signal()
	s.open(waits(bot.Hint{Repo: "acme/fleet"}, 20*time.Millisecond, woke))
	s.start()
	s.get(woke, "the wait to end by itself")
}

func waitOther(t *testing.T, s *stage) {
	woke := signal()
	s.open(waits(bot.Hint{Repo: "acme/fleet", Number: 7}, long, woke))
	s.start()
	s.untilSteps("look", "wait:news")
	s.engine.Hint(bot.Hint{Repo: "acme/fleet", Number: 8})
	s.engine.Hint(bot.Hint{Repo: "acme/other", Number: 7})
	s.engine.Hint(bot.Hint{Repo: "acme/fleet", Head: "0123456789012345678901234567890123456789"})
	s.close()
	if len(woke) > 0 {
		t.Error("a hint about something else woke the flow")
	}
}

func hintDuringLook(_ *testing.T, s *stage) {
	woke := signal()
	s.open(func(ctx context.Context, j bot.Journal) error {
		topic := bot.Hint{Repo: "acme/fleet", Number: 7}
		_, err := j.Do(ctx, "look", func(context.Context) ([]byte, error) {
			s.engine.Hint(topic) // what the look sees is older than this
			return nil, nil
		})
		if err != nil {
			return err
		}
		if err := j.Wait(ctx, "news", []bot.Hint{topic}, long); err != nil {
			return err
		}
		woke <- struct{}{}
		return nil
	})
	s.start()
	s.get(woke, "the wait to end at once")
}

func waitRestart(_ *testing.T, s *stage) {
	woke := signal()
	f := waits(bot.Hint{Repo: "acme/fleet", Number: 7}, long, woke)
	s.open(f)
	s.start()
	s.untilSteps("look", "wait:news")
	s.close()
	s.open(f)
	s.engine.Hint(bot.Hint{Repo: "acme/fleet", Number: 7})
	s.get(woke, "the flow to go on")
	s.wantSteps("look", "wait:news")
}

func waitRows(_ *testing.T, s *stage) {
	done := signal()
	s.open(func(ctx context.Context, j bot.Journal) error {
		for range 3 {
			if err := j.Wait(ctx, "poll", nil, time.Millisecond); err != nil {
				return err
			}
		}
		done <- struct{}{}
		return nil
	})
	s.start()
	s.get(done, "three polls")
	s.wantSteps("wait:poll", "wait:poll", "wait:poll")
}

func waitOnly(t *testing.T, s *stage) {
	looked := signal()
	f := func(ctx context.Context, j bot.Journal) error {
		for {
			if err := j.Wait(ctx, "poll", nil, long); err != nil {
				return err
			}
			looked <- struct{}{}
		}
	}
	s.open(f)
	s.start()
	s.untilSteps("wait:poll")
	s.close()
	s.open(f)
	s.get(looked, "the look after the restart")
	s.untilSteps("wait:poll", "wait:poll")
	s.close()
	if len(looked) > 0 {
		t.Error("the flow looked again although its time had not come")
	}
}

func hintOnce(t *testing.T, s *stage) {
	woke := signal()
	topic := bot.Hint{Repo: "acme/fleet", Number: 7}
	s.open(func(ctx context.Context, j bot.Journal) error {
		for {
			if err := j.Wait(ctx, "poll", []bot.Hint{topic}, long); err != nil {
				return err
			}
			woke <- struct{}{}
		}
	})
	s.start()
	s.untilSteps("wait:poll")
	s.engine.Hint(topic)
	s.get(woke, "the hint to wake the flow")
	s.untilSteps("wait:poll", "wait:poll")
	s.close()
	if len(woke) > 0 {
		t.Error("one hint woke the flow twice")
	}
}
