package gpu

import (
	"fmt"
	"strings"
	"testing"
)

const (
	h0   = "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"
	h1   = "GPU-8a56a4bc-e184-4047-9e28-0c7c3d2b9b7e"
	h2   = "GPU-f1d0c2aa-5c1e-4f8a-a1a3-1f0c6a9e2d11"
	mig0 = "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f"
	mig1 = "MIG-0c757cd7-e942-5726-a0b8-0e8fb7067135"
	old0 = "MIG-GPU-f1d0c2aa-5c1e-4f8a-a1a3-1f0c6a9e2d11/1/0"
)

func uuids(ds []Device) string {
	var out []string
	for _, d := range ds {
		out = append(out, d.UUID)
	}
	return strings.Join(out, " ")
}

// TestWhatTheEnvironmentHidesStaysHidden holds INV-HIDDEN.
func TestWhatTheEnvironmentHidesStaysHidden(t *testing.T) {
	whole := []Device{{UUID: h0}, {UUID: h1, Index: 1}, {UUID: h2, Index: 2}}
	cut := []Device{{UUID: h0}, {UUID: h1, Index: 1, MIG: true, Instances: []Device{{UUID: mig0}, {UUID: mig1}}}, {UUID: h2, Index: 2, MIG: true, Instances: []Device{{UUID: old0}}}}
	for _, c := range []struct {
		all         []Device
		value, want string
		note        string
	}{
		{whole, "0,1,2", h0 + " " + h1 + " " + h2, ""},
		{whole, "2,0", h2 + " " + h0, ""},
		{whole, " 1 , 0 ", h1 + " " + h0, ""},
		{whole, "0,2,-1,1", h0 + " " + h2, `there is no GPU "-1" (they are 0 to 2)`},
		{whole, "0,7,1", h0, `there is no GPU "7"`},
		{whole, "7", "", `there is no GPU "7"`},
		{whole, "-1", "", `there is no GPU "-1"`},
		{whole, "99999999999999999999", "", `there is no GPU`},
		{whole, "", "", "is empty"},
		{whole, "  ", "", "is empty"},
		{whole, "NoDevFiles", "", `"NoDevFiles" is no index and no UUID`},
		{whole, "0,,1", h0, `"" is no index and no UUID`},
		{whole, "1st,2nd", h1 + " " + h2, ""},
		{whole, "0,0", "", "names GPU-8932f937 twice"},
		{whole, "0," + h0, "", "names GPU-8932f937 twice"},
		{whole, h2 + "," + h0, h2 + " " + h0, ""},
		{whole, "GPU-f1,GPU-893", h2 + " " + h0, ""},
		{whole, "GPU-f1,GPU-8,GPU-893", h2, `"GPU-8" is the beginning of more than one UUID`},
		{whole, "GPU-00000000,0", "", `no device has the UUID "GPU-00000000"`},
		{whole, h0 + "x", "", "no device has the UUID"},
		{whole, "gpu-8932f937", "", "is no index and no UUID"},
		{whole, mig0, "", "no device has the UUID"},
		{cut, "0,1", h0 + " " + mig0 + " " + mig1, ""},
		{cut, mig1 + "," + mig0, mig1 + " " + mig0, ""},
		{cut, "MIG-0c", mig1, ""},
		{cut, "MIG-", "", "more than one UUID"},
		{cut, old0, old0, ""},
		{cut, h2, old0, ""},
		{cut, "1," + mig1, "", "twice"},
		{nil, "0", "", "there are none"},
		{whole, strings.Repeat("0,", maxVisible), "", "are not read"},
		{whole, "0,\x1b[2J", h0, `"\x1b[2J" is no index`},
	} {
		got, note := Visible(c.all, c.value, true)
		if uuids(got) != c.want || (note == "") != (c.note == "") || !strings.Contains(note, c.note) {
			t.Errorf("%.60q: %s; %q\n  want %s; %q", c.value, uuids(got), note, c.want, c.note)
		}
	}
	if got, note := Visible(cut, "", false); uuids(got) != fmt.Sprint(h0, " ", mig0, " ", mig1, " ", old0) || note != "" {
		t.Errorf("unset: %s; %q", uuids(got), note)
	}
}

func TestTheShortFormOfAUUIDTellsItsKind(t *testing.T) {
	for uuid, want := range map[string]string{h0: "GPU-8932f937", mig0: "MIG-c6d4f1ef", old0: "MIG-GPU-f1d0c2aa/1/0", "": "", "GPU-": "GPU-"} {
		if got := Short(uuid); got != want {
			t.Errorf("%s: %s, want %s", uuid, got, want)
		}
	}
}

// FuzzVisible: whatever stands in the variable, nothing is seen twice, and nothing that is not there.
func FuzzVisible(f *testing.F) {
	for _, s := range []string{"0,1", "GPU-8,MIG-c6", "-1", "1,GPU-8932f937-d72c-4106-c12f-20bd9faed9f6", old0, "+2", "0x1"} {
		f.Add(s)
	}
	all := []Device{{UUID: h0}, {UUID: h1}, {UUID: h2, MIG: true, Instances: []Device{{UUID: mig0}, {UUID: old0}}}}
	there := map[string]bool{h0: true, h1: true, mig0: true, old0: true}
	f.Fuzz(func(t *testing.T, value string) {
		seen := map[string]bool{}
		got, _ := Visible(all, value, true)
		for _, d := range got {
			if seen[d.UUID] || !there[d.UUID] {
				t.Errorf("%q: %s", value, uuids(got))
			}
			seen[d.UUID] = true
		}
	})
}
