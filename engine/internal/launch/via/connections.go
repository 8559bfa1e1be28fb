package via

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Connections keeps what a session's jobs share: of ssh one connection to each host, so that only the first job there logs in. A
// connection is an ssh in the foreground with a control socket (ControlMaster). It lives until Close, and dies with this process.
// The clients of later jobs go through it; those that it has no place for (MaxSessions of the server) log in by themselves.
//
// A person whose configuration says where control sockets are shares connections already, by their own rules: there none is kept.
type Connections struct {
	// Folder is one of the session's own, where sockets may be made, or "" for one among the temporary files. nil is "".
	Folder func() string
	// lifeline: a connection runs something on its host that ends with its stdin, and the connection with it. That is for systems on which
	// a client does not die with us by itself, and for what a wrapper starts.
	lifeline bool
	silence  time.Duration // how long a client waits for the first word of a host; then it logs in by itself

	mu      sync.Mutex // guards what follows
	closed  bool
	dir     string // of the sockets; "" until there is one
	made    int
	starter *starter
	to      map[string]*connection // by client and host
}

// NewConnections is for a session.
func NewConnections(folder func() string) *Connections {
	return &Connections{Folder: folder, lifeline: !clientsDieWithUs, silence: 15 * time.Second}
}

// Find is the launcher of a name, whose jobs share these connections.
func (c *Connections) Find(name string) (Launcher, error) {
	l, err := Find(name)
	if _, ok := l.(sshLauncher); ok {
		return sshLauncher{c}, nil
	}
	return l, err
}

// connection is one to a host, or the attempt to make one.
type connection struct {
	socket  string
	settled chan struct{}      // closed when master is known to have connected, or not
	stop    context.CancelFunc // of the attempt
	wanted  int                // how many jobs wait for it; guarded by Connections.mu

	// Valid once settled is closed.
	master *client // nil: none could be had, and each client logs in by itself
	err    error   // why master could not even be started
	open   bool

	mu   sync.Mutex // guards said
	said tail       // what the master said on stderr
}

// last is what the master said last.
func (c *connection) last() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said.last()
}

// lives reports whether the connection was made and has not ended.
func (c *connection) lives() bool {
	if !c.open {
		return false
	}
	select {
	case <-c.master.ended:
		return false
	default:
		return true
	}
}

// flags have a client go through the connection.
func (c *connection) flags() []string { return []string{"-S", c.socket, "-o", "ControlMaster=no"} }

// get returns the connection to a host, and makes one if need be. base is the client without its host. It returns nil where none is to
// be had, or ctx has ended.
func (c *Connections) get(ctx context.Context, base []string, host string) *connection {
	if c == nil || !canKeep {
		return nil
	}
	key := strings.Join(append(slices.Clone(base), host), "\x00")
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	conn := c.to[key]
	if conn != nil {
		select {
		case <-conn.settled:
			if !conn.lives() {
				conn = nil
			}
		default:
		}
	}
	if conn == nil {
		attempt, stop := context.WithCancel(context.Background())
		conn = &connection{settled: make(chan struct{}), stop: stop}
		if c.to == nil {
			c.to = map[string]*connection{}
		}
		c.to[key] = conn
		go c.make(attempt, conn, base, host)
	}
	conn.wanted++
	c.mu.Unlock()
	select {
	case <-conn.settled:
	case <-ctx.Done():
	}
	c.mu.Lock()
	conn.wanted--
	nobody := conn.wanted == 0
	c.mu.Unlock()
	if ctx.Err() != nil {
		if nobody { // if somebody has come just now, they learn that it was not made, and log in by themselves
			conn.stop()
			<-conn.settled
		}
		return nil
	}
	if conn.master == nil && conn.err == nil {
		return nil
	}
	return conn
}

// make connects to a host, unless somebody's configuration or the server's manners stand against it.
func (c *Connections) make(ctx context.Context, conn *connection, base []string, host string) {
	defer close(conn.settled)
	defer conn.stop()
	if !sharesNothing(ctx, base, host) {
		return
	}
	starter := c.place(conn)
	if starter == nil {
		return
	}
	argv := append(slices.Clone(base), endsWithUs, "-M", "-S", conn.socket)
	lifeline := c.lifeline || wraps(argv[0])
	if lifeline {
		argv = append(argv, host, "exec cat")
	} else {
		argv = append(argv, "-N", host)
	}
	master, err := starter.start(command{argv: argv, asked: true, lifeline: lifeline, err: func(line string) {
		conn.mu.Lock()
		defer conn.mu.Unlock()
		conn.said.add(line)
	}})
	if err != nil {
		conn.err = err
		return
	}
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		if _, err := os.Lstat(conn.socket); err == nil { // ssh makes it when it has logged in, and listens before it has this name
			conn.master, conn.open = master, true
			return
		}
		select {
		case <-look.C:
			if slices.ContainsFunc(conn.last(), aboutSocket) {
				master.end(0)
				return
			}
		case <-master.ended:
			// Why a host cannot be reached is told. Where only the connection does not come about, a client may still log in, or tells more.
			if master.cmd.ProcessState.ExitCode() == 255 && !slices.ContainsFunc(conn.last(), aboutSocket) {
				conn.master = master
			}
			return
		case <-ctx.Done():
			master.end(0)
			return
		}
	}
}

// endsWithUs has a connection leave none behind in its place.
const endsWithUs = "-oControlPersist=no"

// aboutSocket tells the words of an ssh that cannot make its control socket.
func aboutSocket(line string) bool {
	return strings.HasPrefix(line, "unix_listener: ") || strings.HasPrefix(line, "muxserver_listen: ") || strings.HasSuffix(line, ", disabling multiplexing")
}

// wraps reports whether a client may be something that starts an ssh. The signal of our death would reach only the former.
func wraps(client string) bool {
	path, err := exec.LookPath(client)
	if err != nil || filepath.Base(path) != "ssh" {
		return true
	}
	f, err := os.Open(path)
	if err != nil {
		return true
	}
	defer f.Close()
	var first [2]byte
	_, err = io.ReadFull(f, first[:])
	return err != nil || string(first[:]) == "#!"
}

// sharesNothing asks ssh what the configuration says: whether it is an OpenSSH at all, has no control socket for the host, and leaves
// no connection behind when it ends.
func sharesNothing(ctx context.Context, base []string, host string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := once(ctx, nil, append(slices.Clone(base), endsWithUs, "-G", host)...)
	if err != nil {
		return false
	}
	openSSH := false
	for in := bufio.NewScanner(strings.NewReader(out)); in.Scan(); {
		switch word, value, _ := strings.Cut(in.Text(), " "); word {
		case "controlpath":
			return false
		case "controlpersist":
			if value != "no" { // what args say counts before our word
				return false
			}
		case "controlmaster":
			openSSH = value == "false"
		}
	}
	return openSSH
}

// place gives a connection the path of its socket, and returns who starts clients; nil where there is no place.
func (c *Connections) place(conn *connection) *starter {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	if _, err := os.Lstat(c.dir); err != nil { // there is none yet, or somebody has cleaned up
		if c.dir = c.folder(); c.dir == "" {
			return nil
		}
	}
	if c.starter == nil {
		c.starter = newStarter()
	}
	c.made++
	conn.socket = filepath.Join(c.dir, strconv.Itoa(c.made))
	return c.starter
}

// folder makes a folder for the sockets.
func (c *Connections) folder() string {
	var parents []string
	if c.Folder != nil {
		if own := c.Folder(); own != "" {
			parents = append(parents, own)
		}
	}
	for _, parent := range append(parents, os.TempDir(), "/tmp") {
		// ssh reads % and ${ in the path, a ~ where it begins, and puts a dot and 16 letters behind it while it makes the socket. 103 bytes
		// fit everywhere.
		if !filepath.IsAbs(parent) || len(parent)+len("/ssh-1234567890/99999")+17 > 103 || strings.Contains(parent, "%") || strings.Contains(parent, "${") {
			continue
		}
		if dir, err := os.MkdirTemp(parent, "ssh-"); err == nil {
			return dir
		}
	}
	return ""
}

// Close ends the connections, and with them what still goes through them.
func (c *Connections) Close() {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.closed = true
	all := c.to
	c.mu.Unlock()
	var wg sync.WaitGroup
	for _, conn := range all {
		wg.Go(func() {
			conn.stop()
			<-conn.settled
			if conn.master != nil {
				conn.master.end(patience)
			}
		})
	}
	wg.Wait()
	if c.starter != nil {
		c.starter.close()
		_ = os.RemoveAll(c.dir)
	}
}
