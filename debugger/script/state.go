package script

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/eval"
)

// How much of a state one read asks for. What is larger is read on, page by page; maxElements and maxReads are where it
// ends. The second is for what is deep and not wide, as a list of pointers is, or one that leads back to itself.
const (
	stateDepth  = 8
	stateCount  = 16_384
	stateText   = 64 << 10
	maxElements = 100_000
	maxReads    = 256
)

// stateResult is the state of one rank.
type stateResult struct {
	value any
	err   string
}

// states reads the state of ranks, or what lies at a path in it. Of the fields that are named, none for all, it reads on
// what one read has no room for.
func (s *Session) states(ctx context.Context, set rankSet, path string, fields ...string) (map[int]stateResult, error) {
	left := budget(ctx)
	left -= min(left/4, 100*time.Millisecond) // so that the answer "busy in …" comes before our own patience ends
	ask := func(ctx context.Context, ranks []int, path string, start int) ([]control.StateNode, error) {
		return s.c.State(ctx, control.StateReq{Mesh: set.ref.Name, Ranks: ranks, Path: path, Start: start, Count: stateCount, Depth: stateDepth, Text: stateText, Budget: left})
	}
	nodes, err := ask(ctx, set.ranks, path, 0)
	if err != nil {
		return nil, err
	}
	out := make(map[int]stateResult, len(nodes))
	for _, n := range nodes {
		r := stateReader{left: maxElements, ask: func(path string, start int) (control.StateNode, error) {
			page, err := ask(ctx, []int{n.Rank}, path, start)
			if err != nil || len(page) != 1 {
				return control.StateNode{}, fmt.Errorf("read on at %s: %w", path, err)
			}
			return page[0], nil
		}}
		if n.Error == "" {
			err = r.whole(&n, fields)
		}
		if err != nil {
			return nil, err
		}
		out[n.Rank] = stateResult{plain(n, 0), n.Error}
	}
	return out, nil
}

// stateReader reads on what a node has more of than one read gave.
type stateReader struct {
	ask   func(path string, start int) (control.StateNode, error)
	left  int // elements that may still be read
	reads int // that were made
}

// whole completes a node, or of its children those that are named. What has changed between two pages, or is beyond the
// bound, stays incomplete, which plain tells from a whole.
func (r *stateReader) whole(n *control.StateNode, fields []string) error {
	for len(n.Nodes) < n.Len && composite(n.Kind) && r.left > 0 && r.reads < maxReads {
		r.reads++
		page, err := r.ask(n.Path, len(n.Nodes))
		if err != nil {
			return err
		}
		if page.Error != "" || page.Kind != n.Kind || page.Len != n.Len || len(page.Nodes) == 0 {
			return nil
		}
		n.Nodes = append(n.Nodes, page.Nodes...)
		r.left -= elements(page.Nodes)
	}
	for i := range n.Nodes {
		if len(fields) == 0 || slices.Contains(fields, n.Nodes[i].Name) {
			if err := r.whole(&n.Nodes[i], nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func elements(nodes []control.StateNode) int {
	n := len(nodes)
	for i := range nodes {
		n += elements(nodes[i].Nodes)
	}
	return n
}

func composite(kind string) bool { return kind == "struct" || kind == "map" || kind == "list" }

// namesOf are the names of a struct's fields, or the keys of a map's entries, which come in brackets: texts without their
// quotes. A text that is what another kind of key is called, as "1" beside 1, keeps them: no entry hides another.
func namesOf(nodes []control.StateNode) []string {
	out := make([]string, len(nodes))
	taken := make(map[string]bool, len(nodes))
	texts := map[int]string{}
	for i, n := range nodes {
		inner, isKey := strings.CutPrefix(n.Name, "[")
		if !isKey {
			out[i] = n.Name
			continue
		}
		out[i] = strings.TrimSuffix(inner, "]")
		if text, err := strconv.Unquote(out[i]); err == nil {
			texts[i] = text
		} else {
			taken[out[i]] = true
		}
	}
	var hidden []int
	for i := range nodes {
		text, isText := texts[i]
		switch {
		case !isText:
		case taken[text]:
			hidden = append(hidden, i)
		default:
			out[i], taken[text] = text, true
		}
	}
	for _, i := range hidden {
		for taken[out[i]] {
			out[i] = strconv.Quote(out[i])
		}
		taken[out[i]] = true
	}
	return out
}

// plain is a node as expressions want it: structs and maps by name, lists by index, the rest by kind. What was not read
// whole is eval.Incomplete.
func plain(n control.StateNode, depth int) any {
	if composite(n.Kind) {
		if len(n.Nodes) < n.Len || depth > 64 {
			return eval.Cut(n.Text, fmt.Sprintf("%d of its %d elements were read", len(n.Nodes), n.Len))
		}
		if n.Kind == "list" {
			l := make([]any, 0, len(n.Nodes))
			for _, c := range n.Nodes {
				l = append(l, plain(c, depth+1))
			}
			return l
		}
		m := make(map[string]any, len(n.Nodes))
		for i, name := range namesOf(n.Nodes) {
			m[name] = plain(n.Nodes[i], depth+1)
		}
		return m
	}
	v, ok := leaf(n)
	if !ok {
		return eval.Cut(n.Text, fmt.Sprintf("a text is read up to %d bytes", stateText))
	}
	return v
}

// leaf is a node without parts; ok is false where its text was cut.
func leaf(n control.StateNode) (v any, ok bool) {
	switch n.Kind {
	case "nil":
		return nil, true
	case "string":
		s, err := strconv.Unquote(n.Text)
		return s, err == nil
	case "bool":
		return n.Text == "true", true
	case "int", "uint":
		if i, ok := new(big.Int).SetString(n.Text, 10); ok {
			return eval.Canonical(i), true
		}
	case "float":
		if f, err := strconv.ParseFloat(n.Text, 64); err == nil {
			return f, true
		}
	case "duration":
		if d, err := time.ParseDuration(n.Text); err == nil {
			return d, true
		}
	case "time":
		if t, err := time.Parse(time.RFC3339Nano, n.Text); err == nil {
			return t, true
		}
	case "bytes":
		digits := strings.TrimSuffix(strings.TrimPrefix(n.Text, "h'"), "'")
		b, err := hex.DecodeString(digits)
		return b, err == nil
	}
	return n.Text, true
}
