#!/usr/bin/env python3
"""Promise 38: file names that attack tar or a shell are backed up, and none is executed."""
import os
import re
import shutil

import support

CANARY = "canary-was-run"
EVIL = [
    b"--checkpoint=1", b"--checkpoint-action=exec=touch canary-was-run", b"-rf", b"--", b"-",
    b"--to-command=touch canary-was-run", b"--use-compress-program=touch", b"--exclude=*", b"@list",
    b"new\nline", b"tab\tand\rreturn", b" leading and trailing ", b"'single'", b'"double"',
    b"$(touch canary-was-run)", b"`touch canary-was-run`", b"; touch canary-was-run", b"| cat",
    b"back\\slash", b"\xff\xfe not utf-8 \xe9", b"\x1b[31mred", b"{date}", b"%n%s", b"x" * 255,
]
# gpgme asks the last two for their versions.
MAY_START = {"backup-pipe", "tar", "gpg", "gpgconf", "gpgsm"}
EXEC = re.compile(r'execve(?:at)?\((?:[^,]*, )?"((?:[^"\\]|\\.)*)".*\) = 0$')


def make_source(folder):
    folder.mkdir()
    for index, name in enumerate(EVIL):
        with open(os.path.join(os.fsencode(folder), name), "wb") as file:
            file.write(b"content %d\n" % index)
    inner = os.path.join(os.fsencode(folder), b"--checkpoint-action=exec=sh run.sh")
    os.mkdir(inner)
    with open(os.path.join(inner, b"run.sh"), "wb") as file:
        file.write(b"touch canary-was-run\n")


def started_programs(trace):
    """From one file a process (strace -ff), so that no line is cut in two by another's."""
    lines = [line for file in trace.parent.glob(trace.name + ".*")
             for line in file.read_text(errors="replace").splitlines()]
    return {os.path.basename(found[1]) for found in map(EXEC.search, lines) if found}


def check_folder(checks, folder, runtime, home):
    job = support.Job(folder / "folder", runtime).write()
    make_source(job.source)
    trace = folder / "trace"
    why = support.why_no_strace()
    strace = ["strace", "-ff", "-qq", "-s", "512", "-e", "trace=execve,execveat", "-o", str(trace)]
    run = job.run(ahead=[] if why else strace)
    checks.equal((run.returncode, run.stderr), (0, ""), f"{len(EVIL)} evil file names are backed up")
    sentence = "only tar and GnuPG's programs were started"
    if why:
        checks.skip(sentence, why)
    else:
        started = started_programs(trace)
        checks.that(MAY_START >= started >= {"tar", "gpg"}, sentence, f"{started}")
    checks.equal(list(folder.rglob(CANARY)), [], "no name was executed")
    checks.that(support.restores_to(job.objects()[0], job.source, home), "all of them restore")


def check_path(checks, folder, runtime, home, name):
    """The name of the folder itself is hostile, and so is a pattern."""
    job = support.Job(folder / "path", runtime)
    source = job.folder / name
    make_source(source)
    job.write(f'type = "folder"\npath = """{source}"""\nexclude = ["--checkpoint=1", "-nothing"]'.replace("\\", "\\\\"))
    run = job.run()
    checks.equal((run.returncode, run.stderr), (0, ""), f"a folder called {name!r} is backed up")
    os.remove(source / "--checkpoint=1")  # the pattern is a pattern, not an option
    checks.that(support.restores_to(job.objects()[0], source, home), "and restores")
    checks.equal(list(folder.rglob(CANARY)), [], "and nothing was executed")
    shutil.rmtree(job.folder)


def main():
    checks = support.Checks()
    with support.scratch() as folder, support.memory_folder() as runtime, support.gpg_home() as home:
        check_folder(checks, folder, runtime, home)
        for name in ("--checkpoint-action=exec=touch " + CANARY, "sp ace;touch " + CANARY, "-C", "a\\nb"):
            check_path(checks, folder, runtime, home, name)
    checks.exit()


main()
