package grid

import (
	"strconv"
)

// heat lays out groups of ranks, as many as fit. With three dimensions and more the first two are the axes, or the
// picked ones, and a cell holds what lies inside; with two or one they are cut into blocks.
func (v *view) heat(q request) (l layout, whole bool) {
	l = layout{density: Heat, tall: 1, head: 1, gapX: 2, across: none(), down: none()}
	axes := v.outer(q.row, q.col)
	switch len(axes) {
	case 0:
		l.col, l.row, l.head = none(), none(), 0
		l.size(1, looks[0])
		l.label = min(1, max(0, q.w-l.box))
		whole = l.scroll(q)
		return l, whole
	case 1:
		whole = v.heatLine(&l, axes[0], q)
		return l, whole
	}
	row, col := axes[0], axes[1]
	rowDiv, colDiv := 1, 1
	if len(axes) == 2 {
		rowDiv, colDiv = block(v.dims[row].size), block(v.dims[col].size)
	}
	inside := v.len() / v.dims[row].size / v.dims[col].size
	for {
		for _, look := range looks {
			l.row, l.col = pieces(row, rowDiv, v.dims[row].size), pieces(col, colDiv, v.dims[col].size)
			l.size(inside*rowDiv*colDiv, look)
			l.labelFor(v.dims[row], q)
			if whole = l.scroll(q); whole {
				return l, whole
			}
		}
		wide, tall := l.colsShown < l.col.n && l.col.n > 1, l.rowsShown < l.row.n && l.row.n > 1
		if !wide && !tall {
			return l, false
		}
		if wide {
			colDiv *= 2
		}
		if tall {
			rowDiv *= 2
		}
	}
}

// heatLine cuts one dimension into groups and wraps them into rows.
func (v *view) heatLine(l *layout, dim int, q request) bool {
	size := v.dims[dim].size
	group := max(2, block(size))
	for {
		for _, look := range looks {
			l.size(group, look)
			l.labelFor(v.dims[dim], q)
			n := (size + group - 1) / group
			most := max(1, (q.w-l.label-l.box)/l.pitch+1)
			k := min(max(1, block(n)), most)
			for k < most && (n+k-1)/k > max(1, q.h-l.head) {
				k++
			}
			l.col, l.row = piece{dim, group, k}, piece{dim, group * k, (n + k - 1) / k}
			if l.scroll(q) {
				return true
			}
		}
		if group >= size {
			return false
		}
		group *= 2
	}
}

// block is the smallest power of two whose square is n or more.
func block(n int) int {
	b := 1
	for b*b < n {
		b *= 2
	}
	return b
}

func pieces(dim, div, size int) piece { return piece{dim, div, (size + div - 1) / div} }

// look is how much of a group a cell shows: the worst state and the one that most have, and blanks between the cells.
type look struct{ pair, roomy bool }

var looks = [...]look{{true, true}, {true, false}, {false, true}, {false, false}}

// size sets the width of cells for groups of n ranks.
func (l *layout) size(n int, as look) {
	l.group, l.pair = n, as.pair
	l.digits = len(strconv.Itoa(n))
	if n > 999 {
		l.digits = 4 // 1.2k
	}
	l.pitch = l.digits + 2
	if as.pair && n > 1 {
		l.pitch += l.digits + 1
	}
	l.box = l.pitch + 1
	if as.roomy {
		l.pitch++
	}
}
