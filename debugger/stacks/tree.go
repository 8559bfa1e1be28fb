package stacks

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// The bounds of a tree, over all its processes.
const (
	maxBranches = 1 << 20
	maxMembers  = 4 << 20 // ranks on branches, in all
)

// Process is the profile of one process.
type Process struct {
	Name    string // as errors shall name it, such as procs[3]
	Profile []byte
}

// Member is one rank of an actor mesh. A goroutine that works for no actor has the name of its process, and rank -1.
type Member struct {
	Mesh string
	Rank int
}

// Failure is a process whose stacks are not in the tree.
type Failure struct {
	Process string
	Why     string
}

// Options choose what a tree shows.
type Options struct {
	All    bool // also goroutines that work for no actor
	NoLine bool // calls from two lines of one function are one branch
	Whole  bool // the frames of engine and runtime too
}

// Tree is the stacks of many processes, merged from their outermost frames on.
type Tree struct {
	Branches  []*Branch // those of most ranks first
	Members   []Member  // of all branches, sorted
	Processes int       // whose profiles were read
	Left      int       // goroutines that work for no actor and were left out
	Failed    []Failure
}

// Branch is a frame that stacks of some ranks have in common, and all frames below it.
type Branch struct {
	Frame    Frame
	Members  []Member // sorted
	Count    int      // goroutines
	Ends     []Member // whose innermost frame this is
	Branches []*Branch
}

// Merge reads the profiles and merges their stacks. A profile that cannot be read is among the failed.
func Merge(processes []Process, o Options) *Tree {
	t := &Tree{}
	b := builder{root: &Branch{}, below: map[step]*Branch{}, o: o}
	for _, p := range processes {
		read, err := Read(p.Profile)
		if err == nil {
			err = b.room(read)
		}
		if err != nil {
			t.Failed = append(t.Failed, Failure{p.Name, err.Error()})
			continue
		}
		t.Processes++
		for _, s := range read {
			m := Member{s.Mesh, s.Rank}
			if s.Rank < 0 {
				if !o.All {
					t.Left += s.Count
					continue
				}
				m.Mesh = p.Name
			}
			b.add(s, m)
		}
	}
	b.root.settle()
	t.Branches, t.Members = b.root.Branches, b.root.Members
	return t
}

// builder grows a tree.
type builder struct {
	root    *Branch
	below   map[step]*Branch
	o       Options
	members int
}

// step is a place in a tree: a frame below a branch.
type step struct {
	from *Branch
	to   Frame
}

// room refuses a profile as a whole that the tree may have no room for: half of one would show ranks where they are not.
func (b *builder) room(read []Stack) error {
	frames := 0
	for _, s := range read {
		frames += len(s.Frames) + 1
	}
	if len(b.below)+frames > maxBranches || b.members+frames > maxMembers {
		return fmt.Errorf("the tree has no room for it: it has %d branches already; ask for fewer ranks", len(b.below))
	}
	b.members += frames
	return nil
}

func (b *builder) add(s Stack, m Member) {
	frames := s.Frames
	if !b.o.Whole {
		frames = trimmed(frames)
	}
	at := b.root
	at.join(m, s.Count)
	for _, f := range frames {
		if b.o.NoLine {
			f.Line = 0
		}
		next := b.below[step{at, f}]
		if next == nil {
			next = &Branch{Frame: f}
			b.below[step{at, f}] = next
			at.Branches = append(at.Branches, next)
		}
		at = next
		at.join(m, s.Count)
	}
	at.Ends = append(at.Ends, m)
}

// join counts goroutines of a member. Members are made unique when the tree is settled.
func (b *Branch) join(m Member, goroutines int) {
	b.Count += goroutines
	if n := len(b.Members); n == 0 || b.Members[n-1] != m {
		b.Members = append(b.Members, m)
	}
}

// settle puts everything below a branch in order. Its depth is that of the deepest stack, which is bounded.
func (b *Branch) settle() {
	b.Members, b.Ends = sorted(b.Members), sorted(b.Ends)
	for _, k := range b.Branches {
		k.settle()
	}
	slices.SortFunc(b.Branches, func(x, y *Branch) int {
		return cmp.Or(cmp.Compare(len(y.Members), len(x.Members)), cmp.Compare(y.Count, x.Count), compareMembers(x.Members[0], y.Members[0]),
			cmp.Compare(x.Frame.Func, y.Frame.Func), cmp.Compare(x.Frame.File, y.Frame.File), cmp.Compare(x.Frame.Line, y.Frame.Line))
	})
}

func sorted(members []Member) []Member {
	slices.SortFunc(members, compareMembers)
	return slices.Clip(slices.Compact(members))
}

func compareMembers(a, b Member) int {
	return cmp.Or(cmp.Compare(a.Mesh, b.Mesh), cmp.Compare(a.Rank, b.Rank))
}

// In are the members that have a goroutine in a function, or in what it called: the whole of its branches. The function goes by its
// full name, or by the end of it from a dot on: Step, (*Trainer).Step.
func (t *Tree) In(function string) []Member {
	seen := map[Member]bool{}
	for todo := slices.Clone(t.Branches); len(todo) > 0; {
		b := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if b.Frame.Func == function || strings.HasSuffix(b.Frame.Func, "."+function) || b.Frame.String() == function {
			for _, m := range b.Members {
				seen[m] = true
			}
			continue
		}
		todo = append(todo, b.Branches...)
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b Member) int {
		return cmp.Or(strings.Compare(a.Mesh, b.Mesh), cmp.Compare(a.Rank, b.Rank))
	})
}

// Ranks are the members of the branch at a path of frames, each as its String or its Func is; the empty path is the whole
// tree. A step that leads nowhere is an error that says where it could have gone.
func (t *Tree) Ranks(path ...string) ([]Member, error) {
	members, branches := t.Members, t.Branches
	for i, step := range path {
		at := slices.IndexFunc(branches, func(b *Branch) bool { return b.Frame.String() == step || b.Frame.Func == step })
		if at < 0 {
			return nil, fmt.Errorf("the stacks have no branch %s as step %d: there are %s", clean.Quote(step, 80), i+1, names(branches))
		}
		members, branches = branches[at].Members, branches[at].Branches
	}
	return members, nil
}

// names are the first few frames of branches.
func names(branches []*Branch) string {
	const most = 5
	if len(branches) == 0 {
		return "none below"
	}
	text := ""
	for i, b := range branches {
		if i == most {
			return text + ", and " + strconv.Itoa(len(branches)-i) + " more"
		}
		if i > 0 {
			text += ", "
		}
		text += clean.Quote(b.Frame.String(), 80)
	}
	return text
}
