package kept

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Bounds of a file.
const (
	MaxBreaks = 1000    // breakpoints of a program that are kept
	maxBytes  = 1 << 20 // of a file
	version   = 1       // of its form
)

// file is what is written: the breakpoints without what the engine tells of them.
type file struct {
	Version int     `json:"version"`
	Program string  `json:"program"` // for who reads it
	Breaks  []point `json:"breaks"`
}

// point is a breakpoint in a file.
type point struct {
	Mesh     string `json:"mesh,omitempty"`
	Ranks    string `json:"ranks,omitempty"`
	Endpoint string `json:"endpoint,omitempty"`
	Site     string `json:"site,omitempty"`
	If       string `json:"if,omitempty"`
	Hit      string `json:"hit,omitempty"`
	Total    bool   `json:"total,omitempty"`
	Once     bool   `json:"once,omitempty"`
	Off      bool   `json:"off,omitempty"`
	Then     string `json:"then,omitempty"`
	Print    string `json:"print,omitempty"`
	Limit    int    `json:"limit,omitempty"`
	Rate     int    `json:"rate,omitempty"`
	Scope    string `json:"scope,omitempty"`
}

// pointOf is a breakpoint as a person has set it: equal for two that do the same.
func pointOf(b *control.Breakpoint) point {
	p := point{
		Mesh: b.Mesh, Ranks: b.Ranks, Endpoint: b.Endpoint, Site: b.Site, If: b.If, Hit: b.Hit, Total: b.Total, Once: b.Once,
		Off: b.Off, Then: b.Then, Print: b.Print, Limit: b.Limit, Rate: b.Rate, Scope: b.Scope,
	}
	if p.Site == "" {
		p.Site = control.SiteRecv
	}
	if p.Then == "" {
		p.Then = control.ThenPause
	}
	if p.Scope == "" {
		p.Scope = control.ScopeActor
	}
	return p
}

func (p *point) breakpoint() control.Breakpoint {
	return control.Breakpoint{
		Mesh: p.Mesh, Ranks: p.Ranks, Endpoint: p.Endpoint, Site: p.Site, If: p.If, Hit: p.Hit, Total: p.Total, Once: p.Once,
		Off: p.Off, Then: p.Then, Print: p.Print, Limit: p.Limit, Rate: p.Rate, Scope: p.Scope,
	}
}

// load reads the breakpoints of a file; none where there is no file. One that cannot be used is set aside: the error says so,
// and the next time there is none.
func load(name string) ([]point, error) {
	b, err := read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, fs.ErrPermission): // it may be good
		return nil, fmt.Errorf("the kept breakpoints cannot be read: %w", err)
	}
	var points []point
	if err == nil {
		points, err = parse(b)
	}
	if err == nil {
		return points, nil
	}
	aside := name + ".broken"
	if moved := os.Rename(name, aside); moved != nil {
		return nil, fmt.Errorf("the kept breakpoints cannot be used: %w; and %s cannot be set aside: %w", err, name, moved)
	}
	return nil, fmt.Errorf("the kept breakpoints cannot be used: %w; the file is set aside as %s", err, aside)
}

// read reads a file that is one: what else bears the name, such as a pipe, could be waited for without end.
func read(name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file", filepath.Base(name))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err == nil && len(b) > maxBytes {
		err = fmt.Errorf("%s has more than %d bytes", filepath.Base(name), maxBytes)
	}
	return b, err
}

// parse reads what a file says.
func parse(b []byte) ([]point, error) {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("it is no JSON of ours: %w", err)
	}
	if head.Version != version {
		return nil, fmt.Errorf("it is of version %d, and this program reads version %d", head.Version, version)
	}
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("it is no JSON of ours: %w", err)
	}
	if len(f.Breaks) > MaxBreaks {
		return nil, fmt.Errorf("it has %d breakpoints, and %d can be kept", len(f.Breaks), MaxBreaks)
	}
	return f.Breaks, nil
}

// save replaces a file as a whole; without breakpoints there is none.
func save(name, program string, points []point) error {
	if len(points) == 0 {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	b, err := json.MarshalIndent(file{Version: version, Program: program, Breaks: points}, "", "  ")
	if err != nil {
		return err
	}
	if len(b) >= maxBytes {
		return fmt.Errorf("%d breakpoints take %d bytes, and %d can be kept", len(points), len(b), maxBytes)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*") // its mode is 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// fileName is the name of a program's file: of a name that says nothing about folders, whatever the program is called.
func fileName(program string) string {
	var b strings.Builder
	for _, c := range []byte(program) {
		if b.Len() >= 150 {
			break
		}
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.' && b.Len() > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String() + ".json"
}
