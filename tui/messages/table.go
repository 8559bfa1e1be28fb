package messages

// pageBits is how many ids have a page: two to the power of it.
const pageBits = 5

// table finds values by ids that count up, each process from numbers of its own: ids that follow each other stand in one page, so
// that a map with a place far from the last one for each id is not what a frame waits for.
type table[T any] struct {
	pages map[uint64]*page[T]
	free  []*page[T]
	page  *page[T] // of the last id
	at    uint64   // its key
	len   int
}

type page[T any] struct {
	values [1 << pageBits]*T
	used   int
}

func newTable[T any]() table[T] { return table[T]{pages: map[uint64]*page[T]{}} }

// open is the page of an id, nil where there is none.
func (t *table[T]) open(id uint64) *page[T] {
	key := id >> pageBits
	if t.page == nil || t.at != key {
		t.page, t.at = t.pages[key], key
	}
	return t.page
}

// get is the value of an id, nil where it has none.
func (t *table[T]) get(id uint64) *T {
	if p := t.open(id); p != nil {
		return p.values[id%(1<<pageBits)]
	}
	return nil
}

// put gives an id a value.
func (t *table[T]) put(id uint64, value *T) {
	p := t.open(id)
	if p == nil {
		if n := len(t.free); n > 0 {
			p, t.free = t.free[n-1], t.free[:n-1]
		} else {
			p = new(page[T])
		}
		t.pages[id>>pageBits], t.page = p, p
	}
	at := &p.values[id%(1<<pageBits)]
	if *at == nil {
		p.used++
		t.len++
	}
	*at = value
}

// drop takes the value of an id away, if it is this one.
func (t *table[T]) drop(id uint64, value *T) {
	p := t.open(id)
	if p == nil || p.values[id%(1<<pageBits)] != value {
		return
	}
	p.values[id%(1<<pageBits)] = nil
	t.len--
	if p.used--; p.used == 0 {
		delete(t.pages, id>>pageBits)
		t.free, t.page = append(t.free, p), nil
	}
}
