#!/usr/bin/env bash
# OpenSSH: most of the CPU time that a login of OpenSSH 9.2 takes is its default key exchange.
#
# Version   OpenSSH 9.2p1, as Debian 12 ships it, client and server.
# Guess     A login is dear because of processes, accounts and shells; its key exchange is a millisecond or two of each side, whichever it
#           is, as in TLS. A launcher that logs in on many hosts at once waits for the network and for them, not for itself.
# Happens   sntrup761x25519, the default since 9.0, takes about seven times the CPU of curve25519: some 90 milliseconds more for each login
#           of both sides together. Who logs in on 64 hosts at once spends seconds, most of them here.
# Matters   A session of monarch-tui logs in to each host for the first mesh there. On two cores four logins took as long as 64 workers. OpenSSH
#           10.0, whose default is mlkem768x25519, does the same start in two thirds of the time; later meshes, over the connections that are kept, do
#           without. We leave the choice to the person's configuration, and README says what to look at.
# Source    ssh_config(5), KexAlgorithms, gives the order of the defaults and no costs. The release notes of 9.0 name the reason for
#           sntrup761, those of 10.0 that mlkem768 is preferred and faster.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get download openssh-client=1:9.2p1-2+deb12u10 openssh-server=1:9.2p1-2+deb12u10 >/dev/null 2>&1
for d in *.deb; do dpkg-deb -x "$d" pkg; done
as=()
if [ "$(id -u)" = 0 ]; then # sshd wants an account of its own from root, and none from others
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	chown 65534 .
fi
ssh=$dir/pkg/usr/bin/ssh sshd=$dir/pkg/usr/sbin/sshd
"${as[@]}" "$dir/pkg/usr/bin/ssh-keygen" -q -t ed25519 -N '' -f host
printf 'HostKey %s/host\nUsePAM no\nPidFile none\nAuthenticationMethods none\nPermitEmptyPasswords no\n' "$dir" > sshd_config

# costs is the CPU time of ten logins, up to where they are refused, with a key exchange: both sides, in milliseconds.
costs() {
	local t
	t=$( {
		TIMEFORMAT='%U %S'
		time for _ in 1 2 3 4 5 6 7 8 9 10; do
			"${as[@]}" "$ssh" -F none -o BatchMode=yes -o IdentityAgent=none -o PreferredAuthentications=publickey -o StrictHostKeyChecking=no \
				-o UserKnownHostsFile=/dev/null -o "KexAlgorithms=$1" -o "ProxyCommand=$sshd -i -f $dir/sshd_config" somebody@host true >/dev/null 2>seen || true
		done
	} 2>&1 )
	awk '{ print int(1000 * ($1 + $2)) }' <<<"$t"
}
slow=$(costs sntrup761x25519-sha512@openssh.com) quick=$(costs curve25519-sha256)
grep -q 'Permission denied\|Too many\|closed' seen || { cat seen >&2; exit 1; }
"$ssh" -V 2>&1 | sed 's/,.*//'
echo "ten key exchanges: sntrup761x25519 $slow ms of CPU, curve25519 $quick ms"
[ "$slow" -gt $((2 * quick)) ] || { echo "this has changed: it was more than twice as much" >&2; exit 1; }
