package monarch_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maxLines is where a file has become two thoughts.
const maxLines = 500

func TestTheFilesAreSmall(t *testing.T) {
	for _, p := range files(t) {
		if path.Ext(p) != ".go" {
			continue
		}
		if n := bytes.Count(read(t, p), []byte("\n")); n > maxLines {
			t.Errorf("%s has %d lines; past %d a type family wants a file of its own", p, n, maxLines)
		}
	}
}

func TestThePackagesSayWhatTheyAreFor(t *testing.T) {
	docs := map[string]bool{}
	for _, f := range goFiles(t, parser.ParseComments|parser.PackageClauseOnly) {
		if f.test() && f.dir != "." {
			continue
		}
		text := f.ast.Doc.Text()
		docs[f.dir] = docs[f.dir] || strings.HasPrefix(text, "Package ") || strings.HasPrefix(text, "Command ")
	}
	for dir, has := range docs {
		if !has {
			t.Errorf("package %s has no package comment that says what it is for and what it is not", dir)
		}
	}
}

// homes matches what only exists on the machine of whoever wrote it.
var homes = regexp.MustCompile(`(^|[\s"'(=:` + "`" + `])(/(root|work|home/\w+|Users/\w+)/|[A-Z]:\\Users\\)`)

func TestTheFilesNameNoPlaceOnOneMachine(t *testing.T) {
	for _, p := range files(t) {
		for i, line := range strings.Split(string(read(t, p)), "\n") {
			if m := homes.FindString(line); m != "" && p != "house_test.go" {
				t.Errorf("%s:%d names a place that other machines do not have: %s", p, i+1, strings.TrimSpace(line))
			}
		}
	}
}

// Every worker has the packages of the engine. An expression that is compiled when the program starts is paid for by each: one with
// a repetition of 254 took 0.9 ms and 0.9 MiB.
func TestTheEngineCompilesNoExpressionWhenItStarts(t *testing.T) {
	for _, f := range goFiles(t, parser.SkipObjectResolution) {
		if f.test() || !strings.HasPrefix(f.dir, "engine") && !strings.HasPrefix(f.dir, "quicnet") || strings.HasPrefix(f.dir, "engine/bench") {
			continue
		}
		for _, d := range f.ast.Decls {
			vars, ok := d.(*ast.GenDecl)
			if !ok || vars.Tok != token.VAR {
				continue
			}
			ast.Inspect(vars, func(n ast.Node) bool {
				if _, later := n.(*ast.FuncLit); later {
					return false
				}
				if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "MustCompile" {
					t.Errorf("%s compiles an expression when the program starts: use sync.OnceValue", f.path)
				}
				return true
			})
		}
	}
}

// explained are the modules that docs/dependencies.md explains, in its order.
func explained(t *testing.T) (modules []string) {
	t.Helper()
	for _, m := range regexp.MustCompile("(?m)^## `([^`]+)`").FindAllStringSubmatch(string(read(t, "docs/dependencies.md")), -1) {
		modules = append(modules, m[1])
	}
	return modules
}

func TestTheDependenciesAreExplained(t *testing.T) {
	have := explained(t)
	var want []string
	for line := range strings.Lines(string(read(t, "go.mod"))) {
		f := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(f) == 2 && strings.Contains(f[0], ".") && strings.HasPrefix(f[1], "v") {
			want = append(want, f[0])
		}
	}
	for _, m := range want {
		if !slices.Contains(have, m) {
			t.Errorf("docs/dependencies.md does not say why we need %s and what we would do without it (want a heading ## `%s`)", m, m)
		}
	}
	for _, m := range have {
		if !slices.Contains(want, m) {
			t.Errorf("docs/dependencies.md explains %s, which go.mod does not require directly", m)
		}
	}
}

// engineModules is how many modules a program links that imports only the engine; docs/dependencies.md says so, and names
// them first.
const engineModules = 6

func TestTheEngineLinksTheDependenciesThatThePageNamesFirst(t *testing.T) {
	imports := map[string][]string{} // by folder
	for _, f := range goFiles(t, parser.ImportsOnly|parser.ParseComments) {
		for _, imp := range f.ast.Imports {
			if !f.test() && !f.asked() {
				imports[f.dir] = append(imports[f.dir], strings.Trim(imp.Path.Value, `"`))
			}
		}
	}
	pages := explained(t)
	linked := map[string]bool{}
	seen := map[string]bool{"engine": true}
	for todo := []string{"engine"}; len(todo) > 0; todo = todo[1:] {
		for _, p := range imports[todo[0]] {
			if own, ok := strings.CutPrefix(p, module+"/"); ok {
				if !seen[own] {
					seen[own] = true
					todo = append(todo, own)
				}
				continue
			}
			if of := slices.IndexFunc(pages, func(m string) bool { return p == m || strings.HasPrefix(p, m+"/") }); of >= 0 {
				linked[pages[of]] = true
			}
		}
	}
	first := slices.Sorted(slices.Values(pages[:engineModules]))
	if have := slices.Sorted(maps.Keys(linked)); !slices.Equal(have, first) {
		t.Errorf("a program that imports engine links %v, docs/dependencies.md begins with %v", have, first)
	}
}

// asked reports whether a file is built only by who asks for it with a tag.
func (f goFile) asked() bool {
	return len(f.ast.Comments) > 0 && strings.HasPrefix(f.ast.Comments[0].List[0].Text, "//go:build nvml")
}

var link = regexp.MustCompile(`\]\(([^)#\s]+)[^)]*\)`)

func TestTheLinksOfTheDocsLeadSomewhere(t *testing.T) {
	for _, p := range files(t) {
		if path.Ext(p) != ".md" {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(string(read(t, p)), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(p), filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s links to %s, which is not there", p, m[1])
			}
		}
	}
}

func read(t *testing.T, p string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.FromSlash(p))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
