package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// ErrAddress says that a name leads to an address that is not of the open internet.
var ErrAddress = errors.New("the address is not one of the open internet")

const dialTime = 10 * time.Second

// A dialer connects to hosts of the open internet.
//
// A name is resolved once, and what is dialled is an address that was looked at: a
// resolver that answers otherwise the second time is not asked a second time. One
// address that is refused refuses the name, since an honest name has none.
type dialer struct {
	private bool // the operator named this host and port: any address will do
	resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	dial    func(ctx context.Context, network, address string) (net.Conn, error)

	unguarded bool // tests only: dial the name as it is
}

func newDialer(private bool) *dialer {
	return &dialer{
		private: private,
		resolve: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		dial: (&net.Dialer{Timeout: dialTime}).DialContext,
	}
}

// DialContext connects to "host:port".
func (d *dialer) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	list, err := d.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	if d.unguarded {
		if list, err = d.resolve(ctx, host); err != nil {
			return nil, err
		}
	}
	err = fmt.Errorf("%s has no address", host)
	for _, a := range list {
		var c net.Conn
		if c, err = d.dial(ctx, "tcp", net.JoinHostPort(a.String(), port)); err == nil {
			return c, nil
		}
	}
	return nil, err
}

// addresses resolves a host and looks at all that it has.
func (d *dialer) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	list := []netip.Addr{}
	if a, err := netip.ParseAddr(host); err == nil {
		list = append(list, a)
	} else if list, err = d.resolve(ctx, host); err != nil {
		return nil, err
	}
	for i, a := range list {
		if list[i] = a.Unmap(); !d.private && !d.unguarded && !public(list[i]) {
			return nil, fmt.Errorf("%s: %w; the operator's file names hosts that may have others", host, ErrAddress)
		}
	}
	return list, nil
}
