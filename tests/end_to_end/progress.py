#!/usr/bin/env python3
"""run --progress: drawn on a terminal, printed as JSON, or silent."""
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios

import support


def on_a_terminal(job, columns):
    """Everything that a run draws, and its status; the terminal gets narrower half-way."""
    pid, screen = pty.fork()
    if pid == 0:
        os.environ.update(job.environment(), TERM="xterm")
        os.execv(job.program, [job.program, "run", str(job.file)])
    drawn = b""
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    while True:
        select.select([screen], [], [], 60)
        try:
            block = os.read(screen, 65536)
        except OSError:
            break
        if not block:
            break
        drawn += block
    return drawn.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main():
    checks = support.Checks()
    with support.scratch() as folder, support.memory_folder() as runtime:
        job = support.Job(folder, runtime)
        support.fill_folder(job.source, 20)
        job.write(job='[filter.slow]\ntype = "rate_limit"\nrate = "4MiB"', pipeline='["slow", "gpg"]')

        drawn, status = on_a_terminal(job, 100)
        frames = re.findall(r"\x1b\[(\d+)A", drawn)
        checks.equal(status, 0, "a run on a terminal exits 0")
        checks.that(len(frames) >= 2, "it is drawn several times, each over the last one", drawn[-500:])
        checks.that("\x1b[2J" not in drawn and "\x1b[?25l" not in drawn,
                    "neither the screen is cleared nor the cursor hidden")
        checks.that("\n> slow" in drawn, "it names the stage that limits", drawn[:500])
        view, _, tail = drawn.rpartition("\x1b[J")
        checks.that(tail.startswith("e2e: 1 of 1 source stored"), "it leaves nothing but the summary", tail)
        checks.that("limited by slow" in tail, "the summary says what limited it", tail)
        checks.that(all(len(line) <= 100 for line in re.sub(r"\x1b\[[0-9]*[A-Z]", "", view).split("\r\n")),
                    "no line is wider than the terminal")

        job.empty_destination()
        run = subprocess.run(job.argv("--progress", "json"), env=job.environment(), capture_output=True,
                             text=True, timeout=120, check=False)
        lines = [json.loads(line) for line in run.stderr.splitlines()]
        checks.that(len(lines) >= 2, "json gives an object a second", run.stderr)
        checks.that(all(line["source"] == "data" and line["stages"] for line in lines),
                    "each object names the source and its stages")
        checks.that("remaining_s" in lines[0], "it says when it will end, by the last run's size", run.stderr)

        job.empty_destination()
        quiet = subprocess.run(job.argv(), env=job.environment(), capture_output=True, text=True,
                               timeout=120, check=False)
        checks.equal((quiet.returncode, quiet.stdout, quiet.stderr), (0, "", ""),
                     "a run that nobody watches is silent")
    checks.exit()


if __name__ == "__main__":
    main()
