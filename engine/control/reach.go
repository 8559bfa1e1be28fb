package control

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Reach is how workers reach a session, on other machines too: what --listen and --advertise of the command line say, and the table
// [network] of the settings. What is empty is left to the engine.
type Reach struct {
	Listen    string   // host:port of the controller's socket
	Advertise []string // hosts, without a port, at which other machines reach it
}

// MaxAdvertise is how many hosts a session can be reached at.
const MaxAdvertise = 16

// CheckListen says what is wrong with the form of an address to listen at. Whether this machine has it the engine knows.
func (r Reach) CheckListen() error {
	host, port, err := net.SplitHostPort(r.Listen)
	said := clean.Quote(r.Listen, 100)
	switch {
	case r.Listen == "":
		return nil
	case err != nil:
		return fmt.Errorf("%s: want an address and a port, such as 0.0.0.0:4433 for all interfaces; port 0 is any that is free", said)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return fmt.Errorf("%s: want a port from 0, which is any that is free, to 65535, not %s", said, clean.Quote(port, 40))
	}
	if at, err := netip.ParseAddr(host); host != "" && (err != nil || at.IsMulticast()) {
		return fmt.Errorf("%s: want an IP address of this machine, or 0.0.0.0 for all, not %s", said, clean.Quote(host, 100))
	}
	return nil
}

// isHostName reports whether a text can be a name of the DNS, or of a file of hosts.
func isHostName(s string) bool {
	bad := strings.ContainsFunc(s, func(r rune) bool { return !nameRune(r) && r != '.' && r != '-' })
	return !bad && s != "" && len(s) <= maxHostName && s[0] != '-' && s[0] != '.'
}

func nameRune(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// CheckAdvertise says what is wrong with the hosts at which others are to find the session.
func (r Reach) CheckAdvertise() error {
	if len(r.Advertise) > MaxAdvertise {
		return fmt.Errorf("%d hosts are more than others will try: at most %d", len(r.Advertise), MaxAdvertise)
	}
	for _, host := range r.Advertise {
		if err := r.checkHost(host); err != nil {
			return err
		}
	}
	return nil
}

func (r Reach) checkHost(host string) error {
	said := clean.Quote(host, 100)
	at, err := netip.ParseAddr(host)
	if err != nil {
		bare, port, splitErr := net.SplitHostPort(host)
		_, portErr := strconv.ParseUint(port, 10, 16)
		switch {
		case host == "":
			return errors.New("want a name or an IP address between the commas")
		case splitErr == nil && portErr == nil:
			return fmt.Errorf("%s: want the host without a port, %s: the port is that at which the session listens", said, clean.EscapeCut(bare, 100))
		case strings.HasPrefix(host, "["):
			return fmt.Errorf("%s: want an IPv6 address without brackets", said)
		case !isHostName(host):
			return fmt.Errorf("%s: want a name or an IP address at which other machines reach this one", said)
		}
		return nil
	}
	switch {
	case at.IsUnspecified() || at.IsMulticast():
		return fmt.Errorf("%s: want an address at which other machines reach this one, and this is none of one machine", said)
	case at.Is6() && !at.Is4In6() && !r.listensAt6():
		return fmt.Errorf("%s: an IPv6 address, and the session listens at %s only; 0.0.0.0 is all addresses, those of IPv6 too", said, r.Listen)
	}
	return nil
}

// listensAt6 reports whether other machines can send packets of IPv6. Beside a socket of the loopback interface, one for all addresses
// is opened for them.
func (r Reach) listensAt6() bool {
	host, _, _ := net.SplitHostPort(r.Listen)
	at, err := netip.ParseAddr(host)
	return err != nil || at.Is6() && !at.Is4In6() || at.IsUnspecified() || at.IsLoopback()
}
