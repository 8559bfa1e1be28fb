package locks

import (
	"strings"
	"testing"
	"time"
)

func claim(id uint64, name, who string, proc uint64) Claim {
	return Claim{ID: id, Name: name, Who: who, Proc: proc, Since: time.Unix(int64(id), 0)}
}

// TestWhoAsksFirstIsGivenALockFirst holds INV-FIFO and INV-ALONE.
func TestWhoAsksFirstIsGivenALockFirst(t *testing.T) {
	var tab Table
	for id, who := range []string{"@a[0]", "@a[1]", "@a[2]"} {
		got, err := tab.Ask(claim(uint64(id+1), "fork", who, uint64(id)))
		if err != nil || got != (id == 0) {
			t.Errorf("%s: %v, %v", who, got, err)
		}
	}
	if w := tab.Waits(); len(w) != 2 || w[0].Holder.Who != "@a[0]" || w[1].Holder.Who != "@a[0]" {
		t.Errorf("%+v", w)
	}
	if _, ok := tab.Drop(9, 1); ok || len(tab.Waits()) != 2 {
		t.Error("another process released it")
	}
	if _, ok := tab.Drop(1, 2); ok { // it gives up
		t.Error("a lock was given that was not free")
	}
	if next, ok := tab.Drop(0, 1); !ok || next.Who != "@a[2]" {
		t.Errorf("%+v, %v", next, ok)
	}
	if _, ok := tab.Drop(2, 3); ok || len(tab.byName)+len(tab.byID) != 0 {
		t.Errorf("%+v is left", tab)
	}
}

func TestTheClaimsOfAProcessEndWithIt(t *testing.T) {
	var tab Table
	for i, c := range []Claim{claim(1, "x", "@a[0]", 7), claim(2, "x", "@a[1]", 7), claim(3, "x", "@b[0]", 8), claim(4, "y", "@b[0]", 8), claim(5, "y", "@a[0]", 7)} {
		if _, err := tab.Ask(c); err != nil {
			t.Fatal(i, err)
		}
	}
	if given := tab.DropOf(func(p uint64) bool { return p == 7 }); len(given) != 1 || given[0].ID != 3 {
		t.Errorf("%+v", given)
	}
	if len(tab.Waits()) != 0 || len(tab.byID) != 2 {
		t.Errorf("%+v", tab)
	}
}

func TestAClaimThatCannotBeIsRefused(t *testing.T) {
	var tab Table
	if _, err := tab.Ask(claim(1, "x", "@a[0]", 1)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		c    Claim
		want string
	}{
		{claim(2, "", "@a[0]", 1), "no name"},
		{claim(2, strings.Repeat("x", MaxName+1), "@a[0]", 1), "bytes"},
		{claim(2, "x", "@a[0]", 1), "would wait for itself"},
		{claim(1, "y", "@a[0]", 1), "there already"},
	} {
		if _, err := tab.Ask(c.c); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20q: %v, want %s", c.c.Name, err, c.want)
		}
	}
}
