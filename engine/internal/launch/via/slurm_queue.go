package via

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// queued is a job in Slurm's list.
type queued struct {
	id, state, reason, start, partition string
	priority                            uint64
}

const queueFormat = "--format=%i|%T|%S|%P|%Q|%r"

// queue asks for the job; there are several where it is listed once for each partition that it asked for.
func (id slurmID) queue(ctx context.Context) ([]queued, error) {
	ctx, cancel := context.WithTimeout(ctx, controllerAnswers)
	defer cancel()
	out, err := once(ctx, nil, id.cluster("squeue", "--noheader", "--user="+uid(), "--name="+id.Name, queueFormat)...)
	return parseQueue(out), err
}

func parseQueue(out string) (rows []queued) {
	for line := range strings.Lines(out) {
		f := strings.SplitN(strings.TrimSpace(line), "|", 6)
		if len(f) != 6 || f[0] == "" {
			continue
		}
		q := queued{id: clean.Name(f[0], 40), state: clean.Name(f[1], 40), start: f[2], partition: f[3], reason: clean.Name(f[5], 200)}
		q.priority, _ = strconv.ParseUint(f[4], 10, 64) // 0 where it is not told
		rows = append(rows, q)
	}
	return rows
}

// before counts the jobs that wait in the same partition and come first: by priority, then by number.
func (q queued) before(all []queued) (n int) {
	for _, o := range all {
		if o.id != q.id && (o.priority > q.priority || o.priority == q.priority && cmp.Compare(number(o.id), number(q.id)) < 0) {
			n++
		}
	}
	return n
}

// number is a job's number; that of an array's job ends with its index: 12_3.
func number(id string) uint64 {
	head, _, _ := strings.Cut(id, "_")
	n, _ := strconv.ParseUint(head, 10, 64)
	return n
}

// words says where a job is. Slurm's words are kept, because they are what its manuals explain.
func (q queued) words(before int) string {
	text := fmt.Sprintf("Slurm job %s: %s", q.id, q.state)
	if q.reason != "" && q.reason != "None" {
		text += " (" + q.reason + ")"
	}
	if q.state != "PENDING" {
		return text
	}
	switch before {
	case -1:
	case 0:
		text += ", first in " + clean.Name(q.partition, 60)
	default:
		text += fmt.Sprintf(", %d before it in %s", before, clean.Name(q.partition, 60))
	}
	// Seconds of an estimate change all the time and mean nothing.
	if len(q.start) == len("2026-01-02T15:04:05") && q.start[10] == 'T' {
		text += ", expected to start at " + clean.Name(q.start[:10]+" "+q.start[11:16], 20)
	}
	return text
}

// look asks where the job is in the queue. It returns nothing when it is not listed.
func (id slurmID) look(ctx context.Context) (q queued, text string, err error) {
	rows, err := id.queue(ctx)
	if err != nil || len(rows) == 0 {
		return queued{}, "", err
	}
	q = rows[0]
	before := -1
	if q.state == "PENDING" {
		ctx, cancel := context.WithTimeout(ctx, controllerAnswers)
		defer cancel()
		if out, err := once(ctx, nil, id.cluster("squeue", "--noheader", "--states=PENDING", "--partition="+q.partition, queueFormat)...); err == nil {
			before = q.before(parseQueue(out))
		}
	}
	return q, q.words(before), nil
}

// taskEnd is what srun says of tasks that have ended.
var taskEnd = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^srun: error: (\S+): tasks? ([0-9,\-]+): (.+)$`)
})

// parseTaskEnd reads which hosts' agents have ended, and how. As there is one task on each node, tasks are numbered as hosts are.
func parseTaskEnd(line string) (hosts []int, why string) {
	m := taskEnd().FindStringSubmatch(line)
	if m == nil {
		return nil, ""
	}
	for part := range strings.SplitSeq(m[2], ",") {
		first, last, isRange := strings.Cut(part, "-")
		a, err := strconv.Atoi(first)
		b := a
		if isRange && err == nil {
			b, err = strconv.Atoi(last)
		}
		if err != nil || a < 0 || b < a || b >= maxHosts {
			return nil, ""
		}
		for i := a; i <= b; i++ {
			hosts = append(hosts, i)
		}
	}
	return hosts, m[3]
}

// telling are the parts of Slurm's lines that say why a job has ended, the most telling first.
var telling = []string{"DUE TO", "NODE FAIL", "Node failure", "PREEMPT", "Unable to allocate", "Unable to create step", "CANCELLED AT", "has been cancelled", "revoked", "error:"}

// whyOf picks the line that says most.
func whyOf(said []string) string {
	for _, t := range telling {
		for _, line := range said {
			if strings.Contains(line, t) {
				return line
			}
		}
	}
	if len(said) > 0 {
		return said[len(said)-1]
	}
	return ""
}

// stateOf reads how a job has ended from what scontrol shows.
func stateOf(shown string) (state, reason string) {
	for word := range strings.FieldsSeq(shown) {
		if v, ok := strings.CutPrefix(word, "JobState="); ok && state == "" {
			state = clean.Name(v, 40)
		}
		if v, ok := strings.CutPrefix(word, "Reason="); ok && reason == "" {
			reason = clean.Name(v, 80)
		}
	}
	return state, reason
}
