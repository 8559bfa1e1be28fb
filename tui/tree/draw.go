package tree

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// Draw draws the inside of the frame.
func (p *Pane) Draw(s *paint.Surface, w *world.World, focus bool) {
	p.w, p.h = s.Size()
	p.sync(w)
	if p.h <= 0 || p.w <= 0 {
		return
	}
	if !w.Loaded {
		p.drawNote(s, 0, "waiting for the session …")
		return
	}
	from, to := p.win.Visible()
	for i := from; i < to; i++ {
		y := i - from
		on := i == p.win.Cursor
		if p.rows[i].kind == KindHint {
			p.drawHint(s, y, int(p.rows[i].rank))
		} else {
			p.drawRow(s, y, &p.rows[i], on && !focus)
		}
		if on && focus {
			s.Restyle(paint.Rect{X: 0, Y: y, W: p.w, H: 1}, func(st paint.Style) paint.Style { return st.On(paint.Cursor) })
		}
	}
	switch {
	case p.model.first:
		p.drawNote(s, to-from+1, "Nothing runs yet. Pick a line with "+p.keys(keys.Arrows)+" and "+p.keys("open")+"."+p.keys.Hint(" %s lists what can be done anywhere.", "help"))
	case !p.filter.empty() && len(p.rows) <= min(1, p.model.ended):
		p.drawNote(s, to-from+1, "nothing matches"+p.keys.Hint("; %s clears the filter", "back"))
	}
}

// hint is a way to begin: an action, or where it has a command, what to type.
type hint struct{ command, text, short, action string }

// hints are ways to begin; a line of one has its place here.
var hints = []hint{
	{"", "create a proc mesh (try 4 slots)", "create a proc mesh", "procs"},
	{":demo pingpong", "watch a small mesh talk", "a demo", demoHint},
	{"", "attach to a running mesh", "attach to a mesh", "attach"},
}

const demoHint = "demo"

// OfferDemos tells whether a demo is a way to begin.
func (p *Pane) OfferDemos(yes bool) {
	if p.noDemos == yes {
		p.noDemos = !yes
		p.changed()
	}
}

func (p *Pane) drawHint(s *paint.Surface, y, i int) {
	h := hints[i]
	key := h.command
	if key == "" {
		key = p.keys(h.action)
	}
	x := s.TextIn(1, y, p.w-2, paint.Style{Fg: paint.Accent}, key) + 2
	if x+paint.Width(h.text) > p.w-1 {
		h.text = h.short
	}
	s.TextIn(x, y, p.w-x-1, paint.Style{Fg: paint.Text}, h.text)
}

// drawNote writes a text where lines end, or where there are none.
func (p *Pane) drawNote(s *paint.Surface, y int, text string) {
	for _, line := range paint.Wrap(text, p.w-2) {
		s.Text(1, y, paint.Style{Fg: paint.Muted}, line)
		y++
	}
}

// drawRow draws guides, sign and name from the left, and what there is to tell from the right, with the worst state's
// sign in the last column.
func (p *Pane) drawRow(s *paint.Surface, y int, r *row, mark bool) {
	faint := paint.Style{Fg: paint.Faint}
	x := 1
	for d := int8(1); d < r.depth; d++ {
		if r.guides&(1<<d) != 0 {
			s.Text(x, y, faint, "│")
		}
		x += 2
	}
	if r.depth > 0 {
		branch := "├"
		if r.last {
			branch = "└"
		}
		x = s.Text(x, y, faint, branch)
	}
	switch {
	case r.open:
		s.Text(x, y, paint.Style{Fg: paint.Muted}, "▾")
	case r.foldable:
		s.Text(x, y, paint.Style{Fg: paint.Muted}, "▸")
	}
	if mark {
		s.Text(0, y, paint.Style{Fg: paint.Muted}, "▸")
	}
	x += 2
	if r.depth > 0 && !r.foldable {
		x--
	}
	end, worst := p.w, words[p.worst(r)]
	if r.kind != KindEnded {
		end = s.TextRight(p.w, y, paint.Style{Fg: paint.State(worst)}, paint.Glyph(worst)) - 1
	} else {
		end--
	}
	p.label = p.appendLabel(p.label[:0], r)
	name := string(p.label)
	room := end - x
	value := p.value(r, room-paint.Width(name)-1) // the name comes first
	if len(value) == 0 {
		value = p.value(r, min(len("SIGKILL"), room-9)) // but a word is worth its middle
	}
	if len(value) > 0 {
		end -= paint.SegsWidth(value)
		s.Line(end, y, value...)
		end--
	}
	var spots []bool
	if r.kind != KindState && r.kind != KindEnded { // the filter looks at names
		spots = p.filter.spots(p.label)
	}
	drawName(s, x, y, end-x, nameStyle(r, worst), name, spots)
}

func nameStyle(r *row, worst string) paint.Style {
	switch r.kind {
	case KindSession, KindProcs:
		return paint.Style{Fg: paint.Text, Attr: paint.Bold}
	case KindMesh:
		return paint.Style{Fg: paint.Text}
	case KindEnded, KindState:
		return paint.Style{Fg: paint.Muted}
	case KindNone, KindHost, KindRun, KindProc, KindActor, KindHint:
	}
	if worst == "gone" {
		return paint.Style{Fg: paint.Muted}
	}
	return paint.Style{Fg: paint.Text}
}

// drawName writes a name; spots marks the bytes of it that a filter has found, nil without one.
func drawName(s *paint.Surface, x, y, room int, st paint.Style, name string, spots []bool) {
	if paint.Width(name) > room {
		s.Text(x, y, st, paint.FitMiddle(name, room))
		return
	}
	if spots == nil {
		s.Text(x, y, st, name)
		return
	}
	hit := st.With(paint.Bold | paint.Underline)
	hit.Fg = paint.Match
	for i := 0; i < len(name); {
		j := i
		for j < len(name) && spots[j] == spots[i] {
			j++
		}
		part := st
		if spots[i] {
			part = hit
		}
		x = s.Text(x, y, part, name[i:j])
		i = j
	}
}

// value is what a line tells at the right in at most room cells, less where there is little.
func (p *Pane) value(r *row, room int) []paint.Seg {
	if r.kind == KindMesh {
		return p.meshValue(r, room)
	}
	var long, short string
	role := paint.Muted
	switch r.kind {
	case KindSession:
		long = paint.Plural(p.model.live, "proc")
		short = long
		if st := p.model.w.Session; st.State == "failed" {
			long, role = "failed", paint.Failed
		}
	case KindProcs:
		long, short, role = p.procsValue(r)
	case KindState:
		m := p.meshAt(r.pm, r.mesh)
		long = "[" + stateRanks(m.codes, uint8(r.rank)) + "]"
		short = paint.Fit(long, room)
	case KindHost:
		if p.model.procs[r.pm].hosts[r.host].rec != nil {
			return p.hostValue(r, room)
		}
		n := len(p.model.procs[r.pm].hosts[r.host].ranks)
		long, short = paint.Plural(n, p.slots(r)), paint.Exact(n)
	case KindRun:
		if p.model.procs[r.pm].procs[r.rank] < 0 {
			long, short, role = p.absent(r)
			break
		}
		n := int(r.to-r.rank+1) * len(p.model.procs[r.pm].meshes)
		long, short = paint.Plural(n, "actor"), paint.Exact(n)
	case KindProc:
		long, short, role = p.procValue(r)
	case KindActor:
		long, short, role = p.actorValue(r)
	case KindEnded:
		key := p.keys.Hint(", %s", "hidden")
		long, short = "hidden"+key, p.keys("hidden")
		if p.hidden {
			long = "shown" + key
		}
	case KindNone, KindMesh, KindHint:
	}
	if role == paint.Failed {
		return failing(room, long, short)
	}
	return fitting(room, text(long, role), text(short, role))
}

func text(t string, role paint.Role) []paint.Seg {
	return []paint.Seg{{Style: paint.Style{Fg: role}, Text: t}}
}

// fitting is the first that fits in room cells, nil where none does.
func fitting(room int, choices ...[]paint.Seg) []paint.Seg {
	for _, segs := range choices {
		if n := paint.SegsWidth(segs); n > 0 && n <= room {
			return segs
		}
	}
	return nil
}

// failing tells why something has failed, the cause first, and no more than short where there is little room.
func failing(room int, why, short string) []paint.Seg {
	if room >= 2*paint.Width(short) {
		why = paint.Fit(why, room)
	}
	return fitting(room, text(why, paint.Failed), text(short, paint.Failed))
}

func (p *Pane) procsValue(r *row) (long, short string, role paint.Role) {
	pm := &p.model.procs[r.pm]
	short = paint.Plural(len(pm.procs), "proc")
	long = short
	if pm.live < len(pm.procs) && !pm.Gone {
		long = paint.Exact(pm.live) + " of " + long
		short = paint.Exact(pm.live) + " of " + paint.Exact(len(pm.procs))
	}
	switch {
	case pm.State == "failed" && pm.Reason != "":
		return world.Why(pm.Reason), cmp.Or(world.Cause(pm.Reason), "failed"), paint.Failed
	case pm.State == "starting" && len(pm.hosts) > 0 && pm.hosts[0].rec != nil:
		if text := pm.waitsFor(); text != "" {
			return long + " · " + text, strings.TrimSuffix(text, " ready"), paint.Starting
		}
		return long + " · " + pm.State, pm.State, paint.Starting
	case pm.State != "running" && pm.State != "":
		return long + " · " + pm.State, pm.State, paint.Muted
	case pm.InProcess:
		long += " · in-process"
	case pm.Via != "":
		long += " · " + pm.Via
	case pm.Virtual:
		long += " · virtual"
	}
	if b := p.model.w.BuildsOf(pm.ProcMesh); b.Mixed() {
		short = paint.OtherBuild + " " + paint.Plural(len(b.Counts), "build")
		long += " · " + short
	}
	return long, short, paint.Muted
}

// meshValue is 64 · Ponger · 3◆ 12● 8 ✕: size, type, and how many are in which state, the worst beside its sign.
func (p *Pane) meshValue(r *row, room int) []paint.Seg {
	m := p.meshAt(r.pm, r.mesh)
	switch {
	case m.Gone:
		return fitting(room, text("ended", paint.Muted))
	case m.State == "failed":
		return failing(room, world.Why(m.Reason), cmp.Or(world.Cause(m.Reason), "failed"))
	case m.State == "starting" || m.State == "stopping":
		return fitting(room, text(m.State, paint.Muted))
	}
	size := text(paint.Exact(len(m.codes)), paint.Muted)
	typed := text(size[0].Text+" · "+shortType(m.Ref.Type), paint.Muted)
	var worst, all []paint.Seg
	for code := 1; code < states; code++ {
		c := m.count[code]
		if c == 0 || code == int(m.worst) {
			continue
		}
		all = append(all, paint.Seg{Text: " "}, paint.Seg{Style: paint.Style{Fg: paint.State(words[code])}, Text: strconv.Itoa(c) + paint.Glyph(words[code])})
	}
	if c := m.count[m.worst]; m.worst > 0 && c > 0 {
		worst = []paint.Seg{{Text: " "}, {Style: paint.Style{Fg: paint.State(words[m.worst])}, Text: strconv.Itoa(c)}}
	}
	all = append(all, worst...)
	dot := paint.Seg{Style: paint.Style{Fg: paint.Muted}, Text: " ·"}
	with := func(head, tail []paint.Seg) []paint.Seg {
		if len(tail) == 0 {
			return head
		}
		return append(append(slices.Clone(head), dot), tail...)
	}
	return fitting(room, with(typed, all), with(typed, worst), with(size, all), with(size, worst), size, worst)
}

func (p *Pane) procValue(r *row) (long, short string, role paint.Role) {
	pm := &p.model.procs[r.pm]
	at := pm.procs[r.rank]
	if at < 0 {
		return p.absent(r)
	}
	proc := &p.model.w.Procs[at]
	word := p.model.w.ProcWord(proc)
	switch {
	case word == "fault":
		list := p.model.w.FaultsOn(0, 0, proc.ID)
		return world.FaultsText(list), list[0].Kind, paint.Fault
	case word == "failed":
		cause := world.ProcCause(proc) // of whom is seen already
		return cmp.Or(cause, world.ProcWhy(proc), proc.State), cmp.Or(cause, proc.State), paint.Failed
	case word != "idle":
		if proc.Held || proc.Paused {
			return "paused", "", paint.Paused
		}
		return proc.State, "", paint.State(word)
	}
	short = paint.Plural(len(pm.meshes), "actor")
	long = short
	if proc.PID > 0 {
		long = "pid " + strconv.Itoa(proc.PID) + " · " + short
	}
	if b := p.model.w.BuildsOf(pm.ProcMesh); b.Other(int(r.rank)) {
		long, short = paint.OtherBuild+" build "+world.ShortBuild(proc.Build)+" · "+short, paint.OtherBuild+" "+world.ShortBuild(proc.Build)
	}
	return long, short, paint.Muted
}

func (p *Pane) actorValue(r *row) (long, short string, role paint.Role) {
	m := p.meshAt(r.pm, r.mesh)
	st := &m.Ranks[r.rank]
	word := words[p.worst(r)]
	role = paint.Muted
	short = word
	switch word {
	case "warning":
		return paint.Exact(st.Queue) + " queued", paint.Count(st.Queue), paint.Warning
	case "failed":
		why, cause := p.actorWhy(m, int(r.rank))
		if why != "" {
			return cmp.Or(cause, why), cmp.Or(cause, short), paint.Failed
		}
		role = paint.Failed
	case "paused":
		role = paint.Paused
	case "fault":
		proc := uint64(0)
		if m.placed {
			proc = m.Ref.First + uint64(m.Ref.Home.RankAt(int(r.rank)))
		}
		word, role = world.FaultsText(p.model.w.FaultsOn(m.Ref.ID, int(r.rank), proc)), paint.Fault
	}
	if len(st.Running) > 0 && word != "gone" {
		return word + " in " + st.Running[0], short, role
	}
	return short, short, role
}

// actorWhy is why an actor has failed, and the cause alone where one is known.
func (p *Pane) actorWhy(m *mesh, rank int) (why, cause string) {
	var proc *control.Proc
	if m.placed {
		proc, _ = p.model.w.ProcOf(m.Mesh, rank)
	}
	st := &m.Ranks[rank]
	return world.RankWhy(st, proc), world.RankCause(st, proc)
}

// stateRanks are the ranks in a state: 0-2,5. Of many only the first are written.
func stateRanks(codes []uint8, code uint8) string {
	const most = 120 // bytes; no pane is wider
	var b []byte
	for rank := 0; rank < len(codes); rank++ {
		if codes[rank] != code {
			continue
		}
		if len(b) > most {
			return string(b) + ",…"
		}
		if len(b) > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(rank), 10)
		last := rank
		for last+1 < len(codes) && codes[last+1] == code {
			last++
		}
		if last > rank {
			b = strconv.AppendInt(append(b, '-'), int64(last), 10)
		}
		rank = last
	}
	return string(b)
}

// shortType is the name of a type without its package.
func shortType(full string) string {
	short := schema.ShortType(full)
	return short[strings.LastIndexByte(short, '.')+1:]
}

// The rows that Need looks at, and the room that a value is given there.
const (
	neededRows  = 400
	neededValue = 28
)

// Need is the room in which no name and no value is shortened, long reasons apart.
func (p *Pane) Need(_, _ int) (cols, rows int) {
	for i := range p.rows[:min(len(p.rows), neededRows)] {
		r := &p.rows[i]
		if r.kind == KindHint {
			return 0, 0
		}
		p.label = p.appendLabel(p.label[:0], r)
		name := string(p.label)
		cols = max(cols, r.signAt()+2+paint.Width(name)+1+paint.SegsWidth(p.value(r, neededValue))+2)
	}
	return cols, len(p.rows)
}
