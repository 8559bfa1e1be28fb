package gpu

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program writes a shell script that stands for nvidia-smi.
func program(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nvidia-smi")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// says is a script that prints a text, and ends with that code.
func says(text string, code int) string {
	return "cat <<'END'\n" + strings.TrimSuffix(text, "\n") + "\nEND\nexit " + strconv.Itoa(code) + "\n"
}

func TestDevicesAndInstancesAreListed(t *testing.T) {
	s := newSMI(program(t, `case "$1" in -L) `+says(a100list, 0)+";; *) "+says(a100mig, 0)+";; esac"))
	ds, err := s.Devices(t.Context())
	if err != nil || len(ds) != 1 || uuids(ds[0].usable()) != mig0+" "+mig1 {
		t.Fatalf("%+v, %v", ds, err)
	}
	samples, err := s.Samples(t.Context())
	if err != nil || len(samples) != 3 {
		t.Fatalf("%+v, %v", samples, err)
	}
	if in, whole := samples[mig1], samples[h2]; whole.Used != 24*mib || in.Used != 0 || in.Busy != -1 || in.Watts != 45.61 || in.Celsius != 30 {
		t.Errorf("an instance shows %+v of %+v", in, whole)
	}
}

// TestWhateverTheProgramDoesHasAReason holds INV-BOUND. The texts are those of the driver.
func TestWhateverTheProgramDoesHasAReason(t *testing.T) {
	for name, c := range map[string]struct {
		body, want string
		none       bool
	}{
		"no driver":         {says("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.\n", 9), "couldn't communicate with the NVIDIA driver", true},
		"no device":         {says("No devices were found\n", 6), "nvidia-smi: No devices were found", true},
		"no device, code 0": {says("No devices were found\n", 0), "nvidia-smi: No devices were found", true},
		"no library":        {says("NVIDIA-SMI couldn't find libnvidia-ml.so library in your system. Please make sure that the NVIDIA Display Driver is properly installed and present in your system.\n", 12), "couldn't find libnvidia-ml.so", true},
		"mismatch":          {says("Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 535.161\n", 18), "nvidia-smi failed: Failed to initialize NVML: Driver/library version mismatch", false},
		"fallen off":        {says("Unable to determine the device handle for GPU0000:17:00.0: Unknown Error\n", 255), "nvidia-smi failed: Unable to determine the device handle for GPU0000:17:00.0: Unknown Error", false},
		"a silent failure":  {"exit 3", "nvidia-smi failed: exit status 3", false},
		"killed":            {"kill -SEGV $$", "nvidia-smi failed: signal: segmentation fault", false},
		"an unknown field":  {says(`Field "uuid" is not a valid field to query.`, 2), "does not know the field uuid", false},
		"a stranger's":      {says(`Field "nonsense" is not a valid field to query.`, 2), "does not know the field nonsense", false},
		"very much":         {"yes 0123456789012345678901234567890123456789", "nvidia-smi said more than 1024 KiB", false},
		"another language":  {says("0, "+h0+", NVIDIA H100, 00000000:19:00.0, Disabled, 81559, 1024, 37, 41, 118,43, 0", 0), "does it write decimal commas?", false},
		"colours":           {`printf '\033[31mError: \007\n'; exit 1`, "nvidia-smi failed: ", false},
		"not a program":     {"", "nvidia-smi failed: ", false},
	} {
		path := program(t, c.body)
		if name == "not a program" {
			if err := os.WriteFile(path, []byte("\x7fELF\x00"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		_, err := newSMI(path).Devices(t.Context())
		_, none := errors.AsType[*NoneError](err)
		if err == nil || !strings.Contains(err.Error(), c.want) || none != c.none || strings.ContainsAny(err.Error(), "\x1b\x07\n") {
			t.Errorf("%s: %q (no GPUs: %v), want %q (%v)", name, err, none, c.want, c.none)
		}
	}
}

func TestItIsAskedInTheLanguageThatIsRead(t *testing.T) {
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	s := newSMI(program(t, `test "$LC_ALL" = C || { echo "$LC_ALL"; exit 1; }`+"\n"+says(geforce, 0)))
	if ds, err := s.Devices(t.Context()); err != nil || len(ds) != 1 {
		t.Errorf("%v, %v", ds, err)
	}
}

func TestAFieldThatAnOldDriverDoesNotKnowIsLeftOut(t *testing.T) {
	s := newSMI(program(t, `case "$1" in
*mig.mode*) echo 'Field "mig.mode.current" is not a valid field to query.'; exit 2 ;;
*power.draw*) echo 'Field "power.draw" is not a valid field to query.'; exit 2 ;;
*) echo "0, `+h0+`, Tesla K80, 00000000:05:00.0, 11441, 0, 0, 33, 1" ;;
esac
`))
	samples, err := s.Samples(t.Context())
	if got := samples[h0]; err != nil || got.Celsius != 33 || got.Watts != -1 || got.ECC != 1 || got.Total != 11441*mib {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestOneThatHangsIsKilledWithWhatItStarted takes the three seconds that it may hang.
func TestOneThatHangsIsKilledWithWhatItStarted(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	s := newSMI(program(t, "sleep 1000 & echo $$ $! > "+pids+"; wait"))
	began := time.Now()
	_, err := s.Devices(t.Context())
	if took := time.Since(began); !errors.Is(err, s.guard.late) || took > askTime+4*askGrace {
		t.Errorf("%v after %v", err, took)
	}
	b, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	for word := range strings.FieldsSeq(string(b)) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(20 * time.Second); runs(pid); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d runs on", pid)
			}
		}
	}
}

// runs reports whether a process is there and no zombie: who reaps the orphan of a test is the machine's affair.
func runs(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	_, state, _ := strings.Cut(readSmall("/proc/"+strconv.Itoa(pid)+"/stat"), ") ")
	return !strings.HasPrefix(state, "Z") && state != ""
}

func TestWhoWaitsForItCanGiveUp(t *testing.T) {
	started := filepath.Join(t.TempDir(), "started")
	s := newSMI(program(t, "echo > "+started+"; sleep 1000"))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for t.Context().Err() == nil {
			if _, err := os.Stat(started); err == nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	if _, err := s.Devices(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestAStuckOneIsNotJoinedByASecond: a process that is stuck in the driver cannot be killed. What we know of it is that it has
// not ended.
func TestAStuckOneIsNotJoinedByASecond(t *testing.T) {
	s := newSMI(program(t, says(geforce, 0)))
	s.guard.busy <- struct{}{}
	if _, err := s.Devices(t.Context()); !errors.Is(err, s.guard.late) || !strings.Contains(err.Error(), "stuck in the driver?") {
		t.Errorf("%v", err)
	}
	<-s.guard.busy
	if _, err := s.Devices(t.Context()); err != nil {
		t.Errorf("after it has ended: %v", err)
	}
}
