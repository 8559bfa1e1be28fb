package source

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// Method is what is known of a method.
type Method struct {
	File    string // base of the path of its source file
	Line    int
	Params  Params // names of its arguments
	Doc     string
	TypeDoc string // doc comment of its receiver's type
}

// Params are the names of the arguments after the context, "" where there is none or it is not known.
type Params [3]string

// some is the parameters of a function, the first of which are left out.
func some(names []string, skip int) (p Params) {
	copy(p[:], names[min(skip, len(names)):])
	return p
}

// Reader reads methods, each once: parsing a file and reading debug information are worth doing once.
type Reader struct {
	done  sync.Map // Query → Method
	dwarf func() map[string][]string
}

// NewReader makes a reader. wanted names the functions, as runtime.Func.Name does, of which debug information may be
// asked; it is called once, when the first is.
func NewReader(wanted func() []string) *Reader {
	return &Reader{dwarf: sync.OnceValue(func() map[string][]string { return readParams(wanted()) })}
}

// Query asks for a method.
type Query struct {
	PC   uintptr // where its code begins
	Type string  // of its receiver, without the package
	Name string
	Arg  bool // it has arguments after the context
}

// Method is what can be found out. The zero Method is an answer, too.
func (r *Reader) Method(q Query) Method {
	if m, ok := r.done.Load(q); ok {
		return m.(Method) //nolint:forcetypeassert // only methods are stored
	}
	var m Method
	if f := runtime.FuncForPC(q.PC); f != nil {
		path, line := f.FileLine(q.PC)
		if strings.HasSuffix(path, ".go") { // a promoted or by-value method has a generated wrapper: no position of its own
			m = readFile(path, line, q.Type, q.Name)
			m.File, m.Line = filepath.Base(path), line
		}
		if m.Params[0] == "" && q.Arg {
			m.Params = some(r.dwarf()[f.Name()], 2) // after receiver and ctx
		}
	}
	r.done.Store(q, m)
	return m
}

// readFile parses the file of a method. A line that does not fit is a source that changed since the build: it is not
// believed.
func readFile(path string, line int, typ, method string) (m Method) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return m
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			from, to := fset.Position(d.Pos()).Line, fset.Position(d.End()).Line
			if d.Recv == nil || d.Name.Name != method || line < from || line > to {
				continue
			}
			m.Doc = strings.TrimSpace(d.Doc.Text())
			var names []string
			for _, f := range d.Type.Params.List {
				for _, n := range f.Names {
					names = append(names, n.Name)
				}
			}
			m.Params = some(names, 1)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.Name == typ {
					m.TypeDoc = strings.TrimSpace(ts.Doc.Text() + d.Doc.Text())
				}
			}
		}
	}
	return m
}
