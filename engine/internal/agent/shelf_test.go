package agent

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// sample writes a file of a little more than two parts.
func sample(t *testing.T) (path string, content []byte) {
	t.Helper()
	content = bytes.Repeat([]byte("monarch "), (2*PartBytes+80)/8)
	path = filepath.Join(t.TempDir(), "prog")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, content
}

func TestAFileIsSentOnceAndVerified(t *testing.T) {
	path, content := sample(t)
	s := &Shelf{dir: filepath.Join(t.TempDir(), "shelf")}
	at, sent, err := Send(path, "prog", s.Put)
	if err != nil || sent != int64(len(content)) {
		t.Fatalf("%d bytes were sent, %v; want %d", sent, err, len(content))
	}
	if got, err := os.ReadFile(at); err != nil || !bytes.Equal(got, content) {
		t.Fatalf("it has arrived with %d bytes, %v", len(got), err)
	}
	if st, err := os.Stat(at); err != nil || st.Mode() != 0o500 {
		t.Errorf("mode %v, %v; want one that can be executed and not changed", st.Mode(), err)
	}
	if notes, err := filepath.Glob(filepath.Join(filepath.Dir(at), fmt.Sprintf(".run.*.%d", os.Getpid()))); err != nil || len(notes) != 1 {
		t.Errorf("notes that it runs: %v, %v; want one, or the next launch removes it", notes, err)
	}
	if again, sent, err := Send(path, "prog", s.Put); again != at || sent != 0 || err != nil {
		t.Errorf("again: %s, %d bytes, %v; want nothing sent", again, sent, err)
	}
	if err := os.Chmod(at, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, content[:100], 0o700); err != nil { // a disk that has lost the rest
		t.Fatal(err)
	}
	if _, sent, err := Send(path, "prog", s.Put); sent != int64(len(content)) || err != nil {
		t.Errorf("a damaged file: %d bytes were sent, %v; want all", sent, err)
	}
}

func TestASendThatWasCutOffGoesOn(t *testing.T) {
	path, content := sample(t)
	s := &Shelf{dir: t.TempDir()}
	cut, parts := errors.New("the link is down"), 0
	_, _, err := Send(path, "prog", func(p Part) (Kept, error) {
		if parts++; parts == 3 { // the question, a part, and this one
			return Kept{}, cut
		}
		return s.Put(p)
	})
	if !errors.Is(err, cut) {
		t.Fatal(err)
	}
	if _, sent, err := Send(path, "prog", s.Put); err != nil || sent != int64(len(content))-PartBytes {
		t.Errorf("then %d bytes were sent, %v; want what was missing, %d", sent, err, len(content)-PartBytes)
	}
}

func TestWhatIsNoPartIsRefused(t *testing.T) {
	s := &Shelf{dir: t.TempDir()}
	sum := sha256.Sum256([]byte("x"))
	for want, p := range map[string]Part{
		`called "../x"`:          {Sum: sum, Size: 1, Name: "../x"},
		`called ".."`:            {Sum: sum, Size: 1, Name: ".."},
		`called "."`:             {Sum: sum, Size: 1, Name: "."},
		"at most":                {Sum: sum, Size: maxFile + 1, Name: "x"},
		"has -1 bytes":           {Sum: sum, Size: -1, Name: "x"},
		"beyond its end":         {Sum: sum, Size: 1, Name: "x", At: 1, Data: []byte("x")},
		"has not arrived as it ": {Sum: sum, Size: 1, Name: "x", Data: []byte("y")},
	} {
		if _, err := s.Put(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", p, err, want)
		}
	}
	if got, err := s.Put(Part{Sum: sum, Size: 1, Name: "x", Data: []byte("x")}); err != nil || got.Path == "" {
		t.Errorf("after a part that was damaged, the right one: %+v, %v", got, err)
	}
}

func TestAWorkspaceTakesOnlyWhatIsWithinIt(t *testing.T) {
	w := WorkspaceIn(filepath.Join(t.TempDir(), "work"))
	outside := filepath.Join(filepath.Dir(w.dir), "x")
	sum := sha256.Sum256([]byte("x"))
	for _, name := range []string{"../x", "/x", "a/../../x", "", ".", ".."} {
		if got, err := w.Put(Part{Sum: sum, Size: 1, Name: name, Data: []byte("x")}); err == nil {
			t.Errorf("%q was taken: %+v", name, got)
		}
	}
	if _, err := os.Stat(outside); err == nil {
		t.Error("a file was written outside")
	}
	got, err := w.Put(Part{Sum: sum, Size: 1, Name: "conf/a.yaml", Data: []byte("x")})
	if err != nil || got.Path != filepath.Join(w.dir, "conf/a.yaml") {
		t.Fatalf("%+v, %v", got, err)
	}
	if st, err := os.Stat(got.Path); err != nil || st.Mode() != 0o600 {
		t.Errorf("%v, %v; want a file that can be written again", st.Mode(), err)
	}
	other := sha256.Sum256([]byte("y"))
	if _, err := w.Put(Part{Sum: other, Size: 1, Name: "conf/a.yaml", Exec: true, Data: []byte("y")}); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(got.Path); err != nil || string(b) != "y" {
		t.Errorf("changed it is %q, %v", b, err)
	}
	if left, err := filepath.Glob(filepath.Join(w.dir, "conf", ".*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestAnEmptyFileArrivesToo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Shelf{dir: t.TempDir()}
	if at, sent, err := Send(path, "empty", s.Put); at == "" || sent != 0 || err != nil {
		t.Errorf("%q, %d, %v", at, sent, err)
	}
}

func TestTheShelfIsTheOneThatTheProgramCameFrom(t *testing.T) {
	sum := sha256.Sum256([]byte("x"))
	dir := t.TempDir()
	exe := filepath.Join(dir, "bin", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "prog")
	if s := ShelfOf(exe, sum); s.dir != filepath.Join(dir, "bin") {
		t.Errorf("it is %s", s.dir)
	}
	t.Setenv("XDG_CACHE_HOME", dir)
	if s := ShelfOf("/usr/bin/prog", sum); s.dir != filepath.Join(dir, "monarch-tui", "bin") {
		t.Errorf("of a program that came otherwise it is %s", s.dir)
	}
}

// TestHostsThatShareAFolderDoNotDisturbEachOther: a home on a file server is the usual case.
func TestHostsThatShareAFolderDoNotDisturbEachOther(t *testing.T) {
	path, content := sample(t)
	dir := t.TempDir()
	for round := range 50 {
		name := fmt.Sprintf("f%d", round)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				w := WorkspaceIn(dir)
				if _, _, err := Send(path, name, w.Put); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(b, content) {
			t.Fatalf("it has arrived with %d bytes, %v", len(b), err)
		}
		content = content[:max(100, len(content)/4)]
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	noParts(t, dir)
}

func noParts(t *testing.T, dir string) {
	t.Helper()
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestAFileThatChangesWhileItIsSentIsSentAnew(t *testing.T) {
	path, content := sample(t)
	w := WorkspaceIn(t.TempDir())
	parts := 0
	at, _, err := Send(path, "f", func(p Part) (Kept, error) {
		if parts++; parts == 2 {
			content = bytes.Repeat([]byte("another "), len(content)/8)
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return w.Put(p)
	})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(at); err != nil || !bytes.Equal(b, content) {
		t.Errorf("it has arrived with %d bytes, %v; want the %d that it has now", len(b), err, len(content))
	}
	_, _, err = Send(path, "another", func(p Part) (Kept, error) {
		content[0]++
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return w.Put(p)
	})
	if err == nil || !strings.Contains(err.Error(), "changes while it is sent") {
		t.Errorf("%v; want to be told that it changes", err)
	}
	noParts(t, w.dir)
}

func TestAFileBecomesExecutableWithoutAChange(t *testing.T) {
	path, _ := sample(t)
	w := WorkspaceIn(t.TempDir())
	for _, mode := range []os.FileMode{0o600, 0o700, 0o600} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		at, _, err := Send(path, "run.sh", w.Put)
		if err != nil {
			t.Fatal(err)
		}
		if st, err := os.Stat(at); err != nil || st.Mode() != mode {
			t.Errorf("mode %v, %v; want %v", st.Mode(), err, mode)
		}
	}
}

func TestWhatAKilledAgentLeftIsRemoved(t *testing.T) {
	path, _ := sample(t)
	dir := t.TempDir()
	cut := errors.New("killed")
	killed := WorkspaceIn(dir)
	_, _, err := Send(path, "f", func(p Part) (Kept, error) {
		if p.At > 0 {
			return Kept{}, cut
		}
		return killed.Put(p)
	})
	if !errors.Is(err, cut) {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) != 1 {
		t.Fatalf("left over: %v, %v", left, err)
	}
	long := time.Now().Add(-2 * staleTime)
	if err := os.Chtimes(left[0], long, long); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Send(path, "f", WorkspaceIn(dir).Put); err != nil {
		t.Fatal(err)
	}
	noParts(t, dir)
}
