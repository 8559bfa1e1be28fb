package script

import (
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// word is one kind of word that a verb's arguments take, for completion.
type word struct {
	kind  wordKind
	fixed string // of wordFixed
	after string // it stands only behind this keyword, or behind a word that it begins, as via=
	key   string // it is the value of this word: via=
}

// wordKind says where the words of a kind come from.
type wordKind int

const (
	wordFixed    wordKind = iota // fixed itself
	wordMesh                     // @NAME
	wordEndpoint                 // @NAME., and behind the dot its endpoints
	wordProcs                    // the name of a proc mesh
	wordType                     // an actor type
	wordVerb                     // a command
	wordTheme                    // a theme of the screen
	wordDemo                     // a demo
	wordLauncher                 // what stands behind via=
	wordOption                   // an option of the launcher that was named
)

// words are fixed words.
func words(fixed ...string) (out []word) {
	for _, w := range fixed {
		out = append(out, word{fixed: w})
	}
	return out
}

// Known tells the names that completion offers. The zero value of a field means none.
type Known struct {
	Meshes, Procs, Types, Themes, Demos []string
	Launches                            Launches // that are set up
	Endpoints                           func(mesh string) []string
	Ref                                 func(target string) (control.MeshRef, bool) // what @MESH or PROCS stands for
}

// Complete gives the words with which a command, typed as far as text, could go on, sorted, and the place in text where
// the word begins that they would replace.
func Complete(text string, k Known) (from int, out []string) {
	from = strings.LastIndexAny(text, " ,=") + 1
	at := strings.LastIndex(text, " @") + 1
	open, end := strings.LastIndexByte(text, '['), strings.LastIndexByte(text, ']')
	if target := text[strings.LastIndexByte(text[:max(open, 0)], ' ')+1 : max(open, 0)]; open > end && target != "" { // within a selection
		return k.within(target, text, open+1)
	} else if at > 0 && end > at && !strings.ContainsRune(text[end:], ' ') { // behind one, which may have commas
		from = at
	}
	typed := text[from:]
	first, rest, more := strings.Cut(strings.TrimLeft(text, " "), " ")
	var could []string
	switch v, ok := VerbNamed(first); {
	case !more:
		for _, n := range verbsToType() {
			could = append(could, n+" ")
		}
	case strings.HasPrefix(typed, "@") && strings.Contains(typed, "."):
		could = k.endpoints(typed)
	case ok && v.Name == first:
		before := strings.Fields(rest[:len(rest)-len(typed)])
		key := ""
		if strings.HasSuffix(text[:from], "=") {
			key = strings.TrimSuffix(before[len(before)-1], "=")
		}
		for _, w := range v.completes {
			switch {
			case key != w.key && (w.key != "" || key == viaWord):
			case w.kind == wordOption:
				could = append(could, k.options(before)...)
			case w.after == "" || slices.Contains(before, w.after):
				could = append(could, k.of(w, typed)...)
			}
		}
	}
	for _, w := range could {
		if strings.HasPrefix(w, typed) && w != typed {
			out = append(out, w)
		}
	}
	slices.Sort(out)
	return from, slices.Compact(out)
}

// of are the words of a kind. Names of meshes are offered where nothing or an @ has been typed.
func (k *Known) of(w word, typed string) []string {
	mesh := func(behind string) (out []string) {
		if typed != "" && typed[0] != '@' || strings.ContainsAny(typed, ".[") {
			return nil
		}
		for _, n := range k.Meshes {
			out = append(out, "@"+n+behind)
		}
		return out
	}
	switch w.kind {
	case wordFixed:
		return []string{w.fixed}
	case wordMesh:
		return mesh("")
	case wordEndpoint:
		return mesh(".")
	case wordProcs:
		return k.Procs
	case wordType:
		return k.Types
	case wordVerb:
		return verbsToType()
	case wordTheme:
		return k.Themes
	case wordDemo:
		return k.Demos
	case wordLauncher:
		return k.Launches.Names()
	case wordOption:
	}
	return nil
}

// options are the options of the launcher that via= names among words, less those that are there.
func (k *Known) options(words []string) (out []string) {
	for _, word := range words {
		name, ok := strings.CutPrefix(word, viaWord+"=")
		launcher, _, known := k.Launches.Of(name)
		if !ok || !known {
			continue
		}
		for _, o := range append(launcher.OptionNames(), withinWord) {
			if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, o+"=") }) {
				out = append(out, o+"=")
			}
		}
	}
	return out
}

// verbsToType are the names of the verbs that this build has.
func verbsToType() (names []string) {
	for _, v := range Verbs() {
		if v.Lacks == "" {
			names = append(names, v.Name)
		}
	}
	return names
}

// endpoints are the endpoints of the mesh that is named in what is typed, @NAME[sel].part.
func (k *Known) endpoints(typed string) (out []string) {
	name, _, _ := strings.Cut(typed[1:], ".")
	name, _, _ = strings.Cut(name, "[")
	if k.Endpoints == nil {
		return nil
	}
	for _, ep := range k.Endpoints(name) {
		out = append(out, typed[:strings.LastIndexByte(typed, '.')+1]+ep)
	}
	return out
}

// dimWords are the dimensions of a mesh, as a selection has them.
func dimWords(ref control.MeshRef) (out []string) {
	for _, d := range ref.Extent().Names() {
		out = append(out, d+"=")
	}
	return out
}

// hostWords are the names of its hosts, as a selection has them.
func hostWords(ref control.MeshRef) (out []string) {
	if ref.Hosts == nil {
		return nil
	}
	for _, name := range ref.Hosts.Names {
		if text := shape.HostText(name); name != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// within are the words with which the selection of a target could go on that begins at a place: its dimensions, and behind hosts= the
// names of its hosts.
func (k *Known) within(target, text string, begin int) (from int, out []string) {
	const key = shape.HostsDim + "="
	could := dimWords
	if at := strings.LastIndex(text[begin:], key); at >= 0 {
		from = begin + at + len(key)
		list, isList := strings.CutPrefix(text[from:], "(")
		switch {
		case isList && !strings.ContainsRune(list, ')'):
			could, begin = hostWords, from+1
		case !isList && !strings.ContainsRune(list, ','):
			could, begin = hostWords, from
		}
	}
	from = begin + strings.LastIndexByte(text[begin:], ',') + 1
	from += len(text[from:]) - len(strings.TrimLeft(text[from:], " "))
	if k.Ref == nil {
		return from, nil
	}
	ref, ok := k.Ref(target)
	if !ok {
		return from, nil
	}
	for _, w := range could(ref) {
		if strings.HasPrefix(w, text[from:]) && w != text[from:] {
			out = append(out, w)
		}
	}
	return from, out
}
