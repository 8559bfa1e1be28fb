package control

import (
	"strings"
	"testing"
)

func TestWhereASessionListensIsJudged(t *testing.T) {
	for addr, want := range map[string]string{
		"": "", "0.0.0.0:4433": "", ":0": "", "127.0.0.1:65535": "", "[::]:4433": "", "[fe80::1%eth0]:0": "",
		"4433":             "want an address and a port",
		"10.0.0.5":         "want an address and a port",
		"::1":              "want an address and a port",
		"10.0.0.5:":        "want a port from 0",
		"10.0.0.5:https":   "want a port from 0",
		"10.0.0.5:+1":      "want a port from 0",
		"10.0.0.5:65536":   "want a port from 0",
		"login1:4433":      `want an IP address of this machine, or 0.0.0.0 for all, not "login1"`,
		"224.0.0.1:4433":   "want an IP address of this machine",
		"\x1b[31m:4433":    "want an address and a port",
		"10.0.0.5:4433\n":  "want a port from 0",
		"10.0.0.5/8:4433":  "want an IP address of this machine",
		"0.0.0.0:4433:123": "want an address and a port",
	} {
		err := Reach{Listen: addr}.CheckListen()
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\x1b\n")) {
			t.Errorf("%q: %v, want %q", addr, err, want)
		}
	}
}

func TestWhereOthersFindASessionIsJudged(t *testing.T) {
	for _, c := range []struct{ listen, host, want string }{
		{"", "login1", ""}, {"", "login1.example.com", ""}, {"", "10.0.0.5", ""}, {"", "fd00::2", ""}, {"0.0.0.0:1", "fd00::2", ""}, {"[::]:1", "fd00::2", ""},
		{":1", "fd00::2", ""}, {"127.0.0.1:1", "fd00::2", ""}, {"[fd00::2]:1", "fd00::2", ""}, {"10.0.0.5:1", "::ffff:10.0.0.5", ""},
		{"10.0.0.5:1", "fd00::2", "an IPv6 address, and the session listens at 10.0.0.5:1 only"},
		{"", "", "want a name or an IP address"},
		{"", "login1:4433", "want the host without a port, login1:"},
		{"", "[fd00::2]:4433", "want the host without a port, fd00::2:"},
		{"", "[fd00::2]", "want an IPv6 address without brackets"},
		{"", "0.0.0.0", "this is none of one machine"},
		{"", "::", "this is none of one machine"},
		{"", "239.1.1.1", "this is none of one machine"},
		{"", "a b", "want a name or an IP address"},
		{"", "-login", "want a name or an IP address"},
		{"", "https://login1", "want a name or an IP address"},
		{"", "login1/x", "want a name or an IP address"},
		{"", strings.Repeat("a", 256), "want a name or an IP address"},
		{"", "a\x1b[31m", "want a name or an IP address"},
	} {
		err := Reach{Listen: c.listen, Advertise: []string{"ok", c.host}}.CheckAdvertise()
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.ContainsRune(err.Error(), '\x1b') || len(err.Error()) > 400) {
			t.Errorf("%q at %q: %v, want %q", c.host, c.listen, err, c.want)
		}
	}
	if err := (Reach{Advertise: make([]string, 17)}).CheckAdvertise(); err == nil || !strings.Contains(err.Error(), "at most 16") {
		t.Error(err)
	}
}
