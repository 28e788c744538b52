#!/usr/bin/env python3
"""Promise 47: of 20 parallel starts one runs and 19 exit 5; a lock cannot outlive its holder."""
import os
import signal
import time

import support

STARTS = 20
ALREADY_RUNNING = 5


def main():
    checks = support.Checks()
    support.adopt_orphans()
    with support.scratch() as folder, support.memory_folder() as runtime:
        gate = folder / "gate"
        os.mkfifo(gate)
        job = support.Job(folder, runtime).write(f'type = "command"\nargv = ["cat", "{gate}"]')

        runs = [job.start() for _ in range(STARTS)]
        others_ended = support.wait_until(
            lambda: sum(run.poll() is not None for run in runs) >= STARTS - 1, 60)
        ended = [run.returncode for run in runs if run.poll() is not None]
        checks.that(others_ended and ended == [ALREADY_RUNNING] * (STARTS - 1),
                    "19 of 20 parallel starts exit 5", f"exit statuses {ended}")
        holder = next(run for run in runs if run.poll() is None)

        times = []
        for _ in range(3):
            began = time.monotonic()
            refused = job.run()
            times.append(time.monotonic() - began)
        checks.equal(refused.returncode, ALREADY_RUNNING, "a start beside a running one exits 5")
        checks.that(min(times) < 1, "it does so in less than a second", f"took {min(times):.2f} s")
        checks.that(f"pid {holder.pid}" in refused.stderr, "it says who is running", refused.stderr)

        gate.write_bytes(b"payload\n" * 1000)
        holder.communicate(timeout=60)
        checks.equal(holder.returncode, 0, "the one that runs ends well")
        checks.equal(len(job.objects()), 1, "one object was stored")

        killed = job.start()
        support.wait_until(lambda: any(name == "cat" for _, name in support.descendants(killed.pid)), 60)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        checks.equal(support.no_descendants_within(5), [], "its child does not outlive a killed run")
        job.empty_destination()
        next_run = job.start()
        gate.write_bytes(b"payload\n" * 1000)
        _, errors = next_run.communicate(timeout=60)
        checks.equal((next_run.returncode, errors), (0, b""), "after kill -9 the next start runs")
        for run in runs:
            run.communicate()
    checks.exit()


main()
