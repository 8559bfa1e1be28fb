package main

import (
	"errors"
	"net"
	"os"
)

// socketPair cannot be had: a child cannot inherit a connection here.
func socketPair() (net.Conn, *os.File, error) {
	return nil, nil, errors.New("-p needs an inherited socket, which Windows does not have: run the program, and attach to it where that is possible")
}
