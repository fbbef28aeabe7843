package bed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"runtime"
	"sync"
)

// programs starts processes and remembers them, so that all can be stopped.
type programs struct {
	logs string // folder of the log files
	log  *slog.Logger

	forks  chan func()
	gone   chan struct{}   // closed when nothing will be forked any more
	life   context.Context // of all programs, ends first
	ending context.CancelFunc

	mu    sync.Mutex
	all   []*Program
	given map[int]bool // ports handed out, never twice
}

func newPrograms(logs string, log *slog.Logger) *programs {
	ps := &programs{
		logs: logs, log: log, given: map[int]bool{},
		forks: make(chan func()), gone: make(chan struct{}),
	}
	ps.life, ps.ending = context.WithCancel(context.Background())
	go ps.fork()
	return ps
}

// fork starts all processes from one thread that lives as long as the bed: the
// kernel sends the signal of a parent's death when the *thread* that started
// the child ends, and Go ends threads as it likes.
func (ps *programs) fork() {
	runtime.LockOSThread()
	for {
		select {
		case f := <-ps.forks:
			f()
		case <-ps.gone:
			return
		}
	}
}

func (ps *programs) spawn(cmd *exec.Cmd) error {
	started := make(chan error, 1)
	select {
	case ps.forks <- func() { started <- cmd.Start() }:
		return <-started
	case <-ps.life.Done():
		return errDown
	}
}

// whileUp is ctx, ended when the bed goes down.
func (ps *programs) whileUp(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(ps.life, func() { cancel(errDown) })
	return ctx, func() { stop(); cancel(nil) }
}

// errDown refuses to start a program in a bed that was taken down.
var errDown = errors.New("the bed is down")

// start runs a program for the first time.
func (ps *programs) start(ctx context.Context, l launch) (*Program, error) {
	p := &Program{launch: l, progs: ps}
	ps.mu.Lock()
	ps.all = append(ps.all, p)
	ps.mu.Unlock()
	return p, p.Start(ctx)
}

func (ps *programs) list() []*Program {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return append([]*Program(nil), ps.all...)
}

// stopAll kills every program and waits until all are gone. Nothing here is
// worth a graceful end.
func (ps *programs) stopAll() {
	ps.ending()
	var wg sync.WaitGroup
	for _, p := range ps.list() {
		wg.Go(p.Stop)
	}
	wg.Wait()
	close(ps.gone)
}

// freePorts asks the kernel for ports of loopback that nobody listens on.
func (ps *programs) freePorts(n int) ([]int, error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	var ports []int
	for len(ports) < n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close() // held until all are found, so that they differ
		port := l.Addr().(*net.TCPAddr).Port
		if !ps.given[port] {
			ps.given[port] = true
			ports = append(ports, port)
		}
	}
	return ports, nil
}
