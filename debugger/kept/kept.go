package kept

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Store is the folder with a file per program.
type Store struct {
	dir string
	not []string
}

// In is the store in a folder, which need not exist yet. Programs with these names keep nothing: their sessions are demos.
// Without a folder nothing is kept.
func In(dir string, not ...string) *Store {
	if dir == "" {
		return nil
	}
	return &Store{dir, not}
}

// Of begins to keep the breakpoints of one session of a program; nil for one that keeps none, whose methods do nothing.
func (s *Store) Of(program string) *Keeper {
	if s == nil || program == "" || slices.Contains(s.not, program) {
		return nil
	}
	return &Keeper{file: filepath.Join(s.dir, fileName(program)), program: program}
}

// Keeper keeps the breakpoints of a session. Its methods are for one goroutine.
type Keeper struct {
	file, program string
	last          []point // what the session had when it was last looked at
	seen          []point // the same, each once
	full          bool    // it has been told that not all are kept
	restored      bool
}

// Begin notes what the session has when the front end comes. Where it has something, that was there before: nothing is set.
// Else it gives what is kept, for Set. The error says what was wrong with the file; it need not stop anybody.
func (k *Keeper) Begin(have []control.Breakpoint) ([]control.Breakpoint, error) {
	if k == nil {
		return nil, nil
	}
	k.look(have)
	if len(have) > 0 {
		return nil, nil
	}
	k.restored = true
	kept, err := load(k.file)
	out := make([]control.Breakpoint, len(kept))
	for i := range kept {
		out[i] = kept[i].breakpoint()
	}
	return out, err
}

// Set sets kept breakpoints in a session, one by one. Those that it refuses are no reason to stop: the error names the first
// one, and how many there are. They stay in the file, until all breakpoints are cleared.
func Set(ctx context.Context, c *control.Client, kept []control.Breakpoint) (set []control.Breakpoint, err error) {
	refused := 0
	for i := range kept {
		got, e := c.Breaks(ctx, control.BreaksReq{Set: &kept[i]})
		if e == nil {
			set = append(set, got...)
			continue
		}
		if refused++; refused == 1 {
			err = e
		}
		if ctx.Err() != nil {
			return set, fmt.Errorf("the kept breakpoints are not all set: %w", context.Cause(ctx))
		}
	}
	if refused > 0 {
		err = fmt.Errorf("%d of %d kept breakpoints cannot be set, the first because: %w", refused, len(kept), err)
	}
	return set, err
}

// Follow brings the file up to date with what the session has now. What came since it last looked is added, what is gone is
// taken away; once a session that began with the kept ones has none any more, none is kept.
func (k *Keeper) Follow(now []control.Breakpoint) error {
	if k == nil {
		return nil
	}
	if len(now) > MaxBreaks {
		if k.full {
			return nil
		}
		k.full = true
		return fmt.Errorf("the session has %d breakpoints, and %d can be kept: the file stays as it is", len(now), MaxBreaks)
	}
	k.full = false
	was := k.seen
	if !k.look(now) {
		return nil
	}
	added, gone := without(k.seen, was), without(was, k.seen)
	if len(added) == 0 && len(gone) == 0 {
		return nil
	}
	kept, err := load(k.file)
	if _, there := os.Lstat(k.file); err != nil && there == nil { // it is not set aside, and may be good
		return err
	}
	before := kept
	kept = without(kept, gone)
	kept = append(kept, without(added, kept)...)
	if k.restored && len(k.seen) == 0 {
		kept = nil
	}
	if slices.Equal(before, kept) {
		return err
	}
	if len(kept) > MaxBreaks {
		return errors.Join(err, fmt.Errorf("%d breakpoints of %s are kept, and %d can be: the file stays as it is", len(kept), k.program, MaxBreaks))
	}
	if e := save(k.file, k.program, kept); e != nil {
		err = errors.Join(err, fmt.Errorf("the breakpoints are not kept: %w", e))
	}
	return err
}

// look notes what the session has, and reports whether that is other than before. What stops somebody is told again each
// time: most looks see the same.
func (k *Keeper) look(now []control.Breakpoint) bool {
	same := len(now) == len(k.last)
	for i := 0; same && i < len(now); i++ {
		same = pointOf(&now[i]) == k.last[i]
	}
	if same {
		return false
	}
	k.last, k.seen = k.last[:0], nil
	in := make(map[point]bool, len(now))
	for i := range now {
		p := pointOf(&now[i])
		k.last = append(k.last, p)
		if !in[p] {
			in[p] = true
			k.seen = append(k.seen, p)
		}
	}
	return true
}

// without is a list without those of another one.
func without(list, other []point) (out []point) {
	in := make(map[point]bool, len(other))
	for _, p := range other {
		in[p] = true
	}
	for _, p := range list {
		if !in[p] {
			out = append(out, p)
		}
	}
	return out
}
