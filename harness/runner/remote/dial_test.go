package remote

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// Addresses that names may lead to. Where a resolver gives several, one that is refused
// refuses all.
const addresses = `
refused 0.0.0.0
refused 0.255.0.1
refused 10.0.0.7
refused 100.64.0.1
refused 100.100.100.200
refused 100.127.255.255
refused 127.0.0.1
refused 127.255.255.254
refused 168.63.129.16
refused 169.254.169.254
refused 169.254.170.2
refused 172.16.0.1
refused 172.31.255.255
refused 192.0.0.192
refused 192.0.2.1
refused 192.88.99.1
refused 192.168.1.1
refused 198.18.0.1
refused 198.19.255.255
refused 198.51.100.9
refused 203.0.113.5
refused 224.0.0.1
refused 239.255.255.255
refused 240.0.0.1
refused 255.255.255.255
refused ::
refused ::1
refused ::127.0.0.1
refused ::ffff:127.0.0.1
refused ::ffff:169.254.169.254
refused ::ffff:10.0.0.7
refused ::ffff:0:127.0.0.1
refused 64:ff9b::7f00:1
refused 64:ff9b::a9fe:a9fe
refused 64:ff9b::808:808
refused 64:ff9b:1::7f00:1
refused 100::1
refused 2001::1
refused 2001:0:4136:e378:8000:63bf:3fff:fdd2
refused 2001:2::1
refused 2001:10::1
refused 2001:db8::1
refused 2002:7f00:1::
refused 2002:a9fe:a9fe::1
refused 3fff::1
refused 5f00::1
refused 4000::1
refused fc00::1
refused fd00:ec2::254
refused fe80::1
refused fec0::1
refused ff02::1
refused 8.8.8.8 127.0.0.1
refused 2606:4700::1111 ::1
dialled 8.8.8.8
dialled 1.1.1.1
dialled 100.63.255.255
dialled 100.128.0.1
dialled 172.15.255.255
dialled 172.32.0.1
dialled 168.63.129.17
dialled 223.255.255.255
dialled 2001:200::1
dialled 2606:4700::1111
dialled 2a00:1450::1
dialled ::ffff:8.8.8.8
`

var errDialled = errors.New("dialled")

// record is a dialer whose names lead to a list of addresses, and which tells what it
// dials in place of connecting.
func record(answers ...[]netip.Addr) (*dialer, *[]string) {
	var dialled []string
	asked := 0
	return &dialer{
		resolve: func(context.Context, string) ([]netip.Addr, error) {
			asked++
			return answers[min(asked, len(answers))-1], nil
		},
		dial: func(_ context.Context, _, address string) (net.Conn, error) {
			dialled = append(dialled, address)
			return nil, errDialled
		},
	}, &dialled
}

func TestAddresses(t *testing.T) {
	for line := range strings.Lines(strings.TrimSpace(addresses)) {
		word := strings.Fields(line)
		var list []netip.Addr
		for _, w := range word[1:] {
			list = append(list, netip.MustParseAddr(w))
		}
		hosts := []string{"name.test"}
		if len(list) == 1 {
			hosts = append(hosts, word[1]) // as it stands in an address
		}
		for _, host := range hosts {
			d, dialled := record(slices.Clone(list))
			_, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(host, "443"))
			if word[0] == "dialled" {
				if !errors.Is(err, errDialled) || len(*dialled) != 1 {
					t.Errorf("%s by %s: %v, dialled %v", line, host, err, *dialled)
				}
				continue
			}
			if !errors.Is(err, ErrAddress) || *dialled != nil {
				t.Errorf("%s by %s: %v, dialled %v", line, host, err, *dialled)
			}
			for what, open := range map[string]func(*dialer){ // each of the two lets the attack through
				"unguarded": func(d *dialer) { d.unguarded = true }, "private": func(d *dialer) { d.private = true },
			} {
				d, dialled := record(slices.Clone(list))
				open(d)
				if _, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(host, "443")); !errors.Is(err, errDialled) || len(*dialled) == 0 {
					t.Errorf("%s by %s, %s: %v, dialled %v", line, host, what, err, *dialled)
				}
			}
		}
	}
}

// A resolver that answers with an honest address first and with this machine's the
// second time is asked once.
func TestRebinding(t *testing.T) {
	honest, ours := []netip.Addr{netip.MustParseAddr("8.8.8.8")}, []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	d, dialled := record(honest, ours)
	if _, err := d.DialContext(t.Context(), "tcp", "name.test:443"); !errors.Is(err, errDialled) || !slices.Equal(*dialled, []string{"8.8.8.8:443"}) {
		t.Errorf("%v, dialled %v", err, *dialled)
	}
	d, dialled = record(honest, ours)
	d.unguarded = true
	if _, err := d.DialContext(t.Context(), "tcp", "name.test:443"); !errors.Is(err, errDialled) || !slices.Equal(*dialled, []string{"127.0.0.1:443"}) {
		t.Errorf("a dialer that looks first and dials the name: %v, dialled %v", err, *dialled)
	}
}

// Spellings of this machine, with a real listener, a real resolver and a real dialer.
const spellings = `
127.0.0.1
127.0.0.53
127.1
127.0.1
0177.0.0.1
0x7f.0.0.1
0x7f000001
2130706433
017700000001
0
0.0.0.0
localhost
LOCALHOST
localhost.
ip6-localhost
[::1]
[::]
[0:0:0:0:0:0:0:1]
[::ffff:127.0.0.1]
[::ffff:7f00:1]
[::127.0.0.1]
[64:ff9b::7f00:1]
[::1%25lo]
127.0.0.1.
①②⑦.⓪.⓪.①
127。0。0。1
127.0.0.1%00.example
user@127.0.0.1
8.8.8.8@127.0.0.1
127.0.0.1#8.8.8.8
127.0.0.1?8.8.8.8
`

func TestSpellings(t *testing.T) {
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	through := 0
	for _, host := range strings.Fields(spellings) {
		for _, address := range []string{"https://" + host + ":" + port, "https://" + host + ":" + port + "/v1"} {
			if connects(t, address, false) {
				t.Errorf("%s: connected", address)
			}
			if err := (&Endpoints{}).Allows(manifest(address)); err == nil {
				t.Errorf("%s is allowed by nobody's word", address)
			}
			if connects(t, address, true) {
				through++
			}
		}
	}
	if through < 20 {
		t.Errorf("without the guard only %d of the spellings lead here: the test shows nothing", through)
	}
}

// connects says whether a client of an address, which no operator's word restrains, gets
// a connection, with little time for names and addresses of nobody.
func connects(t *testing.T, address string, unguarded bool) (connected bool) {
	d := newDialer(false)
	d.unguarded = unguarded
	resolve, dial := d.resolve, d.dial
	d.resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
		ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		return resolve(ctx, host)
	}
	d.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		c, err := dial(ctx, network, address)
		if err == nil {
			connected = true
			c.Close()
		}
		return c, err
	}
	c := Endpoint{}.client(address, 1000)
	c.http.Transport.(*http.Transport).DialContext = d.DialContext
	if err := c.Post(t.Context(), "/", nil, new(any)); err == nil {
		t.Errorf("%s answered", address)
	}
	return connected
}

// Addresses of endpoints that are none, whatever the operator says.
func TestNoAddress(t *testing.T) {
	for _, s := range strings.Split(`
file:///etc/passwd
unix:///run/x.sock
gopher://h.test/
ftp://h.test/
//h.test/v1
h.test/v1
https:h.test
https://
https:///v1
https://user@h.test/
https://user:word@h.test/
https://h.test/?x=1
https://h.test/?
https://h.test/#x
https://h.test/#
https://h .test/
https://h.test:port/
https://h.test:-1/
https://[fe80::1%25eth0]/
https://-h.test/
https://h.test-/
https://h_.test./x`, "\n")[1:] {
		if _, err := NewEndpoints(Endpoint{URL: s, Private: true}); err == nil {
			t.Errorf("%s is an endpoint", s)
		}
	}
}
