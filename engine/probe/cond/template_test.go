package cond

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/eval"
)

func TestATemplateIsFilledIn(t *testing.T) {
	v := values()
	st := v.State.Addr().Interface().(*actor) //nolint:forcetypeassert // values makes it
	st.name = "to\x1b[2Jy\n"
	for text, want := range map[string]string{
		"g={args.s.G} loss={state.loss}":         "g=5 loss=0.25",
		"plain":                                  "plain",
		"":                                       "",
		"{{rank}} is {rank}":                     "{rank} is 6",
		"{{{rank}}}":                             "{6}",
		`{ {a: rank}["a"] }`:                     "6",
		`{"}" + '}' + "\"}"}`:                    `}}"}`,
		"{state.name}|{[state.name]}":            `to\u001b[2Jy\n|["to\x1b[2Jy\n"]`,
		"{state.next.next.loss}, {rank}":         "{error: state.next.next is nil, and has no .loss (?. gives nil instead of this error)}, 6",
		"{state.kids} {coords} {state.wait}":     `[{loss: 1, name: "x"}, {loss: 2, name: "y"}] {gpus: 2, hosts: 1} 1.5s`,
		"{state.ch}":                             "chan",
		"é{rank}ü":                               "é6ü",
		"{filter(state.kids, {.loss > 1})}":      `[{loss: 2, name: "y"}]`,
		`{fmt("%.1f", state.loss)} {state.huge}`: "0.2 1208925819614629174706176",
	} {
		tpl, err := ParseTemplate(text, scope())
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := tpl.Render(v); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestAMistakeInATemplateIsToldWithItsPlace(t *testing.T) {
	for _, tc := range []struct{ text, at, want string }{
		{"a } b", "} b", "} without {"},
		{"a {rank", "{rank", "{ without }"},
		{`a {"}`, "{", "{ without }"},
		{"é loss={state.los}", "los}", "did you mean loss?"},
		{"{rank} {zz}", "zz}", `no name "zz"`},
		{"x={ }", "", "want an expression"},
		{"{rank > }", " }", "ends too early"},
		{strings.Repeat("{rank}", maxParts+1), "{rank}", "16 expressions"},
		{strings.Repeat("x", maxTemplate+1), "x", "8192 bytes"},
		{"\xff", "\xff", "UTF-8"},
	} {
		_, err := ParseTemplate(tc.text, scope())
		m, ok := errors.AsType[*eval.Error](err)
		if !ok || m.Offset < 0 || m.Offset > len(tc.text) || !strings.HasPrefix(tc.text[m.Offset:], tc.at) || !strings.Contains(m.Msg, tc.want) {
			t.Errorf("%.40s: %#v, want it at %q with %q", tc.text, err, tc.at, tc.want)
		}
	}
}

func TestWhatATemplateGivesIsBounded(t *testing.T) {
	v, s := heavyValues()
	tpl, err := ParseTemplate(strings.Repeat("{state.text}ü", maxParts), s)
	if err != nil {
		t.Fatal(err)
	}
	if got := tpl.Render(v); len(got) > maxRendered || len(got) < maxRendered-8 || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") {
		t.Errorf("%d bytes, valid %t", len(got), utf8.ValidString(got))
	}
	slow, err := ParseTemplate(strings.Repeat("{sum(state.mids)} ", maxParts), s)
	if err != nil {
		t.Fatal(err)
	}
	if got := slow.Render(v); strings.Count(got, "{error: ") != maxParts {
		t.Errorf("%s", got)
	}
}

// FuzzAnyConditionIsCompiledOrRefused holds INV-CALM and INV-CHECKED.
func FuzzAnyConditionIsCompiledOrRefused(f *testing.F) {
	for _, s := range []string{"state.loss > 1", "args.s.Tags[0] == \"p\"", "state?.next?.next.any.loss", "coords[\"gpus\"]", "len(state.list[1:]) == nil", "state.when.Year() != nil", "let x = state; x.loss", "any(state.kids, .loss > rank)", "-state.list[-1]", "state.tags?.a?.b", "len(len(state.tags))", "(state.next != nil) == nil", "_", "len(_)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := CompileCondition(text, scope())
		if err != nil {
			if m, ok := err.(*eval.Error); !ok || m.Offset < 0 || m.Offset > len(text) || m.Msg == "" { //nolint:errorlint // it comes as it is
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		first, err := e.Holds(values())
		if first && err != nil {
			t.Fatalf("%q holds, with %v", text, err)
		}
		if strings.Contains(text, "now") {
			return
		}
		second, again := e.Holds(values())
		if first != second || (err == nil) != (again == nil) {
			t.Fatalf("%q: %t, %v and then %t, %v", text, first, err, second, again)
		}
	})
}

// FuzzAnyTemplateIsParsedOrRefused holds INV-CALM.
func FuzzAnyTemplateIsParsedOrRefused(f *testing.F) {
	for _, s := range []string{"g={args.s.G}", "{{x}}", "{ {a: 1} }", "{\"}\"}", "}", "{state.loss:3}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tpl, err := ParseTemplate(text, scope())
		if err != nil {
			if m, ok := err.(*eval.Error); !ok || m.Offset < 0 || m.Offset > len(text) || m.Msg == "" { //nolint:errorlint // it comes as it is
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		if got := tpl.Render(values()); len(got) > maxRendered || !utf8.ValidString(got) {
			t.Fatalf("%q gives %d bytes, %q", text, len(got), got)
		}
	})
}
