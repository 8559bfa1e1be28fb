package eval

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// things is a scope and a reader of a few values; it counts what is read.
type things struct {
	parts []Part
	read  []string
}

func (*things) Kind(p Part) (string, error) {
	switch last := way(p); last {
	case "bad":
		return "", &Error{Offset: p.Way[0].Offset, Msg: "there is no bad"}
	case "s.n", "n":
		return "number", nil
	case "s.name":
		return "text", nil
	case "s.list":
		return "list", nil
	}
	if strings.HasSuffix(way(p), ".bad") {
		return "", &Error{Offset: p.Way[len(p.Way)-1].Offset, Msg: "there is no bad"}
	}
	return "", nil
}

// way is a part as the tests write it.
func way(p Part) string {
	text := p.Name
	for _, s := range p.Way {
		mark := "."
		if s.Optional {
			mark = "?."
		}
		if s.Indexed {
			text += fmt.Sprintf("[%d]", s.Index)
		} else {
			text += mark + s.Name
		}
	}
	if p.Len {
		text = "len(" + text + ")"
	}
	if p.Nil {
		text = "nil(" + text + ")"
	}
	return text
}

func (r *things) Read(part int) (any, error) {
	p := r.parts[part]
	r.read = append(r.read, way(p))
	if p.Nil {
		return true, nil
	}
	switch way(p) {
	case "n", "s.n":
		return 3, nil
	case "s.name":
		return "toy", nil
	case "s.list":
		return []any{1, 2, 3}, nil
	case "s.list[1]":
		return 2, nil
	case "len(s.huge)":
		return 1_000_000, nil
	case "s.when":
		return time.Unix(7, 0), nil
	case "s.many":
		return slices.Repeat([]any{1.5}, 90_000), nil
	case "s.panics":
		return nil, errors.New("it panicked")
	}
	return nil, nil //nolint:nilnil // nil is a value
}

func (r *things) ReadAt(part int, index any) (any, error) {
	r.read = append(r.read, fmt.Sprintf("%s[%v]", way(r.parts[part]), index))
	return index, nil
}

func names() []string { return []string{"n", "s"} }

// TestOnlyThePartsThatAreReachedAreRead holds INV-LIVE.
func TestOnlyThePartsThatAreReachedAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"n == 3":                           "n",
		"s.n == 3":                         "s.n",
		"s.n == 4 and s.name == \"x\"":     "s.n",
		"s.next == nil or s.next.n == 3":   "nil(s.next)",
		"s.next != nil and s.next.n == 3":  "nil(s.next)",
		"nil == s.next":                    "nil(s.next)",
		"len(s.huge) > 3":                  "len(s.huge)",
		"s.huge | len() > 3":               "len(s.huge)",
		"s.list[1] == 2":                   "s.list[1]",
		"s.list[n - 2] == 1":               "n s.list[1]",
		"s.list[-1] == 2":                  "s.list[-1]",
		`s["name"] == "toy"`:               "s.name",
		"any(s.list, # == 2)":              "s.list",
		"s?.next?.n == nil":                "nil(s?.next?.n)",
		"(s?.next ?? 5) == 5":              "s?.next",
		"s.when.Unix() == 7":               "s.when",
		"let x = s.list; x[0] == 1":        "s.list",
		"n > 5 ? s.name == \"x\" : n == 3": "n n",
		"s.list[0:1] == [1]":               "s.list",
		"s.name startsWith \"t\"":          "s.name",
		"[s.n, n] == [3, 3]":               "s.n n",
		"s.name matches '^t'":              "s.name",
	} {
		r := &things{}
		e, err := CompileLive("  "+text, names(), r)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		r.parts = e.Parts()
		if _, err := e.HoldsLive(r); err != nil || strings.Join(r.read, " ") != want {
			t.Errorf("%s reads %v, want %s (%v)", text, r.read, want, err)
		}
	}
}

func TestALiveExpressionKnowsWhatItGives(t *testing.T) {
	for text, want := range map[string]string{
		"n": "number", "s.name": "text", "n > 1": "truth value", "not (n > 1)": "truth value", "n > 1 and s.x": "truth value", "s.x": "", "len(s.x)": "number", "s.x == nil": "truth value", "[n]": "list", "{a: n}": "map",
		"n > 1 ? n : 3": "number", "n > 1 ? n : s.name": "", "let x = 3; x > 1": "truth value", "any(s.list, # > 1)": "truth value", "'x'": "text", "3": "number", "true": "truth value", "n in [1]": "truth value", "fmt('%d', n)": "text", "s.list | filter(# > 1)": "list", "s.x ?? 3": "",
		"n + 1": "number", "-n * 2": "number", "s.name + s.name": "", "s.x + 1": "", "+n": "number", "nil": "nil",
	} {
		e, err := CompileLive(text, names(), &things{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if e.Gives() != want {
			t.Errorf("%s gives %q, want %q", text, e.Gives(), want)
		}
	}
}

func TestALiveMistakeIsToldWithItsPlace(t *testing.T) {
	for _, tc := range []struct{ text, at, want string }{
		{"  s.bad == 1", "bad", "there is no bad"}, {"n == 1 and s.n.bad > 3 and s.bad", "bad > 3", "there is no bad"}, {"len(s.bad) == 1", "bad)", "there is no bad"}, {"len(s.n) == 1", "s.n", "len wants a list"},
		{"s.bad == nil", "bad", "there is no bad"}, {"n == 'x'", "==", "compares a number and a text"}, {"n and true", "and", "wants two truth values"}, {"split(s.name, '') == []", "split", "may take long"}, {"x == 1", "x", "no name"},
		{"any(s.list, .bad == 1)", "bad", "there is no bad"}, {"count(s.list, #.x.bad == 1) == 3", "bad", "there is no bad"}, {"let n = 1; n == 1", "", "hides the n"}, {"s.name matches s.name", "matches", "written out"}, {"all(s.list, all(s.list, true))", "true", "predicate within"},
	} {
		_, err := CompileLive(tc.text, names(), &things{})
		m, ok := errors.AsType[*Error](err)
		if !ok || m.Offset < 0 || m.Offset > len(tc.text) || !strings.HasPrefix(tc.text[m.Offset:], tc.at) || !strings.Contains(m.Msg, tc.want) {
			t.Errorf("%s: %#v, want it at %q with %q", tc.text, err, tc.at, tc.want)
		}
	}
}

func TestALiveExpressionStopsAtItsSteps(t *testing.T) {
	r := &things{}
	for text, want := range map[string]string{
		"count(s.many, # > 1 and # > 1.25 and # > 1.3) == 3": "more than 150000 steps", "sort(s.many) == []": "more than 150000 steps", "s.panics == 1": "it panicked", "n + s.name == 3": "text", "s.x": "it gives nil",
	} {
		e, err := CompileLive(text, names(), r)
		if err != nil {
			t.Fatal(text, err)
		}
		r.parts = e.Parts()
		if holds, err := e.HoldsLive(r); holds || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %t, %v, want %s", text, holds, err, want)
		}
	}
	e, err := Compile("n == 3", Any())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.EvalLive(r); err == nil {
		t.Error("an expression with an environment reads parts")
	}
}

// A name that is only underscores is no number, and the mixture of kinds in a list is told of once.
func TestNamesOfUnderscoresAndMixedListsAreJudged(t *testing.T) {
	if _, err := Compile("_ == 1", Names{Have: []string{"n"}}); err == nil || !strings.Contains(err.Error(), `no name "_"`) {
		t.Errorf("_: %v", err)
	}
	for text, want := range map[string]string{`"x" in list`: "cannot be compared", `nil in [1, 2]`: "", `2 in ["x", "y", 2]`: "holds", `"z" in [1, "x", 2]`: ""} {
		e, err := Compile(text, Any())
		if err != nil {
			t.Fatal(err)
		}
		holds, err := e.Holds(map[string]any{"list": slices.Repeat([]any{1}, 50_000)})
		switch {
		case want == "holds" && !holds, want == "" && (holds || err != nil), want == "cannot be compared" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %t, %v, want %q", text, holds, err, want)
		}
	}
}
