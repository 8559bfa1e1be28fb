package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/shape"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// Outcome is how one rank's part of a call ended.
type Outcome = control.Outcome

// The errors that errors.Is finds in what a call returns, one per outcome but a reply's.
var (
	// ErrLost: the rank is gone; the endpoint may or may not have run.
	ErrLost = Sentinel("the rank is lost")
	// ErrNotSent: no part of the message was handed to a link; the call is safe to repeat.
	ErrNotSent = Sentinel("the message was not sent")
	// ErrForbidden: the receiver refused the sender.
	ErrForbidden = Sentinel("forbidden")
	// ErrCancelled: the context of the call was cancelled. errors.Is(err, context.Canceled) holds too.
	ErrCancelled = Sentinel("cancelled")
	// ErrDeadline: the context's deadline passed. errors.Is(err, context.DeadlineExceeded) holds too.
	ErrDeadline = Sentinel("no answer before the deadline")
	// ErrStopped: the mesh, or the process of the rank, was stopped or killed by order. A call that was there when it ended
	// is ErrLost as well; a later one is not.
	ErrStopped = Sentinel("the mesh is stopped")
	// ErrFailed: the actor panicked earlier and handles nothing any more.
	ErrFailed = Sentinel("the actor has failed")
	// ErrStale: the actor was started anew, and the reference is to an earlier life of it. Mesh.Resolve gives a new one.
	ErrStale = Sentinel("the reference is to an earlier life of the actor")
	// ErrCallCycle: the call could only wait for itself.
	ErrCallCycle = Sentinel("the call would deadlock")
	// ErrNoEngine: the context has no engine.
	ErrNoEngine = Sentinel("no engine in this context")
)

var outcomeErrors = map[Outcome]error{
	control.OutcomeLost: ErrLost, control.OutcomeNotSent: ErrNotSent, control.OutcomeForbidden: ErrForbidden,
	control.OutcomeCancelled: ErrCancelled, control.OutcomeDeadline: ErrDeadline,
}

// sentinels maps wire codes to error values. Filled by package initialisers, read afterwards.
var sentinels = struct {
	sync.RWMutex
	byCode map[string]error
	order  []string
}{byCode: map[string]error{}}

func init() {
	for code, err := range map[string]error{
		"io.EOF": io.EOF, "io.ErrUnexpectedEOF": io.ErrUnexpectedEOF, "fs.ErrNotExist": fs.ErrNotExist, "fs.ErrExist": fs.ErrExist,
		"fs.ErrPermission": fs.ErrPermission, "fs.ErrInvalid": fs.ErrInvalid, "fs.ErrClosed": fs.ErrClosed,
		"os.ErrDeadlineExceeded": os.ErrDeadlineExceeded,
		"context.Canceled":       context.Canceled, "context.DeadlineExceeded": context.DeadlineExceeded,
	} {
		addSentinel(code, err)
	}
}

func addSentinel(code string, err error) {
	sentinels.Lock()
	defer sentinels.Unlock()
	if sentinels.byCode[code] != nil {
		panic("engine: two sentinels of one package with the text " + code)
	}
	sentinels.byCode[code] = err
	sentinels.order = append(sentinels.order, code)
}

// Sentinel declares an error value that keeps its identity between processes: errors.Is(err, ErrBadRank) holds for the
// caller when the endpoint returned ErrBadRank, wrapped or not. Declare it in a package variable; its key is the
// declaring package and the text, and a second one with the same key panics.
func Sentinel(text string) error {
	pkg := "main"
	if pc, _, _, ok := runtime.Caller(1); ok {
		pkg = packageOf(funcName(pc))
	}
	err := errors.New(text)
	addSentinel(pkg+": "+text, err)
	return err
}

// packageOf cuts the function from a name such as example.com/a/b.init or example.com/a/b.(*T).M.
func packageOf(fn string) string {
	slash := strings.LastIndexByte(fn, '/') + 1
	if dot := strings.IndexByte(fn[slash:], '.'); dot >= 0 {
		return fn[:slash+dot]
	}
	return fn
}

// RemoteError is an error as it arrived from another actor: its text and the name of its Go type.
type RemoteError struct {
	Type  string // e.g. *fs.PathError, or "panic"
	Msg   string
	Stack string // of a panic
	codes []string
}

// Error is the text the endpoint's error had.
func (e *RemoteError) Error() string {
	if e.Type == panicType {
		return "panic: " + e.Msg
	}
	return e.Msg
}

// Is reports whether the original error matched a sentinel.
func (e *RemoteError) Is(target error) bool {
	sentinels.RLock()
	defer sentinels.RUnlock()
	return slices.ContainsFunc(e.codes, func(c string) bool { return sentinels.byCode[c] == target })
}

// The types of errors that no value in the endpoint's process has: how a handler ended that did not return.
const (
	panicType = "panic"
	exitType  = "goexit"
)

// RankError is the failure of one rank of a call. Rank is the rank's own number and Here its place, Point its place in the
// slice that was called; the text shows Point too where the numbers differ.
type RankError struct {
	Endpoint string
	Mesh     string
	Rank     int         // of the mesh
	Here     shape.Point // in the mesh
	Point    shape.Point // in the slice that was called
	Outcome  Outcome
	Err      error
}

// Error names endpoint, rank and reason.
func (e *RankError) Error() string {
	return fmt.Sprintf("%s on %s: %v", e.Endpoint, e.where(), e.Err)
}

// where names the rank, and the point of the slice where that differs.
func (e *RankError) where() string { return "@" + e.Mesh + places([]*RankError{e}) }

// places names the ranks of several failures of one call, and the points of the slice where those differ.
func places(of []*RankError) string {
	ranks, points := make([]int, len(of)), make([]shape.Point, len(of))
	for i, e := range of {
		ranks[i], points[i] = e.Rank, e.Point
	}
	return shape.FormatPlaces(ranks, points)
}

// Unwrap gives the endpoint's error.
func (e *RankError) Unwrap() error { return e.Err }

// Is matches the error of the outcome: errors.Is(err, engine.ErrLost).
func (e *RankError) Is(target error) bool { return outcomeErrors[e.Outcome] == target && target != nil }

// MeshError gathers the failures of one call; equal texts are folded over their ranks.
type MeshError struct {
	Endpoint string
	Mesh     string
	Ranks    int // called
	Failed   []*RankError
}

// Unwrap gives the *RankError of each failed rank.
func (e *MeshError) Unwrap() []error {
	out := make([]error, len(e.Failed))
	for i, f := range e.Failed {
		out[i] = f
	}
	return out
}

// Error folds equal messages: "Add failed on 2 of 4 ranks of @acc: [1,3] add 1000: bad rank". Ranks that failed by themselves come
// first, then those that did because of others, such as "then [0-1] context canceled". Where a slice was called, the ranks are the
// mesh's own, and the points of the slice follow where they differ.
func (e *MeshError) Error() string {
	if e.Ranks == 1 {
		return fmt.Sprintf("%s failed on %s: %s", e.Endpoint, e.Failed[0].where(), e.Failed[0].Err)
	}
	causes, others := e.causes()
	parts := foldErrors(causes)
	if folded := foldErrors(others); len(folded) > 1 {
		parts = append(parts, fmt.Sprintf("then %s: %s, or the like", places(others), others[0].Err))
	} else if len(folded) == 1 {
		parts = append(parts, "then "+folded[0])
	}
	return fmt.Sprintf("%s failed on %d of %d ranks of @%s: %s", e.Endpoint, len(e.Failed), e.Ranks, e.Mesh, strings.Join(parts, "; "))
}

// causes parts the ranks that failed by themselves from those that did because of others: their call was given up, or what they
// called was lost. Where all are of one kind, they are all causes.
func (e *MeshError) causes() (causes, others []*RankError) {
	for _, f := range e.Failed {
		nested := f.Outcome == control.OutcomeError && slices.ContainsFunc([]error{ErrLost, ErrStale, ErrNotSent, ErrCancelled, ErrDeadline}, func(why error) bool { return errors.Is(f.Err, why) })
		if nested || f.Outcome == control.OutcomeCancelled || f.Outcome == control.OutcomeDeadline {
			others = append(others, f)
		} else {
			causes = append(causes, f)
		}
	}
	if len(causes) == 0 {
		return others, nil
	}
	return causes, others
}

// foldErrors tells equal texts once, each with its ranks.
func foldErrors(list []*RankError) (out []string) {
	same := map[string][]*RankError{}
	var order []string
	for _, f := range list {
		text := f.Err.Error()
		if same[text] == nil {
			order = append(order, text)
		}
		same[text] = append(same[text], f)
	}
	for _, text := range order {
		out = append(out, places(same[text])+" "+text)
	}
	return out
}

// LimitError is why a proc mesh is more than fits here. errors.As finds it in what SpawnProcs returns.
type LimitError struct {
	Reason string // what was asked for, and the limit with its sum
	Advice string // what else who writes the program, or a script, can do than to ask for less
}

func (e *LimitError) Error() string {
	if e.Advice == "" {
		return e.Reason
	}
	return e.Reason + "; " + e.Advice
}

// wireError is an error on its way to the caller.
type wireError struct {
	_       struct{} `cbor:",toarray"`
	Outcome Outcome
	Type    string
	Msg     string
	Stack   string
	Codes   []string
}

const maxErrorText = 16 << 10 // a stack or message beyond this is cut: errors are for people

// toWire keeps an error's text, type name and the sentinels in it.
func toWire(err error, outcome Outcome) *wireError {
	w := &wireError{Outcome: outcome, Type: fmt.Sprintf("%T", err), Msg: clip(textOf(err), maxErrorText)}
	if re, ok := asError[*RemoteError](err); ok {
		w.Stack = re.Stack
		if err == error(re) || isError(err, ErrCallCycle) { //nolint:errorlint // err itself, not what it wraps; of a cycle the path says everything; who passed it on says nothing
			w.Type, w.Msg = re.Type, re.Msg
		}
	}
	sentinels.RLock()
	defer sentinels.RUnlock()
	for _, code := range sentinels.order {
		if isError(err, sentinels.byCode[code]) {
			w.Codes = append(w.Codes, code)
		}
	}
	return w
}

func (w *wireError) remote() *RemoteError {
	return &RemoteError{Type: w.Type, Msg: w.Msg, Stack: w.Stack, codes: w.Codes}
}

// clip bounds a text that is kept or sent, and makes it UTF-8, which a Go string need not be. Otherwise it stays as hostile
// as it was: who shows it cleans it.
func clip(s string, n int) string { return strings.ToValidUTF8(clean.Clip(s, n), "\uFFFD") }

// tidy bounds what another process sent.
func (w *wireError) tidy() {
	w.Outcome = Outcome(clip(string(w.Outcome), 32))
	w.Type, w.Msg, w.Stack = clip(w.Type, maxCauseText), clip(w.Msg, maxErrorText+64), clip(w.Stack, maxErrorText+64)
}

// notSent is the outcome of a message that no link took.
func notSent(err error) *wireError {
	for _, kind := range []error{context.DeadlineExceeded, context.Canceled} {
		if !isError(err, kind) {
			continue
		}
		w := outcomeOf(kind)
		if err != kind { //nolint:errorlint // wrapped: it says what the message waited for
			w.Msg = clip(textOf(err), maxErrorText)
		}
		return w
	}
	return toWire(err, control.OutcomeNotSent)
}

// outcomeOf is the outcome of a call whose context ended. The cause may be an error of the user's.
func outcomeOf(cause error) *wireError {
	if cause == context.DeadlineExceeded { //nolint:errorlint // what Context.Err gives
		return &wireError{Outcome: control.OutcomeDeadline, Type: "deadline", Msg: "no answer before the deadline", Codes: []string{"context.DeadlineExceeded"}}
	}
	msg := "the call was cancelled"
	if cause != nil && cause != context.Canceled { //nolint:errorlint // another one is the user's
		if err := runHook("the cause", func() error { return cause }); !errors.Is(err, context.Canceled) {
			msg += ": " + strings.TrimPrefix(err.Error(), "the cause: ")
		}
	}
	return &wireError{Outcome: control.OutcomeCancelled, Type: "cancelled", Msg: msg, Codes: []string{"context.Canceled"}}
}

func codesOf(err error) []string { return toWire(err, "").Codes }

// endOf is the outcome that an ended context gives.
func endOf(ctx context.Context) *wireError {
	if err := ctx.Err(); errors.Is(err, context.DeadlineExceeded) {
		return outcomeOf(err)
	}
	return outcomeOf(context.Cause(ctx))
}
