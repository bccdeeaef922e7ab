// Package postgrestest starts a PostgreSQL server for tests, where one is installed:
// in a folder of its own, on a socket in that folder, gone when the test ends.
package postgrestest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// A Server can be stopped and started again; its databases stay.
type Server struct {
	t    testing.TB
	dir  string
	bin  string
	as   *syscall.SysProcAttr
	made int
}

// Start starts a server, or skips the test if none is installed.
func Start(t testing.TB) *Server {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/createdb") // where Debian has them, not on the path
	if p, err := exec.LookPath("createdb"); len(found) == 0 && err == nil {
		found = append(found, p)
	}
	if len(found) == 0 {
		t.Skip("PostgreSQL is not installed")
	}
	// Not t.TempDir: the server runs as another user, and its socket's path must be short.
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, dir: dir, bin: filepath.Dir(found[len(found)-1])}
	t.Cleanup(func() { s.run("pg_ctl", "-D", dir+"/data", "-m", "immediate", "stop"); os.RemoveAll(dir) })
	if os.Geteuid() == 0 { // the server refuses to run as root
		s.as = otherUser(t, dir)
	}
	s.must("initdb", "-D", dir+"/data", "-U", "proctor", "--auth=trust", "--no-sync", "--locale=C.UTF-8")
	s.Up()
	return s
}

func otherUser(t testing.TB, dir string) *syscall.SysProcAttr {
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Skip("there is no user postgres to run the server as")
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

// Up starts the server.
func (s *Server) Up() {
	s.t.Helper()
	s.must("pg_ctl", "-D", s.dir+"/data", "-l", s.dir+"/log", "-w", "-o", "-c listen_addresses='' -c fsync=off -k "+s.dir, "start")
}

// Down stops it as a crash does.
func (s *Server) Down() {
	s.t.Helper()
	s.must("pg_ctl", "-D", s.dir+"/data", "-m", "immediate", "-w", "stop")
}

// Database makes a new one and returns its name for clients; collation "" sorts by bytes.
func (s *Server) Database(collation string) string {
	s.t.Helper()
	s.made++
	name := fmt.Sprintf("p%d", s.made)
	args := []string{"-h", s.dir, "-U", "proctor", "-T", "template0", name}
	if collation != "" {
		args = append([]string{"--locale-provider=icu", "--icu-locale=" + collation}, args...)
	}
	s.must("createdb", args...)
	return fmt.Sprintf("host=%s user=proctor dbname=%s", s.dir, name)
}

func (s *Server) must(program string, args ...string) {
	s.t.Helper()
	if out, err := s.run(program, args...); err != nil {
		log, _ := os.ReadFile(s.dir + "/log")
		s.t.Fatalf("%s: %v\n%s\n%s", program, err, out, log)
	}
}

func (s *Server) run(program string, args ...string) ([]byte, error) {
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir, cmd.SysProcAttr = s.dir, s.as
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.Bytes(), err
}
