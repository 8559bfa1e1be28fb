package script

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// ProcsArgs are the arguments of procs.
type ProcsArgs struct {
	Name                              string
	Dims                              shape.Extent
	CPUs                              int
	InProcess, Virtual, Oversubscribe bool
	Restart                           *control.RestartPolicy
	Lease                             time.Duration

	Via    string            // launcher; "": this machine
	Hosts  []string          // by name; nil: the launcher finds them
	Launch map[string]string // options of the launcher
	Within time.Duration     // the machines may take so long; 0: however long
}

// What a command that waits for machines is given where it says nothing else: of a script, and of a person, who sees the queue and
// can cancel.
const (
	queueTime   = 10 * time.Minute
	personsTime = 30 * 24 * time.Hour
)

// limit is how long the command may take: more than others, where it waits for machines.
func (a ProcsArgs) limit(opt Options) time.Duration {
	switch {
	case a.Via == "":
		return 0
	case a.Within > 0:
		return a.Within + opt.Timeout
	case opt.Person:
		return personsTime
	}
	return max(queueTime, opt.Timeout)
}

// maxRanks bounds the product of the dims of a procs command; the engine has its own, lower limits for processes.
const maxRanks = 65536

// The words of procs that have a meaning of their own before =.
const (
	viaWord    = "via"
	hostsWord  = "hosts"
	withinWord = "within"
	leaseWord  = "lease"
	cpusWord   = "cpus"
)

// procsWord is one word behind the name: text, or key=value.
type procsWord struct {
	at      int    // its offset
	text    string // as written
	key     string // before =
	value   string // behind it, without quotes
	valueAt int    // the offset of that
	pair    bool   // there is a =
	hole    bool   // ${…} will give some of it
}

// procsWord takes the next word. A value may stand between quotes.
func (c *cursor) procsWord() (w procsWord, err error) {
	c.space()
	from := c.pos
	w.at = c.at()
	for c.pos < len(c.text) && strings.IndexByte(" \t\n=", c.text[c.pos]) < 0 {
		c.pos++
	}
	w.key = c.text[from:c.pos]
	if w.pair = c.eat('='); w.pair {
		w.valueAt = c.at()
		switch c.peek() {
		case '"':
			w.value, err = c.quotedText()
		case '\'':
			w.value, err = c.file("a value")
		default:
			if strings.IndexByte(" \t\n", c.peek()) < 0 {
				w.value = c.word()
			}
		}
		if err != nil {
			return w, err
		}
		if strings.IndexByte(" \t\n\x00", c.peek()) < 0 {
			return w, fail(c.at(), "want a space after the quote")
		}
	}
	w.text = c.text[from:c.pos]
	w.hole = c.raw != "" && c.raw[from:c.pos] != w.text
	return w, nil
}

// procsReader reads the words of a procs command.
type procsReader struct {
	*ProcsArgs
	p        *parser
	words    []procsWord
	via      *procsWord // nil: none
	launcher control.Launcher
	opaque   bool // ${…} will say which launcher, or parts of what it is told
	hosts    *procsWord
}

func procsArgs(p *parser, c *cursor, v *Verb) (a ProcsArgs, err error) {
	if a.Name, err = c.newName("proc mesh", "a name for the proc mesh"); err != nil {
		return a, fail(atOf(err, c.at()), "%s (usage: %s)", err, v.Usage)
	}
	r := procsReader{ProcsArgs: &a, p: p}
	for !c.done() {
		w, err := c.procsWord()
		if err != nil {
			return a, err
		}
		r.words = append(r.words, w)
	}
	if err := r.findVia(); err != nil {
		return a, err
	}
	for i := range r.words {
		if err := r.take(&r.words[i]); err != nil {
			return a, err
		}
	}
	if err := r.settle(); err != nil {
		return a, err
	}
	p.scope.procs[a.Name] = a.Dims.Names()
	return a, nil
}

// findVia finds the launcher first: which words are its options does not depend on their order.
func (r *procsReader) findVia() error {
	for i := range r.words {
		w := &r.words[i]
		if !w.pair || w.key != viaWord {
			continue
		}
		if r.via != nil {
			return fail(w.at, "%s is the second via=: one launcher finds all machines of a mesh", quoted(w.text))
		}
		r.via = w
	}
	switch {
	case r.via == nil:
		return nil
	case r.via.hole:
		r.opaque = true
		return nil
	case r.via.value == localVia:
		r.via = nil
		return nil
	}
	launcher, set, ok := r.p.launches.Of(r.via.value)
	if !ok {
		return fail(r.via.valueAt, "no launcher %s%s", quoted(r.via.value), schema.Suggest(r.via.value, r.p.launches.Names()))
	}
	r.launcher, r.Via, r.Within = launcher, launcher.Name, set.Within
	if len(set.Options) > 0 {
		r.Launch = maps.Clone(set.Options)
	}
	return nil
}

// take reads one word.
func (r *procsReader) take(w *procsWord) error {
	if !w.pair {
		return r.flag(w)
	}
	twice := r.seen(w)
	_, option := r.launcher.Option(w.key)
	switch {
	case w.key == viaWord:
		return nil
	case twice:
		return fail(w.at, "%s is there already", quoted(w.text))
	case w.hole && !option && w.key != hostsWord:
		return r.filledLater(w)
	case w.key == leaseWord:
		return r.duration(w, &r.Lease, "how long a process may hear nothing of the controller, such as 8s")
	case w.key == restartWord:
		var err error
		if r.Restart, err = policyOf(w.value); err != nil {
			return fail(w.valueAt, "%s", err)
		}
		return nil
	case w.key == withinWord:
		if r.via == nil {
			return fail(w.at, "within= is how long machines may take: it needs via=")
		}
		return r.duration(w, &r.Within, "how long the machines may take, such as 10m")
	case option:
		return r.option(w)
	case w.key == hostsWord:
		return r.hostList(w)
	}
	return r.dim(w)
}

// seen reports whether a word that stands once has been there already.
func (r *procsReader) seen(w *procsWord) bool {
	_, option := r.launcher.Option(w.key)
	if !option && !slices.Contains([]string{leaseWord, restartWord, withinWord, hostsWord}, w.key) {
		return false
	}
	return slices.IndexFunc(r.words, func(o procsWord) bool { return o.pair && o.key == w.key && o.at < w.at }) >= 0
}

func (r *procsReader) flag(w *procsWord) error {
	switch w.key {
	case "in-process":
		r.InProcess = true
		if r.via != nil {
			return fail(w.at, "in-process ranks are goroutines of this program, and %s starts processes elsewhere: take one of them", r.via.text)
		}
	case "virtual":
		r.Virtual = true
	case "oversubscribe":
		r.Oversubscribe = true
	case gangWord:
		return fail(w.at, "gang is for actors: spawn @NAME on %s Type gang", r.Name)
	default:
		return fail(w.at, "want name=size for each dimension, such as hosts=2 gpus=4, not %s%s", quoted(w.text), schema.SuggestNear(w.text, []string{"in-process", "virtual", "oversubscribe"}))
	}
	return nil
}

// filledLater notes a word whose value ${…} will give: it is judged when it is known.
func (r *procsReader) filledLater(w *procsWord) error {
	switch {
	case r.opaque: // it may be an option
	case w.key == leaseWord, w.key == restartWord, w.key == withinWord, w.key == cpusWord:
	default:
		return r.addDim(w, 1)
	}
	return nil
}

func (r *procsReader) duration(w *procsWord, d *time.Duration, want string) (err error) {
	if *d, err = time.ParseDuration(w.value); err != nil || *d <= 0 {
		return fail(w.valueAt, "%s %s: want %s", w.key, quoted(w.value), want)
	}
	return nil
}

// option takes what the launcher is told.
func (r *procsReader) option(w *procsWord) error {
	if err := checkOption(w.value); err != nil && !w.hole {
		return fail(w.valueAt, "%s: %s", w.key, err)
	}
	if r.Launch == nil {
		r.Launch = map[string]string{}
	}
	r.Launch[w.key] = w.value
	return nil
}

// hostList takes how many machines, or their names.
func (r *procsReader) hostList(w *procsWord) error {
	r.hosts = w
	if w.hole {
		r.opaque = true
		return r.addDim(w, 1)
	}
	if w.value == "" || !strings.ContainsFunc(w.value, func(c rune) bool { return (c < '0' || c > '9') && c != '-' }) {
		return r.dim(w)
	}
	if r.via == nil {
		return fail(w.valueAt, "%s needs via=…: ssh for machines you can log in to", w.text)
	}
	r.Hosts = strings.Split(w.value, ",")
	at, seen := w.valueAt, map[string]bool{}
	if strings.ContainsAny(w.text[len(w.key)+1:][:1], `"'`) {
		at++
	}
	for _, name := range r.Hosts {
		if err := checkHost(name); err != nil {
			return fail(at, "hosts: %s", err)
		}
		if seen[name] {
			return fail(at, "hosts: %s is there already: one agent runs on a machine", quoted(name))
		}
		seen[name] = true
		at += len(name) + 1
	}
	return r.addDim(w, len(r.Hosts))
}

// dim takes a dimension, or cpus.
func (r *procsReader) dim(w *procsWord) error {
	size, err := strconv.Atoi(w.value)
	switch {
	case err != nil && r.opaque:
		return nil
	case err != nil:
		return r.noNumber(w)
	case w.key == cpusWord && size < 1:
		return fail(w.at, "cpus=%d: a process needs at least 1", size)
	case w.key == cpusWord:
		r.CPUs = size
		return nil
	}
	return r.addDim(w, size)
}

// noNumber says what is wrong with a word that is no dimension: it may be meant for a launcher.
func (r *procsReader) noNumber(w *procsWord) error {
	switch {
	case r.via != nil && w.key == hostsWord:
		return fail(w.valueAt, "hosts: want how many machines, or their names, not %s", quoted(w.value))
	case r.via != nil && w.key != cpusWord:
		names := append(r.launcher.OptionNames(), withinWord, leaseWord, restartWord)
		return fail(w.at, "%s has no option %s%s; a dimension wants a whole number", r.Via, quoted(w.key), schema.Suggest(w.key, names))
	case r.via == nil && len(launchersOf(w.key)) > 0:
		return fail(w.valueAt, "%s: want a whole number, not %s (it is an option of via=%s)", w.key, quoted(w.value), strings.Join(launchersOf(w.key), ", via="))
	}
	return fail(w.valueAt, "%s: want a whole number, not %s", w.key, quoted(w.value))
}

func (r *procsReader) addDim(w *procsWord, size int) error {
	if err := free(w.key); err != nil {
		return fail(w.at, "%s", err)
	}
	r.Dims = append(r.Dims, shape.Dim{Name: w.key, Size: size})
	if err := r.Dims.Validate(maxRanks); err != nil {
		return fail(w.at, "%s", err)
	}
	return nil
}

// settle judges what concerns several words.
func (r *procsReader) settle() error {
	switch {
	case r.via == nil || r.opaque:
		return nil
	case r.hosts == nil && r.launcher.Named:
		return fail(r.via.at, "%s needs hosts=NAME,…: which machines", r.via.text)
	case r.hosts == nil:
		return fail(r.via.at, "%s needs hosts=…: how many machines, such as hosts=2, or their names", r.via.text)
	case r.Hosts == nil && r.launcher.Named:
		return fail(r.hosts.valueAt, "%s finds no machines by itself: name them, such as hosts=n1,n2", r.Via)
	}
	return nil
}
