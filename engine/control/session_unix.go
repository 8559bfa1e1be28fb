//go:build unix

package control

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// lock takes the file's lock without waiting; it is free again when the process ends, however it ends.
func lock(f *os.File) error {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

// checkPrivate refuses a folder that is not ours alone to write to, or that is no plain folder.
func checkPrivate(dir string) error {
	fi, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	switch st, ok := fi.Sys().(*syscall.Stat_t); {
	case fi.Mode()&os.ModeSymlink != 0:
		return errors.New("it is a symbolic link, which could lead anywhere (remove it)")
	case !fi.IsDir():
		return errors.New("it is not a folder (remove it)")
	case !ok:
		return errors.New("its owner is unknown")
	case int(st.Uid) != os.Getuid():
		return fmt.Errorf("it belongs to uid %d and you are %d (set XDG_RUNTIME_DIR to a folder of your own)", st.Uid, os.Getuid())
	case fi.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("its mode %#o lets others write to it (chmod 700 %s)", fi.Mode().Perm(), dir)
	}
	return nil
}

// checkPeer refuses the other end of a unix socket when another user runs it. Connections of other kinds, which only
// tests and relays make, have no user to check.
func checkPeer(conn net.Conn) error {
	uc, ok := conn.(*net.UnixConn)
	if !ok {
		return nil
	}
	uid, err := peerUID(uc)
	if err != nil {
		return fmt.Errorf("cannot tell who is at the other end of the socket: %w", err)
	}
	return judgeUID(uid, os.Getuid())
}

func judgeUID(peer, own int) error {
	if peer != own {
		return fmt.Errorf("the process at the other end of the socket belongs to uid %d; only uid %d may use this session", peer, own)
	}
	return nil
}
