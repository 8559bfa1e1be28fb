package script

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// Launch is a launcher as a site has set it up: what via=NAME means where it says nothing else.
type Launch struct {
	Via     string            // one of control.Launchers
	Options map[string]string // of that launcher
	Within  time.Duration     // 0: none is set
}

// Launches are the launchers that are set up, by name. One that is called as a launcher is has the defaults of that launcher.
type Launches map[string]Launch

// localVia is what via= says of this machine: the same as nothing.
const localVia = "local"

// Names are what via= takes, sorted: the launchers, those that are set up, and local.
func (l Launches) Names() []string {
	names := []string{localVia}
	for _, x := range control.Launchers() {
		names = append(names, x.Name)
	}
	names = slices.AppendSeq(names, maps.Keys(l))
	slices.Sort(names)
	return slices.Compact(names)
}

// Of is what a name after via= means; false where it means nothing.
func (l Launches) Of(name string) (control.Launcher, Launch, bool) {
	set := l[name]
	launcher, ok := control.LauncherNamed(cmp.Or(set.Via, name))
	set.Via = launcher.Name
	return launcher, set, ok
}

// Check says what is wrong with a launcher that is to be called name, and which of its settings it is about, "" for the whole.
func (l Launch) Check(name string) (key string, err error) {
	if name == localVia || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 || !nameByte(byte(r)) }) {
		return "", fmt.Errorf("a launcher is called by letters, digits, _ or -, and not local: not %q", name)
	}
	launcher, known := control.LauncherNamed(cmp.Or(l.Via, name))
	_, own := control.LauncherNamed(name)
	switch {
	case l.Via == "" && !known:
		return "", fmt.Errorf("which launcher is it? via = one of %s", strings.Join(launcherNames(), ", "))
	case !known:
		return "via", fmt.Errorf("there is no launcher %q%s", l.Via, schema.Suggest(l.Via, launcherNames()))
	case own && launcher.Name != name:
		return "via", fmt.Errorf("%s is a launcher itself: choose another name for this one", name)
	case l.Within < 0:
		return withinWord, errors.New("want more than 0, such as 10m")
	}
	for _, option := range slices.Sorted(maps.Keys(l.Options)) {
		if _, ok := launcher.Option(option); !ok {
			return option, fmt.Errorf("%s has no option %q%s", launcher.Name, option, schema.Suggest(option, append(launcher.OptionNames(), withinWord)))
		}
		if err := checkOption(l.Options[option]); err != nil {
			return option, err
		}
	}
	return "", nil
}

func launcherNames() (names []string) {
	for _, l := range control.Launchers() {
		names = append(names, l.Name)
	}
	return names
}

// maxOption bounds the value of an option, in bytes.
const maxOption = 4096

// checkOption says what is wrong with the value of an option, nil for nothing. What it means the launcher knows.
func checkOption(value string) error {
	switch {
	case value == "":
		return errors.New("want a value")
	case len(value) > maxOption:
		return fmt.Errorf("a value has %d bytes at most", maxOption)
	case strings.ContainsFunc(value, unicode.IsControl):
		return errors.New("a value is one line, without control characters")
	}
	return nil
}

// checkHost says what is wrong with the name of a machine, nil for nothing: a destination as ssh takes it.
func checkHost(name string) error {
	switch {
	case name == "":
		return errors.New("want a name between the commas")
	case len(name) > 255:
		return errors.New("a name has 255 bytes at most")
	case name[0] == '-':
		return fmt.Errorf("%s would be taken for a flag", quoted(name))
	}
	if i := strings.IndexFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune("\"'`\\$;&|<>(){}*?!=,#", r)
	}); i >= 0 {
		return fmt.Errorf("%s: want letters, digits and such as . - _ @ : in a name, not %q", quoted(name), []rune(name[i:])[0])
	}
	return nil
}

// launchersOf are the launchers that have an option.
func launchersOf(option string) (names []string) {
	for _, l := range control.Launchers() {
		if _, ok := l.Option(option); ok {
			names = append(names, l.Name)
		}
	}
	return names
}

// Parse is Parse where via= knows these launchers.
func (l Launches) Parse(name, text string) (*Script, []*Error) {
	p := &parser{src: newSource(name, text), scope: newScope(), read: ReadFile, launches: l}
	return p.script(), p.errs
}

// ParseLine is ParseLine where via= knows these launchers.
func (l Launches) ParseLine(text string) (*Script, []*Error) {
	p := &parser{src: newSource("", text), scope: newScope(), read: ReadFile, loose: true, launches: l}
	return p.script(), p.errs
}

// launchHelp tells of launchers and their options.
func launchHelp(of ...control.Launcher) []string {
	const column = 31
	var out []string
	for _, l := range of {
		out = append(out, entry("via="+l.Name, column, l.About)...)
		for _, o := range l.Options {
			out = append(out, entry("  "+o.Name+"="+o.Example, column, o.About)...)
		}
	}
	return out
}

// launchMarkdown is the part of the page of commands about machines.
func launchMarkdown() string {
	var b strings.Builder
	b.WriteString(`
## Other machines

` + "```" + `
procs p hosts=n1,n2 gpus=8 via=ssh                                    # two machines by name, eight ranks on each
procs p hosts=ada@n1,n2 gpus=8 via=ssh identity=~/.ssh/cluster        # destinations, as ssh takes them
procs p hosts=4 gpus=8 via=slurm partition=gpu time=1h within=30m     # four that the cluster finds
procs p hosts=2 via=exec command="mpirun -n {hosts} {agent}"          # a value with spaces between quotes
expect machines == ["n1 ready", "n2 ready"]                           # how they are
call @m[hosts=n2,gpus=0:4].Get                                        # four ranks of the second one
` + "```" + `

- ` + "`hosts=`" + ` is how many machines, or their names; the dimension ` + "`hosts`" + ` has as many. ` + "`via=NAME`" + ` says who finds them and starts an agent on each, which starts the ranks.
  With it, a word that is called as an option of that launcher is told to the launcher, even where a dimension might be called so; all other words are as without it.
- In a selection ` + "`hosts=`" + ` takes names where it takes places: ` + "`hosts=n2`" + `, ` + "`hosts=(n1,ada@n3)`" + `, in every command, field and breakpoint, but not in ` + "`ranks(…)`" + `, which is Monarch's.
  A name is what was given to ` + "`procs`" + `, or else what the launcher and the machine call it; where several places have it, all are chosen. Digits are a place, ` + "`hosts=12`" + `, also with a dash or colon.
  Between double quotes it is always a name: ` + "`hosts=\"12\"`" + `; so are written those with other characters than letters, digits and ` + "`. _ - @`" + `: ` + "`hosts=\"fe80::1\"`" + `. What monarch-tui writes by itself has numbers, so that it runs on other machines too.
- A launch may be queued for long. ` + "`within=10m`" + ` is how long the machines may take; the command is given as long, and its usual limit after that for the ranks to start.
  Without it a script gives up after 10 minutes, not after the limit of its other commands; a person who types it waits until it is there, or cancels. ` + "`timeout`" + ` behind the command is about all of it, and ` + "`--file-timeout`" + ` of ` + "`run`" + ` about the file.
- A table ` + "`[launch.NAME]`" + ` of the settings (` + "`monarch-tui --print-config`" + `) makes ` + "`via=NAME`" + ` a launcher with a site's defaults; words of the command win.
- ` + "`machines`" + ` in expectations are all that were asked for, by mesh and place: a name, or ` + "`host 0`" + ` while it has none, and one of ` + "`requested queued shipping launching joining ready suspect unreachable lost exited failed`" + `.

| launcher | option | what it is | such as |
|---|---|---|---|
`)
	for _, l := range control.Launchers() {
		fmt.Fprintf(&b, "| `%s` | | %s | |\n", l.Name, l.About)
		for _, o := range l.Options {
			fmt.Fprintf(&b, "| | `%s` | %s | `%s` |\n", o.Name, o.About, o.Example)
		}
	}
	return b.String()
}
