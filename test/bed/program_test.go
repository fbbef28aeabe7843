package bed

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sh is a program that runs a shell script, with its port as $1.
func sh(script string, ready func(context.Context, []int) error) launch {
	return launch{
		name: "sh", path: "/bin/sh", ports: 1, env: []string{"PATH=" + os.Getenv("PATH")}, ready: ready,
		args: func(p []int) []string { return []string{"-c", script, "sh", strconv.Itoa(p[0])} },
	}
}

func started(context.Context, []int) error { return nil }

func never(context.Context, []int) error { return errors.New("it says nothing") }

func TestStopTakesTheChildrenToo(t *testing.T) {
	ps := newPrograms(t.TempDir(), quiet())
	defer ps.stopAll()
	told := filepath.Join(t.TempDir(), "child")
	p, err := ps.start(t.Context(), sh("sleep 600 & echo $! > "+told+".tmp; mv "+told+".tmp "+told+"; wait",
		func(context.Context, []int) error { _, err := os.Stat(told); return err }))
	if err != nil {
		t.Fatal(err)
	}
	child := number(t, told)
	if !alive(p.Pid()) || !alive(child) {
		t.Fatalf("%d and %d should run", p.Pid(), child)
	}
	p.Stop()
	if p.Pid() != 0 {
		t.Errorf("a stopped program has pid %d", p.Pid())
	}
	wantDead(t, child)
}

func TestStartTakesOtherPortsWhenOneIsTaken(t *testing.T) {
	ps := newPrograms(t.TempDir(), quiet())
	defer ps.stopAll()
	once := filepath.Join(t.TempDir(), "once")
	var ports []int
	l := sh("test -e "+once+" && exec sleep 600; touch "+once+"; echo 'listen: bind: Address already in use'; exit 1",
		func(_ context.Context, p []int) error {
			ports = append(ports, p[0])
			_, err := os.Stat(once)
			if len(ports) > 1 && ports[0] == p[0] {
				err = errors.New("the port that was taken")
			}
			if len(ports) == 1 {
				err = errors.New("not at first")
			}
			return err
		})
	p, err := ps.start(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	first, last := ports[0], ports[len(ports)-1]
	if first == last {
		t.Errorf("ports %v", ports)
	}
	p.Stop()
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := ports[len(ports)-1]; again != last {
		t.Errorf("started again on port %d, others know it on %d", again, last)
	}
}

func TestStartTellsWhatAProgramSaidBeforeItEnded(t *testing.T) {
	ps := newPrograms(t.TempDir(), quiet())
	defer ps.stopAll()
	_, err := ps.start(t.Context(), sh("echo no such flag >&2; exit 3", never))
	if !errors.Is(err, errExited) {
		t.Fatalf("got %v, want %v", err, errExited)
	}
	for _, want := range []string{"start sh", "exit status 3", "it says nothing", "no such flag"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
}

func TestNothingStartsOnceTheBedIsDown(t *testing.T) {
	ps := newPrograms(t.TempDir(), quiet())
	waiting := make(chan error)
	running := make(chan struct{}, 100)
	go func() {
		_, err := ps.start(context.Background(), sh("exec sleep 600",
			func(context.Context, []int) error { running <- struct{}{}; return errors.New("not yet") }))
		waiting <- err
	}()
	<-running
	ps.stopAll() // does not wait for the start to give up by itself
	if err := <-waiting; !errors.Is(err, errDown) {
		t.Errorf("a start that was under way: got %v, want %v", err, errDown)
	}
	if _, err := ps.start(context.Background(), sh("exec sleep 600", started)); !errors.Is(err, errDown) {
		t.Errorf("a later start: got %v, want %v", err, errDown)
	}
	if p := ps.list()[0]; p.Pid() != 0 {
		t.Errorf("process %d is left", p.Pid())
	}
}

func TestTailIsTheEndOfTheLog(t *testing.T) {
	ps := newPrograms(t.TempDir(), quiet())
	defer ps.stopAll()
	var p *Program
	p, err := ps.start(t.Context(), sh("seq 1 30000; exec sleep 600", func(context.Context, []int) error {
		b, err := os.ReadFile(ps.list()[0].logPath())
		if err != nil || !bytes.HasSuffix(b, []byte("\n30000\n")) {
			return fmt.Errorf("%d bytes, %w", len(b), err)
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.Tail(2), "29999\n30000"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFreePortsAreFreeAndDiffer(t *testing.T) {
	ps := newPrograms(t.TempDir(), quiet())
	defer ps.stopAll()
	ports, err := ps.freePorts(20)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, p := range ports {
		if seen[p] {
			t.Errorf("port %d twice", p)
		}
		seen[p] = true
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(ports[0]))
	if err != nil {
		t.Fatalf("a free port is taken: %v", err)
	}
	l.Close()
}

// childVariable makes this test binary the parent in the test below.
const childVariable = "BED_TEST_PARENT"

// TestProgramsDieWithTheirParent kills a process that has started a program,
// as a test that runs into its limit is killed.
func TestProgramsDieWithTheirParent(t *testing.T) {
	if dir := os.Getenv(childVariable); dir != "" {
		p, err := newPrograms(dir, quiet()).start(t.Context(), sh("exec sleep 600", started))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("pid %d\n", p.Pid())
		select {}
	}
	if runtime.GOOS != "linux" {
		t.Skip("only Linux kills a child with its parent")
	}
	parent := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	parent.Env = append(os.Environ(), childVariable+"="+t.TempDir())
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(line), "pid "))
	if err != nil || !alive(pid) {
		t.Fatalf("%q should name a running process", line)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	wantDead(t, pid)
}

func number(t *testing.T, path string) int {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// alive is false for a process that is gone and for one that is only waiting
// for its new parent to reap it.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return runtime.GOOS != "linux"
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z") && !strings.HasPrefix(after, "X")
}

func wantDead(t *testing.T, pid int) {
	t.Helper()
	err := poll(t.Context(), time.Minute, "a process to die", func(context.Context) (bool, error) { return !alive(pid), nil })
	if err != nil {
		t.Errorf("process %d: %v", pid, err)
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
