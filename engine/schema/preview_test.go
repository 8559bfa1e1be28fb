package schema

import (
	"testing"

	"github.com/fxamacker/cbor/v2"
)

func TestAPreviewShowsWhatCanBeRead(t *testing.T) {
	ts, s := describe(t, hop{})
	body := encode(t, hop{By: 5, Tags: []string{"warm", "cold", "größer"}})
	whole := `{By: 5, tags: ["warm", "cold", "größer"]}`
	if got := Preview(ts, s, body, len(body)); got != whole {
		t.Errorf("all of it: %s", got)
	}
	for _, c := range []struct {
		cut  int
		want string
	}{
		{len(body) - 1, `{By: 5, tags: ["warm", "cold", "größe"]} … of 30 bytes`},
		{len(body) - 5, `{By: 5, tags: ["warm", "cold", "gr"]} … of 30 bytes`}, // within a rune
		{16, `{By: 5, tags: ["warm"]} … of 30 bytes`},
		{5, `{By: 5} … of 30 bytes`},
		{4, `{} … of 30 bytes`},
		{0, `… of 30 bytes`},
	} {
		if got := Preview(ts, s, body[:c.cut], len(body)); got != c.want {
			t.Errorf("%d bytes: %s, want %s", c.cut, got, c.want)
		}
	}
	tsBytes, bytes := describe(t, []byte(nil))
	if got := Preview(tsBytes, bytes, encode(t, make([]byte, 2000))[:6], 2003); got != "h'000000' … of 2,003 bytes" {
		t.Errorf("bytes: %s", got)
	}
	if got := Preview(nil, nil, []byte{0x82, 1, 0xc2, 0x49, 1, 2}, 13); got != "[1] … of 13 bytes" {
		t.Errorf("half a number is another one: %s", got)
	}
	if got := Preview(nil, nil, []byte{0x9f, 1}, 9); got != "… of 9 bytes" {
		t.Errorf("no CBOR of ours: %s", got)
	}
}

func FuzzPreview(f *testing.F) {
	ts, s := describe(f, everything{})
	for _, v := range []any{everything{}, 1, "größer", []any{1, "x", map[int]any{1: []byte{2}}}, hop{By: 1, Tags: []string{"a"}}} {
		f.Add(encode(f, v), 4)
	}
	f.Fuzz(func(t *testing.T, body []byte, cut int) {
		cut = min(max(cut, 0), len(body))
		printsClean(t, "Preview", Preview(ts, s, body[:cut], len(body)))
		r := reader{b: body[:cut]}
		b, _ := r.mend(nil, 0)
		if len(b) > 0 && cbor.Wellformed(b) != nil {
			t.Fatalf("%x was mended to %x, which is none", body[:cut], b)
		}
	})
}
