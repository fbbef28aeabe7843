package bed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// launch says how to run a program.
type launch struct {
	name  string
	path  string
	ports int                       // how many it listens on
	args  func(port []int) []string // given its ports
	env   []string                  // all of it: programs inherit nothing
	// ready is nil when the program serves. It is asked again until then.
	ready func(ctx context.Context, port []int) error
}

// Program is one process of the bed, which can be stopped and started again
// with the same ports.
type Program struct {
	launch
	progs *programs

	mu      sync.Mutex
	port    []int
	settled bool // has served once, so others know its ports
	cmd     *exec.Cmd
	exited  chan struct{} // closed when cmd has been reaped
}

// errExited is the cause of a start that ended because the process did.
var errExited = errors.New("the process ended")

// Name is the program's name, also that of its log.
func (p *Program) Name() string { return p.name }

// Pid is the process ID, 0 while the program does not run.
func (p *Program) Pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// Start runs the program and returns when it serves. Between the moment the
// kernel gave us a free port and the moment the program listens on it somebody
// else may take it; such a start is tried again, with other ports unless the
// program's are known already.
func (p *Program) Start(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.progs.life.Err() != nil {
		return fmt.Errorf("start %s: %w", p.name, errDown)
	}
	begun := time.Now()
	ctx, cancel := p.progs.whileUp(ctx)
	defer cancel()
	for attempt := 1; ; attempt++ {
		if !p.settled {
			var err error
			if p.port, err = p.progs.freePorts(p.ports); err != nil {
				return fmt.Errorf("start %s: %w", p.name, err)
			}
		}
		conflict, err := p.try(ctx)
		if err == nil {
			p.settled = true
			p.progs.log.Info("started", "program", p.name, "took", since(begun))
			return nil
		}
		p.kill()
		if !conflict || attempt == 10 {
			return fmt.Errorf("start %s: %w\n%s", p.name, err, p.Tail(20))
		}
	}
}

// Stop kills the program as a crash would, and returns when it is gone.
func (p *Program) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kill()
}

// Tail is the end of the program's log.
func (p *Program) Tail(lines int) string {
	f, err := os.Open(p.logPath())
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	const most = 64 << 10
	if size, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(0, size-most), io.SeekStart)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

func (p *Program) logPath() string { return filepath.Join(p.progs.logs, p.name+".log") }

// try runs the program once. It tells whether a taken port was the trouble.
func (p *Program) try(ctx context.Context) (conflict bool, err error) {
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
	if err != nil {
		return false, err
	}
	defer log.Close()
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return false, err
	}
	cmd := exec.Command(p.path, p.args(p.port)...)
	cmd.Env, cmd.Dir = p.env, p.progs.logs
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = own()
	if err := p.progs.spawn(cmd); err != nil {
		return false, err
	}
	p.cmd, p.exited = cmd, make(chan struct{})

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func(exited chan struct{}) {
		_ = cmd.Wait() // how it ended is in ProcessState
		// What it leaves behind goes too, now, before its ID can be reused.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		close(exited)
		cancel(fmt.Errorf("%w (%s)", errExited, cmd.ProcessState))
	}(p.exited)
	err = poll(ctx, waitLimit, p.name+" to serve", func(ctx context.Context) (bool, error) {
		err := p.ready(ctx, p.port)
		return err == nil, err
	})
	if err == nil {
		return false, nil
	}
	said, _ := io.ReadAll(io.NewSectionReader(log, from, 1<<20))
	return bytes.Contains(bytes.ToLower(said), []byte("address already in use")), err
}

// kill ends the process with all that it has started, and waits until it has
// been reaped.
func (p *Program) kill() {
	if p.cmd == nil {
		return
	}
	select {
	case <-p.exited: // by itself
	default:
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.exited
	}
	p.cmd = nil
}
