package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// served is how long a command's reaction and its reply took from when the
// comment was written; 0 where there was none.
func (s *storm) served(c said) (eyes, reply time.Duration) {
	mark := []byte(fmt.Sprintf("backout:reply:%d ", c.id))
	reaction := fmt.Sprintf("/issues/comments/%d/reactions", c.id)
	for _, r := range s.world.hub.Requests() {
		switch {
		case eyes == 0 && strings.HasSuffix(r.Path, reaction):
			eyes = r.End.Sub(c.at)
		case reply == 0 && r.Method == "POST" && bytes.Contains(r.Body, mark):
			reply = r.End.Sub(c.at)
		}
	}
	return eyes, reply
}

// stormCommand is how long the rollback that a person commanded in the storm
// took, until its verdict was written.
func (s *storm) stormCommand() time.Duration {
	for _, c := range s.commands {
		if !s.begins(c) {
			continue
		}
		var last time.Time
		for _, r := range s.world.hub.Requests() {
			if r.Writes > 0 && bytes.Contains(r.Body, []byte("Rolled back and verified")) && strings.Contains(string(r.Body), s.world.sticky(s.world.fresh)) && r.End.After(last) {
				last = r.End
			}
		}
		return last.Sub(c.at)
	}
	return 0
}

// requests counts the bot's own to the hub.
func (s *storm) requests() int {
	n := 0
	for _, r := range s.world.hub.Requests() {
		if r.Actor == s.world.app.BotLogin() || r.Actor == "app:"+s.world.app.Slug() {
			n++
		}
	}
	return n
}
