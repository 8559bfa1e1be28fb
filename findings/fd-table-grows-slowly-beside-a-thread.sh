#!/usr/bin/env bash
# Linux: in a process with two threads the descriptor that does not fit into its table any more takes milliseconds to open; with one thread
# it takes none.
#
# Version   Linux 6.18 with Python 3.10 or later to ask it.
# Guess     dup, pipe or socket take the lowest free number and cost a microsecond or two; where the table of a process has to grow, a copy of
#           a few KiB is added to that once.
# Happens   Growing waits for a grace period of RCU where the table is shared, which it is as soon as there is a second thread, even one that
#           does nothing: 7 to 24 ms here, each time that the table doubles (at 256, 512, 1,024 …), and whatever else needs a descriptor that
#           does not fit waits with it. A table that has grown stays so: a descriptor that is made high once, by fcntl(F_DUPFD), and closed
#           at once, has the next hundreds cost nothing.
# Matters   64 workers take 700 descriptors in their controller while they start. It stood still two to four times on the way, a tenth of the
#           whole start; it makes room beforehand now, all at once (engine/internal/host: RoomForFiles).
# Source    fs/file.c of Linux, expand_fdtable: synchronize_rcu where files->count > 1. Neither dup(2) nor getrlimit(2) speaks of it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat > "$dir/ask.py" <<'X'
import fcntl, os, sys, threading, time

def slow():
    """The descriptors up to 600 that took over half a millisecond, and are the first of a power of two."""
    kept, out = [], []
    while not kept or kept[-1] < 600:
        begin = time.perf_counter()
        kept.append(os.dup(2))
        if time.perf_counter() - begin > 500e-6 and kept[-1] & (kept[-1] - 1) == 0:
            out.append(kept[-1])
    for fd in kept:
        os.close(fd)
    return out

if "thread" in sys.argv:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
if "room" in sys.argv:
    os.close(fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, 1000))
print(*[fd for fd in slow() if fd >= 256] or ["none"])
X
uname -sr
ask() { # slow descriptors, of those from 256 on: a process begins with a table of 64 to 256
	echo "$1: $(python3 "$dir/ask.py" "${@:2}")"
}
want="one thread: none
two threads: 256 512
two threads, and a high descriptor beforehand: none"
got=$(ask "one thread"; ask "two threads" thread; ask "two threads, and a high descriptor beforehand" thread room)
printf '%s\n' "$got"
[ "$got" = "$want" ] || { echo "this has changed; wanted:" >&2; printf '%s\n' "$want" >&2; exit 1; }
