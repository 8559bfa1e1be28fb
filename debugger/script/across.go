package script

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/monarch-tui/monarch-tui/debugger"
	"github.com/monarch-tui/monarch-tui/debugger/stacks"
	"github.com/monarch-tui/monarch-tui/debugger/statediff"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// reportRows bounds the lines of one table, tree or graph in a report.
const reportRows = 60

// diff shows where the states of ranks differ.
func (s *Session) diff(ctx context.Context, a DiffArgs, r *result) error {
	var trees []control.StateNode
	for _, t := range a.Targets {
		set, err := s.resolve(t)
		if err != nil {
			return err
		}
		nodes, err := s.c.State(ctx, control.StateReq{Mesh: set.ref.Name, Ranks: set.ranks, Path: a.Path, Count: 1024, Depth: stateDepth, Text: 4096, Budget: budget(ctx)})
		if err != nil {
			return err
		}
		trees = append(trees, nodes...)
	}
	if len(trees) < 2 {
		return fmt.Errorf("diff: want two ranks at least, and these are %d", len(trees))
	}
	c := statediff.Compare(trees...)
	r.text = c.Lines(lineWidth, reportRows)
	rows := []any{}
	for _, row := range c.Rows {
		cells := []any{}
		for _, cell := range row.Cells {
			cells = append(cells, cell.Text)
		}
		rows = append(rows, map[string]any{"path": row.Path, "values": cells})
	}
	r.value = rows
	return nil
}

// stacks shows the goroutines of ranks' processes, merged.
func (s *Session) stacks(ctx context.Context, a StacksArgs, r *result) error {
	procs, ranks := "", []int(nil)
	if a.Target != nil {
		set, err := s.resolve(a.Target)
		if err != nil {
			return err
		}
		procs, ranks = s.procsOf(set, set.ranks)
	}
	tree, err := mergedStacks(ctx, s.c, procs, ranks)
	if err != nil {
		return err
	}
	r.text = tree.Lines(lineWidth, reportRows)
	return nil
}

// inFunction are the ranks of a set that have a goroutine in a function, or in what it called.
func (s *Session) inFunction(ctx context.Context, set rankSet, function string) ([]int, error) {
	procs, at := s.procsOf(set, set.ranks)
	tree, err := mergedStacks(ctx, s.c, procs, at)
	if err != nil {
		return nil, err
	}
	var ranks []int
	for _, m := range tree.In(function) {
		if m.Mesh == set.ref.Name && slices.Contains(set.ranks, m.Rank) {
			ranks = append(ranks, m.Rank)
		}
	}
	if len(ranks) == 0 {
		return nil, fmt.Errorf("no goroutine of %s is in a function %s (stacks shows where they are)", set, clean(function))
	}
	slices.Sort(ranks)
	return slices.Compact(ranks), nil
}

func mergedStacks(ctx context.Context, c *control.Client, procs string, ranks []int) (*stacks.Tree, error) {
	got, err := c.Stacks(ctx, procs, ranks)
	if err != nil {
		return nil, err
	}
	var all []stacks.Process
	var failed []stacks.Failure
	for _, p := range got {
		name := fmt.Sprintf("%s[%d]", procs, p.Rank)
		if procs == "" {
			name = fmt.Sprintf("process %d", p.Proc)
		}
		if p.Error != "" {
			failed = append(failed, stacks.Failure{Process: name, Why: p.Error})
			continue
		}
		all = append(all, stacks.Process{Name: name, Profile: p.Answer})
	}
	if len(all) == 0 && len(failed) > 0 {
		return nil, errors.New(failed[0].Process + ": " + failed[0].Why)
	}
	tree := stacks.Merge(all, stacks.Options{})
	tree.Failed = append(tree.Failed, failed...)
	return tree, nil
}

// waits shows who waits for whom.
func (s *Session) waits(ctx context.Context, _ NoArgs, r *result) error {
	rep, _, err := debugger.Verdict(ctx, s.c)
	if err != nil {
		return err
	}
	r.text, r.value = rep.Lines(lineWidth, reportRows, time.Now()), rep.Verdict()
	return nil
}

// deadlocks lists the deadlocks; their value is a list of lists of names.
func (s *Session) deadlocks(ctx context.Context, _ NoArgs, r *result) error {
	rep, _, err := debugger.Verdict(ctx, s.c)
	if err != nil {
		return err
	}
	list := []any{}
	for _, d := range rep.Deadlocks {
		names := []any{}
		for _, n := range d.Names {
			names = append(names, n)
		}
		list = append(list, names)
	}
	r.value = list
	if len(list) == 0 {
		r.text = []string{rep.Verdict()}
		return nil
	}
	r.text = slices.Clone(rep.Lines(lineWidth, reportRows, time.Now()))
	return nil
}

// hangStacks are the merged stacks of the processes of ranks that do not answer; nothing where they cannot be read.
func (s *Session) hangStacks(ctx context.Context, set rankSet, missing []int) []string {
	procs, ranks := s.procsOf(set, missing)
	tree, err := mergedStacks(ctx, s.c, procs, ranks)
	if err != nil || len(tree.Branches) == 0 {
		return nil
	}
	return append([]string{"their stacks:"}, indentAll(tree.Lines(lineWidth, maxLines))...)
}

// procsOf are the processes of ranks: the name of their proc mesh, and their ranks in it.
func (s *Session) procsOf(set rankSet, of []int) (procs string, ranks []int) {
	s.picture(func(p *control.Replica) {
		if m, ok := p.Mesh(set.ref.Name); ok {
			procs = m.Procs
		}
	})
	for _, rank := range of {
		ranks = append(ranks, set.ref.Home.RankAt(rank))
	}
	return procs, ranks
}

func indentAll(lines []string) []string {
	for i := range lines {
		lines[i] = "  " + lines[i]
	}
	return lines
}
