package via

import "strings"

// sshAdvice explains what ssh has said on stderr: its own words, and what to do. It is "" for words that are not known here.
func sshAdvice(said []string, host string) string {
	for _, a := range sshWords {
		for _, line := range said {
			if strings.Contains(line, a.words) {
				advice := strings.ReplaceAll(a.advice, "HOST", host)
				if a.hides {
					return advice
				}
				return strings.TrimRight(line, ". ") + ": " + advice
			}
		}
	}
	return ""
}

// sshWords are in the order in which they are looked for: what comes later may follow from what comes earlier.
var sshWords = []struct {
	words, advice string
	hides         bool // the line itself says less than the advice
}{
	{"REMOTE HOST IDENTIFICATION HAS CHANGED", "the host key of HOST is not the one that is known: if it was installed anew, remove the old one with ssh-keygen -R HOST and log in once by hand; otherwise somebody may stand between", true},
	{"Host key verification failed", "HOST is not known to ssh here: log in once by hand (ssh HOST) and look at its key, or add it to known_hosts", false},
	{"Permission denied (", "ssh may not ask for a password here: set up a key with ssh-copy-id HOST, and where it has a passphrase an agent with ssh-add", false},
	{"Too many authentication failures", "the agent has too many keys: name one with identity=FILE", false},
	{"Could not resolve hostname", "look at the name, or at Host in your ssh configuration", false},
	{"Connection refused", "no ssh server listens there; is it the right port=?", false},
	{"Connection timed out", "a firewall, a wrong address, or the host is down", false},
	{"Operation timed out", "a firewall, a wrong address, or the host is down", false},
	{"No route to host", "the host is down, or the network has no way to it", false},
	{"Network is unreachable", "the network has no way to the host", false},
	{"kex_exchange_identification", "the server has turned the connection away: too many at once (MaxStartups), or it does not want this machine", false},
	{"ControlPath too long", "set a shorter ControlPath in your ssh configuration, or args=\"-o ControlPath=none\"", false},
	{"too long for Unix domain socket", "set a shorter ControlPath in your ssh configuration, or args=\"-o ControlPath=none\"", false},
}
