package debugger

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger/group"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/eval"
)

// Value is a value that the session gave as expressions know it. What was too large to be told whole is an
// eval.Incomplete, which no expectation takes for whole.
func Value(v control.Value) any {
	switch v.Kind {
	case "nil":
		return nil
	case "duration":
		if d, err := time.ParseDuration(v.Text); err == nil {
			return d
		}
	case "time":
		if t, err := time.Parse(time.RFC3339Nano, v.Text); err == nil {
			return t
		}
	case "bool":
		if b, err := strconv.ParseBool(v.Text); err == nil {
			return b
		}
	}
	if len(v.Body) > 0 {
		if x, err := control.DecodeValue(v.Body); err == nil {
			return eval.Canonical(x)
		}
	}
	return eval.Cut(v.Text, "it is too large to be told whole")
}

// Over evaluates an expression on ranks of a mesh: on a stopped frame where one of the rank is stopped, so that arguments
// and result have values, else on the actor as it stands between two messages. Errors of single ranks are in the values.
func Over(ctx context.Context, c *control.Client, stops []control.Stop, mesh string, ranks []int, expr string) ([]group.RankValue, error) {
	at := map[int]*control.Stop{}
	for i := range stops {
		if st := &stops[i]; st.Mesh == mesh && at[st.Rank] == nil {
			at[st.Rank] = st
		}
	}
	out := make([]group.RankValue, 0, len(ranks))
	var free []int
	for _, r := range ranks {
		st := at[r]
		if st == nil {
			free = append(free, r)
			continue
		}
		v, err := c.EvalAt(ctx, control.StopRef{ID: st.ID, Gen: st.Gen}, expr)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err != nil {
			out = append(out, group.RankValue{Rank: r, Err: err.Error()})
			continue
		}
		out = append(out, group.RankValue{Rank: r, Value: Value(v)})
	}
	if len(free) == 0 {
		return out, nil
	}
	got, err := c.EvalOver(ctx, mesh, free, expr)
	if err != nil {
		return nil, fmt.Errorf("on @%s: %w", mesh, err)
	}
	for _, p := range got {
		v := group.RankValue{Rank: p.Rank, Err: p.Error}
		if p.Error == "" {
			v.Value = Value(p.Answer)
		}
		out = append(out, v)
	}
	return out, nil
}
