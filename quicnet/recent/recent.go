// Package recent remembers the newest of many things: why a process or an actor has ended, what a view decodes to. What
// is older is forgotten, so that a session that runs for weeks needs no more memory than one of a minute.
package recent

import "slices"

// Map holds at most a number of entries; the one that came first goes first. It has no lock of its own. Take one from
// New.
type Map[K comparable, V any] struct {
	limit int
	byKey map[K]V
	order []K // in the order they came; full, it is a ring that begins at first
	first int
}

// New makes a map of at most limit entries, which is 1 or more.
func New[K comparable, V any](limit int) *Map[K, V] {
	return &Map[K, V]{limit: limit} // most are never put anything into
}

// Get gives the value of a key that is remembered.
func (m *Map[K, V]) Get(k K) (V, bool) {
	v, ok := m.byKey[k]
	return v, ok
}

// Put adds a key, or replaces its value, in which case its age stays.
func (m *Map[K, V]) Put(k K, v V) {
	if _, known := m.byKey[k]; known {
		m.byKey[k] = v
		return
	}
	if m.byKey == nil {
		m.byKey = map[K]V{}
	}
	m.byKey[k] = v
	if len(m.order) < m.limit {
		m.order = append(m.order, k)
		return
	}
	delete(m.byKey, m.order[m.first])
	m.order[m.first] = k
	m.first = (m.first + 1) % m.limit
}

// Add adds a key unless it is there, and reports whether it did.
func (m *Map[K, V]) Add(k K, v V) bool {
	if _, known := m.byKey[k]; known {
		return false
	}
	m.Put(k, v)
	return true
}

// Delete forgets a key. It takes time in proportion to the limit.
func (m *Map[K, V]) Delete(k K) {
	if _, known := m.byKey[k]; !known {
		return
	}
	delete(m.byKey, k)
	m.order = slices.Concat(m.order[m.first:], m.order[:m.first])
	m.first = 0
	i := slices.Index(m.order, k)
	m.order = slices.Delete(m.order, i, i+1)
}

// Len is the number of entries.
func (m *Map[K, V]) Len() int { return len(m.byKey) }
