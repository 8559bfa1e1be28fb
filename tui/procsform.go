package tui

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// maxCPUs is what the engine takes as GOMAXPROCS of a worker.
const maxCPUs = 1024

// here is the choice of no launcher.
const here = "local"

// procsForm is the form for a new proc mesh. What is asked about other machines is there only while some are wanted.
type procsForm struct {
	m *Model
	*maker

	name, dims, via, hosts, options, kind, cpus, gpus, again *dialog.Field
}

// openProcs opens the form for a new proc mesh.
func (m *Model) openProcs() tea.Cmd {
	p := &procsForm{m: m, maker: newMaker(m, "New proc mesh", "make it")}
	p.name = dialog.TextField("name", freeName("procs", func(n string) bool { p, ok := m.world.ProcMesh(n); return ok && !p.Gone }), dialog.Example("procs0"))
	p.name.Judge = func(text string) (string, string, int) {
		if pm, ok := m.world.ProcMesh(text); ok && !pm.Gone && !p.making() {
			return "", "there is a proc mesh " + text, 1
		}
		return judgeName("proc mesh", text)
	}
	p.dims = dialog.TextField("dims", "gpus=4", dialog.Example("hosts=2 gpus=8"))
	p.dims.Judge = p.judgeDims
	p.via = dialog.ChoiceField("via", m.launchers(), 0)
	p.via.Judge = p.judgeVia
	p.hosts = dialog.TextField("hosts", "", "")
	p.hosts.Judge = p.judgeHosts
	p.options = dialog.TextField("options", "", "")
	p.options.Judge = p.judgeOptions
	p.kind = dialog.ChoiceField("ranks are", []string{"processes", "in-process"}, 0)
	p.kind.Judge = func(v string) (string, string, int) {
		if v == "processes" {
			return "a worker process each", "", 0
		}
		return "goroutines of this program", "", 0
	}
	p.cpus = dialog.TextField("cpus", "", dialog.Unset("1"))
	p.cpus.Type = "GOMAXPROCS of a worker"
	p.cpus.Judge = func(text string) (string, string, int) {
		if n, err := strconv.Atoi(text); text != "" && (err != nil || n < 1 || n > maxCPUs) {
			return "", fmt.Sprintf("want a whole number, 1 to %d", maxCPUs), 1
		}
		return "", "", 0
	}
	p.gpus = dialog.ChoiceField("GPUs", []string{"one each", "shared", "none"}, 0)
	p.gpus.Judge = func(v string) (string, string, int) {
		return map[string]string{"one each": "where there are any", "shared": "where there are too few", "none": "virtual slots"}[v], "", 0
	}
	p.again = restartField("with its actors")
	p.f.Changed = p.arrange
	p.f.Below = p.below
	p.maker.line = p.line
	p.f.Block = m.blocked
	p.progress = func() [][]paint.Seg { return m.startProgress(p.name.Value()) }
	p.made = func() {
		m.goToProcs(p.name.Value())
		m.say(sayGood, "proc mesh "+p.name.Value()+" is ready"+m.keyHint("; %s spawns actors on it", "spawn"))
	}
	p.arrange(p.f)
	p.f.At = 1
	p.f.Check()
	m.push(p.f)
	return nil
}

// launchers are the choices of who finds machines: nobody, what the settings have set up, and the launchers themselves.
func (m *Model) launchers() []string {
	set := m.cfg.Settings.Launches
	names := append([]string{here}, slices.Sorted(maps.Keys(set))...)
	for _, l := range control.Launchers() {
		if _, ok := set[l.Name]; !ok {
			names = append(names, l.Name)
		}
	}
	return names
}

// launcher is the one that is chosen; false where the ranks are to run here.
func (p *procsForm) launcher() (control.Launcher, bool) {
	if p.via.At == 0 {
		return control.Launcher{}, false
	}
	l, _, ok := p.m.cfg.Settings.Launches.Of(p.via.Value())
	return l, ok
}

// arrange shows the fields that there is something to say in. The one that is edited stays so.
func (p *procsForm) arrange(f *dialog.Form) {
	fields := []*dialog.Field{p.name, p.dims, p.via, p.kind, p.cpus, p.gpus, p.again}
	if l, away := p.launcher(); away {
		fields = []*dialog.Field{p.name, p.dims, p.via, p.hosts, p.options, p.cpus, p.gpus, p.again}
		p.hosts.Hint = dialog.Example("4, or n1,n2")
		if l.Named {
			p.hosts.Hint = dialog.Example("n1,user@n2")
		}
		p.options.Hint = dialog.Example(p.exampleOf(l))
		if set := strings.TrimPrefix(LaunchText(p.via.Value(), p.m.cfg.Settings.Launches), l.Name); set != "" {
			p.options.Hint = dialog.Unset(strings.TrimSpace(set))
		}
	}
	if f.At < len(f.Fields) {
		if at := slices.Index(fields, f.Fields[f.At]); at >= 0 {
			f.At = at
		}
	}
	f.Fields = fields
	f.At = min(f.At, len(fields)-1)
}

// exampleOf are options as they might be typed.
func (p *procsForm) exampleOf(l control.Launcher) string {
	var out []string
	for _, name := range []string{"partition", "time", "user", "identity", "namespace", "image", "command"} {
		if o, ok := l.Option(name); ok {
			out = append(out, o.Name+"="+o.Example)
		}
	}
	return strings.Join(out, " ")
}

// below is the command and, where a launcher is chosen, what can be said to it.
func (p *procsForm) below(w int) [][]paint.Seg {
	out := p.maker.below(w)
	l, away := p.launcher()
	if !away {
		return out
	}
	names := strings.Join(append(l.OptionNames(), "within"), " ")
	at := paint.Width("command") + 2
	for i, line := range paint.Wrap(names, max(8, w-at)) {
		label := map[bool]string{true: "options"}[i == 0]
		out = append(out, p.f.Labelled(label, paint.Muted, line, w))
	}
	return out
}

func (p *procsForm) judgeVia(string) (note, err string, column int) {
	l, away := p.launcher()
	switch {
	case !away:
		return "this machine", "", 0
	case l.Name != p.via.Value():
		return "as the settings say: " + l.Name, "", 0
	}
	return l.About, "", 0
}

// read is what the language makes of words behind some that are right, or what is wrong with them.
func (p *procsForm) read(before, text string) (a script.ProcsArgs, err string, column int) {
	sc, errs := p.m.parse(before + text)
	if len(errs) > 0 {
		return a, strings.TrimSpace(strings.SplitN(errs[0].Msg, "\n", 2)[0]), max(1, errs[0].Column-len([]rune(before)))
	}
	a, ok := argsOf(sc.Stmts[0]).(script.ProcsArgs)
	if !ok || len(sc.Stmts) > 1 || sc.Stmts[0].Timeout > 0 || sc.Stmts[0].Capture != "" {
		return a, "want words of procs, such as gpus=4", 1
	}
	return a, "", 0
}

// judgeDims is how many ranks dimensions have, or what the language says about them.
func (p *procsForm) judgeDims(text string) (note, err string, column int) {
	l, away := p.launcher()
	words := strings.Fields(text)
	if len(words) == 0 {
		if away {
			return "1 rank on each host", "", 0
		}
		return "", "want at least one dimension, such as hosts=2 gpus=4", 1
	}
	for _, word := range words {
		dim, _, ok := strings.Cut(word, "=")
		_, option := l.Option(dim)
		at := strings.Index(text, word) + 1
		switch {
		case !ok || dim == "":
			return "", "want name=size for each dimension, such as hosts=2 gpus=4", at
		case dim == "cpus", dim == "via", away && dim == "hosts":
			return "", dim + " has a field of its own", at
		case option:
			return "", dim + " is an option of " + l.Name, at
		}
	}
	a, err, column := p.read("procs p ", text)
	switch {
	case err != "":
		return "", err, column
	case away:
		return paint.Plural(a.Dims.Len(), "rank") + " on each host", "", 0
	}
	return paint.Plural(a.Dims.Len(), "rank"), "", 0
}

// hostList is what stands in the field of hosts, as the language writes it.
func (p *procsForm) hostList() string {
	list := strings.Split(p.hosts.Value(), ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return strings.Join(list, ",")
}

// judgeHosts is how many machines are asked for.
func (p *procsForm) judgeHosts(text string) (note, err string, column int) {
	l, away := p.launcher()
	list := p.hostList()
	switch {
	case !away:
		return "", "", 0
	case list == "" && l.Named:
		return "", "want which machines, such as n1,n2", 1
	case list == "":
		return "", "want how many machines, such as 4, or their names", 1
	case strings.ContainsAny(list, " \t"):
		return "", "want a comma between names", strings.IndexAny(strings.TrimSpace(text), " \t") + 1
	}
	a, err, column := p.read("procs p via="+l.Name+" hosts=", list)
	if err != "" {
		return "", strings.TrimPrefix(err, "hosts: "), column
	}
	note = paint.Plural(a.Dims.Len(), "machine")
	if whole, err, _ := p.read("", p.line()); err == "" && whole.Dims.Len() > a.Dims.Len() {
		note += " · " + paint.Plural(whole.Dims.Len(), "rank")
	}
	return note, "", 0
}

// judgeOptions is what the launcher is told.
func (p *procsForm) judgeOptions(text string) (note, err string, column int) {
	_, away := p.launcher()
	if !away || strings.TrimSpace(text) == "" {
		return "", "", 0
	}
	a, err, column := p.read("procs p hosts=h via="+p.via.Value()+" ", text)
	switch {
	case err != "":
		return "", err, column
	case len(a.Dims) > 1:
		dim := a.Dims[1].Name
		return "", dim + " is a dimension: those have a field of their own", strings.Index(text, dim) + 1
	case a.CPUs > 0 || a.Virtual || a.Oversubscribe || a.Restart != nil:
		return "", "only options of the launcher stand here", 1
	case a.Within > 0:
		return "within " + paint.Span(a.Within), "", 0
	}
	return "✓", "", 0
}

// line is the command.
func (p *procsForm) line() string {
	line := "procs " + p.name.Value()
	_, away := p.launcher()
	if away {
		line += " hosts=" + p.hostList()
	}
	if dims := paint.OneLine(p.dims.Value()); strings.TrimSpace(dims) != "" || !away {
		line += " " + dims
	}
	if away {
		line = strings.TrimRight(line+" via="+p.via.Value()+" "+paint.OneLine(p.options.Value()), " ")
	} else if p.kind.At == 1 {
		line += " in-process"
	}
	if v := p.cpus.Value(); v != "" && v != "1" {
		line += " cpus=" + v
	}
	if away || p.kind.At == 0 { // goroutines have no devices
		line += []string{"", " oversubscribe", " virtual"}[p.gpus.At]
	}
	return line + restartOf(p.again)
}

// startProgress tells how far a proc mesh is: how many ranks are ready, and what the slowest are waiting for.
func (m *Model) startProgress(name string) (out [][]paint.Seg) {
	pm, ok := m.world.ProcMesh(name)
	if !ok || pm.Gone {
		return nil
	}
	ready, slow := 0, []*control.Proc(nil)
	n := pm.Extent.Len()
	for r := range n {
		p, ok := m.world.Proc(pm.FirstProc + uint64(r))
		switch {
		case !ok:
		case p.State == "ready":
			ready++
		default:
			slow = append(slow, p)
		}
	}
	out = m.hostProgress(pm)
	full := ready * 30 / max(1, n)
	bar := strings.Repeat("█", full) + strings.Repeat("░", 30-full)
	out = append(out, []paint.Seg{
		{Style: paint.Style{Fg: paint.Busy}, Text: bar},
		{Style: paint.Style{Fg: paint.Text}, Text: " " + paint.Of(ready, n) + " ready"},
	})
	slices.SortFunc(slow, func(a, b *control.Proc) int { return a.Since.Compare(b.Since) })
	for i, p := range slow {
		if i == 3 {
			break
		}
		text := fmt.Sprintf("rank %d %s for %s", p.Rank, p.State, paint.Duration(m.now().Sub(p.Since).Truncate(100*time.Millisecond)))
		if why := world.ProcWhy(p); why != "" {
			text += ": " + why
		}
		out = append(out, []paint.Seg{{Style: paint.Style{Fg: paint.State(world.ProcWord(p))}, Text: text}})
	}
	return out
}

// hostProgress tells which machines a proc mesh waits for, those of which there is the same to say on one line.
func (m *Model) hostProgress(pm *control.ProcMesh) (out [][]paint.Seg) {
	type group struct {
		first *control.Host
		count int
	}
	hosts := m.world.HostsOf(pm)
	var order []string
	groups := map[string]*group{}
	ready := 0
	for _, h := range hosts {
		if h.State == "ready" {
			ready++
			continue
		}
		says := world.HostSays(h)
		if groups[says] == nil {
			groups[says] = &group{first: h}
			order = append(order, says)
		}
		groups[says].count++
	}
	if len(order) == 0 {
		return nil
	}
	slices.SortStableFunc(order, func(a, b string) int { // who needs somebody comes first
		return cmp.Compare(world.Severity(world.HostWord(groups[b].first)), world.Severity(world.HostWord(groups[a].first)))
	})
	out = append(out, []paint.Seg{{Style: paint.Style{Fg: paint.Text}, Text: fmt.Sprintf("%d of %s ready", ready, paint.Plural(len(hosts), "host"))}})
	for i, says := range order {
		if i == 4 {
			out = append(out, []paint.Seg{{Style: paint.Style{Fg: paint.Muted}, Text: "…"}})
			break
		}
		g := groups[says]
		who := g.first.Called()
		if g.count > 1 {
			who = paint.Plural(g.count, "host")
		}
		text := who + " " + says
		if !g.first.Since.IsZero() {
			text += " · " + paint.Duration(m.now().Sub(g.first.Since).Truncate(100*time.Millisecond))
		}
		word := world.HostWord(g.first)
		out = append(out, []paint.Seg{{Style: paint.Style{Fg: paint.State(word)}, Text: paint.Glyph(word) + " " + text}})
	}
	return out
}
