package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
)

func withoutTerminal(*exec.Cmd) {}

// socketPair cannot be had: a child cannot inherit a connection here.
func socketPair() (net.Conn, *os.File, error) {
	return nil, nil, errors.New("-p and --via need a socket that a child inherits, which Windows does not have")
}
