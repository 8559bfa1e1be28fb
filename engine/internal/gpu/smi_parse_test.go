package gpu

import (
	"fmt"
	"strings"
	"testing"
)

// Answers in the shapes that nvidia-smi gives, for the fields that we ask for: index, uuid, name, pci.bus_id, mig.mode.current,
// memory.total, memory.used, utilization.gpu, temperature.gpu, power.draw, ecc.errors.uncorrected.volatile.total.
const (
	h100 = "0, " + h0 + ", NVIDIA H100 80GB HBM3, 00000000:19:00.0, Disabled, 81559, 1024, 37, 41, 118.43, 0\n" +
		"1, " + h1 + ", NVIDIA H100 80GB HBM3, 00000000:3B:00.0, Disabled, 81559, 3, 0, 28, 69.90, 2\n"
	geforce = "0, " + h0 + ", NVIDIA GeForce RTX 4090, 00000000:01:00.0, [N/A], 24564, 412, 3, 39, 21.07, [N/A]\n"
	laptop  = "0, " + h0 + ", Quadro K1100M, 00000000:01:00.0, [Not Supported], 2002, 10, [Not Supported], 45, [Not Supported], [Not Supported]\n"
	a100mig = "0, " + h2 + ", NVIDIA A100-SXM4-40GB, 00000000:07:00.0, Enabled, 40960, 24, [N/A], 30, 45.61, 0\n"
	lost    = "0, " + h0 + ", NVIDIA A100-SXM4-80GB, 00000000:07:00.0, [Unknown Error], 81920, 0, [GPU requires reset], 33, 60.00, [Unknown Error]\n"
	unified = "0, " + h0 + ", NVIDIA GB10, 0000000F:01:00.0, [N/A], [N/A], [N/A], 5, 44, 11.93, [N/A]\n"
)

const a100list = "GPU 0: NVIDIA A100-SXM4-40GB (UUID: " + h2 + ")\n" +
	"  MIG 3g.20gb     Device  0: (UUID: " + mig0 + ")\n" +
	"  MIG 1g.5gb      Device  1: (UUID: " + mig1 + ")\n"

func fieldsAsked() []string { return append(needed(), optional()...) }

func TestRealAnswersAreRead(t *testing.T) {
	for name, c := range map[string]struct{ out, want string }{
		"two H100": {h100, "0 NVIDIA H100 80GB HBM3 GPU-8932f937 at 00000000:19:00.0, MIG false, 1024 of 81559 MiB, 37 %, 41 °C, 118.43 W, ECC 0, \"\"\n" +
			"1 NVIDIA H100 80GB HBM3 GPU-8a56a4bc at 00000000:3B:00.0, MIG false, 3 of 81559 MiB, 0 %, 28 °C, 69.9 W, ECC 2, \"\"\n"},
		"a GeForce":      {geforce, "0 NVIDIA GeForce RTX 4090 GPU-8932f937 at 00000000:01:00.0, MIG false, 412 of 24564 MiB, 3 %, 39 °C, 21.07 W, ECC 0, \"\"\n"},
		"an old one":     {laptop, "0 Quadro K1100M GPU-8932f937 at 00000000:01:00.0, MIG false, 10 of 2002 MiB, -1 %, 45 °C, -1 W, ECC 0, \"\"\n"},
		"MIG":            {a100mig, "0 NVIDIA A100-SXM4-40GB GPU-f1d0c2aa at 00000000:07:00.0, MIG true, 24 of 40960 MiB, -1 %, 30 °C, 45.61 W, ECC 0, \"\"\n"},
		"in trouble":     {lost, "0 NVIDIA A100-SXM4-80GB GPU-8932f937 at 00000000:07:00.0, MIG false, 0 of 81920 MiB, -1 %, 33 °C, 60 W, ECC 0, \"Unknown Error\"\n"},
		"unified memory": {unified, "0 NVIDIA GB10 GPU-8932f937 at 0000000F:01:00.0, MIG false, 0 of 0 MiB, 5 %, 44 °C, 11.93 W, ECC 0, \"\"\n"},
		"CRLF":           {strings.ReplaceAll(geforce, "\n", "\r\n"), "0 NVIDIA GeForce RTX 4090 GPU-8932f937 at 00000000:01:00.0, MIG false, 412 of 24564 MiB, 3 %, 39 °C, 21.07 W, ECC 0, \"\"\n"},
	} {
		rows, err := parseRows(fieldsAsked(), c.out)
		var got strings.Builder
		for _, r := range rows {
			fmt.Fprintf(&got, "%d %s at %s, MIG %v, %d of %d MiB, %d %%, %d °C, %v W, ECC %d, %q\n",
				r.Index, r.Label(), r.Bus, r.MIG, r.Used/mib, r.Total/mib, r.Busy, r.Celsius, r.Watts, r.ECC, r.Problem)
		}
		if err != nil || got.String() != c.want {
			t.Errorf("%s: %v\n%swant\n%s", name, err, got.String(), c.want)
		}
	}
}

func TestNonsenseIsRefusedAndQuoted(t *testing.T) {
	good := strings.TrimSpace(strings.Split(h100, "\n")[0])
	for name, c := range map[string]struct{ out, want string }{
		"nothing":          {"", "answered nothing"},
		"blank lines":      {"\n \n", "answered nothing"},
		"prose":            {"Hello, World!\n", "2 fields, and 11 were asked for"},
		"decimal commas":   {strings.Replace(good, "118.43", "118,43", 1), "does it write decimal commas?"},
		"a unit":           {strings.Replace(good, "118.43", "118.43 W", 1), `power.draw: "118.43 W" is no number`},
		"a minus":          {strings.Replace(good, "1024", "-1024", 1), `memory.used: "-1024" is no number`},
		"an infinity":      {strings.Replace(good, "118.43", "inf", 1), "is no number"},
		"a huge number":    {strings.Replace(good, "81559", strings.Repeat("9", 30), 1), "is no number"},
		"hexadecimal":      {strings.Replace(good, "81559", "0x1p-2", 1), "is no number"},
		"no UUID":          {strings.Replace(good, h0, "GPU-", 1), "is no UUID GPU-…"},
		"a UUID to inject": {strings.Replace(good, h0, "GPU-8932f937;rm -rf", 1), "is no UUID GPU-…"},
		"a long UUID":      {strings.Replace(good, h0, "GPU-"+strings.Repeat("a", 100), 1), "is no UUID GPU-…"},
		"no bus":           {strings.Replace(good, "00000000:19:00.0", "../../etc", 1), "is no PCI bus id"},
		"a jump":           {strings.Replace(good, "0, GPU", "3, GPU", 1), "want GPU 0 there"},
		"no index":         {strings.Replace(good, "0, GPU", strings.Repeat("x", 10_000)+", GPU", 1), `index: "xxx`},
		"the same twice":   {good + "\n" + strings.Replace(good, "0, GPU", "1, GPU", 1), "lists " + h0 + " twice"},
		"another word":     {strings.Replace(good, "Disabled", "Deaktiviert", 1), `"Deaktiviert" is neither Enabled nor Disabled`},
		"escape sequences": {"\x1b[2J\x1b[31mgotcha", `"\x1b[2J\x1b[31mgotcha"`},
	} {
		if _, err := parseRows(fieldsAsked(), c.out); err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 600 {
			t.Errorf("%s: %.600v, want %q in it", name, err, c.want)
		}
	}
	var many strings.Builder
	for i := range maxDevices + 1 {
		fmt.Fprintf(&many, "%d, GPU-%08d, X, 00000000:19:00.0, Disabled, 1, 1, 1, 1, 1, 1\n", i, i)
	}
	if _, err := parseRows(fieldsAsked(), many.String()); err == nil || !strings.Contains(err.Error(), "more than 256 GPUs") {
		t.Errorf("very many: %v", err)
	}
}

func TestInstancesBelongToTheirGPU(t *testing.T) {
	rows, err := parseRows(fieldsAsked(), a100mig)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ out, want, err string }{
		"two":         {a100list, "MIG-c6d4f1ef 20 GiB NVIDIA A100-SXM4-40GB MIG 3g.20gb, MIG-0c757cd7 5 GiB NVIDIA A100-SXM4-40GB MIG 1g.5gb", ""},
		"old driver":  {"GPU 0: A100 (UUID: " + h2 + ")\n  MIG 1c.2g.10gb+me Device 0: (UUID: " + old0 + ")\n", "MIG-GPU-f1d0c2aa/1/0 10 GiB NVIDIA A100-SXM4-40GB MIG 1c.2g.10gb+me", ""},
		"none":        {"GPU 0: A100 (UUID: " + h2 + ")\n", "", ""},
		"another GPU": {"GPU 0: A100 (UUID: " + h0 + ")\n", "", "which it had not a moment ago"},
		"no GPU":      {"  MIG 3g.20gb     Device  0: (UUID: " + mig0 + ")\n", "", "want a GPU or a MIG device"},
		"twice":       {a100list + "  MIG 1g.5gb      Device  1: (UUID: " + mig1 + ")\n", "", "listed twice"},
		"no UUID":     {"GPU 0: A100 (UUID: " + h2 + ")\n  MIG 3g.20gb Device 0: (UUID: GPU-1)\n", "", "is no UUID MIG-…"},
		"nonsense":    {"Segmentation fault\n", "", "want a GPU or a MIG device"},
	} {
		ds := []Device{rows[0].Device}
		err := addInstances(ds, c.out)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %q in it", name, err, c.err)
			}
			continue
		}
		var got []string
		for _, in := range ds[0].Instances {
			if in.Parent != h2 || in.Bus != ds[0].Bus {
				t.Errorf("%s: %+v is not of its GPU", name, in)
			}
			got = append(got, fmt.Sprintf("%s %d GiB %s", Short(in.UUID), in.Memory>>30, in.Name))
		}
		if strings.Join(got, ", ") != c.want || err != nil {
			t.Errorf("%s: %v, %v; want %s", name, got, err, c.want)
		}
	}
}

// FuzzAnswers holds INV-BOUND: whatever nvidia-smi says, what is taken of it is small and safe.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{h100, geforce, laptop, a100mig, lost, unified, "No devices were found\n"} {
		f.Add(s, a100list)
	}
	f.Fuzz(func(t *testing.T, out, list string) {
		rows, err := parseRows(fieldsAsked(), out)
		if err != nil {
			if len(err.Error()) > 2000 || strings.ContainsAny(err.Error(), "\x1b\x00") {
				t.Errorf("%.2000q", err)
			}
			return
		}
		var ds []Device
		for i, r := range rows {
			if r.Index != i || checkUUID(r.UUID, "GPU-") != nil || len(r.Name) > 4*maxName || r.Busy > 100 || strings.ContainsAny(r.Name+r.Problem, "\x1b\x00\n") {
				t.Errorf("%+v", r)
			}
			ds = append(ds, r.Device)
		}
		if addInstances(ds, list) != nil {
			return
		}
		for _, d := range ds {
			if len(d.Instances) > maxDevices || len(d.Instances) > 0 && !d.MIG {
				t.Errorf("%+v", d)
			}
		}
	})
}
