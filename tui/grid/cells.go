package grid

// cell is the cell of an index.
func (l *layout) cell(v *view, index int) (gx, gy int) {
	at := func(p piece) int {
		if p.dim < 0 {
			return 0
		}
		return v.coord(index, p.dim) / p.div % p.n
	}
	return at(l.across)*l.col.n + at(l.col), at(l.down)*l.row.n + at(l.row)
}

// run is the cells of one row of a tile: the index of the first, from one to the next, and how many hold a rank.
type run struct{ first, step, n int }

// run is the cells of one row of a tile. Where dimensions are not laid out it stays at the index near.
func (l *layout) run(v *view, near, tx, gy int) run {
	ty, r := gy/l.row.n, gy%l.row.n
	index := near
	var coord [maxDims]int
	for _, p := range [...]piece{l.col, l.row, l.across, l.down} {
		if p.dim >= 0 {
			index -= v.coord(index, p.dim) * v.dims[p.dim].stride
		}
	}
	for _, q := range [...]struct {
		piece
		i int
	}{{l.row, r}, {l.across, tx}, {l.down, ty}} {
		if q.dim < 0 {
			continue
		}
		coord[q.dim] += q.i * q.div
		if coord[q.dim] >= v.dims[q.dim].size {
			return run{}
		}
		index += q.i * q.div * v.dims[q.dim].stride
	}
	if l.col.dim < 0 {
		return run{index, 0, 1}
	}
	left := v.dims[l.col.dim].size - coord[l.col.dim]
	return run{index, l.col.div * v.dims[l.col.dim].stride, min(l.col.n, (left+l.col.div-1)/l.col.div)}
}

// maxDims is how many dimensions an extent may have (package shape).
const maxDims = 16

// index is the index in a cell, near the index near where the cell does not decide, and whether the cell has one.
func (l *layout) index(v *view, near, gx, gy int) (int, bool) {
	if gx < 0 || gy < 0 || gx >= l.cols() || gy >= l.rows() {
		return 0, false
	}
	r := l.run(v, near, gx/l.col.n, gy)
	if gx%l.col.n >= r.n {
		return 0, false
	}
	index := r.first + gx%l.col.n*r.step
	if l.density != Heat {
		return index, true
	}
	// within the group the place is kept, where the group is large enough
	for _, p := range [...]piece{l.col, l.row} {
		if p.dim < 0 || p == l.row && l.row.dim == l.col.dim {
			continue
		}
		a := v.dims[p.dim]
		inner := v.coord(near, p.dim) % p.div
		inner = min(inner, a.size-1-v.coord(index, p.dim))
		index += inner * a.stride
	}
	return index, true
}

// each calls f with each index of a cell: one, or those of its group.
func (l *layout) each(v *view, near, gx, gy int, f func(index int)) {
	index, ok := l.index(v, near, gx, gy)
	if !ok {
		return
	}
	if l.density != Heat {
		f(index)
		return
	}
	var from, to [maxDims]int
	for d := range v.dims {
		from[d], to[d] = l.inGroup(v, index, d)
	}
	v.walk(0, 0, &from, &to, f)
}

// inGroup is the range of a dimension that the group of an index holds.
func (l *layout) inGroup(v *view, index, dim int) (from, to int) {
	to = v.dims[dim].size
	for _, p := range [...]piece{l.row, l.col} { // of one dimension cut twice the columns are the finer
		if p.dim == dim {
			from = v.coord(index, dim) / p.div * p.div
			to = min(v.dims[dim].size, from+p.div)
		}
	}
	return from, to
}

func (v *view) walk(dim, index int, from, to *[maxDims]int, f func(index int)) {
	if dim == len(v.dims) {
		f(index)
		return
	}
	for c := from[dim]; c < to[dim]; c++ {
		v.walk(dim+1, index+c*v.dims[dim].stride, from, to, f)
	}
}
