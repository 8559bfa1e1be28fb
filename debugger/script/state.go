package script

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// How much of a state a script reads at most.
const (
	stateDepth = 8
	stateCount = 1000
)

// stateResult is the state of one rank.
type stateResult struct {
	value any
	err   string
}

// states reads the state of ranks, or what lies at a path in it.
func (s *Session) states(ctx context.Context, set rankSet, path string) (map[int]stateResult, error) {
	left := budget(ctx)
	left -= min(left/4, 100*time.Millisecond) // so that the answer "busy in …" comes before our own patience ends
	nodes, err := s.c.State(ctx, control.StateReq{Mesh: set.ref.Name, Ranks: set.ranks, Path: path, Count: stateCount, Depth: stateDepth, Budget: left})
	if err != nil {
		return nil, err
	}
	out := make(map[int]stateResult, len(nodes))
	for _, n := range nodes {
		out[n.Rank] = stateResult{plain(n, 0), n.Error}
	}
	return out, nil
}

// unquote undoes the quotes of a text; one that was cut keeps the note of its length.
func unquote(s string) string {
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil {
		return s
	}
	text, err := strconv.Unquote(quoted)
	if err != nil {
		return s
	}
	return text + s[len(quoted):]
}

// fieldName is the name of a struct's field, or the key of a map's entry, which comes in brackets.
func fieldName(name string) string {
	if inner, ok := strings.CutPrefix(name, "["); ok {
		return unquote(strings.TrimSuffix(inner, "]"))
	}
	return name
}

// plain is a node as expressions want it: structs and maps by name, lists by index, scalars by kind. Of what was not
// read, its text.
func plain(n control.StateNode, depth int) any {
	if depth > 64 {
		return n.Text
	}
	switch n.Kind {
	case "nil":
		return nil
	case "string":
		return unquote(n.Text)
	case "bool":
		return n.Text == "true"
	case "int":
		if v, err := strconv.ParseInt(n.Text, 10, 64); err == nil {
			return int(v)
		}
	case "uint":
		if v, err := strconv.ParseUint(n.Text, 10, 64); err == nil {
			if v <= 1<<63-1 {
				return int(v)
			}
			return v
		}
	case "float":
		if v, err := strconv.ParseFloat(n.Text, 64); err == nil {
			return v
		}
	case "struct", "map":
		if len(n.Nodes) > 0 || n.Len == 0 {
			m := make(map[string]any, len(n.Nodes))
			for _, c := range n.Nodes {
				m[fieldName(c.Name)] = plain(c, depth+1)
			}
			return m
		}
	case "list":
		if len(n.Nodes) > 0 || n.Len == 0 {
			l := make([]any, 0, len(n.Nodes))
			for _, c := range n.Nodes {
				l = append(l, plain(c, depth+1))
			}
			return l
		}
	}
	return n.Text
}
