#!/usr/bin/env bash
# Linux: beside a process that computes, giving the CPU away with sched_yield costs more than sleeping does.
#
# Version   Linux with the EEVDF scheduler (6.6 and later); seen on 6.18, x86-64.
# Guess     sched_yield is the cheap way to let others run and nanosleep the dear one: a sleep of 50 µs comes back after 50 µs,
#           its timer slack and two switches at best, a yield sooner.
# Happens   Most yields come back within microseconds, because who yields is chosen again, and four of ten give away a whole
#           slice: 3.7 ms. A sleep of 50 µs always comes back after 0.11 ms, because who wakes with little used goes before who
#           has computed all along. On average the yield costs twelve times as much, and its p90 thirty times.
# Matters   A thread that polls a socket and yields in between, as monarch-tui's carrier did at first, loses milliseconds
#           whenever somebody else needs its CPU: it made 0.4 thousand calls a second so, and 14 thousand without the yields. It
#           watches for that now and parks.
# Source    kernel/sched/fair.c: yield_task_fair pushes the deadline of who yields by a slice, and it is chosen again as long as
#           it is eligible; sched(7) and sched_yield(2) speak of the queue for its static priority only.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > yield.c <<'C'
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
enum { N = 400 };
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e6 + t.tv_nsec / 1e3; }
static int order(const void *a, const void *b) { double x = *(double *)a, y = *(double *)b; return (x > y) - (x < y); }
static void work(double us) { double end = now() + us; while (now() < end) ; }
int main(void) {
	cpu_set_t one; CPU_ZERO(&one); CPU_SET(sched_getcpu(), &one); sched_setaffinity(0, sizeof one, &one);
	pid_t burner = fork();
	if (burner == 0) for (;;) ;
	static double yield[N], sleeps[N];
	for (int i = 0; i < N; i++) {
		double t = now(); sched_yield(); yield[i] = now() - t; work(20);
		struct timespec d = {0, 50000};
		t = now(); nanosleep(&d, NULL); sleeps[i] = now() - t; work(20);
	}
	kill(burner, SIGKILL); waitpid(burner, NULL, 0);
	qsort(yield, N, sizeof *yield, order); qsort(sleeps, N, sizeof *sleeps, order);
	double y = 0, s = 0;
	for (int i = 0; i < N; i++) y += yield[i] / N, s += sleeps[i] / N;
	fprintf(stderr, "yield: p50 %.0f, p90 %.0f, mean %.0f µs; sleep of 50: p50 %.0f, p90 %.0f, mean %.0f µs\n", yield[N / 2], yield[N * 9 / 10], y, sleeps[N / 2], sleeps[N * 9 / 10], s);
	printf("median: the %s is shorter; p90: the %s is; mean: the %s is\n", yield[N / 2] < sleeps[N / 2] ? "yield" : "sleep",
		yield[N * 9 / 10] < sleeps[N * 9 / 10] ? "yield" : "sleep", y < s ? "yield" : "sleep");
}
C
gcc -O2 -o yield yield.c
seen=$(./yield)
echo "$seen"
want='median: the yield is shorter; p90: the sleep is; mean: the sleep is'
[ "$seen" = "$want" ] || { echo "this has changed; it was:"; echo "$want"; exit 1; }
