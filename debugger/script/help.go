package script

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Help explains a command, by its name or an alias, or a launcher; ok is false for another word.
func Help(word string) (lines []string, ok bool) {
	if v, ok := VerbNamed(word); ok {
		return v.help(), true
	}
	if l, ok := control.LauncherNamed(word); ok {
		return launchHelp(l), true
	}
	return nil, false
}

// help explains the verb.
func (v *Verb) help() []string {
	out := wrap("", "  ", v.Usage)
	if v.Summary != "" {
		out = append(out, wrap("", "", v.Summary)...)
	}
	if len(v.Aliases) > 0 {
		out = append(out, "also: "+strings.Join(v.Aliases, ", "))
	}
	switch {
	case v.Screen:
		out = append(out, "needs a terminal")
	case v.Lacks != "":
		out = append(out, wrap("", "", fmt.Sprintf("this build has no %s yet", v.Lacks))...)
	}
	if v.more != nil {
		out = append(out, v.more()...)
	}
	return out
}

// help lists the commands that work in this build, each with the first clause of what it does, or explains one.
func help(name string) []string {
	if lines, ok := Help(name); ok {
		return lines
	}
	var out []string
	group := ""
	for _, v := range Verbs() {
		if !v.Alive() {
			continue
		}
		if v.Group != group {
			group = v.Group
			out = append(out, group)
		}
		what, _, _ := strings.Cut(v.Summary, "; ")
		what, _, _ = strings.Cut(what, ". ")
		if len(v.Aliases) > 0 {
			what += " (also " + strings.Join(v.Aliases, ", ") + ")"
		}
		out = append(out, entry("  "+v.Name, 4+longestName(), what)...)
	}
	return append(out, "help COMMAND explains one.")
}

func longestName() (n int) {
	for _, v := range Verbs() {
		if v.Alive() {
			n = max(n, len(v.Name))
		}
	}
	return n
}

// helpWidth is how many characters a line of help takes: it is read on terminals that break lines wherever they end, and, in
// reports, behind eleven blanks.
const helpWidth = 80 - 11

// entry is a name and, from a column on, what it is; a name that reaches the column has a line of its own.
func entry(name string, column int, what string) []string {
	blank := strings.Repeat(" ", column)
	if utf8.RuneCountInString(name)+2 > column {
		return append([]string{name}, wrap(blank, blank, what)...)
	}
	return wrap(fmt.Sprintf("%-*s", column, name), blank, what)
}

// wrap breaks a text between words, and begins the first line and the others with these.
func wrap(first, others, text string) []string {
	line := first
	var out []string
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line += word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > helpWidth:
			out = append(out, line)
			line = others + word
		default:
			line += " " + word
		}
	}
	return append(out, line)
}

// Markdown is the page about the commands of this build, made from the table of verbs.
func Markdown() string {
	var b strings.Builder
	b.WriteString("# Commands\n\nThe same lines work in script files (`monarch-tui run FILE`), at the `:` line and at the debugger prompt.\n" +
		"This page is generated from the table of verbs; `monarch-tui check FILE` tells whether a script is well-formed.\n" +
		"Those under Screen need the explorer.\n")
	b.WriteString(grammarText)
	group := ""
	var later []string
	for _, v := range Verbs() {
		if v.Lacks != "" {
			later = append(later, "`"+v.Name+"`")
			continue
		}
		if v.Group != group {
			group = v.Group
			fmt.Fprintf(&b, "\n## %s\n\n| command | what it does |\n|---|---|\n", group)
		}
		also := ""
		if len(v.Aliases) > 0 {
			also = " (also `" + strings.Join(v.Aliases, "`, `") + "`)"
		}
		fmt.Fprintf(&b, "| `%s` | %s%s |\n", strings.ReplaceAll(v.Usage, "|", "\\|"), v.Summary, also)
	}
	b.WriteString(launchMarkdown())
	b.WriteString("\n## Words that only parse in this build\n\nA script may hold them already: `check` accepts them, `run` says that they are not here yet, or that they need a terminal.\n\n")
	b.WriteString(strings.Join(later, " ") + "\n")
	return b.String()
}

const grammarText = `
## The form of a script

` + "```" + `
# A comment at column 1 opens a phase.
procs p gpus=4
spawn @toy on p ToyActor
call @toy.HelloWorld "Hello from main!"      # a comment after a space
  all out contains "Received message"        # an indented line judges the command above, rank by rank
one @toy[gpus=2].HelloWorld hi => r          # => names what came back
! call @toy.Fail                             # ! wants a failure
[linux] kill p[2]                            # skipped where the guard does not hold
call @toy[0-1].Slow &job                     # & runs in the background
wait job
echo ${r}                                    # ${EXPR} is filled in
` + "```" + `

- A command begins at column 1. An open ` + "`{` or `[`" + ` goes on in the next line.
- Ranks: ` + "`@m[0,2-5]`" + ` (a dash includes its end), ` + "`@m[1:4]`" + ` (a colon does not), ` + "`@m[gpus=2,hosts=0:4]`" + `, ` + "`@m[gpus=(1,3)]`" + `, ` + "`@m[hosts=n2]`" + `; Monarch's ` + "`ranks(…)`" + ` is read wherever a selection is.
- Values: JSON, and bare words for texts, bare keys, ` + "`1.5s`, `h'00ff'`, `0x1f`, `1_000`, `@mesh[sel]`" + `.
  Several arguments stand one after the other, ` + "`call @m.Add 1 two`, or by name, `call @m.Add {n: 1, who: two}`" + `.
- Expectations: ` + "`[TARGET:] [all|any|one|none] EXPR [within DURATION]`" + `; expressions are those of expr-lang.
  Values compare by value, as they are printed: numbers whatever their Go types, maps, structs and lists part by part.
  What cannot be compared, such as a number and a text, makes the expectation fail, whatever its quantifier.
  Of each rank: ` + "`value err ms rank out state`" + ` and its dimensions. Of all: ` + "`results text stops breaks restarts faults machines builds seed`" + ` and what ` + "`=>` and `let`" + ` named. ` + "`fmt(format, …)`" + ` makes texts.
  ` + "`out`" + ` is what that rank printed since the command began, its lines joined by newlines; after ` + "`wait`" + `, since the first of the calls that ran side by side. A rank ` + "`in-process`" + ` shares its program's output: ` + "`out`" + ` is what it wrote to ` + "`engine.Out(ctx)`" + `, and nothing else.
  ` + "`stops`" + ` are the places of all stopped frames, sorted: ` + "`[\"@toy[1].HelloWorld\"]`" + `; ` + "`breaks`" + ` are maps of ` + "`id where hits skipped errors bound state why`" + `; ` + "`restarts`" + ` says what began anew, oldest first: ` + "`[\"p[2] life 2 ready\", \"@toy[2] life 2 ready\"]`" + ` (waiting, starting, ready or failed),
  ` + "`faults`" + ` maps of ` + "`id kind on seed by seen dropped delayed`" + `; ` + "`builds`" + ` are the builds that worker processes run: ` + "`len(builds) == 1`" + ` where all run the same.
- ` + "`timeout 3s`" + ` at the end of a command limits that command; ` + "`option timeout 3s`" + ` all that follow.
- ` + "`stop` and `kill`" + ` of what has ended already say so and are no mistake; a ` + "`kill`" + ` hurries a ` + "`stop`" + ` that runs.
- Guards: ` + "`[gpu] [short] [linux] [darwin] [unix] [amd64] [arm64] [cap:NAME]`, each with `!`" + `.

## The words of the debugger

One word means one thing, in scripts, at the ` + "`:`" + ` line and at the prompt of ` + "`monarch-tui debug`" + `.

- A word without a target is about the frame of the actor that ` + "`attach NAME RANK`" + ` chose, else about the only frame that is stopped; where several are, it is an error.
  ` + "`continue`" + ` alone is the exception: while nobody is attached it lets all go on. Behind ` + "`on TARGET` and `cast NAME ranks(…)`" + ` a word is about the frames of those ranks.
- ` + "`continue`" + ` never removes breakpoints; ` + "`clear`" + ` does. (Monarch's outer ` + "`continue`" + ` does both.) A number behind ` + "`break`'s words is a breakpoint, one behind `continue`, `step`" + ` and their like is a stop.
- ` + "`step`" + ` is this actor's next message, ` + "`next`" + ` the next site of this frame. Both wait up to 2 s for the frame to stop again.
- A breakpoint *prints* (` + "`print \"n={arg.n}\"`" + `); ` + "`log`" + ` shows what ranks printed. A queued message is *discarded*; ` + "`drop`" + ` is for faults in the network.
- ` + "`attach NAME RANK`" + ` is about a stopped frame; a word with ` + "`/` or `:`" + `, in quotes or alone is another session, for the explorer.
- While an actor is stopped the engine's clock stands still, and so do the limits of scripts, if somebody else is there who could let it go on. Where the script is alone its limits run on:
  it ends with 4 and says which stop holds it. At its end the policy is applied to what is still stopped, and told.
- ` + "`crash` and `retry`" + ` go on from a panic; ` + "`retry`" + ` does not take back what the handler changed before.

Exit codes: 0 everything held, 1 an expectation failed, 2 a mistake in the script or the command line, 3 a command failed,
4 something took too long, 70 a fault in monarch-tui, 130 interrupted.
`
