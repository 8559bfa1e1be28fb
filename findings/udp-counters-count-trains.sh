#!/usr/bin/env bash
# Linux: the kernel's UDP counters count system calls' worth of data, not datagrams, and what they count depends on an option
# of the socket that receives.
#
# Version   Linux with UDP_SEGMENT (4.18) and UDP_GRO (5.0); seen on 6.18. The program uses golang.org/x/sys 0.30.0.
# Guess     OutDatagrams and InDatagrams of /proc/net/snmp (nstat, netstat -su) count datagrams: after one send that
#           UDP_SEGMENT cuts into ten, both have grown by ten, whoever receives them, and without loss they are equal.
# Happens   OutDatagrams grows by 1. InDatagrams grows by 10 where the receiver has not asked for UDP_GRO, and by 1 where it
#           has: over loopback such a train stays whole until somebody asks for its parts.
# Matters   Packets per call, and loss as "sent less received", cannot be read from these counters where one side uses GSO or
#           GRO, as QUIC libraries do: monarch-tui counts in its carrier (trains and packets apart).
# Source    net/ipv4/udp.c: udp_send_skb counts once for each call of it, udp_queue_rcv_skb once for each part only where it has
#           to segment. udp(7) does not say.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
export GOPATH=$dir/go GOFLAGS=-modcacherw
cat > go.mod <<'MOD'
module counters
go 1.24
require golang.org/x/sys v0.30.0
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func counter(name string) int {
	b, err := os.ReadFile("/proc/net/snmp")
	if err != nil {
		panic(err)
	}
	var names []string
	for _, line := range strings.Split(string(b), "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != "Udp:" {
			continue
		}
		for i := range names {
			if names[i] == name {
				n, _ := strconv.Atoi(f[i])
				return n
			}
		}
		names = f
	}
	panic("no counter " + name)
}

func set(c *net.UDPConn, option, value int) {
	raw, err := c.SyscallConn()
	if err != nil {
		panic(err)
	}
	raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, option, value) })
	if err != nil {
		panic(err)
	}
}

func main() {
	for gro := range 2 {
		r, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			panic(err)
		}
		s, err := net.DialUDP("udp4", nil, r.LocalAddr().(*net.UDPAddr))
		if err != nil {
			panic(err)
		}
		set(r, unix.UDP_GRO, gro)
		set(s, unix.UDP_SEGMENT, 1000)
		in, out := counter("InDatagrams"), counter("OutDatagrams")
		s.Write(make([]byte, 10*1000))
		buf, bytes := make([]byte, 65536), 0
		r.SetReadDeadline(time.Now().Add(5 * time.Second))
		for bytes < 10*1000 {
			n, err := r.Read(buf)
			if err != nil {
				panic(err)
			}
			bytes += n
		}
		fmt.Printf("gro=%d out+%d in+%d; ", gro, counter("OutDatagrams")-out, counter("InDatagrams")-in)
	}
}
GO
go mod tidy >/dev/null 2>&1
go build -o counters .
seen=$(unshare -rn sh -c 'ip link set lo up; ./counters') # a network of its own: nobody else counts there
echo "$seen"
want='gro=0 out+1 in+10; gro=1 out+1 in+1; '
[ "$seen" = "$want" ] || { echo "this has changed; it was:"; echo "$want"; exit 1; }
