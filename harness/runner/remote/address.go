package remote

import "net/netip"

// special are networks of IPv4 that lead to this machine, to its neighbours or to
// nobody in particular (IANA IPv4 Special-Purpose Address Registry), and one address
// outside them behind which a cloud's host answers its guests.
var special = prefixes(
	"0.0.0.0/8",        // this network
	"10.0.0.0/8",       // private
	"100.64.0.0/10",    // shared by providers, in which one cloud keeps its metadata
	"127.0.0.0/8",      // loopback
	"168.63.129.16/32", // the host of a virtual machine in Azure
	"169.254.0.0/16",   // link-local, in which clouds keep their metadata
	"172.16.0.0/12",    // private
	"192.0.0.0/24",     // protocol assignments, in which one cloud keeps its metadata
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relays
	"192.168.0.0/16",   // private
	"198.18.0.0/15",    // benchmarks
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"224.0.0.0/4",      // multicast
	"240.0.0.0/4",      // reserved, broadcast
)

// global6 is what of IPv6 is routed between strangers. All forms of IPv6 addresses
// that carry one of IPv4 lie outside it or in special6.
var global6 = netip.MustParsePrefix("2000::/3")

// special6 are networks within global6 that lead elsewhere (IANA IPv6 Special-Purpose
// Address Registry).
var special6 = prefixes(
	"2001::/23",     // protocol assignments: Teredo, ORCHID, benchmarks
	"2001:db8::/32", // documentation
	"2002::/16",     // 6to4: an address of IPv4
	"3fff::/20",     // documentation
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// public says whether an address, unmapped, is one of the open internet. An IPv6 form
// of an IPv4 address, NAT64's too, is not, whichever address it carries.
func public(a netip.Addr) bool {
	if a.Zone() != "" || !a.IsValid() {
		return false
	}
	in := special
	if a.Is6() {
		if !global6.Contains(a) {
			return false
		}
		in = special6
	}
	for _, p := range in {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
