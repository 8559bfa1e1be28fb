package tui

import (
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// words are what could stand at the end of a command that is being typed, and where that word begins.
func (m *Model) words(text string) (from int, out []string) {
	from = strings.LastIndexAny(text, " ,=") + 1
	at := strings.LastIndex(text, " @") + 1
	if open, end := strings.LastIndexByte(text, '['), strings.LastIndexByte(text, ']'); at > 0 && open > max(at, end) { // within a selection
		return m.dims(text, at, open)
	} else if at > 0 && end > at && !strings.ContainsRune(text[end:], ' ') { // behind one, which may have commas
		from = at
	}
	word := text[from:]
	first, _, more := strings.Cut(strings.TrimLeft(text, " "), " ")
	add := func(w string) {
		if strings.HasPrefix(w, word) && w != word {
			out = append(out, w)
		}
	}
	procs, meshes := m.world.Live()
	switch {
	case !more:
		for _, v := range script.Verbs() {
			if v.Lacks == "" {
				add(v.Name + " ")
			}
		}
	case strings.HasPrefix(word, "@") && strings.Contains(word, "."):
		name, _, _ := strings.Cut(word[1:], ".")
		name, _, _ = strings.Cut(name, "[")
		head := word[:strings.LastIndexByte(word, '.')+1]
		if mesh, ok := m.world.Mesh(name); ok {
			if t, ok := m.world.Type(mesh.Ref.Type); ok {
				for _, ep := range t.Endpoints {
					add(head + ep.Name)
				}
			}
		}
	case first == "theme":
		for _, t := range paint.Themes() {
			add(t)
		}
	case first == "demo":
		for _, d := range m.cfg.Demos {
			add(d.Name)
		}
	case first == "spawn" && strings.Contains(text, " on "):
		for _, p := range procs {
			add(p.Name)
		}
		for _, t := range m.world.Types {
			add(t.Name)
		}
	case first == "stop", first == "kill", first == "info":
		for _, p := range procs {
			add(p.Name)
		}
	case first == "endpoints":
		for _, t := range m.world.Types {
			add(t.Name)
		}
	case first == "procs":
		for _, d := range []string{"gpus=", "hosts=", "in-process", "cpus="} {
			add(d)
		}
	case first == "help":
		for _, v := range script.Verbs() {
			if v.Lacks == "" {
				add(v.Name)
			}
		}
	}
	if more && (strings.HasPrefix(word, "@") || word == "") && !strings.ContainsAny(word, ".[") {
		switch first {
		case "call", "one", "choose", "stream", "broadcast":
			for _, mesh := range meshes {
				add("@" + mesh.Ref.Name + ".")
			}
		case "stop", "kill", "info", "state", "log", "on", "focus", "group":
			for _, mesh := range meshes {
				add("@" + mesh.Ref.Name)
			}
		}
	}
	slices.Sort(out)
	return from, slices.Compact(out)
}

// dims are the dimensions that a selection of the mesh that is named at a place could go on with.
func (m *Model) dims(text string, at, open int) (from int, out []string) {
	from = max(open, strings.LastIndexByte(text, ',')) + 1
	from += len(text[from:]) - len(strings.TrimLeft(text[from:], " "))
	if mesh, ok := m.world.Mesh(text[at+1 : open]); ok {
		for _, d := range mesh.Ref.Extent().Names() {
			if strings.HasPrefix(d, text[from:]) {
				out = append(out, d+"=")
			}
		}
	}
	return from, out
}
