#!/usr/bin/env bash
# tmux: a pane's own process cannot be stopped. SIGSTOP is answered with SIGCONT; what the pane's shell has started stays stopped.
#
# Version   tmux 3.3a (Debian 12, package tmux).
# Guess     SIGSTOP cannot be caught, so a process that gets it stands still until somebody who means it sends SIGCONT: in a terminal
#           multiplexer as in any terminal. To see what a debugger or a front end makes of a program that stands, stop it in a pane.
# Happens   The process that a pane was started with (tmux new-session COMMAND) goes on within milliseconds, as if nothing had been
#           sent, and nothing is said of it. The same program, started by a shell in the pane, stands as asked.
# Matters   monarch-tui tells paused processes and sessions from those that run, and its screens are tried in tmux. A session under a
#           pane of its own, stopped with kill -STOP, was listed as running: the list was right, and the trial was wrong. Such a trial
#           is made below a shell, or in a terminal without a multiplexer.
# Source    tmux server.c, server_child_stopped: a child that waitpid(2) reports as stopped is sent SIGCONT, unless it was stopped by
#           SIGTTIN or SIGTTOU. The manual does not tell.
set -euo pipefail
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || "${tmux[@]}" kill-server 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get download tmux libevent-core-2.1-7 libutempter0 libtinfo6 >/dev/null 2>&1
for p in *.deb; do dpkg -x "$p" root; done
here=$(uname -m)-linux-gnu
export LD_LIBRARY_PATH=$dir/root/usr/lib/$here:$dir/root/lib/$here TERM=xterm LC_ALL=C.UTF-8
tmux=("$dir/root/usr/bin/tmux" -S "$dir/socket" -f /dev/null)
"${tmux[@]}" -V

# state gives the state of a process that was sent SIGSTOP, as /proc has it, once a second has passed.
state() {
	kill -STOP "$1"
	sleep 1
	sed 's/.*) \(.\).*/\1/' "/proc/$1/stat"
}
server=yes
"${tmux[@]}" new-session -d -s own "exec sleep 60"
own=$("${tmux[@]}" list-panes -t own -F '#{pane_pid}')
"${tmux[@]}" new-session -d -s shell "sleep 60 & echo \$! > child; mv child pid; wait"
until [ -e pid ]; do sleep 0.05; done
below=$(cat pid)
a=$(state "$own") b=$(state "$below")
echo "a second after SIGSTOP: the pane's own process is in state $a, the one below its shell in state $b (S sleeps, T is stopped)"
[ "$a" = S ] && [ "$b" = T ] || { echo "that has changed"; exit 1; }
