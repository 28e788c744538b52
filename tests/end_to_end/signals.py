#!/usr/bin/env python3
"""Promise 23: SIGTERM and SIGINT at any moment end a run within 10 s, cleanly."""
import os
import random
import signal
import time

import support

MOMENTS = int(os.environ.get("MOMENTS", "100"))
LIMIT = 10


def main():
    checks = support.Checks()
    support.adopt_orphans()
    with support.scratch() as folder, support.memory_folder() as runtime, support.gpg_home() as home:
        job = support.Job(folder, runtime).write()
        support.fill_folder(job.source, 24)
        began = time.monotonic()
        checks.equal(job.run().returncode, 0, "an undisturbed run exits 0")
        whole = time.monotonic() - began

        moments = random.Random(23)
        wrong, slow, left, alive, stopped = [], [], [], [], 0
        for index in range(MOMENTS):
            number = (signal.SIGTERM, signal.SIGINT)[index % 2]
            job.empty_destination()
            run = job.start()
            time.sleep(moments.uniform(0, whole))
            run.send_signal(number)
            sent = time.monotonic()
            _, errors = run.communicate(timeout=60)
            slow += [t for t in [time.monotonic() - sent] if t > LIMIT]
            alive += support.descendants(os.getpid())
            objects = job.objects()
            # Before it listens to signals it dies of them: the same status to a shell, nothing begun.
            if run.returncode in (128 + number, -number):
                stopped += 1
                left += [p for p in objects if not support.restores_to(p, job.source, home)]
                left += [*job.strangers(), *runtime.iterdir()]
            elif run.returncode != 0 or len(objects) != 1:
                wrong.append((number.name, run.returncode, errors))

        checks.that(stopped >= MOMENTS // 2, f"at least half of {MOMENTS} signals hit a running program",
                    f"only {stopped} did")
        checks.equal(wrong, [], "a stopped run exits 143 or 130, a finished one 0")
        checks.equal(slow, [], f"every one of {MOMENTS} ended within {LIMIT} s")
        checks.equal(left, [], "a stopped run leaves nothing, or an object that is complete")
        checks.equal(alive, [], "no child outlives a stopped run")

        job.empty_destination()
        checks.equal(job.run().returncode, 0, "the next run works")
        checks.that(support.restores_to(job.objects()[0], job.source, home), "and restores to the source")
    checks.exit()


main()
