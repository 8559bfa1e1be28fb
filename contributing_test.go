package monarch_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// recipes are the changes that CONTRIBUTING.md explains, each with the number of places that it may take at most. One
// more is a sign that a fact has got a second home.
var recipes = map[string]int{
	"A pane":                  8,
	"A verb of the language":  2,
	"A verb of the protocol":  5,
	"A field of the envelope": 6,
}

// place is one numbered step of a recipe: `path#Symbol`. A path that ends in / is a folder that the change makes.
var place = regexp.MustCompile("(?m)^[0-9]+\\. `([^`#]+)(?:#([^`]+))?`")

func TestTheRecipesNamePlacesThatExist(t *testing.T) {
	sections := map[string]string{}
	for _, s := range strings.Split(string(read(t, "CONTRIBUTING.md")), "\n### ")[1:] {
		title, body, _ := strings.Cut(s, "\n")
		body, _, _ = strings.Cut(body, "\n## ")
		sections[title] = body
	}
	for title, most := range recipes {
		steps := place.FindAllStringSubmatch(sections[title], -1)
		if len(steps) == 0 || len(steps) > most {
			t.Errorf("CONTRIBUTING.md, %q: %d places, want 1 to %d", title, len(steps), most)
		}
		for _, s := range steps {
			if problem := missing(t, s[1], s[2]); problem != "" {
				t.Errorf("CONTRIBUTING.md, %q: %s", title, problem)
			}
		}
	}
}

// TestTheListOfMakeHasEveryTarget: what is told behind ## is in what make says.
func TestTheListOfMakeHasEveryTarget(t *testing.T) {
	list, err := exec.Command("make", "--no-print-directory", "help").CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip(err)
	}
	for _, target := range regexp.MustCompile(`(?m)^([^\s:#]+):.*## `).FindAllStringSubmatch(string(read(t, "Makefile")), -1) {
		if !strings.Contains(string(list), "  make "+target[1]+" ") {
			t.Errorf("make does not list %s (%v)", target[1], err)
		}
	}
}

// missing says what is wrong with a place, "" for nothing.
func missing(t *testing.T, path, symbol string) string {
	all := files(t)
	switch {
	case strings.HasSuffix(path, "/"):
		parent := path[:strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/')+1]
		if !slices.ContainsFunc(all, func(f string) bool { return strings.HasPrefix(f, parent) }) {
			return "there is no folder " + parent
		}
		return ""
	case !slices.Contains(all, path):
		return "there is no file " + path
	case symbol == "":
		return ""
	case !strings.HasSuffix(path, ".go"):
		if !strings.Contains(string(read(t, path)), symbol) {
			return fmt.Sprintf("%s does not hold %q", path, symbol)
		}
		return ""
	}
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err.Error()
	}
	if have := symbols(f); !slices.Contains(have, symbol) {
		return fmt.Sprintf("%s does not declare %s; it has %s", path, symbol, strings.Join(have, " "))
	}
	return ""
}

// symbols are the names that a file declares: functions, Type.Method, types, constants, variables.
func symbols(f *ast.File) (out []string) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				name = receiver(d.Recv.List[0].Type) + "." + name
			}
			out = append(out, name)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					out = append(out, s.Name.Name)
				case *ast.ValueSpec:
					for _, n := range s.Names {
						out = append(out, n.Name)
					}
				}
			}
		}
	}
	return out
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return "?"
}
