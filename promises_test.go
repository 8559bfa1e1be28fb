package monarch_test

import (
	"fmt"
	"go/parser"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	promised = regexp.MustCompile(`(?m)^\s*(?:- )?(INV-[A-Z0-9]+)[: ]`)
	holds    = regexp.MustCompile(`INV[-_][A-Z0-9]+`)
	testFunc = regexp.MustCompile(`(?m)(?:^//.*\n)*^func (?:Test|Fuzz)\w*\(.*$`)
)

// A package comment that promises INV-… is held to it by a test of that package which names the promise: in its own name,
// in the comment above it, or behind its first line. A test that names one that the package does not promise is wrong too.
func TestEveryPromiseOfAPackageIsNamedByATestOfIt(t *testing.T) {
	promises, tests := map[string][]string{}, map[string][]string{}
	for _, f := range goFiles(t, parser.ParseComments|parser.PackageClauseOnly) {
		if !f.test() {
			for _, m := range promised.FindAllStringSubmatch(f.ast.Doc.Text(), -1) {
				promises[f.dir] = append(promises[f.dir], m[1])
			}
			continue
		}
		for _, fn := range testFunc.FindAllString(string(read(t, f.path)), -1) {
			for _, m := range holds.FindAllString(fn, -1) {
				tests[f.dir] = append(tests[f.dir], strings.Replace(m, "_", "-", 1))
			}
		}
	}
	for dir, list := range promises {
		for _, p := range list {
			if !slices.Contains(tests[dir], p) {
				t.Errorf("%s promises %s, and no test of it says that it holds that", dir, p)
			}
		}
	}
	for dir, list := range tests {
		for _, p := range list {
			if !slices.Contains(promises[dir], p) {
				t.Errorf("a test in %s says that it holds %s, which the package comment does not promise", dir, p)
			}
		}
	}
}

// P1 to P10 are the promises of the whole. ARCHITECTURE.md has them as a table, each with tests that hold it.
func TestEveryPromiseOfTheWholeNamesTestsThatExist(t *testing.T) {
	_, table, _ := strings.Cut(string(read(t, "ARCHITECTURE.md")), "\n## What we promise\n")
	table, _, _ = strings.Cut(table, "\n## ")
	tests := regexp.MustCompile("`([\\w/]+_test\\.go)#(\\w+)`")
	for n := 1; n <= 10; n++ {
		row := regexp.MustCompile(fmt.Sprintf(`(?m)^\| P%d .*$`, n)).FindString(table)
		named := tests.FindAllStringSubmatch(row, -1)
		if len(named) == 0 {
			t.Errorf("ARCHITECTURE.md: P%d names no test", n)
		}
		for _, m := range named {
			if problem := missing(t, m[1], m[2]); problem != "" {
				t.Errorf("ARCHITECTURE.md, P%d: %s", n, problem)
			}
		}
	}
}

// maxFiles is where a package has become two, its tests counted. The engine's root is the largest: generic API and runtime need
// each other's insides, so what can be cut off it is a package under engine/internal already.
const maxFiles = 96

func TestThePackagesAreSmall(t *testing.T) {
	count := map[string]int{}
	for _, p := range files(t) {
		if path.Ext(p) == ".go" {
			count[path.Dir(p)]++
		}
	}
	for dir, n := range count {
		if n > maxFiles {
			t.Errorf("%s has %d files; past %d a package wants to be two", dir, n, maxFiles)
		}
	}
}
