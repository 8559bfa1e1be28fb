package demos

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/monarch-tui/monarch-tui/demos/chain"
	"github.com/monarch-tui/monarch-tui/demos/story"
	"github.com/monarch-tui/monarch-tui/engine"
)

func TestMain(m *testing.M) {
	Register()
	os.Exit(m.Run())
}

// program is a demo's source without what is told about it, with one blank wherever it has blanks or ends of lines.
func program(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(name, name+".go"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

func TestTheGoLinesThatAreShownStandInTheProgram(t *testing.T) {
	for _, d := range All() {
		source := program(t, d.Name)
		for _, s := range d.Lesson(d.Ranks) {
			if s.Go == "" || !strings.Contains(source, s.Go) {
				t.Errorf("%s, %q: %s.go has no %q", d.Name, s.Title, d.Name, s.Go)
			}
		}
	}
}

func TestEachStepTellsOneIdeaInFewWords(t *testing.T) {
	for _, d := range All() {
		var titles []string
		for _, s := range d.Lesson(d.Ranks) {
			if slices.Contains(titles, s.Title) {
				t.Errorf("%s has two steps %q", d.Name, s.Title)
			}
			titles = append(titles, s.Title)
			task := len(s.Goals) > 0
			if s.Text == "" || len(s.Text) > 160 || len(s.How) > 150 || len(s.Title) > 46 || len(s.Done) > 110 {
				t.Errorf("%s, %q: a title of %d, a text of %d, keys of %d, praise of %d characters", d.Name, s.Title, len(s.Title), len(s.Text), len(s.How), len(s.Done))
			}
			if task != (s.How != "") || task != (s.Done != "") || task == (s.Command != "") {
				t.Errorf("%s, %q: a task has goals, keys and praise, any other step a command", d.Name, s.Title)
			}
		}
	}
}

// TestTheProgramsTellTheirLessons runs each demo with one actor and with a few: it tells its steps in order, to the end.
func TestTheProgramsTellTheirLessons(t *testing.T) {
	for _, d := range All() {
		for _, ranks := range []int{1, 3} {
			e, err := engine.Start(t.Context(), engine.AllInProcess(), engine.NoSession(), engine.Output(t.Output(), t.Output()))
			if err != nil {
				t.Fatal(err)
			}
			told := 0
			ctx := story.With(e.Context(), func(context.Context, story.Step) (bool, error) { told++; return false, nil })
			if err := d.Run(ctx, ranks); err != nil {
				t.Errorf("%s with %d: %v", d.Name, ranks, err)
			}
			if want := len(d.Lesson(ranks)); told != want {
				t.Errorf("%s with %d: %d of %d steps were told", d.Name, ranks, told, want)
			}
			e.Close()
		}
	}
}

// TestTheMistakesAreTheSameEachTime: what is to be found must be there, whatever happens when.
func TestTheMistakesAreTheSameEachTime(t *testing.T) {
	for name, wants := range map[string][]string{
		"debugging": {"hosts=3,gpus=3: 23", "the caller gets: ToDebug failed on 4 of 16 ranks of @debugee: [2,6,10,14] bad rank"},
		"straggler": {"mean loss of 16 trainers: NaN", "rank 11: NaN"},
		"deadlock":  {"the dinner of the hungry is given up", "meals of the hungry: [0 0 0 0 0]", "meals of the polite: [1 1 1 1 1]"},
	} {
		i := slices.IndexFunc(All(), func(d Demo) bool { return d.Name == name })
		if i < 0 {
			t.Fatalf("there is no demo %q", name)
		}
		first := ""
		for range 5 {
			var out strings.Builder
			e, err := engine.Start(t.Context(), engine.AllInProcess(), engine.NoSession(), engine.Output(&out, t.Output()), engine.SortedOutput())
			if err != nil {
				t.Fatal(err)
			}
			err = All()[i].Run(e.Context(), All()[i].Ranks)
			e.Close()
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got := out.String()
			for _, want := range wants {
				if strings.Count(got, want+"\n") < 1 {
					t.Errorf("%s prints no %q:\n%s", name, want, got)
				}
			}
			lines := strings.Split(got, "\n")
			slices.Sort(lines) // philosophers eat in any order
			if got = strings.Join(lines, "\n"); first == "" {
				first = got
			} else if got != first {
				t.Errorf("%s prints first\n%s\nand then\n%s", name, first, got)
			}
		}
	}
}

func TestATaskIsDoneByTheDemoUnlessThePersonHasDoneIt(t *testing.T) {
	steps := []story.Step{{Title: "one"}, {Title: "two"}}
	for _, person := range []bool{false, true} {
		lesson, did := story.Begin(steps), 0
		ctx := story.With(t.Context(), func(context.Context, story.Step) (bool, error) { return person, nil })
		for _, title := range []string{"one", "two"} {
			if err := lesson.Try(ctx, title, func() error { did++; return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if want := map[bool]int{false: 2}[person]; did != want {
			t.Errorf("done by the person: %v; the demo did %d of 2", person, did)
		}
		if err := lesson.Step(ctx, "three"); err == nil {
			t.Error("a step that the lesson does not have is told")
		}
	}
	if err := story.Begin(steps).Step(t.Context(), "two"); err == nil {
		t.Error("the second step is told before the first")
	}
}

// TestATokenWithoutAHomeEnds: a ring goes on for ever only if it is let.
func TestATokenWithoutAHomeEnds(t *testing.T) {
	ctx, stop, err := engine.Local(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	p, err := engine.SpawnProcs(ctx, engine.Dim("gpus", 1))
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan engine.Failure, 16)
	if _, err := engine.Supervise(ctx, func(_ context.Context, f engine.Failure) engine.Decision {
		heard <- f
		return engine.Handled
	}); err != nil {
		t.Fatal(err)
	}
	a, err := engine.Spawn(ctx, p, "a", chain.LinkActor{Group: "A"})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Action(a, (*chain.LinkActor).Connect).Call(ctx, a); err != nil {
		t.Fatal(err)
	}
	if err := engine.Action(a, (*chain.LinkActor).Pass).Call(ctx, chain.Token{Home: "nowhere"}); err != nil {
		t.Fatal(err)
	}
	if f := <-heard; !strings.Contains(f.What, `no group "nowhere"`) {
		t.Errorf("the root heard %q", f.What)
	}
}
