package script

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/schema"
)

func TestAValueFillsInAsItself(t *testing.T) {
	for _, c := range []struct {
		v             any
		whole, quoted string // as ${r} alone, and as {k: "${r}"}
	}{
		{2 * time.Second, "2s", `{k: "2s"}`},
		{[]byte("hi"), "h'6869'", `{k: "h'6869'"}`},
		{time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), "2026-01-02T03:04:05.000000006Z", `{k: "2026-01-02T03:04:05.000000006Z"}`},
		{uint64(math.MaxUint64), "18446744073709551615", `{k: "18446744073709551615"}`},
		{1e21, "1e+21", `{k: "1e+21"}`},
		{math.Inf(-1), "-Inf", `{k: "-Inf"}`},
		{"a \"b\" <c>", `"a \"b\" <c>"`, `{k: "a \"b\" <c>"}`},
		{"v\xff\x1b\xfe", `"v\xff\u001b\xfe"`, `{k: "v\xff\u001b\xfe"}`},
		{nil, "null", `{k: "null"}`},
		{map[string]any{"b c": []any{1, true}, "a": 2 * time.Second, "7": "x"}, `{7: "x", a: 2s, "b c": [1, true]}`, `{k: "{7: \"x\", a: 2s, \"b c\": [1, true]}"}`},
	} {
		if got := filled(c.v, "one @t.E ${r}", 9, 9, false); got != c.whole {
			t.Errorf("%v alone: got %s, want %s", c.v, got, c.whole)
		}
		text := `one @t.E {k: "${r}"}`
		if got := `{k: "` + filled(c.v, text, 14, 9, false) + `"}`; got != c.quoted {
			t.Errorf("%v between quotes: got %s, want %s", c.v, got, c.quoted)
		}
	}
}

func TestAFilledInDurationThatAnAnyRefusesIsToldWhy(t *testing.T) {
	_, err := schema.ParseArg("v", schema.Types{}, &schema.Schema{Kind: schema.KindAny}, "2s", nil)
	if err == nil {
		t.Fatal("any takes 2s")
	}
	got := literalError("@t.E", Literal{Text: "2s"}, err).Error()
	if !strings.Contains(got, `want a value, not "2s": this place takes a value of any type, so a duration is not known there`) {
		t.Error(got)
	}
}
