"""What it takes with Monarch to have changed code on all ranks: the job is started anew. Prints the seconds from the start of the
interpreter until an actor on every rank has answered, and the same of a second actor mesh on processes that are there.

usage: cycle.py RANKS
"""

import sys
import time

begin = time.perf_counter()

from monarch.actor import Actor, endpoint, this_host  # noqa: E402


class Echo(Actor):
    @endpoint
    async def echo(self, value: int) -> int:
        return value


if __name__ == "__main__":
    ranks = int(sys.argv[1])
    procs = this_host().spawn_procs({"gpus": ranks})
    procs.spawn("echo", Echo).echo.call(1).get()
    print(f"{ranks} ranks: started anew in {time.perf_counter() - begin:.2f} s", flush=True)
    again = time.perf_counter()
    procs.spawn("again", Echo).echo.call(1).get()
    print(f"{ranks} ranks: another actor mesh on them in {time.perf_counter() - again:.2f} s", flush=True)
