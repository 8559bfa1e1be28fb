package carrier

import (
	"net"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// addrs makes net addresses of the kernel's. Many packets come from few peers, so the last ones are kept.
type addrs struct {
	last *net.UDPAddr // of the train that is here; never written again
	kept [64]struct { // by hash: who comes later takes the place
		raw  unix.RawSockaddrInet6
		addr *net.UDPAddr
	}
	zones map[uint32]string
}

// maxZones is more interfaces than a machine has; then they are looked up anew.
const maxZones = 64

// set makes last the address in raw, of n bytes. False means that it is none of UDP.
func (a *addrs) set(raw *unix.RawSockaddrInet6, n int) bool {
	key := *raw
	switch {
	case n >= unix.SizeofSockaddrInet6 && raw.Family == unix.AF_INET6:
		key.Flowinfo = 0
	case n >= unix.SizeofSockaddrInet4 && raw.Family == unix.AF_INET: // shorter: the rest is an older address
		key.Addr, key.Scope_id = [16]byte{}, 0
	default:
		return false
	}
	at := &a.kept[hash(&key)]
	if at.addr == nil || at.raw != key {
		at.raw, at.addr = key, a.read(&key)
	}
	a.last = at.addr
	return true
}

func hash(raw *unix.RawSockaddrInet6) uint16 {
	return (raw.Port ^ raw.Port>>8 ^ uint16(raw.Addr[15]) ^ uint16(raw.Flowinfo>>24)) % 64
}

// read makes an address as the standard library does: four bytes for an AF_INET socket, else sixteen.
func (a *addrs) read(raw *unix.RawSockaddrInet6) *net.UDPAddr {
	port := int(swapped(raw.Port))
	if raw.Family == unix.AF_INET {
		ip := (*unix.RawSockaddrInet4)(unsafe.Pointer(raw)).Addr //nolint:gosec // it is one, by its family, and shorter
		return &net.UDPAddr{IP: ip[:], Port: port}
	}
	ip := raw.Addr
	return &net.UDPAddr{IP: ip[:], Port: port, Zone: a.zone(raw.Scope_id)}
}

// zone is the name of an interface, or its number where it has none.
func (a *addrs) zone(id uint32) string {
	if id == 0 {
		return ""
	}
	if name, ok := a.zones[id]; ok {
		return name
	}
	name := strconv.Itoa(int(id))
	if i, err := net.InterfaceByIndex(int(id)); err == nil {
		name = i.Name
	}
	if a.zones == nil || len(a.zones) >= maxZones {
		a.zones = map[uint32]string{}
	}
	a.zones[id] = name
	return name
}

// swapped turns a port from the network's order of bytes into the machine's, or back.
func swapped(port uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(&port)) //nolint:gosec // a uint16 is two bytes
	return uint16(b[0])<<8 | uint16(b[1])
}
