package enginetest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/enginetest"
)

// Seer tells which devices its process sees.
type Seer struct{ Unused int }

// Sees is the CUDA_VISIBLE_DEVICES of the process.
func (*Seer) Sees(context.Context) (string, error) {
	v, set := os.LookupEnv("CUDA_VISIBLE_DEVICES")
	if !set {
		return "all", nil
	}
	return v, nil
}

// otherController makes this test binary a controller of its own, which holds a mesh until its input ends.
const otherController = "TEST_HOLD_GPUS"

func TestMain(m *testing.M) {
	if os.Getenv(otherController) != "" && !engine.InWorker() {
		engine.Register[Seer]()
		engine.Main(hold, engine.NoSession())
	}
	enginetest.Main(m, func() { engine.Register[Seer]() })
}

// hold spawns two ranks, says what they see, and waits.
func hold(ctx context.Context) error {
	procs, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 2))
	if err != nil {
		return err
	}
	fmt.Println(strings.Join(seenBy(ctx, procs), " "))
	_, _ = io.Copy(io.Discard, os.Stdin)
	return nil
}

// seenBy is what each rank sees.
func seenBy(ctx context.Context, procs engine.ProcMesh) []string {
	m, err := engine.Spawn(ctx, procs, "seers"+procs.Name(), Seer{})
	if err != nil {
		return []string{err.Error()}
	}
	all, err := engine.Query(m, (*Seer).Sees).Call(ctx)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	for _, v := range all.Items() {
		out = append(out, v)
	}
	return out
}

// machine is a folder with an nvidia-smi that answers as one with n H100 does, first in PATH. Their UUIDs are new: claims are
// seen by the whole machine.
func machine(t *testing.T, n int) (uuids []string, smi string) {
	t.Helper()
	var rows strings.Builder
	for i := range n {
		uuid := fmt.Sprintf("GPU-%08x-91d4-11ee-b9d1-0242ac120002", rand.Uint32())
		uuids = append(uuids, uuid)
		fmt.Fprintf(&rows, "%d, %s, NVIDIA H100 80GB HBM3, 00000000:%02X:00.0, Disabled, 81559, 4, 0, 31, 70.12, 0\n", i, uuid, i+1)
	}
	dir := t.TempDir()
	smi = filepath.Join(dir, "nvidia-smi")
	answer(t, smi, rows.String())
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("MONARCH_GPUS", "nvidia-smi")
	return uuids, smi
}

// answer has nvidia-smi answer a query so.
func answer(t *testing.T, smi, rows string) {
	t.Helper()
	if err := os.WriteFile(smi+".rows", []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(smi, []byte("#!/bin/sh\ncat "+smi+".rows\n"), 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestEachRankSeesTheOneDeviceItHas(t *testing.T) {
	uuids, _ := machine(t, 4)
	ctx := enginetest.Processes(t)
	first := spawned(ctx, t, engine.Dim("gpus", 3))
	if got, want := fmt.Sprint(seenBy(ctx, first)), fmt.Sprint(uuids[:3]); got != want {
		t.Errorf("the ranks see %s, want %s", got, want)
	}
	_, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 2))
	for _, want := range []string{"2 GPUs are wanted", "of 4 only 1 is free", "procs " + first.Name() + " holds GPU-", "oversubscribe", "virtual"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("two more than are free: %v, want %q in it", err, want)
		}
	}
	if err := first.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	again := spawned(ctx, t, engine.Dim("hosts", 2), engine.Dim("gpus", 2)) // all are on one host, so they have four slots
	if got, want := fmt.Sprint(seenBy(ctx, again)), fmt.Sprint(uuids); got != want {
		t.Errorf("after the first mesh has ended the ranks see %s, want %s", got, want)
	}
}

func TestRanksShareDevicesWhenAskedTo(t *testing.T) {
	uuids, _ := machine(t, 2)
	ctx := enginetest.Processes(t)
	shared := spawned(ctx, t, engine.Dim("gpus", 3), engine.Oversubscribe())
	if got, want := fmt.Sprint(seenBy(ctx, shared)), fmt.Sprint([]string{uuids[0], uuids[1], uuids[0]}); got != want {
		t.Errorf("the ranks see %s, want %s", got, want)
	}
	foreign := spawned(ctx, t, engine.Dim("gpus", 1), engine.Oversubscribe())
	if got := seenBy(ctx, foreign); len(got) != 1 || got[0] != uuids[0] {
		t.Errorf("a mesh that shares with another one sees %s, want %s", got, uuids[0])
	}
}

func TestAMeshWithoutDevicesClaimsNone(t *testing.T) {
	uuids, _ := machine(t, 1)
	ctx := enginetest.Processes(t)
	for name, c := range map[string]struct {
		sees string
		opts []engine.ProcOption
	}{
		"virtual":            {"all", []engine.ProcOption{engine.Dim("gpus", 2), engine.Virtual()}},
		"without dimension":  {"all", []engine.ProcOption{engine.Dim("hosts", 2)}},
		"pinned by the user": {"3", []engine.ProcOption{engine.Dim("gpus", 2), engine.Env("CUDA_VISIBLE_DEVICES=3")}},
	} {
		if got := seenBy(ctx, spawned(ctx, t, c.opts...)); len(got) != 2 || got[0] != c.sees || got[1] != c.sees {
			t.Errorf("%s: the ranks see %s, want %s", name, got, c.sees)
		}
	}
	if got := seenBy(ctx, spawned(ctx, t, engine.Dim("gpus", 1))); got[0] != uuids[0] {
		t.Errorf("the only device is not free: %s", got)
	}
}

func TestADeviceThatVanishesBeforeTheWorkerStartsIsNamed(t *testing.T) {
	uuids, smi := machine(t, 2)
	first, _, _ := strings.Cut(string(rowsOf(t, smi)), "\n")
	script := fmt.Sprintf("#!/bin/sh\ncat %[1]s.rows\necho '%[2]s' > %[1]s.rows\n", smi, first) // the second is unplugged after the first look
	if err := os.WriteFile(smi, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx := enginetest.Processes(t)
	_, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 2))
	if err == nil || !strings.Contains(err.Error(), "rank [1] of 2 did not start") || !strings.Contains(err.Error(), uuids[1]+" is gone from the machine") {
		t.Errorf("%v", err)
	}
	if got := seenBy(ctx, spawned(ctx, t, engine.Dim("gpus", 1))); got[0] != uuids[0] {
		t.Errorf("a mesh that did not start keeps its devices: the next one sees %s, want %s", got, uuids[0])
	}
}

func TestAMeshThatCannotBeMadeKeepsNoDevice(t *testing.T) {
	uuids, _ := machine(t, 2)
	ctx := enginetest.Processes(t)
	spawned(ctx, t, engine.Name("trainers"), engine.Dim("gpus", 1))
	if _, err := engine.SpawnProcs(ctx, engine.Name("trainers"), engine.Dim("gpus", 1)); err == nil {
		t.Fatal("two meshes have one name")
	}
	if got := seenBy(ctx, spawned(ctx, t, engine.Dim("gpus", 1))); got[0] != uuids[1] {
		t.Errorf("a rank sees %s, want %s", got, uuids[1])
	}
}

func TestTwoControllersShareNoDeviceByAccident(t *testing.T) {
	uuids, _ := machine(t, 3)
	other := exec.CommandContext(t.Context(), os.Args[0])
	other.Env = append(os.Environ(), otherController+"=1")
	other.Stderr = os.Stderr
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if want := uuids[0] + " " + uuids[1] + "\n"; err != nil || line != want {
		t.Fatalf("the other controller's ranks see %q (%v), want %q", line, err, want)
	}
	ctx := enginetest.Processes(t)
	_, err = engine.SpawnProcs(ctx, engine.Dim("gpus", 2))
	if want := fmt.Sprintf("(pid %d (enginetest", other.Process.Pid); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q in it", err, want)
	}
	mine := spawned(ctx, t, engine.Dim("gpus", 1))
	if got := seenBy(ctx, mine); got[0] != uuids[2] {
		t.Errorf("while others hold the first two, a rank sees %s, want %s", got, uuids[2])
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := other.Wait(); !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(seenBy(ctx, spawned(ctx, t, engine.Dim("gpus", 2)))), fmt.Sprint(uuids[:2]); got != want {
		t.Errorf("after the other controller was killed the ranks see %s, want %s", got, want)
	}
}

func spawned(ctx context.Context, t *testing.T, opts ...engine.ProcOption) engine.ProcMesh {
	t.Helper()
	procs, err := engine.SpawnProcs(ctx, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return procs
}

func TestARankThatIsStartedAgainHasItsDeviceUnlessThatIsGone(t *testing.T) {
	uuids, smi := machine(t, 2)
	ctx := enginetest.Processes(t)
	procs := spawned(ctx, t, engine.Dim("gpus", 2))
	before := fmt.Sprint(seenBy(ctx, procs))
	last := procs.Slice(engine.At("gpus", 1))
	if err := last.Kill(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 1)); err == nil {
		t.Error("the device of a rank that was killed is free, though its mesh is there")
	}
	if err := last.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	seers, err := engine.Spawn(ctx, procs, "again", Seer{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := engine.Query(seers, (*Seer).Sees).Call(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var after []string
	for _, v := range again.Items() {
		after = append(after, v)
	}
	if fmt.Sprint(after) != before || before != fmt.Sprint(uuids) {
		t.Errorf("the ranks saw %s, and after a restart %s", before, after)
	}
	if err := last.Kill(ctx); err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(rowsOf(t, smi)), "\n")
	answer(t, smi, first+"\n")
	// Ranks that restart together share one look at the devices, which may be a second old.
	for end := time.Now().Add(10 * time.Second); ; {
		err = last.Restart(ctx)
		if err != nil || time.Now().After(end) {
			break
		}
		if err := last.Kill(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err == nil || !strings.Contains(err.Error(), uuids[1]+" is gone from the machine") {
		t.Errorf("%v", err)
	}
}

func rowsOf(t *testing.T, smi string) []byte {
	t.Helper()
	rows, err := os.ReadFile(smi + ".rows")
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestADriverThatTalksNonsenseIsNoMachineWithoutDevices(t *testing.T) {
	_, smi := machine(t, 1)
	answer(t, smi, "Segmentation fault\n")
	ctx := enginetest.Processes(t)
	_, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 1))
	for _, want := range []string{"the GPUs of this machine cannot be listed", `nvidia-smi answered "Segmentation fault"`, "virtual"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
	if got := seenBy(ctx, spawned(ctx, t, engine.Dim("gpus", 1), engine.Virtual())); got[0] != "all" {
		t.Errorf("a virtual rank sees %s", got)
	}
	answer(t, smi, "No devices were found\n")
	if got := seenBy(ctx, spawned(ctx, t, engine.Dim("gpus", 1))); got[0] != "all" {
		t.Errorf("on a machine without devices a rank sees %s", got)
	}
}
