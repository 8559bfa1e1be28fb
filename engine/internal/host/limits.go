package host

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

const (
	workerFiles = 4  // two pipes of output, the lifeline and the process itself
	startFiles  = 6  // more while it starts: the ends that the child gets, its cgroup, and what fork needs
	spareFiles  = 16 // the socket, the session, whatever the program opens meanwhile
)

// MissingFiles says why n workers, of which atOnce start beside each other, do not fit the limit of open files; "" when
// they do, or where the limit is not known.
func MissingFiles(n, atOnce int) string {
	open, most := filesLimit()
	return missingFiles(n, atOnce, open, most)
}

// missingFiles is MissingFiles for a process with so many open files and that limit; most 0 is no limit.
func missingFiles(n, atOnce, open, most int) string {
	need := open + workerFiles*n + startFiles*min(n, atOnce) + spareFiles
	if most == 0 || need <= most {
		return ""
	}
	return fmt.Sprintf("%d worker processes need about %d open files in the controller, and its limit is %d: raise it (ulimit -n %d)", n, need, most, 1024*(need/1024+1))
}

// RoomForFiles makes room for the descriptors of n workers, all at once. Linux has a table of them in each process, which it makes twice as
// long where the next one does not fit; while a process has several threads that takes 5 to 13 ms each time, in which nothing else that
// opens a file goes on (expand_fdtable waits for a grace period of RCU). Nothing depends on it.
func RoomForFiles(n int) {
	open, most := filesLimit()
	if need := min(open+(workerFiles+startFiles)*n+spareFiles, most); need > 0 {
		roomForFiles(need)
	}
}

// ExplainFiles names the limit behind an error that only says that there are too many.
func ExplainFiles(err error) error {
	if !errors.Is(err, syscall.EMFILE) {
		return err
	}
	_, most := filesLimit()
	return fmt.Errorf("%w: the limit of this process is %d (ulimit -n), and a worker needs %d, while it starts %d", err, most, workerFiles, workerFiles+startFiles)
}

// selfDialTime is how long a datagram may take from this machine to itself.
const selfDialTime = 500 * time.Millisecond

// DialSelf sends a datagram from a socket at the address where the controller listens to one beside it. Workers reach
// the controller as this does, and would otherwise find out only by waiting in vain.
func DialSelf(listen string) error {
	host, _, err := net.SplitHostPort(cmp.Or(listen, "127.0.0.1:0"))
	if err != nil {
		return nil // who opens the socket says what is wrong with it
	}
	err = echoOnce(host)
	switch {
	case errors.Is(err, syscall.EMFILE):
		return fmt.Errorf("open a socket for the workers: %w", ExplainFiles(err))
	case err != nil:
		return fmt.Errorf("the controller cannot reach itself at %s, so no worker could: %w; is that interface up (loopback: ip link set lo up), and does the firewall let UDP through?", host, err)
	}
	return nil
}

func echoOnce(host string) error {
	here, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
	if err != nil {
		return err
	}
	defer here.Close()
	to, err := net.Dial("udp", here.LocalAddr().String())
	if err != nil {
		return err
	}
	defer to.Close()
	end := time.Now().Add(selfDialTime)
	for pause := selfDialTime / 16; ; pause *= 2 { // a datagram may be lost
		if _, err := to.Write([]byte("monarch")); err != nil {
			return err
		}
		if err := here.SetReadDeadline(time.Now().Add(pause)); err != nil {
			return err
		}
		if _, _, err := here.ReadFrom(make([]byte, 16)); err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("a datagram to %s did not arrive in %v", here.LocalAddr(), selfDialTime)
		}
	}
}
