package source

import (
	"debug/dwarf"
	"debug/elf"
	"os"
	"strings"
)

// readParams reads the names of the parameters of these functions from this executable: a third of a second for a large
// one.
func readParams(functions []string) map[string][]string {
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
	want := make(map[string]bool, len(functions))
	for _, name := range functions {
		want[name] = true
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
}

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
