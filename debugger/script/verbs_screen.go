package script

// screenVerbs are those that the explorer runs: its own table says how, by their names.
func screenVerbs() []*Verb {
	screen := func(name, usage, summary, shape string, w ...word) *Verb {
		return &Verb{Name: name, Usage: usage, Summary: summary, Screen: true, completes: w, body: form(shape)}
	}
	return []*Verb{
		screen("theme", "theme [NAME]", "colours of the screen", "W?", word{kind: wordTheme}),
		screen("write", "write FILE", "write the screen as a picture, an SVG", "F"),
		screen("demo", "demo [NAME]", "watch a demo, step by step", "W?", word{kind: wordDemo}),
		screen("focus", "focus TARGET", "select ranks on the grid", "T", word{kind: wordMesh}),
	}
}
