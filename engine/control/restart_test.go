package control

import (
	"testing"
	"time"
)

func TestAPolicyIsWrittenAsItIsRead(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Second: "1s", 10 * time.Second: "10s", time.Minute: "1m", 70 * time.Second: "1m10s", 10 * time.Minute: "10m", time.Hour: "1h", 90 * time.Minute: "1h30m",
		time.Hour + 30*time.Second: "1h0m30s", 20 * time.Hour: "20h", 1500 * time.Millisecond: "1.5s", 10 * time.Hour: "10h",
	} {
		p := RestartPolicy{Max: 3, Within: d}
		if got := p.String(); got != "3/"+want {
			t.Errorf("%v is %q, want 3/%s", d, got, want)
		}
		if back, err := time.ParseDuration(p.Time()); err != nil || back != d {
			t.Errorf("%s is read as %v, %v", p.Time(), back, err)
		}
	}
	var never *RestartPolicy
	if never.String() != "never" || never.Check() != nil {
		t.Error("no policy is never, and no mistake")
	}
}

// References of first lives travel as they did before there were others, and both forms come back as they were.
func TestAReferenceWithLivesTravels(t *testing.T) {
	r := MeshRef{ID: 3, Name: "m", Type: "x.T", First: 7}
	plain, err := r.MarshalCBOR()
	if err != nil || plain[0] != 0x86 {
		t.Fatalf("%x, %v", plain, err)
	}
	for _, r := range []MeshRef{r, r.WithLife(4, 2).WithLife(1, 1).WithLife(4, 3)} {
		b, err := r.MarshalCBOR()
		if err != nil {
			t.Fatal(err)
		}
		var back MeshRef
		if err := back.UnmarshalCBOR(b); err != nil || back.Life(4) != r.Life(4) || back.Life(1) != r.Life(1) || back.Life(0) != 0 || back.Name != "m" {
			t.Errorf("%+v came back as %+v, %v", r, back, err)
		}
	}
	for _, bad := range [][]byte{nil, {0x85, 1, 2, 3, 4, 5}, {0x87, 1}, {0x60}} {
		var back MeshRef
		if err := back.UnmarshalCBOR(bad); err == nil {
			t.Errorf("%x was taken", bad)
		}
	}
}
