// Package monarch_test holds the rules that no single package can hold itself: who may import whom, and what every file
// owes its reader.
package monarch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/monarch-tui/monarch-tui"

// layer says what the packages under a folder may import. The first layer whose folder matches counts.
type layer struct {
	folder string   // below the module; the packages under it too, unless exact
	exact  bool     // this package only
	own    []string // our packages that it may import: a path, or a path/... with all below it
	others []string // modules and x/ packages outside the standard library
	std    []string // packages of the standard library that it must not import
	why    string
}

// layers is section "The packages" of ARCHITECTURE.md as a table.
var layers = []layer{
	{
		folder: "quicnet/clean",
		others: []string{"github.com/charmbracelet/x/ansi/parser"},
		std:    []string{"context", "io", "log", "log/slog", "net", "os", "os/exec", "sync", "time"},
		why:    "cleaning text is a pure function at the bottom of everything: whoever shows text from another process must be able to import it",
	},
	{
		folder: "quicnet/recent",
		std:    []string{"context", "io", "log", "log/slog", "net", "os", "os/exec", "sync", "time"},
		why:    "it is a container and nothing else: its owners have the locks",
	},
	{
		folder: "quicnet/hlc",
		std:    []string{"context", "io", "log", "log/slog", "net", "os", "os/exec"},
		why:    "a clock is arithmetic and one atomic number: whoever shows its readings must be able to import it",
	},
	{
		folder: "quicnet/fault",
		std:    []string{"context", "crypto", "crypto/tls", "io", "log", "log/slog", "os", "os/exec"},
		why:    "a fault is drawn from a seed, a packet's number and its size: what is in packets, and why they are to be lost, is known above it",
	},
	{
		folder: "quicnet/carrier",
		own:    []string{"quicnet/clean", "quicnet/fault"},
		others: []string{"golang.org/x/net/ipv4", "golang.org/x/sys/unix"},
		std:    []string{"crypto", "crypto/tls", "io", "log", "log/slog", "os/exec"},
		why:    "a carrier moves packets: what is in them, and what becomes of one that is lost, is known above it",
	},
	{
		folder: "quicnet/shm",
		own:    []string{"quicnet/carrier"},
		others: []string{"golang.org/x/sys/unix"},
		std:    []string{"context", "crypto/tls", "log", "log/slog", "net", "os/exec"},
		why:    "a stream moves bytes: what is in them, who the other process is, and whether to trust it, is known above it",
	},
	{
		folder: "quicnet",
		own:    []string{"quicnet/carrier", "quicnet/clean", "quicnet/fault", "quicnet/recent", "quicnet/shm"},
		others: []string{"github.com/quic-go/quic-go", "github.com/fxamacker/cbor/v2", "golang.org/x/sys"},
		why:    "quicnet carries envelopes and knows nothing of actors: it is tested, fuzzed and replaced alone",
	},
	{
		folder: "engine/shape",
		own:    []string{"engine/internal/suggest", "quicnet/clean"},
		std:    []string{"context", "io", "log", "log/slog", "net", "os", "os/exec", "sync", "time"},
		why:    "shapes are arithmetic: pure, so that every front end and every test can compute with them anywhere",
	},
	{
		folder: "engine/schema",
		own:    []string{"engine/shape", "engine/internal/suggest", "quicnet/clean"},
		others: []string{"github.com/fxamacker/cbor/v2"},
		std:    []string{"log", "log/slog", "net", "os", "os/exec"},
		why:    "schemas travel to front ends that have none of the user's types, so they must not need the engine to be read",
	},
	{
		folder: "engine/control",
		own:    []string{"engine/schema", "engine/shape", "quicnet/clean"},
		others: []string{"github.com/fxamacker/cbor/v2", "golang.org/x/sys"},
		why:    "control is the boundary: a front end that imports it must not link the runtime, and the engine implements it, not the reverse",
	},
	{
		folder: "engine/eval",
		own:    []string{"engine/internal/suggest"},
		others: []string{"github.com/expr-lang/expr"},
		std:    []string{"io", "log", "log/slog", "net", "os", "os/exec"},
		why:    "a condition is judged in the process of the actor and an expectation in a front end, by the same rules: neither may need the other",
	},
	{
		folder: "engine/probe/cond",
		own:    []string{"engine/eval", "engine/internal/suggest", "engine/probe/walk", "engine/schema", "quicnet/clean"},
		std:    []string{"context", "io", "log", "log/slog", "net", "os", "os/exec"},
		why:    "a condition is judged on the message path while an actor waits: it reads values and does nothing else, and what a breakpoint is stands above it",
	},
	{
		folder: "engine/probe/edit",
		own:    []string{"engine/internal/body", "engine/probe/walk", "engine/schema", "quicnet/clean"},
		std:    []string{"context", "io", "log", "log/slog", "net", "os", "os/exec"},
		why:    "a value is set by its type and its text alone, so that the rule of what may be set can be tested without an engine",
	},
	{
		folder: "engine/probe/walk",
		own:    []string{"engine/control"},
		std:    []string{"context", "io", "log", "log/slog", "net", "os", "os/exec", "sync"},
		why:    "the walker reads one value, wherever it is: it knows nothing of actors",
	},
	{
		folder: "engine/probe",
		own:    []string{"engine/control", "engine/probe/cond", "engine/shape"},
		why:    "the engine calls the probe on the message path of every program, so the probe must not need the engine",
	},
	{
		folder: "engine/internal/plain",
		others: []string{"github.com/fxamacker/cbor/v2"},
		std:    []string{"context", "io", "log", "log/slog", "net", "os", "os/exec"},
		why:    "a shorter way to the same bytes is right or wrong by types and bytes alone; what may travel and what becomes of the rest is said above it",
	},
	{
		folder: "engine/internal/body",
		own:    []string{"engine/internal/plain", "engine/schema", "quicnet", "quicnet/clean"},
		others: []string{"github.com/fxamacker/cbor/v2"},
		why:    "bodies are the one place where a value meets the codec of the wire: what may travel is schema's rule, the encoding is quicnet's",
	},
	{
		folder: "engine/internal/invoke",
		own:    []string{"engine/internal/body", "quicnet"},
		std:    []string{"io", "log", "log/slog", "net", "os", "os/exec", "time"},
		why:    "a call of a method is a value, bytes and a function: which message it answers, and who looks at it meanwhile, is known above it",
	},
	{
		folder: "engine/internal/form",
		own:    []string{"engine/schema"},
		why:    "forms are judged by types alone, so that the rule of what an endpoint is can be tested without an engine",
	},
	{
		folder: "engine/internal/chaos",
		own:    []string{"engine/control", "quicnet", "quicnet/fault"},
		std:    []string{"context", "io", "log", "log/slog", "net", "os", "os/exec"},
		why:    "faults are rules and arithmetic, the same in every run: what is sent, and when, belongs to the hub",
	},
	{
		folder: "engine/internal/stops",
		own:    []string{"engine/control", "engine/probe", "quicnet/recent"},
		std:    []string{"context", "io", "log", "log/slog", "net", "os", "os/exec", "sync"},
		why:    "stops are the books of the debugger, and rules: what is sent and when belongs to the hub",
	},
	{
		folder: "engine/internal/gpu",
		own:    []string{"quicnet/clean"},
		others: []string{"github.com/NVIDIA/go-nvml", "golang.org/x/sys"},
		why:    "devices are found, claimed and measured without an engine, so that every answer of a driver can be played to it in a test",
	},
	{
		folder: "engine/internal/launch/via",
		own:    []string{"engine/control", "engine/internal/suggest", "quicnet/clean"}, // of control: which options there are
		std:    []string{"log", "log/slog", "net"},
		why:    "a launcher runs the site's own client and reads what it prints: what agents are for, and how they join, is known above it",
	},
	{
		folder: "engine/internal/agent",
		own:    []string{"engine/control", "engine/internal/gpu", "engine/internal/host", "engine/internal/launch"},
		why:    "an agent starts and ends processes: the engine carries its messages, so that it can be tested without a network",
	},
	{
		folder: "engine/internal/build",
		own:    []string{"engine/control", "quicnet/clean"},
		why:    "an executable is built without an engine: what the compiler says is all it has to tell",
	},
	{
		folder: "engine/internal/farlog",
		own:    []string{"quicnet/clean"},
		std:    []string{"io", "net", "os", "os/exec"},
		why:    "who logs waits for nothing: how records travel and where they are written is said above it",
	},
	{
		folder: "engine/internal/relay",
		own:    []string{"quicnet"},
		std:    []string{"io", "net", "os", "os/exec"},
		why:    "what goes by an agent is gathered and put in order without a network, so that it can be tested in virtual time",
	},
	{
		folder: "engine/internal",
		own:    []string{"engine/internal/..."},
		others: []string{"golang.org/x/sys"},
		why:    "helpers of the engine stand below it",
	},
	{
		folder: "engine/enginetest",
		own:    []string{"engine"},
		why:    "the test kit is made of what users have themselves",
	},
	{
		folder: "engine", exact: true,
		own: []string{"engine/control", "engine/eval", "engine/internal/...", "engine/probe/...", "engine/schema", "engine/shape", "quicnet", "quicnet/carrier", "quicnet/clean", "quicnet/fault", "quicnet/hlc", "quicnet/recent"},
		why: "every program that has actors links the engine: no flags, no screens, no command language, and nothing that stands above it",
	},
	{
		folder: "demos",
		own:    []string{"engine", "demos/..."},
		why:    "a demo is what a learner copies: it uses the public API and nothing else",
	},
	{
		folder: "debugger/kept",
		own:    []string{"engine/control"},
		std:    []string{"log", "log/slog", "net", "os/exec", "sync"},
		why:    "what is kept is a file and a list: when it is looked at, and who is told what is wrong, are the front ends' business",
	},
	{
		folder: "debugger",
		own:    []string{"debugger/...", "engine/control", "engine/eval", "engine/schema", "engine/shape", "quicnet/clean"},
		why:    "scripts and debugger reach a program of another build through engine/control only, so they see no more than an attached stranger would",
	},
	{
		folder: "tui",
		own:    []string{"tui/...", "debugger/...", "engine/control", "engine/schema", "engine/shape"},
		others: []string{"charm.land", "github.com/charmbracelet", "github.com/fxamacker/cbor/v2", "github.com/lucasb-eyer/go-colorful", "github.com/pelletier/go-toml/v2", "github.com/guptarohit/asciigraph", "github.com/sahilm/fuzzy"},
		why:    "the explorer is one more client of engine/control: what it shows, an attached one shows too",
	},
	{
		folder: "cmd",
		own:    []string{"tui/...", "debugger/...", "demos/...", "engine", "engine/control", "engine/schema", "engine/shape", "quicnet/carrier"},
		others: []string{"charm.land/fang/v2", "github.com/spf13/cobra", "golang.org/x/sys", "golang.org/x/term"},
		why:    "a command wires the parts together; what it would do with the network itself belongs to the engine, but for saying which carrier there is; what a terminal needs of the system it may ask",
	},
}

// ranks is the order of the folders: imports point down, also in tests.
var ranks = map[string]int{"cmd": 5, "tui": 4, "debugger": 3, "demos": 2, "engine": 1, "quicnet": 0}

func TestTheImportsPointDown(t *testing.T) {
	for _, f := range goFiles(t, parser.ImportsOnly) {
		l := layerOf(f.dir)
		if l == nil {
			if f.dir != "." {
				t.Errorf("%s: no layer covers this folder; code lives in cmd, tui, debugger, engine, quicnet and demos (ARCHITECTURE.md, the packages)", f.path)
			}
			continue
		}
		for _, imp := range f.ast.Imports {
			p, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if problem := l.judge(f, p); problem != "" {
				t.Errorf("%s imports %s: %s; %s", f.path, p, problem, l.why)
			}
		}
	}
}

func layerOf(dir string) *layer {
	for i, l := range layers {
		if dir == l.folder || !l.exact && strings.HasPrefix(dir, l.folder+"/") {
			return &layers[i]
		}
	}
	return nil
}

// judge says what is wrong with an import. Tests may use any library, and of ours whatever does not stand above them.
func (l *layer) judge(f goFile, imported string) string {
	own, isOwn := strings.CutPrefix(imported, module+"/")
	first, _, _ := strings.Cut(imported, "/")
	switch {
	case isOwn && f.test():
		top := func(p string) int { s, _, _ := strings.Cut(p, "/"); return ranks[s] }
		if top(own) > top(f.dir) {
			return "it stands above " + l.folder
		}
	case isOwn:
		if own != f.dir && !covered(own, l.own) {
			return l.folder + " may import " + list(l.own) + " of ours"
		}
	case f.test():
	case strings.Contains(first, "."):
		if !slices.ContainsFunc(l.others, func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") }) {
			return "of other modules " + l.folder + " may import " + list(l.others)
		}
	case slices.Contains(l.std, imported):
		return l.folder + " may not import " + list(l.std)
	}
	return ""
}

func covered(p string, allowed []string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		below, all := strings.CutSuffix(a, "/...")
		return p == a || all && (p == below || strings.HasPrefix(p, below+"/"))
	})
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// goFile is one parsed file of this module.
type goFile struct {
	path string // slashes, from the module's root
	dir  string
	ast  *ast.File
}

func (f goFile) test() bool { return strings.HasSuffix(f.path, "_test.go") }

// goFiles parses the files of this module for every platform; modules inside it are others.
func goFiles(t *testing.T, mode parser.Mode) []goFile {
	t.Helper()
	var out []goFile
	for _, p := range files(t) {
		if path.Ext(p) != ".go" {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(p), nil, mode)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, goFile{path: p, dir: path.Dir(p), ast: f})
	}
	return out
}

// files lists what belongs to this module, without what is hidden, built, or test data.
func files(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != ".":
			_, err := os.Stat(filepath.Join(p, "go.mod"))
			if name := d.Name(); err == nil || name[0] == '.' && name != ".ci" || name == "testdata" || name == "bin" || name == "dist" {
				return filepath.SkipDir
			}
		case !d.IsDir() && p != ".git": // which is a file in a worktree
			out = append(out, filepath.ToSlash(p))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
