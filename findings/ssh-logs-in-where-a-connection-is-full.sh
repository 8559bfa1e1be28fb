#!/usr/bin/env bash
# OpenSSH: a client whose shared connection has no place for one more session does not fail. It logs in by itself, and ends with 0.
#
# Version   OpenSSH 9.2p1, as Debian 12 ships it, client and server; the server has MaxSessions 1.
# Guess     A client that is told to use a control socket, and may not make one (ControlMaster=no), goes through the connection behind it or
#           fails: the server has refused the session, and that is the answer. Whoever shares connections must count sessions (10 by default).
# Happens   The client says "Session open refused by peer" on stderr, makes a connection of its own, authenticates, and runs
#           there: its exit status and its output are those of the command. Of the refusal nothing is left but the line. With keys that
#           is invisible; where a login asks for something it asks now, and not when the connection was made.
# Matters   A session of monarch-tui keeps a connection to each host and starts everything there through it. It need not count its
#           sessions or know the server's limit: what finds no place pays for a login. But stderr of an agent may begin with words that look
#           like a failure, and how many logins there were is only known to the server.
# Source    ssh_config(5), ControlMaster and ControlPath, and sshd_config(5), MaxSessions, say nothing of it. In OpenSSH's mux.c the
#           request for a session returns an error, and muxclient then returns to the code in ssh.c that connects.
set -euo pipefail
dir=$(mktemp -d)
trap 'exec 7>&-; wait; rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get download openssh-client=1:9.2p1-2+deb12u10 openssh-server=1:9.2p1-2+deb12u10 >/dev/null 2>&1
for d in *.deb; do dpkg-deb -x "$d" pkg; done
if [ "$(id -u)" = 0 ]; then # as root a server wants an account and a folder of its own
	getent passwd sshd >/dev/null || { echo "as root this needs the account sshd, which openssh-server makes" >&2; exit 2; }
	mkdir -p /run/sshd
fi
ssh=$dir/pkg/usr/bin/ssh
for k in host user; do "$dir/pkg/usr/bin/ssh-keygen" -q -t ed25519 -N '' -f $k; done
cat > sshd_config <<X
HostKey $dir/host
AuthorizedKeysFile $dir/user.pub
StrictModes no
UsePAM no
PidFile none
PermitRootLogin yes
MaxSessions 1
Subsystem sftp internal-sftp
X
# A connection is a server of its own, which leaves a line in the file logins.
printf '#!/bin/sh\necho x >>%s/logins\nexec %s/pkg/usr/sbin/sshd -i -f %s/sshd_config 2>/dev/null\n' "$dir" "$dir" "$dir" > server
chmod 755 server
to=("$ssh" -F none -i "$dir/user" -l "$(id -un)" -o BatchMode=yes -o IdentityAgent=none -o StrictHostKeyChecking=no -o LogLevel=ERROR
	-o UserKnownHostsFile=/dev/null -o KexAlgorithms=curve25519-sha256 -o "ProxyCommand=$dir/server" -S "$dir/s")
mkfifo hold
"${to[@]}" -M somehost -s sftp <hold >/dev/null 2>&1 & # the shared connection, and the one session that it may have
exec 7>hold
for _ in $(seq 100); do [ -S s ] && break; sleep .1; done
before=$(wc -l <logins)
code=0
"${to[@]}" -o ControlMaster=no somehost -s sftp </dev/null >/dev/null 2>said || code=$?
after=$(wc -l <logins)
"$ssh" -V 2>&1 | sed 's/,.*//'
echo "logins before: $before; the second client ended with $code; logins after: $after"
cat said
[ "$before" = 1 ] && [ "$code" = 0 ] && [ "$after" = 2 ] && grep -q 'Session open refused by peer' said || { echo "this has changed" >&2; exit 1; }
