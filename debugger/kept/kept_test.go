package kept

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// asTold is a breakpoint as the engine tells it.
func asTold(id uint64, mesh, cond string) control.Breakpoint {
	return control.Breakpoint{
		ID: id, Mesh: mesh, Ranks: "0,2", Endpoint: "Do", Site: control.SiteReply, If: cond, Hit: ">=3", Total: true, Once: true, Off: true,
		Then: control.ThenPrint, Print: "at {n}", Limit: 7, Rate: 3, Scope: control.ScopeActor,
		By: "ada", State: control.BreakArmed, Why: "w", Bound: 2, Hits: 9, Skipped: 1, Errors: 1, LastError: "e",
	}
}

// next begins a session that has some breakpoints, and gives those that are kept for it.
func next(t *testing.T, s *Store, have ...control.Breakpoint) (*Keeper, []control.Breakpoint) {
	t.Helper()
	k := s.Of("trainer")
	got, err := k.Begin(have)
	if err != nil {
		t.Fatal(err)
	}
	return k, got
}

func follow(t *testing.T, k *Keeper, now ...control.Breakpoint) {
	t.Helper()
	if err := k.Follow(now); err != nil {
		t.Fatal(err)
	}
}

// meshes are the names of the meshes of breakpoints.
func meshes(list []control.Breakpoint) string {
	var out []string
	for _, b := range list {
		out = append(out, b.Mesh)
	}
	return strings.Join(out, " ")
}

func TestABreakpointComesBackAsItWasSet(t *testing.T) {
	s := In(filepath.Join(t.TempDir(), "breaks"))
	k, got := next(t, s)
	if got != nil && len(got) > 0 {
		t.Fatalf("%d are kept before there was one", len(got))
	}
	b := asTold(4, "toy", `state.n > 2 && arg == "<é>"`)
	follow(t, k, b)
	_, got = next(t, s)
	want := b
	want.ID, want.By, want.State, want.Why, want.Bound, want.Hits, want.Skipped, want.Errors, want.LastError = 0, "", "", "", 0, 0, 0, 0, ""
	if !slices.Equal(got, []control.Breakpoint{want}) {
		t.Errorf("it comes back as\n%+v, want\n%+v", got, want)
	}
	info, err := os.Stat(filepath.Join(s.dir, "trainer.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v: want it for nobody else", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, ".new-*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestWhatIsClearedIsForgotten(t *testing.T) {
	s := In(t.TempDir())
	k, _ := next(t, s)
	follow(t, k, asTold(1, "a", ""), asTold(2, "b", ""), asTold(3, "c", ""))
	follow(t, k, asTold(1, "a", ""), asTold(3, "c", ""))
	if _, got := next(t, s); meshes(got) != "a c" {
		t.Errorf("after one was deleted %q are kept, want a c", meshes(got))
	}
	edited := asTold(3, "c", "n > 1")
	follow(t, k, asTold(1, "a", ""), edited)
	if _, got := next(t, s); len(got) != 2 || got[1].If != "n > 1" {
		t.Errorf("what was changed is kept as %+v", got)
	}
	follow(t, k)
	if _, err := os.Stat(filepath.Join(s.dir, "trainer.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("all are cleared, and the file is there: %v", err)
	}
}

// TestOneThatTheSessionRefusedStaysUntilAllAreCleared is about a program that has changed for a while.
func TestOneThatTheSessionRefusedStaysUntilAllAreCleared(t *testing.T) {
	s := In(t.TempDir())
	k, _ := next(t, s)
	follow(t, k, asTold(1, "a", ""), asTold(2, "refused", ""))
	k, _ = next(t, s)
	follow(t, k, asTold(1, "a", ""))
	if _, got := next(t, s); meshes(got) != "a refused" {
		t.Errorf("%q are kept, want a refused", meshes(got))
	}
	follow(t, k)
	if _, got := next(t, s); len(got) != 0 {
		t.Errorf("all are cleared, and %q are kept", meshes(got))
	}
}

// TestWhatOthersKeepStays holds INV-OTHERS.
func TestWhatOthersKeepStays(t *testing.T) {
	s := In(t.TempDir())
	ada, _ := next(t, s)
	bob, _ := next(t, s)
	follow(t, ada, asTold(1, "a", ""))
	follow(t, bob, asTold(1, "b", "")) // of another session
	follow(t, ada, asTold(1, "a", ""), asTold(2, "a2", ""))
	if _, got := next(t, s); meshes(got) != "a b a2" {
		t.Errorf("two sessions keep %q", meshes(got))
	}
	// A session that had some when the front end came has not begun with the kept ones: it sets none, and adds to them.
	k, got := next(t, s, asTold(9, "script", ""))
	if len(got) != 0 {
		t.Errorf("%q are set where there was one", meshes(got))
	}
	follow(t, k, asTold(9, "script", ""), asTold(10, "mine", ""))
	follow(t, k)
	if _, got := next(t, s); meshes(got) != "a b a2" {
		t.Errorf("after it %q are kept", meshes(got))
	}
	// Two that look at one session keep it once.
	again, _ := next(t, s)
	follow(t, ada, asTold(1, "a", ""), asTold(2, "a2", ""), asTold(3, "x", ""))
	follow(t, again, asTold(1, "a", ""), asTold(2, "a2", ""), asTold(3, "x", ""))
	if _, got := next(t, s); meshes(got) != "a b a2 x" {
		t.Errorf("two that look at one keep %q", meshes(got))
	}
}

func TestAFileThatCannotBeUsedIsToldOnceAndSetAside(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"none":     {"", "no JSON of ours"},
		"noise":    {"\x00\xff{{{", "no JSON of ours"},
		"version":  {`{"version": 2, "breakpoints": {}}`, "of version 2, and this program reads version 1"},
		"type":     {`{"version": 1, "breaks": [{"limit": "many"}]}`, "no JSON of ours"},
		"many":     {`{"version": 1, "breaks": [` + strings.Repeat(`{},`, MaxBreaks) + `{}]}`, "it has 1001 breakpoints, and 1000 can be kept"},
		"large":    {`{"version": 1, "program": "` + strings.Repeat("x", maxBytes) + `"}`, "more than 1048576 bytes"},
		"deep":     {strings.Repeat("[", 500_000), "no JSON of ours"},
		"overflow": {`{"version": 1, "breaks": [{"rate": 1e99}]}`, "no JSON of ours"},
	} {
		t.Run(name, func(t *testing.T) {
			s := In(t.TempDir())
			at := filepath.Join(s.dir, "trainer.json")
			if err := os.WriteFile(at, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Of("trainer").Begin(nil); err == nil || len(got) > 0 || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), at+".broken") {
				t.Fatalf("%d are kept, and the error is %v; want %q", len(got), err, c.want)
			}
			if b, err := os.ReadFile(at + ".broken"); err != nil || string(b) != c.text {
				t.Errorf("it is not set aside: %v", err)
			}
			if _, err := s.Of("trainer").Begin(nil); err != nil {
				t.Errorf("it is told twice: %v", err)
			}
		})
	}
}

func TestWhatIsNoFileOrMayNotBeWrittenHarmsNobody(t *testing.T) {
	s := In(t.TempDir())
	at := filepath.Join(s.dir, "trainer.json")
	if err := os.MkdirAll(filepath.Join(at, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Of("trainer").Begin(nil); err == nil || !strings.Contains(err.Error(), "is no file") {
		t.Errorf("a folder is read: %v", err)
	}
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	k := In(filepath.Join(blocked, "below")).Of("trainer")
	if err := k.Follow([]control.Breakpoint{asTold(1, "a", "")}); err == nil {
		t.Error("what cannot be kept is told nobody")
	}
	for _, k := range []*Keeper{In("").Of("trainer"), s.Of(""), In(s.dir, "monarch-tui").Of("monarch-tui")} {
		if got, err := k.Begin(nil); got != nil || err != nil || k.Follow([]control.Breakpoint{asTold(1, "a", "")}) != nil {
			t.Errorf("a program that keeps nothing keeps %v, %v", got, err)
		}
	}
}

func TestMoreThanCanBeKeptIsToldOnce(t *testing.T) {
	s := In(t.TempDir())
	k, _ := next(t, s)
	follow(t, k, asTold(1, "a", ""))
	many := make([]control.Breakpoint, 100_000)
	if err := k.Follow(many); err == nil || !strings.Contains(err.Error(), "100000 breakpoints, and 1000 can be kept") {
		t.Errorf("the error is %v", err)
	}
	follow(t, k, many...)
	if _, got := next(t, s); meshes(got) != "a" {
		t.Errorf("%q are kept", meshes(got))
	}
}

func TestAProgramOfAnyNameHasAFileInTheFolder(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"trainer", "../../etc/passwd", "..", ".", "a/b", "a%2fb", `c:\x`, "a b", "a\x00b\n", "世界", strings.Repeat("n", 5000), "Trainer.exe", ".hidden"} {
		f := fileName(name)
		if filepath.Base(f) != f || strings.HasPrefix(f, ".") || len(f) > 200 || seen[f] != "" {
			t.Errorf("the file of %q is %q, which is that of %q too, or leads elsewhere", name, f, seen[f])
		}
		seen[f] = name
	}
}

// session is one that has breakpoints, and refuses those of some meshes.
type session struct {
	control.Backend
	set []control.Breakpoint
}

func (s *session) Subscribe(func(*control.Event)) (*control.Snapshot, func()) {
	return &control.Snapshot{}, func() {}
}
func (s *session) Attach(c control.ClientInfo) control.ClientInfo { return c }
func (s *session) Detach(control.ClientInfo)                      {}

func (s *session) Handle(_ context.Context, _ control.ClientInfo, req any) (any, error) {
	b := *req.(control.BreaksReq).Set
	if b.Mesh == "bad" {
		return nil, errors.New("there is no field cuont")
	}
	b.ID = uint64(len(s.set) + 1)
	s.set = append(s.set, b)
	return []control.Breakpoint{b}, nil
}

func TestOneThatIsRefusedDoesNotKeepTheOthersFromBeingSet(t *testing.T) {
	s := &session{}
	c := control.InProcess(s, control.ClientInfo{Name: "ada"})
	set, err := Set(t.Context(), c, []control.Breakpoint{{Mesh: "a"}, {Mesh: "bad"}, {Mesh: "b"}, {Mesh: "bad"}})
	if meshes(set) != "a b" || meshes(s.set) != "a b" || err == nil || err.Error() != "2 of 4 kept breakpoints cannot be set, the first because: there is no field cuont" {
		t.Errorf("%q are set, and the error is %v", meshes(set), err)
	}
}

func FuzzAFileOfAnyKind(f *testing.F) {
	f.Add([]byte(`{"version": 1, "breaks": [{"mesh": "a", "limit": 3}]}`))
	f.Add([]byte(`{"version": 1, "breaks": null}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := parse(b)
		if err != nil && list != nil || len(list) > MaxBreaks {
			t.Errorf("%d breakpoints and %v", len(list), err)
		}
		for i := range list {
			x := list[i].breakpoint()
			if p := pointOf(&x); list[i].Site != "" && list[i].Then != "" && list[i].Scope != "" && p != list[i] {
				t.Errorf("%+v becomes %+v", list[i], p)
			}
		}
	})
}
