#!/usr/bin/env bash
# TAP::Harness (prove): a stream that calls itself TAP version 14 is a failure, though all its tests passed.
#
# Version   TAP::Harness 3.44, as Debian 12 ships it in perl-modules-5.36.
# Guess     TAP 14 was made so that readers of version 13 read it: prove shows "ok" for two passing tests, with a warning
#           about the version at most.
# Happens   The version line is a parse error, and a parse error fails the file: "we don't know about versions later than
#           13", Result: FAIL, exit 1. The same lines under "TAP version 13" pass, the escapes of version 14 included.
# Matters   monarch-tui's --format tap uses the escapes of version 14 (a backslash, then #), so that a text that a program
#           printed cannot become a SKIP or TODO directive; its first line has to stay at 13.
# Source    TAP::Parser::Grammar, the handler of the version token, and $MAX_TAP_VERSION there; testanything.org, TAP 14.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download perl-modules-5.36 >/dev/null 2>&1
dpkg-deb -x perl-modules-5.36_*.deb pkg
export PERL5LIB=$dir/pkg/usr/share/perl/5.36.0
version=$(perl -MTAP::Harness -e 'print TAP::Harness->VERSION')
try() { # VERSION
	printf 'TAP version %s\nok 1 - a \\# SKIP that is none\nok 2 - b\n1..2\n' "$1" > "$1.tap"
	perl -MTAP::Harness -e 'my $h = TAP::Harness->new({verbosity => -3, exec => ["cat"]}); my $r = $h->runtests(@ARGV);
		print $r->all_passed && !$r->parse_errors ? "passes" : "fails", "\n"' "$1.tap" 2>/dev/null | tail -1
}
seen="TAP::Harness $version: version 13 $(try 13), version 14 $(try 14)"
echo "$seen"
want='TAP::Harness 3.44: version 13 passes, version 14 fails'
[ "$seen" = "$want" ] || { echo "this has changed; it was:"; echo "$want"; exit 1; }
