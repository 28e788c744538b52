#!/usr/bin/env python3
"""Promises 12 and 14: kill -9 at any moment leaves no partial object, no file, no child."""
import os
import random
import signal
import time

import support

KILLS = int(os.environ.get("KILLS", "50"))


def main():
    checks = support.Checks()
    support.adopt_orphans()
    with support.scratch() as folder, support.memory_folder() as runtime, support.gpg_home() as home:
        job = support.Job(folder, runtime).write()
        support.fill_folder(job.source, 24)

        began = time.monotonic()
        first = job.run()
        whole = time.monotonic() - began
        checks.equal(first.returncode, 0, "an undisturbed run exits 0")

        moments = random.Random(12)
        partial, strange, alive, not_again, killed = [], [], [], [], 0
        for _ in range(KILLS):
            job.empty_destination()
            run = job.start()
            time.sleep(moments.uniform(0, whole))
            run.send_signal(signal.SIGKILL)
            run.communicate()
            killed += run.returncode == -signal.SIGKILL
            alive += support.no_descendants_within(5)
            objects = job.objects()
            partial += [p for p in objects if not support.restores_to(p, job.source, home)]
            strange += job.strangers()
            job.empty_destination()
            again = job.run()
            if again.returncode != 0 or len(job.objects()) != 1:
                not_again.append((again.returncode, again.stderr))

        checks.that(killed >= KILLS // 2, f"at least half of {KILLS} kills hit a running program",
                    f"only {killed} did")
        checks.equal(partial, [], f"after {killed} kills every visible object is complete")
        checks.equal(strange, [], f"after {killed} kills nothing but objects lies in the destination")
        checks.equal(alive, [], f"after {killed} kills no child lives on for 5 s")
        checks.equal(not_again, [], "the next run works and exits 0, every time")
        checks.that(support.restores_to(job.objects()[0], job.source, home),
                    "what the last run stored restores to the source")
        checks.equal(sorted(runtime.iterdir()), [], "the next run sweeps the private gpg folders")
    checks.exit()


main()
