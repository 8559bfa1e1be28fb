package script

import "strings"

// screenVerbs are those that the explorer runs: its own table says how, by their names.
func screenVerbs() []*Verb {
	screen := func(name, usage, summary, shape string, w ...word) *Verb {
		return &Verb{Name: name, Usage: usage, Summary: summary, Screen: true, completes: w, body: form(shape)}
	}
	return []*Verb{
		{Name: "attach", Aliases: []string{"a"}, Usage: "attach SESSION", Summary: "explore another session: its name, pid or socket", Screen: true, body: reads(attachArgs)},
		screen("theme", "theme [NAME]", "colours of the screen", "W?", word{kind: wordTheme}),
		screen("write", "write FILE", "write the screen as a picture, an SVG", "F"),
		screen("demo", "demo [NAME]", "watch a demo, step by step", "W?", word{kind: wordDemo}),
		screen("focus", "focus TARGET", "select ranks on the grid", "T", word{kind: wordMesh}),
	}
}

// attachArgs reads attach ADDR where the word holds / or :, is quoted or stands alone, else Monarch's attach NAME RANK.
func attachArgs(_ *parser, c *cursor, v *Verb) (a TextArgs, err error) {
	c.space()
	from := c.pos
	isAddr := c.peek() == '"' || c.peek() == '\''
	w, err := c.file("the name of an actor and its rank, or an address")
	if err != nil {
		return a, err
	}
	if !isAddr && !strings.ContainsAny(w, "/:") && !c.done() {
		if _, err := c.number("the rank", 1<<30); err != nil {
			return a, err
		}
	}
	return TextArgs{strings.TrimSpace(c.text[from:])}, c.end(v.Usage)
}
