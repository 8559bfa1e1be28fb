package via

import (
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// bootstrap is all that a client is asked to run on a host: a shell that reads what it is to do from its stdin. So it means the
// same to every login shell (bash, dash, csh, fish), stays short where commands are listed, and holds nothing of the launch.
// It reads byte by byte, as POSIX has it for what is no file, so that what follows on stdin is left for the program.
const bootstrap = `exec /bin/sh -c 'IFS= read -r s && eval "$(printf %b "$s")"'`

// shell is bootstrap for a client that takes words and not a command line.
var shell = []string{"/bin/sh", "-c", `IFS= read -r s && eval "$(printf %b "$s")"`}

// agentScript finds, verifies and runs the program. Its lines to us begin with a word that nobody else knows, because login files
// and banners print to the same stream:
//
//	NONCE INDEX hello SYSTEM/MACHINE JOB STEP NODE    first of all; it ends there where the program cannot run
//	NONCE INDEX have PATH                             the program is there, and whole
//	NONCE INDEX need PATH                             it is not: it may be copied now
//	NONCE INDEX put PATH                              it was copied (mode put)
//	NONCE INDEX start PATH                            it is about to run
//	NONCE INDEX fail TEXT                             why it will not
//
// After have or need it waits for the line go, and leaves what follows to the program. A host that is alone with its stdin starts what
// it has without that line, which is one way there and back less.
//
//go:embed agent.sh
var agentScript string

// The words of agentScript.
const (
	wordHello = "hello"
	wordHave  = "have"
	wordNeed  = "need"
	wordPut   = "put"
	wordStart = "start"
	wordFail  = "fail"
)

// goAhead is what agentScript waits for.
const goAhead = "go\n"

// order is what agentScript is told.
type order struct {
	mode    string // run or put
	nonce   string
	index   string // of the host; "": the scheduler says it there
	alone   bool   // its stdin is not that of other hosts too, of which some may need the program
	tag     string // ends the name of the file that is copied, where hosts that share a folder copy one each
	cache   string
	env     string // value of Env
	dir     string
	program Program
}

// line is agentScript with an order, as one line for bootstrap to read.
func (o order) line() string {
	var b strings.Builder
	alone := ""
	if o.alone {
		alone = "1"
	}
	for _, v := range [][2]string{
		{"mode", o.mode}, {"nonce", o.nonce}, {"index", o.index}, {"alone", alone}, {"tag", o.tag}, {"cache", o.cache}, {"env", o.env}, {"dir", o.dir},
		{"sum", sumHex(o.program)}, {"base", baseOf(o.program)},
		{"systems", strings.Join(unames(o.program.OS, o.program.Arch), " ")},
	} {
		fmt.Fprintf(&b, "mt_%s=%s\n", v[0], quote(v[1]))
	}
	b.WriteString("set --")
	for _, a := range o.program.Args {
		b.WriteString(" " + quote(a))
	}
	b.WriteString("\n")
	for line := range strings.Lines(agentScript) {
		if t := strings.TrimSpace(line); t != "" && t[0] != '#' {
			b.WriteString(line)
		}
	}
	return escapeForPrintf(b.String()) + "\n"
}

// sumHex and baseOf name a program's folder and file on a host.
func sumHex(p Program) string { return hex.EncodeToString(p.Sum[:]) }
func baseOf(p Program) string { return filepath.Base(p.Path) }

// quote makes one word of s for a POSIX sh.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// escapeForPrintf makes one line of printable ASCII of s, which printf %b turns into s again.
func escapeForPrintf(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case c == '\\':
			b.WriteString(`\\`)
		case c == '\n':
			b.WriteString(`\n`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\0%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// newNonce is a word that nobody else prints.
func newNonce() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// maxHosts bounds what one launch may ask for, and so the indices that are believed.
const maxHosts = 4096

// mark is one line of agentScript.
type mark struct {
	index int
	word  string
	text  string // cleaned
}

// parseMark reads a line of a client's stdout; ok is false for what the script did not print.
func parseMark(line, nonce string) (m mark, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimRight(line, "\r"), nonce+" ")
	if !ok {
		return mark{}, false
	}
	index, rest, _ := strings.Cut(rest, " ")
	word, text, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(index)
	if err != nil || n < 0 || n >= maxHosts || word == "" {
		return mark{}, false
	}
	return mark{index: n, word: clean.OneLine(word, 16), text: clean.OneLine(text, 1000)}, true
}

// hello is what a host says of itself.
type hello struct {
	system, machine string // as uname has them
	job, step       string // of Slurm; "0" outside
	node            string
}

func parseHello(text string) (h hello) {
	f := strings.SplitN(text, " ", 4)
	if len(f) == 4 {
		h.job, h.step, h.node = f[1], f[2], f[3]
	}
	h.system, h.machine, _ = strings.Cut(f[0], "/")
	return h
}

// systems are the words of uname for those of Go.
var systems = map[string]string{
	"linux": "Linux", "darwin": "Darwin", "freebsd": "FreeBSD", "netbsd": "NetBSD", "openbsd": "OpenBSD", "dragonfly": "DragonFly",
}

// machines are the words of uname for those of Go.
var machines = map[string][]string{
	"amd64": {"x86_64", "amd64"}, "arm64": {"aarch64", "arm64"}, "386": {"i686", "i386", "i586"}, "arm": {"armv7l", "armv6l", "armv8l"},
	"riscv64": {"riscv64"}, "ppc64le": {"ppc64le"}, "s390x": {"s390x"}, "loong64": {"loongarch64"},
}

// unames lists what uname -s and -m say where a program for the given system runs.
func unames(system, arch string) (out []string) {
	for _, m := range machines[arch] {
		out = append(out, systems[system]+"/"+m)
	}
	return out
}

// refuses says why a program cannot run on the host that says hello, or nothing.
func (h hello) refuses(p Program) string {
	system, machine := h.system, h.machine
	for g, u := range systems {
		if u == h.system {
			system = g
		}
	}
	for g, us := range machines {
		for _, u := range us {
			if u == h.machine {
				machine = g
			}
		}
	}
	switch {
	case system == p.OS && machine == p.Arch:
		return ""
	case system == "" || machine == "":
		return "it does not say what machine it is: uname is missing there"
	}
	return fmt.Sprintf("it is %s/%s, this program is %s/%s: build one for %[1]s/%[2]s there", system, machine, p.OS, p.Arch)
}
