package script

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/monarch-tui/monarch-tui/engine/eval"
	"github.com/monarch-tui/monarch-tui/engine/schema"
)

// Formats are the formats of reports.
func Formats() []string { return []string{"text", "ndjson", "tap", "junit", "github"} }

// reporter writes a report while scripts run.
type reporter interface {
	broken(name string, errs []*Error) // a file that does not parse; nothing runs
	begin(sc *Script)
	step(s *Step)
	end(sc *Script, took time.Duration)
	finish()
}

func newReporter(r *Runner) (reporter, error) {
	switch r.Format {
	case "", "text":
		return &textReport{w: r.Out, times: r.Times, color: r.Color}, nil
	case "ndjson":
		return &jsonReport{w: r.Out, times: r.Times}, nil
	case "tap":
		return &tapReport{w: r.Out}, nil
	case "junit":
		return &junitReport{w: r.Out, times: r.Times}, nil
	case "github":
		return &githubReport{textReport{w: inert{r.Out}, times: r.Times}, r.Out}, nil
	}
	return nil, fmt.Errorf("no format %q%s", r.Format, schema.Suggest(r.Format, Formats()))
}

// details are the lines about what went wrong.
func (s *Step) details() []string {
	var out []string
	if s.Err != "" {
		if s.ErrPos.Line > 0 {
			out = append(out, s.ErrPos.String()+": "+strings.Split(s.Err, "\n")[0])
			out = append(out, strings.Split(s.Err, "\n")[1:]...)
		} else {
			out = append(out, strings.Split(s.Err, "\n")...)
		}
	}
	for _, f := range s.Failures {
		clause, _, _ := strings.Cut(f.Clause, "\n")
		out = append(out, f.String()+": does not hold: "+clean(clause))
		for _, w := range f.Why {
			out = append(out, "  "+w)
		}
	}
	return out
}

// place is where to look first.
func (s *Step) place() Pos {
	switch {
	case s.ErrPos.Line > 0:
		return s.ErrPos
	case s.Err == "" && len(s.Failures) > 0:
		return s.Failures[0].Pos
	}
	return s.Stmt.Pos
}

// kind names the exit code of a step.
func kind(code int) string {
	switch code {
	case ExitExpect:
		return "expectation failed"
	case ExitUsage:
		return "mistake in the script"
	case ExitCommand:
		return "command failed"
	case ExitTimeout:
		return "time-out"
	case ExitInternal:
		return "internal fault"
	case ExitInterrupt:
		return "interrupted"
	}
	return "ok"
}

// counts of one file.
type counts struct{ held, failed, skipped int }

func (c *counts) add(s *Step) {
	switch {
	case s.Skipped != "":
		c.skipped++
	case s.OK():
		c.held++
	default:
		c.failed++
	}
}

func (c counts) String() string {
	out := plural(c.held+c.failed+c.skipped, "step") + fmt.Sprintf(": %d ok", c.held)
	if c.failed > 0 {
		out += fmt.Sprintf(", %d failed", c.failed)
	}
	if c.skipped > 0 {
		out += fmt.Sprintf(", %d skipped", c.skipped)
	}
	return out
}

// textReport is for people.
type textReport struct {
	w     io.Writer
	times bool
	color bool
	n     counts
	phase string
	files int
	bad   int
}

func (t *textReport) paint(code, s string) string {
	if !t.color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *textReport) broken(_ string, errs []*Error) {
	for _, e := range errs {
		fmt.Fprintln(t.w, e.Detail())
	}
}

func (t *textReport) begin(sc *Script) {
	t.n, t.phase = counts{}, ""
	if t.files++; t.files > 1 {
		fmt.Fprintln(t.w)
	}
	fmt.Fprintln(t.w, t.paint("1", clean(sc.Name)))
}

func (t *textReport) step(s *Step) {
	const indent = "           "
	t.n.add(s)
	if s.Stmt.Phase != t.phase {
		t.phase = s.Stmt.Phase
		fmt.Fprintln(t.w, t.paint("2", "# "+clean(t.phase)))
	}
	mark := t.paint("32", "ok  ")
	switch {
	case s.Skipped != "":
		mark = t.paint("2", "skip")
	case !s.OK():
		mark = t.paint("31", "FAIL")
	}
	line := "   "
	if s.Stmt.Line > 0 {
		line = fmt.Sprintf("%3d", s.Stmt.Line)
	}
	text := strings.ReplaceAll(clean(eval.Shorten(s.Stmt.Text)), "\n", "\n"+indent)
	if t.times && s.Skipped == "" {
		text += fmt.Sprintf("  (%.1f ms)", s.MS)
	}
	fmt.Fprintf(t.w, "%s %s  %s\n", mark, line, text)
	for _, l := range s.Text {
		fmt.Fprintln(t.w, strings.TrimRight(indent+l, " "))
	}
	for _, l := range s.details() {
		fmt.Fprintln(t.w, strings.TrimRight(indent+l, " "))
	}
}

func (t *textReport) end(sc *Script, took time.Duration) {
	if t.n.failed > 0 {
		t.bad++
	}
	line := clean(sc.Name) + ": " + t.n.String()
	if t.times {
		line += fmt.Sprintf(" in %.2f s", took.Seconds())
	}
	fmt.Fprintln(t.w, line)
}

func (t *textReport) finish() {
	if t.files > 1 {
		fmt.Fprintf(t.w, "\n%s, %d failed\n", plural(t.files, "file"), t.bad)
	}
}

// githubReport is text with annotations for GitHub's pages.
type githubReport struct {
	textReport
	notes io.Writer
}

// inert is a writer of whole lines that keeps what a program said from being taken for a command of GitHub's runner,
// which reads :: at the beginning of a line, behind blanks, and ##[ anywhere.
type inert struct{ w io.Writer }

func (i inert) Write(p []byte) (int, error) {
	var b strings.Builder
	for line := range strings.Lines(string(p)) {
		text := strings.TrimLeftFunc(line, unicode.IsSpace)
		if strings.HasPrefix(text, "::") {
			line = line[:len(line)-len(text)] + ": :" + text[2:]
		}
		b.WriteString(strings.ReplaceAll(line, "##[", "# #["))
	}
	if _, err := io.WriteString(i.w, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (g *githubReport) note(p Pos, title, msg string) {
	prop := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C", "##[", "# #[")
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", "##[", "# #[")
	at := ""
	if p.File != "" { // what is no line of a script has no place to point at
		at = fmt.Sprintf("file=%s,line=%d,col=%d,", prop.Replace(p.File), max(p.Line, 1), max(p.Column, 1))
	}
	fmt.Fprintf(g.notes, "::error %stitle=%s::%s\n", at, prop.Replace(title), data.Replace(msg))
}

func (g *githubReport) broken(_ string, errs []*Error) {
	for _, e := range errs {
		g.note(e.Pos, kind(ExitUsage), e.Msg)
	}
}

func (g *githubReport) step(s *Step) {
	g.textReport.step(s)
	if !s.OK() {
		g.note(s.place(), kind(s.Code), s.Stmt.Describe()+"\n"+strings.Join(s.details(), "\n"))
	}
}

// jsonReport writes one object a step.
type jsonReport struct {
	w     io.Writer
	times bool
	file  string
}

type jsonStep struct {
	File    string       `json:"file"`
	Line    int          `json:"line,omitempty"`
	Column  int          `json:"column,omitempty"`
	Phase   string       `json:"phase,omitempty"`
	Cmd     string       `json:"cmd,omitempty"`
	OK      bool         `json:"ok"`
	Skipped string       `json:"skipped,omitempty"`
	Code    int          `json:"code,omitempty"`
	Kind    string       `json:"kind,omitempty"`
	MS      *float64     `json:"ms,omitempty"`
	Err     string       `json:"err,omitempty"`
	Failed  []jsonClause `json:"failed,omitempty"`
	Out     []string     `json:"out,omitempty"`
}

type jsonClause struct {
	File   string   `json:"file"`
	Line   int      `json:"line"`
	Column int      `json:"column"`
	Expect string   `json:"expect"`
	Got    []string `json:"got"`
}

func (j *jsonReport) write(v jsonStep) {
	switch {
	case v.Skipped != "":
		v.Kind = "skipped"
	case v.Code != ExitOK:
		v.Kind = kind(v.Code)
	}
	enc := json.NewEncoder(j.w)
	enc.SetEscapeHTML(false)
	enc.Encode(v) //nolint:errcheck,errchkjson // a report that cannot be written is told by its reader
}

func (j *jsonReport) broken(_ string, errs []*Error) {
	for _, e := range errs {
		j.write(jsonStep{File: e.File, Line: e.Line, Column: e.Column, Code: ExitUsage, Err: e.Msg})
	}
}

func (j *jsonReport) begin(sc *Script) { j.file = sc.Name }

func (j *jsonReport) step(s *Step) {
	p := s.place()
	if p.File == "" {
		p.File = j.file
	}
	v := jsonStep{File: p.File, Line: s.Stmt.Line, Column: s.Stmt.Column, Phase: s.Stmt.Phase, Cmd: s.Stmt.Text, OK: s.OK() && s.Skipped == "", Skipped: s.Skipped, Code: s.Code, Err: s.Err, Out: s.Text}
	if j.times && s.Skipped == "" {
		v.MS = &s.MS
	}
	for _, f := range s.Failures {
		v.Failed = append(v.Failed, jsonClause{f.File, f.Line, f.Column, f.Clause, f.Why})
	}
	j.write(v)
}

func (j *jsonReport) end(*Script, time.Duration) {}
func (j *jsonReport) finish()                    {}

// tapReport writes TAP. Its test lines escape \ and # as version 14 says, so that no text begins a directive. It calls
// itself version 13, which has the same lines: readers such as TAP::Harness 3.44 of Perl refuse 14.
type tapReport struct {
	w     io.Writer
	n     int
	begun bool
	phase string
}

func (t *tapReport) version() {
	if !t.begun {
		t.begun = true
		fmt.Fprintln(t.w, "TAP version 13")
	}
}

func (t *tapReport) line(ok bool, text, directive string, diag []string) {
	t.version()
	t.n++
	word := map[bool]string{true: "ok", false: "not ok"}[ok]
	text = strings.NewReplacer("\\", "\\\\", "#", "\\#", "\n", " ").Replace(clean(text))
	fmt.Fprintf(t.w, "%s %d - %s%s\n", word, t.n, text, directive)
	if len(diag) > 0 {
		fmt.Fprintln(t.w, "  ---\n  message: |")
		for _, d := range diag {
			fmt.Fprintln(t.w, "    "+strings.TrimRight(d, " ")) // an empty line keeps its indent: without it the block would end here
		}
		fmt.Fprintln(t.w, "  ...")
	}
}

func (t *tapReport) broken(_ string, errs []*Error) {
	for _, e := range errs {
		t.line(false, e.String(), "", []string{e.Msg})
	}
}

func (t *tapReport) begin(sc *Script) {
	t.version()
	fmt.Fprintf(t.w, "# %s\n", clean(sc.Name))
	t.phase = ""
}

func (t *tapReport) step(s *Step) {
	if s.Stmt.Phase != t.phase {
		t.phase = s.Stmt.Phase
		fmt.Fprintf(t.w, "# %s\n", clean(t.phase))
	}
	directive := ""
	if s.Skipped != "" {
		directive = " # SKIP " + s.Skipped
	}
	at := ""
	if s.Stmt.Line > 0 {
		at = fmt.Sprintf("%s:%d ", s.Stmt.File, s.Stmt.Line)
	}
	t.line(s.OK(), at+eval.Shorten(s.Stmt.Text), directive, s.details())
}

func (t *tapReport) end(*Script, time.Duration) {}

func (t *tapReport) finish() {
	t.version()
	fmt.Fprintf(t.w, "1..%d\n", t.n)
}

// junitReport writes JUnit's XML: a suite for each file, a case for each step. Its elements and attributes are those of
// Jenkins' schema, which refuses a report that has any other; so the place of a step stands in its text.
type junitReport struct {
	w      io.Writer
	times  bool
	suites []*junitSuite
}

type junitSuites struct {
	XMLName  xml.Name      `xml:"testsuites"`
	Tests    int           `xml:"tests,attr"`
	Failures int           `xml:"failures,attr"`
	Errors   int           `xml:"errors,attr"`
	Suites   []*junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	File     string       `xml:"file,attr,omitempty"`
	Time     string       `xml:"time,attr,omitempty"`
	Cases    []*junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string       `xml:"name,attr"`
	Class   string       `xml:"classname,attr"`
	Time    string       `xml:"time,attr,omitempty"`
	Skipped *junitNote   `xml:"skipped"`
	Failure *junitNote   `xml:"failure"`
	Error   *junitNote   `xml:"error"`
	Out     *junitOutput `xml:"system-out"`
}

type junitNote struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

type junitOutput struct {
	Text string `xml:",chardata"`
}

func (j *junitReport) broken(name string, errs []*Error) {
	s := &junitSuite{Name: name, File: name}
	for _, e := range errs {
		s.Tests++
		s.Errors++
		s.Cases = append(s.Cases, &junitCase{Name: e.String(), Class: name, Error: &junitNote{Message: e.Msg, Type: kind(ExitUsage), Text: e.Detail()}})
	}
	j.suites = append(j.suites, s)
}

func (j *junitReport) begin(sc *Script) {
	j.suites = append(j.suites, &junitSuite{Name: sc.Name})
}

func (j *junitReport) step(s *Step) {
	suite := j.suites[len(j.suites)-1]
	suite.Tests++
	suite.File = s.Stmt.File // "" for what is no script, such as a demo
	c := &junitCase{Name: clean(s.Stmt.Describe()), Class: suite.Name}
	if s.Stmt.Phase != "" {
		c.Class = clean(s.Stmt.Phase)
	}
	if j.times && s.Skipped == "" {
		c.Time = fmt.Sprintf("%.3f", s.MS/1000)
	}
	details := strings.Join(s.details(), "\n")
	first, _, _ := strings.Cut(details, "\n")
	note := &junitNote{Message: first, Type: kind(s.Code), Text: s.Stmt.Pos.String() + ": " + s.Stmt.Describe() + "\n" + details}
	switch {
	case s.Skipped != "":
		suite.Skipped++
		c.Skipped = &junitNote{Message: s.Skipped}
	case s.Code == ExitExpect:
		suite.Failures++
		c.Failure = note
	case !s.OK():
		suite.Errors++
		c.Error = note
	}
	if len(s.Text) > 0 {
		c.Out = &junitOutput{strings.Join(s.Text, "\n")}
	}
	suite.Cases = append(suite.Cases, c)
}

func (j *junitReport) end(_ *Script, took time.Duration) {
	if j.times {
		j.suites[len(j.suites)-1].Time = fmt.Sprintf("%.3f", took.Seconds())
	}
}

func (j *junitReport) finish() {
	all := junitSuites{Suites: slices.Clone(j.suites)}
	for _, s := range j.suites {
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
	}
	b, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		fmt.Fprintln(j.w, err)
		return
	}
	fmt.Fprintf(j.w, "%s%s\n", xml.Header, b)
}
