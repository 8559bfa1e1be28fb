package grid

import (
	"strconv"

	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// piece is a part of a dimension that is laid out along one direction: index i stands for coordinate i·div, to which
// other pieces of the same dimension add. Without a dimension (dim < 0) it has one index.
type piece struct{ dim, div, n int }

func none() piece { return piece{-1, 1, 1} }

// layout is where the ranks of a view are drawn. Cells have two coordinates, gx and gy, that count through all tiles.
type layout struct {
	density   Density
	pitch     int // columns of the screen from one cell to the next
	box       int // columns of one cell, with the brackets of the cursor
	tall      int // ranks on one line of the screen
	digits    int // of the largest number in a cell
	col, row  piece
	across    piece
	down      piece
	pages     []int // dimensions of which one index is shown
	group     int   // most ranks in one cell
	pair      bool  // HEAT: two counts in a cell
	label     int   // columns of the labels of rows, with what is left free
	labelText int   // columns of their text
	named     bool  // rows are labelled with the names of hosts
	ownLabels bool  // each tile has its labels of rows
	head      int   // lines above a tile
	gapX      int
	gapY      int
	colsShown int // cells of a tile that fit; less than col.n: it scrolls
	rowsShown int
}

// request is what a layout has to fit.
type request struct {
	w, h     int
	row, col string
	wide     bool
	maxRank  int
	hosts    []string
}

func (l *layout) tiled() bool { return l.across.n > 1 || l.down.n > 1 }

// cols and rows are the size of the grid in cells, tiles included.
func (l *layout) cols() int { return l.col.n * l.across.n }
func (l *layout) rows() int { return l.row.n * l.down.n }

func (l *layout) tileWidth() int  { return (l.col.n-1)*l.pitch + l.box }
func (l *layout) tileHeight() int { return (l.row.n + l.tall - 1) / l.tall }

// stepX and stepY are from one tile to the next.
func (l *layout) stepX() int {
	step := l.tileWidth() + l.gapX
	if l.ownLabels {
		step += l.label
	}
	return step
}
func (l *layout) stepY() int { return l.head + l.tileHeight() + l.gapY }

// pitchBox is how wide a cell of a pitch is.
func pitchBox(pitch int) int {
	if pitch >= 3 {
		return 3
	}
	return 1
}

// labelFor sizes the labels of rows.
func (l *layout) labelFor(a axis, q request) {
	name, last := a.name, a.own(a.size-1)
	l.labelText = paint.Width(rowLabel(l.rowName(name, q.wide), last, q.wide))
	if n := namesWidth(a, q.hosts); n > 0 && (q.wide || n <= 3) {
		l.named, l.labelText = true, n
	}
	l.label = 1 + l.labelText + 1
	if q.wide {
		l.label++
	}
	if l.label+l.box > q.w { // the cells come first
		l.label, l.labelText = 0, 0
	}
}

// rowName is the name of the rows' dimension in their labels: none where it is long, or there would be many of it; the
// head line has it.
func (l *layout) rowName(name string, wide bool) string {
	if most := 3; l.ownLabels || paint.Width(name) > most && !wide || paint.Width(name) > 2*most {
		return ""
	}
	return name
}

// rowLabel is dp 3, or dp3 where it is narrow.
func rowLabel(name string, i int, wide bool) string {
	n := strconv.Itoa(i)
	if wide && name != "" {
		return name + " " + n
	}
	return name + n
}

// dense lays out a cell, or half of one, for each rank, and reports whether all are seen at once.
func (v *view) dense(d Density, pitch int, q request) (l layout, whole bool) {
	l = layout{density: d, pitch: pitch, box: pitchBox(pitch), tall: 1, group: 1, head: 1, gapX: 2}
	l.col, l.row, l.across, l.down = none(), none(), none(), none()
	switch d {
	case Half:
		l.tall = 2
	case Label:
		l.digits = len(strconv.Itoa(q.maxRank))
		l.pitch = l.digits + pitch
		l.box = l.digits + 3
	case Auto, Dot, Heat:
	}
	axes := v.axes(q.row, q.col)
	switch len(axes) {
	case 0:
		l.head = 0
		l.label = min(1, max(0, q.w-l.box))
	case 1:
		whole = v.line(&l, axes[0], q)
		return l, whole
	default:
		whole = v.plane(&l, axes, q)
		return l, whole
	}
	whole = l.scroll(q)
	return l, whole
}

// line wraps one dimension into rows.
func (v *view) line(l *layout, dim int, q request) bool {
	size := v.dims[dim].size
	if l.density == Label { // the cells are numbered themselves
		l.head = 0
		l.label = min(1, max(0, q.w-l.box))
	} else {
		l.labelFor(v.dims[dim], q)
	}
	most := max(1, (q.w-l.label-l.box)/l.pitch+1)
	lines := max(1, (q.h-l.head)*l.tall)
	k := 8
	for k*k < size || k < size && (size+k-1)/k > lines && k*2 <= most {
		k *= 2
	}
	for k > most && k > 8 {
		k /= 2
	}
	if size <= 16 {
		k = 16
	}
	k = min(k, most, size)
	l.col, l.row = piece{dim, 1, k}, piece{dim, k, (size + k - 1) / k}
	if l.row.n == 1 && l.density != Label {
		l.label = min(1, max(0, q.w-l.box))
		l.labelText = 0
	}
	return l.scroll(q)
}

// plane puts two dimensions on the axes and finds room for the others.
func (v *view) plane(l *layout, axes []int, q request) bool {
	col, row := axes[0], axes[1]
	l.col, l.row = piece{col, 1, v.dims[col].size}, piece{row, 1, v.dims[row].size}
	l.labelFor(v.dims[row], q)
	rest := axes[2:]
	if len(rest) == 0 {
		return l.scroll(q) || v.foldRows(l, q)
	}
	l.head = 2
	perLine := (q.w - l.label + l.gapX) / l.stepX()
	lines := max(0, q.h) / l.stepY()
	if lines > 0 && (q.h+1)/(l.stepY()+1) == lines {
		l.gapY = 1
	}
	third := piece{rest[0], 1, v.dims[rest[0]].size}
	switch {
	case perLine < 1 || lines < 1:
		l.pages = rest
	case third.n <= perLine && len(rest) > 1 && v.dims[rest[1]].size <= lines:
		l.across, l.down = third, piece{rest[1], 1, v.dims[rest[1]].size}
		l.pages = rest[2:]
	case third.n <= perLine:
		l.across, l.pages = third, rest[1:]
	case (third.n+perLine-1)/perLine <= lines:
		down := (third.n + perLine - 1) / perLine
		k := (third.n + down - 1) / down
		l.across, l.down = piece{third.dim, 1, k}, piece{third.dim, k, down}
		l.pages = rest[1:]
	default:
		l.pages = rest
	}
	if !l.tiled() {
		l.head, l.gapY = 1, 0
	}
	return l.scroll(q) && len(l.pages) == 0
}

// foldRows breaks rows that are too many for the height into blocks side by side.
func (v *view) foldRows(l *layout, q request) bool {
	k := (q.h - l.head) * l.tall
	if k >= 16 {
		k -= k % 8
	}
	if k < 2 || l.label == 0 || k >= l.row.n {
		return false
	}
	folded := *l
	folded.ownLabels = true
	folded.labelFor(v.dims[l.row.dim], q)
	folded.row = piece{l.row.dim, 1, k}
	folded.across = piece{l.row.dim, k, (l.row.n + k - 1) / k}
	if !folded.scroll(q) {
		return false
	}
	*l = folded
	return true
}

// scroll counts the cells of a tile that fit, and reports whether all tiles do as a whole.
func (l *layout) scroll(q request) bool {
	if q.h < 3 && !l.tiled() {
		l.head = 0
	}
	width := l.stepX()*l.across.n - l.gapX
	if !l.ownLabels {
		width += l.label
	}
	height := l.stepY()*l.down.n - l.gapY
	l.colsShown, l.rowsShown = l.col.n, l.row.n
	if l.tiled() {
		return width <= q.w && height <= q.h
	}
	l.colsShown = max(0, min(l.col.n, (q.w-l.label-l.box)/l.pitch+1))
	if q.w < l.label+l.box {
		l.colsShown = 0
	}
	l.rowsShown = max(0, min(l.row.n, (q.h-l.head)*l.tall))
	return l.colsShown == l.col.n && l.rowsShown == l.row.n
}
