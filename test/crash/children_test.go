package crash

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
)

// children are the processes that the bot is, one after the other: one that was
// killed is followed by the next, as a supervisor does it.
type children struct {
	job, log string

	mu     sync.Mutex
	now    *child
	over   bool  // no more are started
	failed error // a process ended by itself
	resent map[int64]bool

	started *sync.Cond // another process runs, or none will
}

func newChildren(job, log string) *children {
	c := &children{job: job, log: log, resent: map[int64]bool{}}
	c.started = sync.NewCond(&c.mu)
	return c
}

type child struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	killed bool
	dead   chan struct{}
}

// start starts the next process.
func (c *children) start() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // the child has its own.
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childJob+"="+c.job)
	cmd.Stdout, cmd.Stderr = log, log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return nil
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.now = &child{cmd: cmd, stdin: stdin, dead: make(chan struct{})}
	c.started.Broadcast()
	go c.follow(c.now)
	return nil
}

// follow waits for a process's end and starts the next.
func (c *children) follow(one *child) {
	err := one.cmd.Wait()
	_ = one.stdin.Close()
	c.mu.Lock()
	if !one.killed && c.failed == nil {
		c.failed = fmt.Errorf("the bot ended by itself: %w", errors.Join(err, errors.New("see its log")))
	}
	again := one.killed && !c.over
	c.mu.Unlock()
	close(one.dead)
	if !again {
		return
	}
	if err := c.start(); err != nil {
		c.mu.Lock()
		c.failed = errors.Join(c.failed, fmt.Errorf("start the bot again: %w", err))
		c.mu.Unlock()
	}
}

// slay kills the process that runs with SIGKILL and returns when it is dead.
// Between two processes it waits for the next.
func (c *children) slay() {
	c.mu.Lock()
	for c.now.killed && !c.over {
		c.started.Wait()
	}
	one := c.now
	one.killed = true
	c.mu.Unlock()
	_ = one.cmd.Process.Kill()
	<-one.dead
}

// end kills the last process.
func (c *children) end() error {
	c.mu.Lock()
	c.over = true
	c.started.Broadcast()
	c.mu.Unlock()
	c.slay()
	return c.err()
}

// is reports whether a process is the one that runs now.
func (c *children) is(pid int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now != nil && !c.now.killed && c.now.cmd.Process.Pid == pid
}

func (c *children) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// again reports whether a failed delivery was not sent again so far.
func (c *children) again(id int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.resent[id] {
		return false
	}
	c.resent[id] = true
	return true
}
