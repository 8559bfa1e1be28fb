package eval

import (
	"math"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"
)

type Count int32

func env() map[string]any {
	return map[string]any{
		"i": 3, "neg": -1, "max64": uint64(math.MaxUint64), "min64": int64(math.MinInt64), "f": 2.5, "nan": math.NaN(), "named": Count(3), "u8": uint8(3),
		"s": "hey", "yes": true, "nothing": nil, "raw": []byte("hi"), "d": 2 * time.Second, "t": time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"bytes": "v\xff\x1b[31m",
		"vec":   map[string]any{"X": 2.0, "Y": 0.0}, "list": []any{1, uint16(2), 3.0}, "texts": []string{"a", "b"}, "byNumber": map[string]any{"1": "a", "2": "b"},
		"mixed": []any{1, "a", nil}, "empty": []any{}, "huge": []any{uint64(math.MaxUint64), 1}, "nested": map[string]any{"pos": map[string]any{"x": 1}},
		"cut": Cut(`"abc… (900 bytes)"`, "read it with state @m text"), "cutList": Cut("[1, 2, … 2 of 5000]", "it has 5000 elements"),
	}
}

// TestExpressionsAreJudgedByValue holds INV-VALUE and INV-JUDGED. want is true, false, or the text of an error.
func TestExpressionsAreJudgedByValue(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		// numbers
		{`i == 3 and i == 3.0 and named == 3 and u8 == 3 and named in [3] and u8 > 2`, "true"},
		{`max64 == -1`, "false"},
		{`max64 > 0 and max64 == 18446744073709551615 and max64 != 18446744073709551614`, "true"},
		{`max64 == 18_446_744_073_709_551_615`, "true"},
		{`min64 == -9223372036854775808 and min64 < -9223372036854775807`, "true"},
		{`max64 + 1 == 18446744073709551616 and max64 - max64 == 0 and max64 * 2 > max64`, "true"},
		{`9223372036854775807 + 1 == 9223372036854775808`, "true"},
		{`9007199254740993 == 9007199254740992.0`, "false"}, // as floats they would be equal
		{`max64 % 10 == 5 and 7 % -2 == 1 and 7 / 2 == 3.5 and 2 ** 3 == 8`, "true"},
		{`340282366920938463463374607431768211455 == 1`, "false"},
		{`340282366920938463463374607431768211456 == 1`, "beyond 128 bits"},
		{`max64 * max64 * max64 > 0`, "beyond 128 bits"},
		{`1 % 0 == 1`, "division by 0"},
		{`sum(huge) == 18446744073709551616 and max(huge) == max64 and min(max64, 5) == 5`, "true"},
		{`sort(huge)[0] == 1 and mean(list) == 2 and median([3, 1, 2]) == 2 and median([1, 2]) == 1.5`, "true"},
		{`abs(min64) == 9223372036854775808 and abs(-2.5) == 2.5`, "true"},
		{`sum(list, # * 2) == 12 and sum(empty) == 0`, "true"},
		{`nan == nan or nan < 1 or nan > 1`, "false"},
		{`1 / 0 > 1e300`, "true"},
		{`uniq([1, 1.0, 2]) == [1, 2]`, "true"},
		{`fmt("%d %x", max64, 255) == "18446744073709551615 ff"`, "true"},
		{`max64 == 0xffffffffffffffff and max64 == 0XFFFF_FFFF_FFFF_FFFF and 0x8000000000000000 == 9223372036854775808`, "true"},
		{`max64 == 0o1777777777777777777777 and 0b1` + strings.Repeat("0", 64) + ` == 18446744073709551616 and 0xff == 255`, "true"},
		{`0x100000000000000000000000000000000 == 1`, "beyond 128 bits"},
		{`1e999 == 1`, "want digits, or a float up to 1.8e308"},
		// texts as they are printed
		{`bytes == "v\xff\x1b[31m" and 'v\377\x1b[31m' == bytes and bytes != "v\u00ff\x1b[31m"`, "true"},
		{`"é" == "\xc3\xa9" and len("\x41\u{e9}\"\xff") == 4 and b"\xff"[0] == 255`, "true"},
		{`{"\xff": 1}["\xff"] == 1 and "größe \xff" == "größe \xff" and bytes contains "\xff"`, "true"},
		{`"ÿ" matches "ÿ" and "a\ufffd" matches "a\xff"`, "true"},
		{`string(max64) == "18446744073709551615" and toJSON(max64) == "18446744073709551615" and toJSON([max64, "a"]) contains "5,"`, "true"},
		{`int(max64) == max64 and float(max64) == 2.0 ** 64 and round(max64) == max64 and floor(max64) == ceil(max64)`, "true"},
		{`int(2.9) == 2 and int(-2.9) == -2 and int("18446744073709551615") == max64 and int(1e19) == 10 ** 19 and int(d) == 2000000000`, "true"},
		{`float("2.5") == f and round(2.5) == 3 and ceil(f) == 3 and floor(f) == 2 and round(i) == 3`, "true"},
		{`int("x") == 1`, `int wants a number or the text of a whole number, not the text "x"`},
		{`int(nan) == 1`, "int wants a number with an end, not NaN"},
		{`float(list) == 1`, "float wants a number or the text of a number, not the list [1, 2, 3]"},
		{`round(s) == 1`, `round wants a number, not the text "hey"`},
		{`string(raw) == "hi" and string(s) == s and string(i) == "3" and string(f) == "2.5" and string(d) == "2s" and string(nothing) == "nil"`, "true"},
		{`string(b"\xff") == ""`, "string wants bytes that are UTF-8 text, not h'ff'"},
		{`toJSON(nan) == ""`, "toJSON: JSON has no way to write NaN"},
		{`toJSON([cut]) == ""`, "was cut: read it with state @m text"},
		{`all(vec, # == 1)`, "all wants a list, not the map {X: 2, Y: 0} (values(…)"},
		{`none(vec, # == 1) or one(vec, # == 1) or any(vec, # == 1)`, "none wants a list, not the map"},
		{`len(filter(vec, # == 1)) == 1`, "filter wants a list, not the map"},
		{`count(vec, # == 1) == 1`, "count wants a list, not the map"},
		{`find(vec, # == 1) == 1`, "find wants a list, not the map"},
		{`reduce(vec, #acc + #, 0) == 1`, "reduce wants a list, not the map"},
		{`groupBy(vec, #) == {}`, "groupBy wants a list, not the map"},
		{`sum(vec, #) == 1`, "sum wants a list, not the map"},
		{`all(nothing, # == 1)`, "all wants a list, not nil"},
		{`all(s, # == 1)`, `all wants a list, not the text "hey"`},
		{`all(raw, # > 100) and count(values(vec), # > 1) == 1`, "true"},
		{`keys(list) == []`, "keys wants a map, not the list"},
		{`upper(i) == "X"`, "upper wants a text, not the number 3"},
		{`join([d, d], ",") == "2s,2s"`, "join wants a list of texts, and [0] is the duration 2s (map(…, string(#)) makes texts)"},
		{`join(map([d, d], string(#)), ",") == "2s,2s" and join(["a", "b"]) == "ab"`, "true"},
		{`join(s, ",") == ""`, `join wants a list of texts, not the text "hey"`},
		{`duration("x") == d`, `duration wants a text such as "1.5s" or "1m30s", not "x"`},
		{`s?.x == 1`, `the text "hey" has no "x"`},
		{`nested.pos?.x == 1 and nothing?.x.y == nil and nested?.pos.x == 1 and list?.[0] == 1`, "true"},
		{`nested?.pos.x.y == 1`, "cannot be judged"},
		{`date("x") == t`, "cannot be judged"},
		{`s[i:] matches "("`, "this is no regular expression: want one of Go's"},
		// by value, in all places
		{`vec == {X: 2, Y: 0}`, "true"},
		{`vec != {X: 2, Y: 0}`, "false"},
		{`vec == {X: 2}`, "false"},
		{`list == [1, 2, 3] and [1, 2] != list`, "true"},
		{`texts == ["a", "b"] and "a" in texts and "c" not in texts`, "true"},
		{`{Y: 0, X: 2} in [vec]`, "true"},
		{`any(list, # == 2) and all(list, # >= 1) and count(list, # > 1) == 2`, "true"},
		{`indexOf(list, 3) == 2 and indexOf("größe", "e") == 4 and len("größe") == 5`, "true"},
		{`d == duration("2s") and d < duration("1m") and d * 2 == duration("4s") and d * 1.5 == duration("3s") and d / duration("1s") == 2 and -d == duration("-2s")`, "true"},
		{`t == date("2026-01-02T04:04:05+01:00") and t.Unix() == 1767323045 and t - t == duration("0s") and t + d > t`, "true"},
		{`raw == b"hi" and raw[0] == 104`, "true"},
		{`byNumber[1] == "a" and byNumber["2"] == "b" and byNumber[3] == nil and 1 in byNumber`, "true"},
		{`list[-1] == 3 and s[0] == "h" and nested.pos.x == 1 and nested?.gone?.x == nil`, "true"},
		{`nothing == nil and nothing != 3 and not (nothing == 3)`, "true"},
		{`i == 3 ? yes : false`, "true"},
		{`let a = i * 2; a == 6`, "true"},
		// what cannot be judged
		{`s > 5`, `"hey" and 5 have no order: a text and a number`},
		{`s == 5`, `"hey" and 5 cannot be compared: a text and a number`},
		{`s != 5`, `cannot be compared`},
		{`yes > false`, "have no order: only numbers, texts, times and durations have one"},
		{`nothing > 5`, "nil and 5 have no order"},
		{`d == 2000000000`, "a duration and a number"},
		{`raw == "hi"`, "a byte string and a text"},
		{`vec == {X: "2", Y: 0}`, "cannot be compared: a number and a text (at X)"},
		{`"2" in list`, "cannot be compared"},
		{`"a" in mixed and 1 in mixed and 7 not in mixed`, "true"},
		{`3 in empty`, "false"},
		{`3 in nothing`, "in wants a list or a map on its right, and that is nil"},
		{`s + 1 == "hey1"`, `"hey" + 1: there is no + of a text and a number`},
		{`s.nosuch() == 3`, `the text "hey" has no method nosuch`},
		{`nothing.x == 3`, `nil has no "x"`},
		{`list[7] == 1`, "there is no [7]: the list has 3"},
		{`list["x"] == 1`, `an index is a whole number, not the text "x"`},
		{`i`, "it gives 3, want true or false"},
		{`not i`, "a number is given where a truth value is wanted"},
		{`s and true`, "a text is given where a truth value is wanted"},
		{`max(empty) == nil`, "max of nothing: the list is empty"},
		{`mean(empty) == 0`, "mean of nothing"},
		{`len(i) == 1`, "len wants a list, a map or a text, not the number 3"},
		{`gone == 1`, "there is no gone here"},
		// what was cut
		{`cut == "abc"`, `was cut: read it with state @m text`},
		{`cut contains "z"`, `was cut: read it with state @m text`},
		{`len(cutList) == 2`, "was cut: it has 5000 elements"},
		{`any(cutList, # == 7)`, "was cut: it has 5000 elements"},
		{`1 in cutList`, "was cut"},
		{`cut.shown == "x"`, "was cut"},
		{`cut[0:2] == "x"`, "was cut"},
		{`cut.Show() == "x"`, "was cut"},
		{`join(texts, "-") == "a-b" and keys(vec) == ["X", "Y"] or len(keys(vec)) == 2`, "true"},
		{`max == 3`, "max is a function: it takes arguments, max(…)"},
		{`fmt("%v", cut) == "x"`, "was cut"},
		{`[cut] == [1]`, "was cut"},
	} {
		e, err := Compile(c.text, Any())
		got := ""
		if err == nil {
			var holds bool
			if holds, err = e.Holds(env()); err == nil {
				got = map[bool]string{true: "true", false: "false"}[holds]
			}
		}
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%s\n  got  %s\n  want %s", c.text, got, c.want)
		}
	}
}

func TestMistakesAreToldWithTheirPlace(t *testing.T) {
	allowed := Names{Have: []string{"value", "rank"}, Types: map[string]any{"rank": 0}}
	for _, c := range []struct {
		text string
		at   int
		want string
	}{
		{"", 0, "want an expression"},
		{"valu == 1", 0, `no name "valu" here (did you mean value?)`},
		{"len(valu) == 1", 4, `no name "valu" here`},
		{"value == 18446744073709551615 and valu", 34, `no name "valu"`}, // the number does not move what follows
		{"cout(value)", 0, `no function "cout" (did you mean count?)`},
		{"value ==", 8, "the expression ends too early"},
		{`rank == "x"`, 5, "== compares a number and a text"},
		{"any(value, any(#, # == 1))", 18, "a predicate within a predicate"},
		{"  value = 1", 8, "unexpected"},
		{strings.Repeat("x", maxText+1), 0, "may have 8192 bytes"},
		{strings.Repeat("value+", 150) + "value", 0, "exceeds maximum allowed nodes"},
		{"value == \xff", 0, "not valid UTF-8"},
	} {
		_, err := Compile(c.text, allowed)
		m, ok := err.(*Error) //nolint:errorlint // it comes as it is
		if !ok || !strings.Contains(m.Msg, c.want) || m.Offset != c.at && c.want != "exceeds maximum allowed nodes" {
			t.Errorf("%.40q: got %#v, want %q at %d", c.text, m, c.want, c.at)
		}
	}
}

func TestExplainShowsWhatIsCompared(t *testing.T) {
	for text, want := range map[string]string{
		"i == 4":                                "i = 3",
		"i == 4 and s == \"x\"":                 `i = 3, s = "hey"`,
		"max64 == 9":                            "max64 = 18446744073709551615",
		"bytes == \"w\\xff\"":                   `bytes = "v\xff\x1b[31m"`,
		"max64 - 18446744073709551614 == 2":     "max64 - 18446744073709551614 = 1",
		"any(list, # == 9)":                     "list = [1, 2, 3]",
		"vec.X == 3":                            "vec.X = 2",
		"18446744073709551615 == 1 and not yes": "yes = true",
	} {
		e, err := Compile(text, Any())
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Explain(env()); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestAnExpressionKnowsWhatItReads(t *testing.T) {
	e, err := Compile("value.pos.x == 1 and state?.gone == nil and rank > 0", Any())
	if err != nil {
		t.Fatal(err)
	}
	if !e.Uses("rank", "zzz") || e.Uses("zzz", "x") || len(e.Fields("value")) != 2 || len(e.Fields("state")) != 0 {
		t.Errorf("%+v", e)
	}
}

// TestAnExpressionCannotRunAway_INV_BOUND: what is refused when it is compiled stands in TestMistakesAreToldWithTheirPlace.
func TestAnExpressionCannotRunAway_INV_BOUND(t *testing.T) {
	big, nans := make([]any, maxItems+1), make([]any, maxItems)
	for i := range big {
		big[i] = -1
	}
	for i := range nans {
		nans[i] = math.NaN()
	}
	for text, want := range map[string]string{
		"len(map(list, #)) == 1":           "list has more than 100000 elements",
		"len(1..1000000) > 0":              "memory budget exceeded",
		`fmt("%10000d", 1) == ""`:          "a width may have 4 digits at most",
		`fmt("%*d", 100000, 1) == ""`:      "a width of * is not allowed",
		`fmt("%s", long) == ""`:            "more than 1048576 bytes",
		`any(1..90000, # in many)`:         "more than 5000000 steps",
		`all(1..90000, # != sum(many))`:    "more than 5000000 steps",
		`any(1..90000, long contains "z")`: "more than 5000000 steps",
		`uniq(nans) == []`:                 "false",
		`len(repeat("x", 1000000000)) > 0`: "memory budget exceeded",
	} {
		e, err := Compile(text, Any())
		if err != nil {
			t.Fatal(err)
		}
		holds, err := e.Holds(map[string]any{"list": big, "long": strings.Repeat("x", maxFmtText), "many": big[:maxItems-1], "nans": nans})
		if want == "false" && err == nil && !holds {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestShowIsForAPerson(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{nil, "nil"}, {"a\n", `"a\n"`}, {[]byte("hi"), "h'6869'"}, {2 * time.Second, "2s"}, {uint64(math.MaxUint64), "18446744073709551615"},
		{map[string]any{"b": 1, "a": []any{2.5, Count(4)}}, "{a: [2.5, 4], b: 1}"},
		{map[string]any{"": nil, "a\nb": 1, "{A: 1}": 2, "schlüssel x": 3}, `{"": nil, "a\nb": 1, schlüssel x: 3, {A: 1}: 2}`}, {new(big.Int).SetInt64(7), "7"},
		{strings.Repeat("é", 500), `"` + strings.Repeat("é", 399) + "… (502 characters)"},
	} {
		if got := Show(c.v); got != c.want {
			t.Errorf("%v: got %s, want %s", c.v, got, c.want)
		}
	}
}

// A run that is kept for the next evaluation must not let it see what the one before saw.
func TestEvaluationsSideBySideDoNotSeeEachOther(t *testing.T) {
	e, err := Compile("let d = n * 2; any(list, # == d) and n == want", Any())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for range 500 {
				if ok, err := e.Holds(map[string]any{"n": n, "want": n, "list": []any{-1, 2 * n}}); !ok || err != nil {
					t.Errorf("%d: %t, %v", n, ok, err)
				}
				if _, err := e.Holds(map[string]any{"n": n, "list": []any{}}); err == nil || !strings.Contains(err.Error(), "there is no want here") {
					t.Errorf("%d: a name of another evaluation was seen: %v", n, err)
				}
			}
		})
	}
	wg.Wait()
}
