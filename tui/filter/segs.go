package filter

import "github.com/monarch-tui/monarch-tui/tui/paint"

// Segs is a text of the column k, ready to be drawn, with what the filter has found in it marked.
func (f *Filter) Segs(k Key, text string, st paint.Style) []paint.Seg {
	spans := f.Spans(k, text)
	if len(spans) == 0 {
		return []paint.Seg{{Style: st, Text: text}}
	}
	found := st.With(paint.Underline | paint.Bold)
	found.Fg = paint.Match
	var out []paint.Seg
	at := 0
	for _, sp := range spans {
		out = append(out, paint.Seg{Style: st, Text: text[at:sp.From]}, paint.Seg{Style: found, Text: text[sp.From:sp.To]})
		at = sp.To
	}
	return append(out, paint.Seg{Style: st, Text: text[at:]})
}
