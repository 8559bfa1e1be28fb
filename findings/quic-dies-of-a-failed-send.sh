#!/usr/bin/env bash
# quic-go: a send that fails for a moment ends a connection at once; packets that vanish for longer do not.
#
# Version   github.com/quic-go/quic-go v0.65.0 on Linux.
# Guess     A send that fails because the network is away for a moment is the mildest of all losses: the sender knows of it, QUIC sends
#           again what is not acknowledged, and idle time is counted in seconds. So half a second with the interface down costs half a
#           second, and less than two seconds in which packets vanish without a word.
# Happens   The other way round. Two seconds of silence cost two seconds, and the connection goes on. The first send that fails with
#           ENETUNREACH closes the connection within the millisecond, for good, with the operating system's error as its reason.
# Matters   A laptop that changes its network, a DHCP lease that is renewed, a bond that fails over: each would end every link of a mesh,
#           although all would work again a moment later. monarch-tui's quicnet wraps the socket and takes such errors for lost packets.
# Source    connection.go: the run loop closes the connection with what the send queue returns, whatever it is; issue 2809 asks for less.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir" && rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'M'
module finding

go 1.26.0

require github.com/quic-go/quic-go v0.65.0
M
cat > main.go <<'G'
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"os/exec"
	"time"

	"github.com/quic-go/quic-go"
)

func sh(line string) {
	if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil {
		panic(fmt.Sprint(line, ": ", err, ": ", string(out)))
	}
}

// echo opens a connection with a stream that comes back.
func echo() (*quic.Conn, *quic.Stream) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, _ := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	ln, err := quic.ListenAddr("127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"x"}}, nil)
	if err != nil {
		panic(err)
	}
	go func() {
		c, err := ln.Accept(context.Background())
		if err != nil {
			return
		}
		s, err := c.AcceptStream(context.Background())
		if err == nil {
			_, _ = io.Copy(s, s)
		}
	}()
	c, err := quic.DialAddr(context.Background(), ln.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"x"}}, nil)
	if err != nil {
		panic(err)
	}
	s, err := c.OpenStreamSync(context.Background())
	if err != nil {
		panic(err)
	}
	ping(s)
	return c, s
}

func ping(s *quic.Stream) error {
	if _, err := s.Write([]byte("x")); err != nil {
		return err
	}
	_, err := io.ReadFull(s, make([]byte, 1))
	return err
}

func try(what, begin, end string, d time.Duration) {
	c, s := echo()
	time.Sleep(200 * time.Millisecond)
	sh(begin)
	began := time.Now()
	back := time.AfterFunc(d, func() { sh(end) })
	err := ping(s)
	took := time.Since(began)
	if back.Stop() {
		sh(end)
	}
	if err != nil {
		fmt.Printf("%s: the connection ended before the network came back: %v, with %q\n", what, took < d/2, context.Cause(c.Context()))
		return
	}
	fmt.Printf("%s: the connection goes on after %v or more: %v\n", what, d, took >= d && took < d+3*time.Second)
}

func main() {
	try("packets vanish for 2s", "tc qdisc add dev lo root pfifo limit 0", "tc qdisc del dev lo root", 2*time.Second)
	try("sends fail for 500ms", "ip addr del 127.0.0.1/8 dev lo", "ip addr add 127.0.0.1/8 dev lo", 500*time.Millisecond)
}
G
go mod tidy >tidy.log 2>&1 || { cat tidy.log >&2; exit 1; }
go build -o finding .
want='packets vanish for 2s: the connection goes on after 2s or more: true
sends fail for 500ms: the connection ended before the network came back: true, with "write udp: sendmsg: network is unreachable"'
# The ports and the kind of the error stand in the reason; what they are does not matter.
got=$(QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING=true unshare -rn sh -c 'ip link set lo up && ./finding' | sed -E 's/(write udp) [^ ]+: /\1: /; s/->[0-9.:]+//')
printf '%s\n' "$got"
[ "$got" = "$want" ] || { echo "this has changed; wanted:" >&2; printf '%s\n' "$want" >&2; exit 1; }
