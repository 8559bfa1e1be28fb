package debugger_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/monarch-tui/monarch-tui/engine"
	"github.com/monarch-tui/monarch-tui/engine/control"
)

// TestAMessageStopsAtEachSite fails when any of the engine's sites is gone.
func TestAMessageStopsAtEachSite(t *testing.T) {
	onBoth(t, 1, func(s *scene) {
		s.m = engine.Mesh[Worker]{}
		peer := s.spawn("peer", 1)
		p, err := engine.SpawnProcs(s.ctx, engine.Name("asking"), engine.Dim("gpus", 1))
		if err != nil {
			s.t.Fatal(err)
		}
		m, err := engine.Spawn(s.ctx, p, "asker", Worker{Peer: peer})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, c := range []struct {
			site  string
			call  func() (int, error)
			value string
			err   string
		}{
			{control.SiteRecv, func() (int, error) { return engine.Method(m, (*Worker).Do).CallOne(s.ctx, Order{N: 7}) }, "", ""},
			{control.SiteSend, func() (int, error) { return engine.Method(m, (*Worker).Ask).CallOne(s.ctx, 7) }, "", ""},
			{control.SiteResult, func() (int, error) { return engine.Method(m, (*Worker).Ask).CallOne(s.ctx, 7) }, "", ""},
			{control.SiteReply, func() (int, error) { return engine.Method(m, (*Worker).Do).CallOne(s.ctx, Order{N: 7}) }, "2", ""},
			{control.SiteError, func() (int, error) { return 0, engine.Signal(m, (*Worker).Fails).CallOne(s.ctx) }, "no luck", "no luck"},
			{control.SiteBreak, func() (int, error) { return 0, engine.Signal(m, (*Worker).Pause).CallOne(s.ctx) }, "", ""},
			{control.SitePanic, func() (int, error) { return engine.Query(m, (*Worker).Panics).CallOne(s.ctx) }, "count is 2", "count is 2"},
		} {
			b := s.brk(control.Breakpoint{Mesh: "asker", Site: c.site})
			done := begin(c.call)
			st := s.stops(1)[0]
			if sends := c.site == control.SiteSend || c.site == control.SiteResult; sends != (st.Target != "") || sends && !strings.HasSuffix(st.Target, "peer.Do") {
				s.t.Errorf("at %s its target is %q", c.site, st.Target)
			}
			if c.site == control.SiteBreak && (!strings.HasPrefix(st.Reason, "Break: look at me") || !strings.HasSuffix(st.Func, "(*Worker).Pause") || st.Line == 0) {
				s.t.Errorf("%+v", st)
			}
			if st.Site != c.site || st.Mesh != "asker" || st.Value != c.value || st.Break != b.ID || st.Sender != "main" {
				s.t.Errorf("at %s: %+v", c.site, st)
			}
			select {
			case r := <-done:
				s.t.Fatalf("at %s the call ended while its frame is stopped: %+v", c.site, r)
			default:
			}
			s.resume(control.GoContinue, st)
			s.stops(0)
			select {
			case r := <-done:
				if (r.err == nil) != (c.err == "") || r.err != nil && !strings.Contains(r.err.Error(), c.err) {
					s.t.Errorf("at %s: %v, want %q", c.site, r.err, c.err)
				}
			case <-time.After(patience):
				s.t.Fatalf("at %s the call does not end", c.site)
			}
			if _, err := s.c.Breaks(s.ctx, control.BreaksReq{Remove: []uint64{b.ID}}); err != nil {
				s.t.Fatal(err)
			}
		}
	})
}

// TestOnlyTheActorThatHitStops looks that others, of the same process too, go on.
func TestOnlyTheActorThatHitStops(t *testing.T) {
	onBoth(t, 4, func(s *scene) {
		s.brk(control.Breakpoint{Ranks: "gpus=1", Endpoint: "Do"})
		all := begin(func() (int, error) {
			vm, err := engine.Method(s.m, (*Worker).Do).Call(s.ctx, Order{N: 1})
			return len(vm.Answered()), err
		})
		st := s.stops(1)[0]
		if st.Rank != 1 || st.Endpoint != "Do" || st.Site != control.SiteRecv || !strings.Contains(st.Arg, "N: 1") {
			s.t.Errorf("%+v", st)
		}
		others := s.m.Slice(engine.Span("gpus", 2, 4))
		for range 10 {
			if _, err := engine.Query(others, (*Worker).Count).Call(s.ctx); err != nil {
				s.t.Fatal(err)
			}
		}
		s.resume(control.GoContinue, st)
		want(s.t, all, 4, "")
	})
}

// TestADeadlineStandsStillWhileItsCallIsStopped looks at the clock over processes: a call of 300 ms survives a longer stop,
// while the standard clock runs on.
func TestADeadlineStandsStillWhileItsCallIsStopped(t *testing.T) {
	onBoth(t, 1, func(s *scene) {
		s.brk(control.Breakpoint{Endpoint: "Do"})
		const limit = 300 * time.Millisecond
		held := begin(func() (int, error) {
			ctx, cancel := engine.WithTimeout(s.ctx, limit)
			defer cancel()
			return engine.Method(s.m, (*Worker).Do).CallOne(ctx, Order{})
		})
		st := s.stops(1)[0]
		if !s.pic.Debug.Held {
			s.until("the clock to be held", func() bool { return s.pic.Debug.Held })
		}
		plain, cancel := context.WithTimeout(s.ctx, 2*limit)
		defer cancel()
		<-plain.Done() // the standard clock runs on
		s.resume(control.GoContinue, st)
		want(s.t, held, 1, "")
	})
}
