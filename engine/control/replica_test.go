package control

import (
	"reflect"
	"testing"
)

// fill sets everything in a value, lists to n elements, but leaves flags and pointers as they are.
func fill(v reflect.Value, n int, text string) {
	switch v.Kind() {
	case reflect.Struct:
		for _, f := range v.Fields() {
			if f.CanSet() {
				fill(f, n, text)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(v.Index(i), n, text)
		}
	case reflect.String:
		v.SetString(text)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Uint64, reflect.Uint8:
		v.SetUint(uint64(n))
	default: // maps, flags, pointers, times
	}
}

// filled is a replica with something in each list of its snapshot.
func filled() (*Replica, *Snapshot) {
	s := new(Snapshot)
	fill(reflect.ValueOf(s).Elem(), 2, "x")
	r := new(Replica)
	r.Apply(Update{Snapshot: s})
	return r, s
}

// TestAReplicaTakesEveryStateEvent holds INV-RESYNC: an event that replica.go forgets would leave the replica wrong until
// the next snapshot, and one that is not known would be thrown away on its way over a socket.
func TestAReplicaTakesEveryStateEvent(t *testing.T) {
	for f, v := range reflect.ValueOf(Event{}).Fields() {
		if v.Kind() != reflect.Pointer {
			continue
		}
		ev := new(Event)
		carried := reflect.New(f.Type.Elem())
		fill(carried.Elem(), 3, "y")
		if f.Name == "Rank" {
			carried.Interface().(*RankEvent).Mesh, carried.Interface().(*RankEvent).Rank = "x", 1 // one that is there
		}
		reflect.ValueOf(ev).Elem().FieldByIndex(f.Index).Set(carried)
		if !ev.known() {
			t.Errorf("an event with %s counts as unknown", f.Name)
		}
		before, _ := filled()
		after, _ := filled()
		after.Apply(Update{Events: []*Event{ev}})
		if changed := !reflect.DeepEqual(before, after); changed == ev.IsData() {
			t.Errorf("an event with %s changes the replica: %v", f.Name, changed)
		}
	}
	if new(Event).known() {
		t.Error("an event with nothing in it counts as known")
	}
}

// TestAReplicaSharesNoListWithItsSnapshot: in-process the snapshot is the backend's own, and other clients have it too.
func TestAReplicaSharesNoListWithItsSnapshot(t *testing.T) {
	r, s := filled()
	mine, theirs := reflect.ValueOf(&r.Snapshot).Elem(), reflect.ValueOf(s).Elem()
	for f, list := range theirs.Fields() {
		if list.Kind() == reflect.Slice && list.Pointer() == mine.FieldByIndex(f.Index).Pointer() {
			t.Errorf("Snapshot.%s is shared", f.Name)
		}
	}
	if &r.Meshes[0].Ranks[0] == &s.Meshes[0].Ranks[0] {
		t.Error("the ranks of a mesh are shared")
	}
}
