package probe

import "testing"

func TestASiteCallsTheHookOnlyWhileItIsArmed(t *testing.T) {
	var got []Site
	At(Recv)
	disarm := Arm(func(s Site) { got = append(got, s) })
	At(Recv)
	At(Reply)
	disarm()
	At(Error)
	if len(got) != 2 || got[0] != Recv || got[1] != Reply {
		t.Fatalf("hook saw %v, want recv and reply", got)
	}
}

func TestEverySiteHasAName(t *testing.T) {
	seen := map[string]bool{}
	for s := range numSites {
		if name := s.String(); name == "unknown" || seen[name] {
			t.Errorf("site %d is called %q", s, name)
		} else {
			seen[name] = true
		}
	}
}

func BenchmarkSiteIdle(b *testing.B) {
	for b.Loop() {
		At(Recv)
	}
}

func BenchmarkSiteArmed(b *testing.B) {
	disarm := Arm(func(Site) {})
	defer disarm()
	for b.Loop() {
		At(Recv)
	}
}
