package jail

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func init() {
	attempts["own-loopback"] = ownLoopback
	attempts["ipv6"] = func(string) error { return opened(unix.AF_INET6, unix.SOCK_STREAM, 0) }
	attempts["netlink"] = func(string) error { return opened(unix.AF_NETLINK, unix.SOCK_RAW, 0) }
	attempts["packet"] = func(string) error { return opened(unix.AF_PACKET, unix.SOCK_DGRAM, 0) }
	attempts["raw"] = func(string) error { return opened(unix.AF_INET, unix.SOCK_RAW, 0) }
	for name, s := range map[string][3]int{
		"named-tcp":      {unix.AF_INET, unix.SOCK_STREAM | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK, unix.IPPROTO_TCP},
		"named-udp":      {unix.AF_INET, unix.SOCK_DGRAM | unix.SOCK_NONBLOCK, unix.IPPROTO_UDP},
		"unix-dgram":     {unix.AF_UNIX, unix.SOCK_DGRAM | unix.SOCK_CLOEXEC, 0},
		"unix-seqpacket": {unix.AF_UNIX, unix.SOCK_SEQPACKET, 0},
		"mptcp":          {unix.AF_INET, unix.SOCK_STREAM | unix.SOCK_CLOEXEC, unix.IPPROTO_MPTCP},
		"udplite":        {unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_UDPLITE},
		"sctp":           {unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_SCTP},
		"dccp":           {unix.AF_INET, unix.SOCK_DCCP, unix.IPPROTO_DCCP},
	} {
		attempts[name] = func(string) error { return opened(s[0], s[1], s[2]) }
	}
	attempts["interface"] = func(string) error { // any but lo
		ifs, err := net.Interfaces()
		if err != nil {
			return err
		}
		for _, i := range ifs {
			if i.Flags&net.FlagLoopback == 0 {
				return nil
			}
		}
		return errors.New("lo only")
	}
}

func opened(family, kind, protocol int) error {
	fd, err := unix.Socket(family, kind, protocol)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// ownLoopback serves on a port and asks itself.
func ownLoopback(string) error {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			fmt.Fprint(c, "hello")
			c.Close()
		}
	}()
	c, err := net.DialTimeout("tcp4", l.Addr().String(), time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	if b, err := io.ReadAll(c); err != nil || string(b) != "hello" {
		return fmt.Errorf("%q, %v", b, err)
	}
	return nil
}

// With a loopback of its own a program reaches itself and nothing else; the host's
// loopback answers once the namespace is left out, and so do the other ways out
// that a socket opens.
func TestLoopback(t *testing.T) {
	have, reasons := Probe()
	if !have.AtLeast(NoCgroup) {
		t.Skipf("no namespaces here: %v", reasons)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	dir := openDir(t)
	sock, abstract := dir+"/s", fmt.Sprintf("@proctor-loopback-test-%d", unix.Getpid())
	for _, a := range []string{sock, abstract} {
		l, err := net.Listen("unix", a)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	for _, c := range []struct {
		name, arg string
		open      bool
		control   string // guards to leave out; then it is open
	}{
		{"own-loopback", "", true, ""},
		{"tcp", tcp.Addr().String(), false, "netns"},
		{"tcp", "192.0.2.1:80", false, ""},
		{"unix", sock, false, ""},
		{"abstract", abstract, false, "netns,landlock"},
		{"vsock", "", false, "seccomp"},
		{"ipv6", "", false, "seccomp"},
		{"netlink", "", false, "seccomp"},
		{"packet", "", false, ""},
		{"raw", "", false, ""},
		{"named-tcp", "", true, ""},
		{"named-udp", "", true, ""},
		{"unix-dgram", "", true, ""},
		{"unix-seqpacket", "", false, "seccomp"},
		{"mptcp", "", false, "seccomp"},
		{"udplite", "", false, "seccomp"},
		{"sctp", "", false, "seccomp"},
		{"dccp", "", false, "seccomp"},
		{"userns", "", false, "seccomp"},
		{"root", "", false, ""},
		{"interface", "", false, ""},
	} {
		t.Run(c.name+" "+c.arg, func(t *testing.T) {
			want := "closed"
			if c.open {
				want = "open"
			}
			s := Spec{Role: "attempt", Args: []string{c.name, c.arg}, Loopback: true}
			for _, tier := range []Tier{NoCgroup, Jail} {
				if !have.AtLeast(tier) {
					continue
				}
				if out, exit, stderr := run(t, tier, s, ""); !strings.HasPrefix(out, want) || !exit.OK() {
					t.Errorf("tier %s: %q, %v %s", tier, out, exit, stderr)
				}
			}
			if c.control == "" {
				return
			}
			s.without = strings.Split(c.control, ",")
			if out, exit, stderr := run(t, NoCgroup, s, ""); out != "open" {
				if slices.Contains([]string{"vsock", "userns", "ipv6", "mptcp", "udplite", "sctp", "dccp"}, c.name) {
					t.Logf("no control: this kernel has none: %s", out)
					return
				}
				t.Errorf("without %s: %q, %v %s", c.control, out, exit, stderr)
			}
		})
	}
}

// A datagram for a port of the host stays inside, which is no error to its sender;
// without the namespace it arrives before one that is sent later.
func TestLoopbackDatagram(t *testing.T) {
	if have, reasons := Probe(); !have.AtLeast(NoCgroup) {
		t.Skipf("no namespaces here: %v", reasons)
	}
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	for _, without := range [][]string{nil, {"netns"}} {
		_, exit, stderr := run(t, NoCgroup, Spec{Role: "attempt", Args: []string{"udp", udp.LocalAddr().String()}, Loopback: true, without: without}, "")
		if !exit.OK() {
			t.Fatalf("%v %s", exit, stderr)
		}
		c, err := net.Dial("udp", udp.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, "later")
		c.Close()
		first := ""
		for got := make([]byte, 8); ; {
			udp.SetReadDeadline(time.Now().Add(5 * time.Second))
			n, _, err := udp.ReadFrom(got)
			if err != nil {
				t.Fatal(err)
			}
			if first += string(got[:n]); strings.HasSuffix(first, "later") {
				break
			}
		}
		if (first == "xlater") != (without != nil) {
			t.Errorf("without %v: %q arrived", without, first)
		}
	}
}

// Where there is no namespace, a program that needs a loopback does not run at all.
func TestLoopbackNeedsNamespace(t *testing.T) {
	for _, s := range []Spec{{MinTier: None, MaxTier: Landlock}, {MaxTier: None, MinTier: None}} {
		s.Role, s.Args, s.Loopback = "attempt", []string{"own-loopback", ""}, true
		_, err := Start(t.Context(), s)
		var tier *TierError
		if !errors.As(err, &tier) || tier.Want != NoCgroup {
			t.Errorf("%+v: %v", s, err)
		}
	}
}
