//go:build unix

package via

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// environ is an environment of a test's own.
func environ(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func TestAnAgentKnowsWhichHostItIs(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	write(t, secret, "hush")
	for _, c := range []struct {
		name  string
		env   []string
		index int
		by    string
	}{
		{"said by the launcher", []string{Env, "file:" + secret + "#3", "SLURM_NODEID", "1"}, 3, ""},
		{"Slurm", []string{Env, "file:" + secret, "SLURM_JOB_ID", "4711", "SLURM_NODEID", "1", "SLURM_PROCID", "1"}, 1, "Slurm job 4711"},
		{"mpirun within Slurm counts by itself", []string{Env, "file:" + secret, "SLURM_JOB_ID", "4711", "SLURM_NODEID", "0", "OMPI_COMM_WORLD_RANK", "2"}, 2, "Slurm job 4711"},
		{"Open MPI", []string{Env, "file:" + secret, "OMPI_COMM_WORLD_RANK", "5"}, 5, "Open MPI rank 5"},
		{"MPICH", []string{Env, "file:" + secret, "PMI_RANK", "1"}, 1, ""},
		{"PMIx", []string{Env, "file:" + secret, "PMIX_RANK", "4"}, 4, ""},
		{"Kubernetes", []string{Env, "file:" + secret, "JOB_COMPLETION_INDEX", "0", "HOSTNAME", "mesh-0"}, 0, "Kubernetes pod mesh-0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := arrive(environ(c.env...), nil)
			if err != nil {
				t.Fatal(err)
			}
			if a.Index != c.index || a.Scheduler != c.by || string(a.Secret) != "hush" || a.Lifeline != nil {
				t.Errorf("it has arrived as %+v", a)
			}
		})
	}
}

// TestASecretThatIsCutShortIsNotAwaitedForEver: something between the launcher and the agent has taken bytes of it.
func TestASecretThatIsCutShortIsNotAwaitedForEver(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	if _, err := w.Write(appendSecret(nil, []byte("hush"))[:6]); err != nil {
		t.Fatal(err)
	}
	if _, err := secretWithin(r, 10*time.Millisecond); err == nil || !strings.Contains(err.Error(), "has not come whole") {
		t.Error(err)
	}
}

func TestAnAgentReadsNoFurtherThanItsSecret(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.Write(append(appendSecret(nil, []byte("hush")), "later"...)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	a, err := arrive(environ(Env, "stdin#0"), r)
	if err != nil {
		t.Fatal(err)
	}
	rest := new(bytes.Buffer)
	if _, err := rest.ReadFrom(a.Lifeline); err != nil || rest.String() != "later" || string(a.Secret) != "hush" {
		t.Errorf("the secret is %q, and %q is left (%v)", a.Secret, rest, err)
	}
}

func TestAnAgentThatCannotArriveSaysWhy(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"open": 0o644, "group": 0o640, "mine": 0o600} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("hush"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	big := filepath.Join(dir, "big")
	write(t, big, "")
	if err := os.Truncate(big, MaxSecret+1); err != nil {
		t.Fatal(err)
	}
	makeFIFO(t, filepath.Join(dir, "pipe"))
	huge := binary.BigEndian.AppendUint32(nil, MaxSecret+1)
	for _, c := range []struct {
		name  string
		env   []string
		stdin []byte
		want  string
	}{
		{"no launcher", nil, nil, "was not started by a launcher"},
		{"no index", []string{Env, "stdin"}, nil, "nothing tells which host of the job this is"},
		{"a wrong index", []string{Env, "stdin", "SLURM_NODEID", "-1"}, nil, "SLURM_NODEID=-1 is no index"},
		{"another way", []string{Env, "smoke#1"}, nil, "neither stdin nor file:PATH"},
		{"no path", []string{Env, "file:#1"}, nil, "neither stdin nor file:PATH"},
		{"stdin is closed", []string{Env, "stdin#0"}, nil, "the launcher, or its client, is gone"},
		{"stdin ends too soon", []string{Env, "stdin#0"}, appendSecret(nil, []byte("hush"))[:6], "the launcher, or its client, is gone"},
		{"stdin is something else", []string{Env, "stdin#0"}, huge, "over the limit"},
		{"the file is not there", []string{Env, "file:" + dir + "/none#0"}, nil, "must be shared with this host"},
		{"others may read it", []string{Env, "file:" + dir + "/open#0"}, nil, "others may read or change it"},
		{"a group may read it", []string{Env, "file:" + dir + "/group#0"}, nil, "others may read or change it"},
		{"it is a folder", []string{Env, "file:" + dir + "#0"}, nil, "is no file"},
		{"it is a pipe", []string{Env, "file:" + dir + "/pipe#0"}, nil, "is no file"},
		{"it is too big", []string{Env, "file:" + big + "#0"}, nil, "over the limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if _, err := w.Write(c.stdin); err != nil {
				t.Fatal(err)
			}
			w.Close()
			if _, err := arrive(environ(c.env...), r); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want one that says %q", err, c.want)
			}
		})
	}
}

func FuzzReadSecret(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendSecret(nil, []byte("hush")))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		secret, err := readSecret(r)
		if err == nil && !bytes.Equal(appendSecret(nil, secret), b[:len(b)-r.Len()]) {
			t.Errorf("%q was read from %q", secret, b)
		}
	})
}
