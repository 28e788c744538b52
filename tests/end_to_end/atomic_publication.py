#!/usr/bin/env python3
"""Promises 10 and 11: a name is visible only when complete; a failing run spares what is there."""
import hashlib
import os
import threading

import support

RUNS = int(os.environ.get("RUNS", "20"))
POLL_SECONDS = 0.01


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Poller(threading.Thread):
    """Lists a destination all the time, and takes the digest of each name at its first sight."""

    def __init__(self, job):
        super().__init__(daemon=True)
        self.job, self.seen, self.hidden, self.looks = job, {}, set(), 0
        self.stop = threading.Event()

    def run(self):
        while not self.stop.wait(POLL_SECONDS):
            self.looks += 1
            for path in self.job.files():
                if path.name.startswith("."):
                    self.hidden.add(path)
                elif path not in self.seen:
                    self.seen[path] = digest(path)

    def end(self):
        self.stop.set()
        self.join()


def check_names_appear_complete(checks, folder, runtime, home):
    job = support.Job(folder / "appear", runtime).write()
    support.fill_folder(job.source, 12)
    early, statuses = [], []
    looks = 0
    for _ in range(RUNS):
        job.empty_destination()
        poller = Poller(job)
        poller.start()
        statuses.append(job.run().returncode)
        poller.end()
        looks += poller.looks
        early += [p for p, first in poller.seen.items() if digest(p) != first]
        early += sorted(poller.hidden)
    checks.equal(statuses, [0] * RUNS, f"{RUNS} watched runs exit 0")
    checks.that(looks > RUNS * 5, "the destination was looked at many times a run", f"{looks} times")
    checks.equal(early, [], f"in {looks} looks no name was seen before its object was complete")
    checks.that(support.restores_to(job.objects()[0], job.source, home), "the last one restores")


def check_failures_spare_the_old_object(checks, folder, runtime):
    """A command that gives a good megabyte and then fails in one way or another."""
    job = support.Job(folder / "spare", runtime)
    script = folder / "dump.sh"
    mebibyte = "head -c 1048576 /dev/zero"
    source = f'type = "command"\nargv = ["sh", "{script}"]'
    job.write(source, job='on_exists = "replace"')
    script.write_text(f"{mebibyte}\n")
    checks.equal(job.run().returncode, 0, "a good run stores the object")
    name = job.objects()[0]
    before = digest(name), name.stat().st_ino

    endings = ["exit 1", "exit 255", "kill -9 $$", "kill -1 $$", "kill -15 $$"]
    statuses = []
    for index in range(RUNS):
        script.write_text(f"{mebibyte}\n{endings[index % len(endings)]}\n")
        statuses.append(job.run().returncode)
    checks.equal(statuses, [1] * RUNS, f"{RUNS} dumps that die in {len(endings)} ways all exit 1")
    checks.equal((digest(name), name.stat().st_ino), before, "the object of before is untouched")
    checks.equal(job.strangers(), [], "no part of a failed one lies beside it")

    script.write_text(f"{mebibyte}\n")
    checks.equal(job.run().returncode, 0, "then a good run exits 0")
    checks.that(digest(name) != before[0], "and replaces it")
    checks.equal(job.strangers(), [], "leaving nothing beside it")


def main():
    checks = support.Checks()
    with support.scratch() as folder, support.memory_folder() as runtime, support.gpg_home() as home:
        check_names_appear_complete(checks, folder, runtime, home)
        check_failures_spare_the_old_object(checks, folder, runtime)
    checks.exit()


main()
