package worldtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/engine/shape"
)

// Pingpong is a world in the middle of work: procs trainers with dp=8 tp=8 on hosts of 8 GPUs, and on them the meshes
// pinger and ponger. Of ponger some ranks are busy, [9,17,25] paused, [18] has a backlog of 214 messages, and the host
// of [40-47] was lost.
func Pingpong(t testing.TB) *Builder {
	t.Helper()
	b := New(t)
	b.Type(PingerType())
	b.Type(PongerType())
	extent := shape.Extent{{Name: "dp", Size: 8}, {Name: "tp", Size: 8}}
	b.Procs("trainers", extent, Opts{PerHost: 8})
	b.Mesh("pinger", "trainers", PingerType().Full)
	b.Mesh("ponger", "trainers", PongerType().Full)
	for _, rank := range []int{2, 3, 6, 10, 11, 19, 26, 27, 32, 33, 34, 35} {
		b.EditRank("ponger", rank, func(r *control.RankState) {
			r.State, r.Running, r.Calls, r.Since, r.Handled = "busy", []string{"Pong"}, []uint64{41}, b.Now.Add(-12*time.Millisecond), 1181
		})
	}
	b.Rank("ponger", 18, "busy", 214)
	for _, rank := range []int{9, 17, 25} {
		b.EditProc("trainers", rank, func(p *control.Proc) { p.Held = true })
		b.EditRank("ponger", rank, func(r *control.RankState) {
			r.State, r.Queue, r.Running, r.Calls, r.Since, r.Handled = "busy", 4, []string{"Pong"}, []uint64{41}, b.Now.Add(-12*time.Second), 1181
		})
	}
	for rank := 40; rank < 48; rank++ {
		b.EditProc("trainers", rank, func(p *control.Proc) {
			p.State, p.Reason, p.Since = "killed", fmt.Sprintf("worker %d of procs trainers (pid %d) was killed by SIGKILL", rank, p.PID), b.Now.Add(-1100*time.Millisecond)
			p.Tail = []string{"step 1181 loss 0.1907", "NCCL WARN Call to ibv_modify_qp failed", "terminate called after throwing an instance of 'std::runtime_error'"}
		})
		for _, mesh := range []string{"pinger", "ponger"} {
			b.EditRank(mesh, rank, func(r *control.RankState) { r.State, r.Reason = "gone", "its process was killed" })
		}
	}
	b.Failure(control.Failure{Mesh: "ponger", Rank: 40, Proc: 41, What: "worker 40 of procs trainers was killed by SIGKILL"})
	b.messages()
	return b
}

// messages are a call to 64 ranks, some answers, and an error.
func (b *Builder) messages() {
	at := func(ms int) time.Time { return Start().Add(time.Duration(ms-3000) * time.Millisecond) }
	arg := []byte{0xa2, 0x61, 'n', 0x03, 0x63, 't', 'a', 'g', 0x64, 'w', 'a', 'r', 'm'}
	b.Message(control.Message{Time: at(0), Call: 40, ID: 1, Trace: 40, Kind: control.MessageCall, From: "@pinger[0]", To: "@ponger[0]", Endpoint: "Pong", Adverb: control.AdverbCallOne, Ranks: 1, Bytes: len(arg), Body: arg})
	for rank := range 64 {
		b.Message(control.Message{
			Time: at(9), Call: 41, ID: uint64(10 + rank), Trace: 41, Kind: control.MessageCall, From: "main", To: refOf("ponger", rank),
			Endpoint: "Pong", Adverb: control.AdverbCall, Ranks: 64, Bytes: len(arg), Body: arg,
		})
	}
	for rank := range 9 {
		b.Message(control.Message{
			Time: at(12 + rank), Call: 41, ID: uint64(100 + rank), Parent: uint64(10 + rank), Trace: 41, Kind: control.MessageReply, From: refOf("ponger", rank), To: "main",
			Endpoint: "Pong", Ranks: 64, Bytes: 1, Body: []byte{0x04}, Took: time.Duration(700+100*rank) * time.Microsecond, Outcome: control.OutcomeReply,
		})
	}
	b.Message(control.Message{
		Time: at(60), Call: 41, Parent: 23, Trace: 41, Kind: control.MessageError, From: refOf("ponger", 13), To: "main", Endpoint: "Pong", Ranks: 64,
		Took: 9 * time.Millisecond, Outcome: control.OutcomeError, Error: "want int, got string",
	})
	waiting := []int{9, 17, 25}
	b.Call(control.Call{
		ID: 41, Client: "main", Mesh: "ponger", View: shape.RegionOf(shape.Extent{{Name: "dp", Size: 8}, {Name: "tp", Size: 8}}),
		Endpoint: "Pong", Adverb: control.AdverbCall, Started: at(9), Ranks: 64, Waiting: waiting,
	})
}

func refOf(mesh string, rank int) string {
	return "@" + mesh + "[" + shape.FormatRanks([]int{rank}) + "]"
}

// PongerType answers pings.
func PongerType() control.Type {
	intSchema := &schema.Schema{Kind: schema.KindInt, Name: "int", Bits: 64}
	text := &schema.Schema{Kind: schema.KindString, Name: "string"}
	arg := &schema.Schema{Kind: schema.KindStruct, Name: "pingpong.Ball", Fields: []schema.Field{
		{Name: "n", Type: intSchema, Required: true}, {Name: "tag", Type: text},
	}}
	return control.Type{
		Name: "Ponger", Full: "example.com/pingpong.Ponger", Doc: "Ponger answers pings.",
		Fields: []schema.Field{{Name: "Start", Type: intSchema}},
		Endpoints: []control.Endpoint{
			{Name: "Pong", Doc: "Pong answers with the number after n.", Param: "ball", Arg: arg, Result: intSchema, File: "pingpong.go", Line: 41},
			{Name: "Status", Doc: "Status tells how many balls were seen.", Result: intSchema, Concurrent: true, File: "pingpong.go", Line: 58},
		},
		NotCallable: []control.NotCallable{{Name: "Score", Why: "it has no context.Context, and it does not return an error"}},
	}
}

// PingerType sends pings.
func PingerType() control.Type {
	return control.Type{
		Name: "Pinger", Full: "example.com/pingpong.Pinger", Doc: "Pinger sends pings to a ponger.",
		Endpoints: []control.Endpoint{{
			Name: "Init", Doc: "Init tells whom to ping.", Param: "peers", Arg: &schema.Schema{Kind: schema.KindMesh, Name: "engine.Mesh", Mesh: "example.com/pingpong.Ponger"}, File: "pingpong.go", Line: 12,
		}},
	}
}
