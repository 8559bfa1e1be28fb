"""Monarch's half of the comparison: the same calls on Python actors. Prints a JSON object per measurement.

usage: bench.py RANKS SECONDS
"""

import collections
import json
import os
import statistics
import sys
import time

from monarch.actor import Actor, endpoint, this_host

PAYLOAD = b"sixteen bytes ok"


class Echo(Actor):
    @endpoint
    async def echo(self, value: bytes) -> bytes:
        return value

    @endpoint
    async def private_mib(self) -> float:
        with open("/proc/self/smaps_rollup") as f:
            return sum(int(line.split()[1]) for line in f if line.startswith("Private_")) / 1024

    @endpoint
    async def cpu(self) -> float:
        return sum(os.times()[:2])


def tell(what, **figures):
    print(json.dumps({"peer": "Monarch", "what": what, **figures}), flush=True)


def quantiles(took):
    took.sort()
    return {"p50_us": took[len(took) // 2] * 1e6, "p99_us": took[len(took) * 99 // 100] * 1e6}


def timed(call, seconds):
    """One call at a time for that long, after a quarter of it to get warm."""
    end = time.perf_counter() + seconds / 4
    while time.perf_counter() < end:
        call()
    took, last = [], time.perf_counter()
    end = last + seconds
    while last < end:
        call()
        now = time.perf_counter()
        took.append(now - last)
        last = now
    return took


def flood(echo, in_flight, seconds):
    """As many calls in flight all the time; the oldest is waited for first. At least four rounds, so that filling is not all."""
    pending = collections.deque()
    took, begin = [], time.perf_counter()
    end = begin + seconds
    while time.perf_counter() < end or len(took) < 4 * in_flight:
        while len(pending) < in_flight:
            pending.append((echo.call_one(PAYLOAD), time.perf_counter()))
        future, at = pending.popleft()
        future.get()
        took.append(time.perf_counter() - at)
    wall = time.perf_counter() - begin
    while pending:
        pending.popleft()[0].get()
    return took, wall


def main():
    ranks, seconds = int(sys.argv[1]), float(sys.argv[2])
    host = this_host()
    begin = time.perf_counter()
    many = host.spawn_procs(per_host={"ranks": ranks}).spawn("many", Echo)
    many.echo.call(PAYLOAD).get()
    spawned = time.perf_counter() - begin
    tell("call on all ranks", **quantiles(timed(lambda: many.echo.call(PAYLOAD).get(), seconds)))
    private = [value for _, value in many.private_mib.call().get().items()]
    tell("start-up", seconds=spawned, idle_mib=statistics.median(private))
    one = host.spawn_procs(per_host={"ranks": 1}).spawn("one", Echo)
    one.echo.call_one(PAYLOAD).get()

    def cpu():
        return sum(os.times()[:2]) + one.cpu.call_one().get()

    before = cpu()
    took = timed(lambda: one.echo.call_one(PAYLOAD).get(), seconds)
    used = cpu() - before
    tell("round trip", rate=len(took) / sum(took), cpu_us=used * 1e6 / (len(took) * 1.25), **quantiles(took))
    for in_flight in (64, 1024):
        before = cpu()
        took, wall = flood(one.echo, in_flight, max(seconds, 1.0))
        used = cpu() - before
        tell(f"{in_flight} in flight", rate=len(took) / wall, cpu_us=used * 1e6 / (len(took) + in_flight), **quantiles(took))


if __name__ == "__main__":
    main()
    os._exit(0)  # its own way to exit waits for what has ended and then aborts
