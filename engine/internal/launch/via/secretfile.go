package via

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// hide writes the secret of all hosts into a file of ours, in a folder that only we may use, which hosts share. Whoever calls it
// removes the file.
func hide(spec *Spec) (path string, err error) {
	dir, err := secretFolder(spec)
	if err != nil {
		return "", fmt.Errorf("write the secret: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	sweep(dir, host)
	path = filepath.Join(dir, host+"."+strconv.Itoa(os.Getpid())+"."+newNonce())
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("write the secret: %w", err)
	}
	_, err = f.Write(spec.Secret(-1))
	if e := f.Close(); err == nil { // a full disk may be told only now
		err = e
	}
	if err != nil {
		_ = os.Remove(path)
		return "", fmt.Errorf("write the secret: %w; name another folder with dir=", err)
	}
	return path, nil
}

// secretFolder makes the folder: in dir=, else beside the programs.
func secretFolder(spec *Spec) (string, error) {
	base := spec.Options["shared"]
	if base == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("%w; name a folder that all hosts share with dir=", err)
		}
		base = cache
	}
	dir := filepath.Join(base, "monarch-tui", "secrets")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("%w; name another folder with dir=", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", errors.New(dir + " is no folder")
	}
	if err := private(info); err != nil {
		return "", fmt.Errorf("%s is not used: %w", dir, err)
	}
	return dir, nil
}

// sweep removes secrets that launchers on this machine have left behind which were killed.
func sweep(dir, host string) {
	left, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range left {
		rest, ours := strings.CutPrefix(e.Name(), host+".")
		pid, _, _ := strings.Cut(rest, ".")
		if n, err := strconv.Atoi(pid); ours && err == nil && !alive(n) {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}
