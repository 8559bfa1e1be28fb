package inspect

import (
	"slices"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/world"
)

// tally is how many ranks are in which state, by severity.
type tally [8]int

// meshTally counts the actors of a mesh.
func meshTally(w *world.World, m *control.Mesh) (t tally) {
	placed := m.Ref.Home.Validate() == nil && m.Ref.Home.Len() == len(m.Ranks)
	marks := w.MarksOf(m)
	for rank := range m.Ranks {
		var pr *control.Proc
		if placed {
			pr, _ = w.ProcOf(m, rank)
		}
		t[world.Severity(world.RankWord(&m.Ranks[rank], pr, marks.At(rank, pr)))]++
	}
	return t
}

// worst is the state that all of them show as one, and how many are in it.
func (t *tally) worst() (word string, n int) {
	worst := uint8(world.Gone)
	for code, n := range t {
		if n > 0 {
			worst = world.Graver(worst, uint8(code))
		}
	}
	if t[worst] == 0 { // there are none
		return "idle", 0
	}
	return world.Severities()[worst], t[worst]
}

// whole is the state of a mesh in words, of its record and of the worst of its ranks: running · 8 failed.
func (t *tally) whole(state string, gone bool, called func(string) string) (word, note string) {
	word = world.MeshWord(state, gone)
	note = state
	if gone {
		note = "ended"
	}
	if word == "gone" || word == "failed" {
		return word, note
	}
	if worst, n := t.worst(); world.Severity(worst) > world.Severity(word) {
		word = worst
		note += " · " + paint.Exact(n) + " " + called(worst)
	}
	return word, note
}

// segs are the counts, the worst first: a sign, a count, a word, and a gap.
func (t *tally) segs(called func(string) string) []paint.Seg {
	var out []paint.Seg
	for i, word := range slices.Backward(world.Severities()) {
		if t[i] == 0 {
			continue
		}
		if len(out) > 0 {
			out = append(out, seg(paint.Muted, "  "))
		}
		out = append(out, seg(paint.State(word), paint.Glyph(word)+" "), seg(paint.Text, paint.Exact(t[i])+" "), seg(paint.Muted, called(word)))
	}
	return out
}

// fieldCounts is a field of counts, on as many lines as they take.
func (p *Pane) fieldCounts(name string, segs []paint.Seg) {
	label := name
	var row []paint.Seg
	flush := func() {
		if len(row) > 0 {
			p.add(line{key: "field " + name + label, left: append([]paint.Seg{seg(paint.Muted, paint.Pad(label, keyWidth))}, row...), copied: plain(row)})
			label, row = "", nil
		}
	}
	for i := 0; i < len(segs); i += 4 { // a sign, a count, a word, and a gap after them
		part := segs[i:min(i+3, len(segs))]
		if paint.SegsWidth(row)+paint.SegsWidth(part)+2 > p.w-2-keyWidth {
			flush()
		}
		if len(row) > 0 {
			row = append(row, seg(paint.Muted, "  "))
		}
		row = append(row, part...)
	}
	flush()
}

func plain(segs []paint.Seg) string {
	var b strings.Builder
	for _, s := range segs {
		b.WriteString(s.Text)
	}
	return b.String()
}

// extent is a shape in a few words: dp=8 tp=8, 64 ranks.
func extent(e shape.Extent) string {
	var parts []string
	for _, d := range e {
		parts = append(parts, d.Name+"="+strconv.Itoa(d.Size))
	}
	ranks := paint.Plural(e.Len(), "rank")
	if len(parts) == 0 {
		return ranks
	}
	return strings.Join(parts, " ") + " · " + ranks
}

// owner is who spawned something.
func owner(name string) string {
	if name == "" {
		return "the program"
	}
	return name
}

func (p *Pane) buildMesh(w *world.World) {
	m, ok := w.MeshByID(p.thing.id)
	if !ok {
		return
	}
	typ, known := w.Type(m.Ref.Type)
	if p.tab() == tabEndpoints {
		p.buildEndpoints(w, m, typ)
		return
	}
	p.field("reason", world.Why(m.Reason), paint.Failed)
	p.field("type", schema.ShortType(m.Ref.Type), paint.Text)
	if known && typ.Doc != "" {
		p.field("", paint.OneLine(typ.Doc), paint.Muted)
	}
	if m.Ref.View.Validate() == nil {
		p.field("extent", extent(m.Ref.Extent()), paint.Text)
	} else {
		p.field("extent", paint.Plural(len(m.Ranks), "rank"), paint.Text)
	}
	p.field("on", p.home(w, m), paint.Text)
	p.field("owner", owner(m.Owner), paint.Text)
	t := meshTally(w, m)
	p.fieldCounts("actors", t.segs(called))
	p.buildTotals(m)
	p.buildReasons(m)
	p.buildLives(w, func(x *control.Restart) bool { return x.Mesh == m.Ref.Name }, 4)
	if !known {
		return
	}
	p.head("Endpoints", seg(paint.Muted, p.keys.Hint("%s all", "next.tab")))
	for i := range typ.Endpoints {
		ep := &typ.Endpoints[i]
		text := schema.Signature(ep.Name, ep.Param, ep.Arg, ep.Result)
		p.add(line{key: "endpoint " + ep.Name, left: []paint.Seg{seg(paint.Text, text)}, copied: text})
	}
}

// home is the proc mesh of an actor mesh, or the part of it.
func (p *Pane) home(w *world.World, m *control.Mesh) string {
	if p.homes.id != m.Ref.ID { // it never changes, and takes a while where there are many ranks
		p.homes.id, p.homes.text = m.Ref.ID, findHome(w, m)
	}
	return p.homes.text
}

func findHome(w *world.World, m *control.Mesh) string {
	home := m.Ref.Home
	if home.Validate() != nil {
		return m.Procs
	}
	for i := range w.ProcMeshes {
		pm := &w.ProcMeshes[i]
		if pm.Name != m.Procs || pm.FirstProc != m.Ref.First || pm.Extent.Validate(0) != nil {
			continue
		}
		if part := shape.Describe(shape.RegionOf(pm.Extent), home); part != "*" {
			return m.Procs + "[" + part + "]"
		}
	}
	return m.Procs
}

// buildTotals sums what the actors have done.
func (p *Pane) buildTotals(m *control.Mesh) {
	var handled uint64
	queued, restarts := 0, 0
	for i := range m.Ranks {
		handled += m.Ranks[i].Handled
		queued += m.Ranks[i].Queue
		restarts += m.Ranks[i].Restarts
	}
	p.field("handled", paint.Exact(handled), paint.Text)
	p.field("queued", paint.Exact(queued), paint.Text)
	if restarts > 0 {
		p.field("restarts", strconv.Itoa(restarts), paint.Warning)
	}
	p.field("restart", restartText(m.Restart, m.Gang), paint.Text)
}

// buildReasons tells why actors have failed, those with the same reason on one line. What is the mesh's own reason has
// been told.
func (p *Pane) buildReasons(m *control.Mesh) {
	byReason := map[string][]int{}
	var order []string
	for rank := range m.Ranks {
		if reason := world.Why(m.Ranks[rank].Reason); reason != "" && m.Ranks[rank].Reason != m.Reason {
			if byReason[reason] == nil {
				order = append(order, reason)
			}
			byReason[reason] = append(byReason[reason], rank)
		}
	}
	if len(order) == 0 {
		return
	}
	p.head("Reasons")
	for _, reason := range order {
		p.note("reason "+reason, paint.Failed, "["+shape.FormatRanks(byReason[reason])+"] "+reason)
	}
}

// buildEndpoints lists the endpoints of the type with what they are for and where they are written.
func (p *Pane) buildEndpoints(w *world.World, m *control.Mesh, t *control.Type) {
	if t == nil {
		p.note("none", paint.Muted, "The session does not describe the type "+m.Ref.Type+".")
		return
	}
	for i := range t.Endpoints {
		p.space()
		ep := &t.Endpoints[i]
		text := schema.Signature(ep.Name, ep.Param, ep.Arg, ep.Result)
		l := line{key: "endpoint " + ep.Name, left: []paint.Seg{bold(paint.Text, ep.Name), seg(paint.Text, strings.TrimPrefix(text, ep.Name))}, copied: text}
		if ep.Concurrent {
			l.right = []paint.Seg{seg(paint.Accent, "concurrent")}
		}
		p.add(l)
		if ep.Doc != "" {
			p.note("doc "+ep.Name, paint.Muted, paint.OneLine(ep.Doc))
		}
		if ep.Arg != nil && !ep.Arg.Tuple && w.Named.Deref(ep.Arg).Kind == schema.KindStruct {
			p.note("arg "+ep.Name, paint.Muted, schema.Fields(w.Named, ep.Arg))
		}
		if ep.File != "" {
			at := ep.File + ":" + strconv.Itoa(ep.Line)
			p.add(line{key: "file " + ep.Name, left: []paint.Seg{seg(paint.Muted, at)}, copied: at})
		}
	}
	if len(t.Endpoints) == 0 {
		p.note("none", paint.Muted, "The type has no endpoints.")
	}
	if len(t.Fields) > 0 {
		p.head("Constructor")
		for _, f := range t.Fields {
			text := f.Name + " " + f.Type.TypeName()
			p.add(line{key: "field " + f.Name, left: []paint.Seg{seg(paint.Text, text), seg(paint.Muted, "  "+paint.OneLine(f.Doc))}, copied: text})
		}
	}
	if len(t.NotCallable) > 0 {
		p.head("Not callable")
		for _, n := range t.NotCallable {
			role := paint.Muted
			if n.Fix != "" {
				role = paint.Warning
			}
			p.note("not callable "+n.Name, role, paint.OneLine(n.Name+": "+n.Why))
			if n.Fix != "" {
				p.note("fix "+n.Name, paint.Muted, paint.OneLine("write "+n.Fix))
			}
		}
	}
}

func procMesh(w *world.World, id uint64) *control.ProcMesh {
	i := slices.IndexFunc(w.ProcMeshes, func(pm control.ProcMesh) bool { return pm.ID == id })
	if i < 0 {
		return nil
	}
	return &w.ProcMeshes[i]
}
