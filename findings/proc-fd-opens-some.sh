#!/usr/bin/env bash
# Linux: of the descriptors that /proc/PID/fd lists, memory and pipes can be opened by another process; an eventfd, which is made to wake
# others, cannot, and neither can an epoll or a socket.
#
# Version   Linux 6.18 with Python 3.10 or later to ask it.
# Guess     The links are magic: they lead to the open file itself, not to its name, which is why deleted files, memfds and pipes open. So
#           two processes of a user can share anything that way, with no socket to pass descriptors over; an eventfd is the natural bell
#           beside shared memory.
# Happens   open(2) of an eventfd, an epoll or a socket fails with ENXIO, "No such device or address": what is opened is the
#           inode, and theirs has no open. A memfd opens and is the same memory. A pipe opens too, but as a file description of its
#           own: O_NONBLOCK that one side sets is not set for the other, where dup(2) or a passed descriptor would share it.
# Matters   Processes of monarch-tui on one machine share memory whose descriptors are found under /proc (quicnet/shm). Their bells are pipes
#           for this reason, two descriptors where an eventfd would be one; and a bell that is opened so can block or not as each side likes.
# Source    proc(5), /proc/pid/fd, shows the links and does not say which can be opened. fs/libfs.c and fs/inode.c of Linux: anonymous
#           inodes get no_open, which returns ENXIO.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat > "$dir/ask.py" <<'X'
import errno, fcntl, os, select, socket, sys

def blocks(fd):
    return not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK

memory = os.memfd_create("m")
os.write(memory, b"the same")
r, w = os.pipe()
os.set_blocking(r, False)
epoll, pair = select.epoll(), socket.socketpair()
kinds = [("memfd", memory), ("pipe", r), ("eventfd", os.eventfd(0)), ("epoll", epoll.fileno()), ("socket", pair[0].fileno())]
pid = os.getpid()
sys.stdout.flush()
if os.fork() == 0:
    os.closerange(3, 64)  # nothing is inherited
    for name, fd in kinds:
        try:
            got = os.open(f"/proc/{pid}/fd/{fd}", os.O_RDONLY)
        except OSError as e:
            print(f"{name}: {errno.errorcode[e.errno]}")
            continue
        if name == "memfd":
            print(f"{name}: opens, and holds {os.pread(got, 20, 0).decode()!r}")
        else:
            print(f"{name}: opens, and {'blocks' if blocks(got) else 'does not block'}, where the other side's does not")
    sys.stdout.flush()
    os._exit(0)
os.wait()
X
want="memfd: opens, and holds 'the same'
pipe: opens, and blocks, where the other side's does not
eventfd: ENXIO
epoll: ENXIO
socket: ENXIO"
got=$(python3 "$dir/ask.py")
uname -sr
printf '%s\n' "$got"
[ "$got" = "$want" ] || { echo "this has changed; wanted:" >&2; printf '%s\n' "$want" >&2; exit 1; }
