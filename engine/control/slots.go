package control

import (
	"net"
	"time"
)

// slot is the place of one connection among Limits.Clients.
type slot struct {
	conn  net.Conn
	since time.Time
	heard bool // it has asked something
}

// silentTime is how long a connection that has asked nothing yet keeps its place when another one wants it. Those who have
// come for something ask at once.
const silentTime = 2 * time.Second

// enter gives a connection a place. Where there is none, that of the connection which has been there longest without asking
// anything is free: half a frame, or none, must not keep the user out of the session. It says why where there is none either.
func (s *Server) enter(conn net.Conn) (*slot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.slots); n >= s.cfg.Limits.Clients {
		var idle *slot
		for x := range s.slots {
			if !x.heard && time.Since(x.since) >= silentTime && (idle == nil || x.since.Before(idle.since)) {
				idle = x
			}
		}
		if idle == nil {
			return nil, errorf(CodeBusy, "the session has %d clients already, which is its limit: close one first", n)
		}
		s.cfg.Logger.Warn("a connection that has asked nothing makes room for another", "after", time.Since(idle.since))
		delete(s.slots, idle)
		_ = idle.conn.Close()
	}
	x := &slot{conn: conn, since: time.Now()}
	s.slots[x] = struct{}{}
	return x, nil
}

func (s *Server) leave(x *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.slots, x)
}

// heard notes that a client has asked something.
func (s *Server) heard(x *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x.heard = true
}
