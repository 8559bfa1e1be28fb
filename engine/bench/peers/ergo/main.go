// Command ergo measures ergo 2: a call of a gen.Server in another node. Only processes can call there, so that each caller is one, which
// is asked to call.
package main

import (
	"context"
	"fmt"
	"net/netip"
	"sync"

	"github.com/ergo-services/ergo"
	"github.com/ergo-services/ergo/etf"
	"github.com/ergo-services/ergo/gen"
	"github.com/ergo-services/ergo/lib"
	"github.com/ergo-services/ergo/node"

	"github.com/monarch-tui/monarch-tui/engine/bench/measure"
)

func main() { measure.Peer{Name: "ergo", Listen: listen, Dial: dial}.Main() }

const (
	serverNode = "echo@127.0.0.1"
	clientNode = "callers@127.0.0.1"
	cookie     = "bench"
	serverName = "echo"
)

// options are those of a node that finds others by static routes only.
func options(certs *measure.Certificates) (o node.Options, addr string, err error) {
	if o.TLS, err = certs.Config("ergo"); err != nil {
		return o, "", err
	}
	if addr, err = measure.FreeAddr(); err != nil { // ergo does not say which one it has found
		return o, "", err
	}
	at, err := netip.ParseAddrPort(addr)
	o.Listeners = []node.Listener{{Hostname: at.Addr().String(), Listen: at.Port()}}
	o.Registrar, o.System.DisableAnonMetrics = nobody{}, true
	return o, addr, err
}

// nobody is a directory that knows no nodes: ergo's own wants a port of its own, and without any a connection ends in a nil pointer.
type nobody struct{}

func (nobody) Register(context.Context, string, node.RegisterOptions) error { return nil }
func (nobody) RegisterProxy(string, int, node.ProxyFlags) error             { return nil }
func (nobody) UnregisterProxy(string) error                                 { return nil }
func (nobody) Resolve(string) (node.Route, error)                           { return node.Route{}, lib.ErrNoRoute }
func (nobody) ResolveProxy(string) (node.ProxyRoute, error) {
	return node.ProxyRoute{}, lib.ErrProxyNoRoute
}
func (nobody) Config() (node.RegistrarConfig, error) {
	return node.RegistrarConfig{}, lib.ErrUnsupported
}
func (nobody) ConfigItem(string) (etf.Term, error)                        { return nil, lib.ErrUnsupported }
func (nobody) SetConfigUpdateCallback(func(string, etf.Term) error) error { return lib.ErrUnsupported }

type echo struct{ gen.Server }

// HandleCall gives back what it is given.
func (*echo) HandleCall(_ *gen.ServerProcess, _ gen.ServerFrom, message etf.Term) (etf.Term, gen.ServerStatus) {
	return message, gen.ServerStatusOK
}

func listen(certs *measure.Certificates) (string, error) {
	o, addr, err := options(certs)
	if err != nil {
		return "", err
	}
	n, err := ergo.StartNode(serverNode, cookie, o)
	if err != nil {
		return "", err
	}
	_, err = n.Spawn(serverName, gen.ProcessOptions{MailboxSize: 4096}, &echo{})
	return addr, err
}

type asker struct{ gen.Server }

// HandleDirect calls the other node.
func (*asker) HandleDirect(p *gen.ServerProcess, _ etf.Ref, message any) (any, gen.DirectStatus) {
	got, err := p.Call(gen.ProcessID{Name: serverName, Node: serverNode}, message)
	if err != nil {
		return err, gen.DirectStatusOK // another status ends the process
	}
	return got, gen.DirectStatusOK
}

func dial(_ context.Context, addr string, certs *measure.Certificates) (func(int) error, func(), error) {
	o, _, err := options(certs)
	if err != nil {
		return nil, nil, err
	}
	n, err := ergo.StartNode(clientNode, cookie, o)
	if err != nil {
		return nil, nil, err
	}
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, nil, err
	}
	if err := n.AddStaticRoute(serverNode, at.Addr().String(), at.Port(), node.RouteOptions{TLS: o.TLS, IsErgo: true}); err != nil {
		return nil, nil, err
	}
	if err := n.Connect(serverNode); err != nil {
		return nil, nil, err
	}
	var askers sync.Map // by caller
	return func(w int) error {
		v, ok := askers.Load(w)
		if !ok {
			p, err := n.Spawn("", gen.ProcessOptions{}, &asker{})
			if err != nil {
				return err
			}
			v, _ = askers.LoadOrStore(w, p)
		}
		got, err := v.(gen.Process).Direct(etf.Tuple{w, measure.Payload})
		if err != nil {
			return err
		}
		if err, failed := got.(error); failed {
			return err
		}
		t, ok := got.(etf.Tuple)
		if !ok || len(t) != 2 {
			return fmt.Errorf("the answer is a %T", got)
		}
		id := -1
		switch n := t[0].(type) { // by its size
		case int:
			id = n
		case int64:
			id = int(n)
		}
		body, _ := t[1].([]byte)
		return measure.CheckEcho(uint64(w), uint64(id), body)
	}, func() { n.Stop() }, nil
}
