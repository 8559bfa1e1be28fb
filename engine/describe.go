package engine

import (
	"debug/dwarf"
	"debug/elf"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// describeTypes is the registered actor types as front ends see them. Parameter names and docs come from the source
// where it still is, the names from DWARF where it is not (-trimpath, another machine); a stripped binary has neither.
func describeTypes() ([]control.Type, schema.Types) {
	registry.mu.RLock()
	defer registry.mu.RUnlock()
	var out []control.Type
	for _, name := range slices.Sorted(maps.Keys(registry.byName)) {
		out = append(out, describeType(registry.byName[name]))
	}
	return out, maps.Clone(registry.schema.Types)
}

func describeType(t *actorType) control.Type {
	d := control.Type{Name: displayName(t), Full: t.full, Fields: t.fields, Skipped: t.skipped}
	for _, ep := range t.list {
		e := control.Endpoint{Name: ep.name, Doc: ep.doc, Arg: ep.arg, Result: ep.result, Concurrent: ep.concurrent, Hash: ep.hash}
		src := sourceOf(t, ep)
		e.File, e.Line, e.Param = src.file, src.line, src.param
		if e.Doc == "" {
			e.Doc = src.doc
		}
		if d.Doc == "" {
			d.Doc = src.typeDoc
		}
		if e.Arg != nil && (e.Param == "" || e.Param == "_") {
			e.Param = "arg"
		}
		d.Endpoints = append(d.Endpoints, e)
	}
	return d
}

// source is what the source code says about an endpoint.
type source struct {
	file, param, doc, typeDoc string
	line                      int
}

var sources sync.Map // *endpoint → source: reading a file is worth doing once

func sourceOf(t *actorType, ep *endpoint) source {
	if s, ok := sources.Load(ep); ok {
		return s.(source) //nolint:forcetypeassert // only sources are stored
	}
	var s source
	if f := runtime.FuncForPC(ep.pc); f != nil {
		path, line := f.FileLine(ep.pc)
		if strings.HasSuffix(path, ".go") { // a promoted or by-value method has a generated wrapper: no position of its own
			s = readSource(path, line, t.short, ep.name)
			s.file, s.line = filepath.Base(path), line
		}
		if s.param == "" && ep.in != nil {
			s.param = dwarfParam(f.Name())
		}
	}
	sources.Store(ep, s)
	return s
}

// readSource parses the file of a method. A line that does not fit is a source that changed since the build: it is not believed.
func readSource(path string, line int, typ, method string) (s source) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return s
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			from, to := fset.Position(d.Pos()).Line, fset.Position(d.End()).Line
			if d.Recv == nil || d.Name.Name != method || line < from || line > to {
				continue
			}
			s.doc = strings.TrimSpace(d.Doc.Text())
			var names []string
			for _, f := range d.Type.Params.List {
				for _, n := range f.Names {
					names = append(names, n.Name)
				}
			}
			if len(names) > 1 {
				s.param = names[1]
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.Name == typ {
					s.typeDoc = strings.TrimSpace(ts.Doc.Text() + d.Doc.Text())
				}
			}
		}
	}
	return s
}

// dwarfParam is the name of a method's argument as the debug information has it.
func dwarfParam(function string) string {
	if p := dwarfParams()[function]; len(p) > 2 { // receiver, ctx, argument
		return p[2]
	}
	return ""
}

// dwarfParams reads the parameter names of all endpoints at once: a third of a second, once, and only without sources.
var dwarfParams = sync.OnceValue(func() map[string][]string {
	out := map[string][]string{}
	exe, err := os.Executable()
	if err != nil {
		return out
	}
	f, err := elf.Open(exe)
	if err != nil {
		return out
	}
	defer f.Close()
	d, err := f.DWARF()
	if err != nil {
		return out
	}
	want := map[string]bool{}
	for _, t := range registry.byName {
		for _, ep := range t.list {
			want[funcName(ep.pc)] = true
		}
	}
	r := d.Reader()
	for {
		e, err := r.Next()
		if err != nil || e == nil {
			return out
		}
		if e.Tag == dwarf.TagCompileUnit {
			continue
		}
		name, _ := e.Val(dwarf.AttrName).(string)
		if e.Tag == dwarf.TagSubprogram && want[name] && e.Children {
			out[name] = params(r)
		} else if e.Children {
			r.SkipChildren()
		}
	}
})

func params(r *dwarf.Reader) []string {
	var out []string
	for {
		c, err := r.Next()
		if err != nil || c == nil || c.Tag == 0 {
			return out
		}
		if c.Tag == dwarf.TagFormalParameter {
			if n, ok := c.Val(dwarf.AttrName).(string); ok && !strings.HasPrefix(n, "~") {
				out = append(out, n)
			}
		}
		if c.Children {
			r.SkipChildren()
		}
	}
}
