package durable_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/test/memory/contract"
)

// server is a PostgreSQL server of the test run's own; TestMain stops it.
var server postgres

type postgres struct {
	once   sync.Once
	dir    string
	cmd    *exec.Cmd
	leash  io.Closer
	absent string // why there is none
	mu     sync.Mutex
	made   atomic.Int64
}

func TestMain(m *testing.M) {
	code := m.Run()
	server.stop()
	os.Exit(code)
}

func (p *postgres) up() {
	p.start()
	if p.absent == "" {
		p.prepare()
	}
}

// start brings the server up in a directory of its own, on a socket only.
func (p *postgres) start() {
	bin, err := exec.LookPath("postgres")
	if err != nil {
		p.absent = "no PostgreSQL server on this machine"
		return
	}
	p.dir, err = os.MkdirTemp("", "backout-pg-*")
	if err != nil {
		p.absent = err.Error()
		return
	}
	// The server refuses to run as root.
	as := &syscall.SysProcAttr{}
	if os.Getuid() == 0 {
		if as.Credential, err = unprivileged(p.dir); err != nil {
			p.absent = "no user to run PostgreSQL as: " + err.Error()
			return
		}
	}
	real, err := filepath.EvalSymlinks(bin)
	if err != nil {
		p.absent = err.Error()
		return
	}
	data := filepath.Join(p.dir, "data")
	initdb := exec.Command(filepath.Join(filepath.Dir(real), "initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "--no-locale", "-E", "UTF8")
	initdb.SysProcAttr = as
	initdb.Dir = p.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		p.absent = fmt.Sprintf("initdb: %v: %s", err, out)
		return
	}
	// The shell stops the server when its standard input ends, which it does
	// even if this process is killed.
	p.cmd = exec.Command("sh", "-c", `"$@" </dev/null & read -r _; kill -INT $!; wait`, "sh",
		real, "-D", data, "-k", p.dir, "-c", "listen_addresses=", "-c", "max_connections=400", "-c", "autovacuum=off",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "wal_level=minimal", "-c", "max_wal_senders=0")
	p.cmd.SysProcAttr, p.cmd.Dir = as, p.dir
	if p.leash, err = p.cmd.StdinPipe(); err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		p.cmd, p.absent = nil, err.Error()
	}
}

func unprivileged(dir string) (*syscall.Credential, error) {
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, int(uid), int(gid))
}

func (p *postgres) stop() {
	if p.cmd != nil {
		_ = p.leash.Close()
		_ = p.cmd.Wait()
	}
	if p.dir != "" {
		_ = os.RemoveAll(p.dir)
	}
}

// postgresSchema makes a schema of its own in one database, which is much
// cheaper, and returns the URL that leads into it.
func postgresSchema(t *testing.T) string {
	t.Helper()
	server.once.Do(server.up)
	if server.absent != "" {
		t.Skip(server.absent)
	}
	name := fmt.Sprintf("test_%d", server.made.Add(1))
	if err := server.query("CREATE SCHEMA " + name); err != nil {
		t.Fatal(err)
	}
	return server.url("postgres") + "&search_path=" + name
}

func (p *postgres) url(database string) string {
	return fmt.Sprintf("postgres://postgres@/%s?host=%s", database, p.dir)
}

// postgresDatabase makes a new database and returns its URL. The test is
// skipped where there is no server.
func postgresDatabase(t *testing.T) string {
	t.Helper()
	server.once.Do(server.up)
	if server.absent != "" {
		t.Skip(server.absent)
	}
	// The template must have no other connection while it is copied.
	server.mu.Lock()
	defer server.mu.Unlock()
	name := fmt.Sprintf("test_%d", server.made.Add(1))
	if err := server.query("CREATE DATABASE " + name + " TEMPLATE ready"); err != nil {
		t.Fatal(err)
	}
	return server.url(name)
}

// prepare waits for the server and makes a database that has all tables.
func (p *postgres) prepare() {
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if err = p.query("CREATE DATABASE ready"); err == nil {
			break
		}
		<-time.After(20 * time.Millisecond)
	}
	if err == nil {
		var e *durable.Engine
		e, err = durable.Open(context.Background(), durable.Config{PostgresURL: p.url("ready"), Log: discard})
		if err == nil {
			err = e.Close(patience)
		}
	}
	if err != nil {
		p.absent = "PostgreSQL does not come up: " + err.Error()
	}
}

func (p *postgres) query(query string) error {
	db, err := sql.Open("pgx", p.url("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(context.Background(), query)
	return err
}

func TestContractOnPostgreSQL(t *testing.T) {
	contract.Run(t, func(t *testing.T) contract.Home {
		return &home{config: durable.Config{PostgresURL: postgresDatabase(t)}}
	})
}

func TestExecutorIDIsExclusiveOnPostgreSQL(t *testing.T) {
	t.Parallel()
	url := postgresDatabase(t)
	open(t, durable.Config{PostgresURL: url}, noIntake, noRollback)
	if said := refused(t, durable.Config{PostgresURL: url}); !strings.Contains(said, `"backout-0"`) {
		t.Errorf("the second process with the same executor ID is told %q", said)
	}
	open(t, durable.Config{PostgresURL: url, ExecutorID: "backout-1"}, noIntake, noRollback)
}
