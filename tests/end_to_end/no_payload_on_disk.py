#!/usr/bin/env python3
"""Promises 13 and 26: a whole run writes payload to its destination and to no other file, and in
the order that survives a power cut: write, fsync the file, name it, fsync the folder."""
import collections
import pathlib
import re

import support

CREATING = ("open openat openat2 creat mkdir mkdirat rename renameat renameat2 link linkat symlink symlinkat "
            "mknod mknodat memfd_create truncate ftruncate").split()
WRITING = "write pwrite64 writev pwritev pwritev2 sendfile copy_file_range fallocate".split()
SYNCING = "fsync fdatasync".split()
MAPPING = ["mmap"]
MARKER = b"MARKER-of-the-payload-that-must-not-be-anywhere-else"
# Journal, lock and history together; the passphrase; gpg's own files in its private folder.
BOOKKEEPING_BYTES = 4096

# One file a thread (strace -ff), so that no line is cut in two by another thread's.
CALL = re.compile(r"^(?P<time>[\d.]+) (?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)")
DESCRIPTOR = re.compile(r"(?:AT_FDCWD|\d+)<((?:[^<>\\]|\\.)*)>")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')

Call = collections.namedtuple("Call", "time name arguments result thread")


def calls_of(prefix):
    """Every successful call of every thread, in the order of time."""
    calls = []
    for trace in prefix.parent.glob(prefix.name + ".*"):
        for line in trace.read_text(errors="replace").splitlines():
            found = CALL.match(line)
            if found and int(found["result"]) >= 0:
                calls.append(Call(float(found["time"]), found["name"], found["arguments"],
                                  int(found["result"]), trace.suffix))
    return sorted(calls)


def target_of(call):
    """The file that a call on a descriptor is about, as strace -y shows it."""
    found = DESCRIPTOR.search(call.arguments)
    return found[1].removesuffix(" (deleted)").removesuffix("(deleted)") if found else ""


def created_by(call):
    """The names that a call makes; none for an open that only opens."""
    if call.name.startswith("open") and not re.search(r"O_(CREAT|TMPFILE)\b", call.arguments):
        return []
    if call.name == "ftruncate":
        return [target_of(call)]
    if call.name == "memfd_create":
        return ["memfd:" + QUOTED.search(call.arguments)[1]]
    # Of two names the last is the new one, and so is its folder.
    name = QUOTED.findall(call.arguments)[-1]
    folders = DESCRIPTOR.findall(call.arguments)
    return [name if name.startswith("/") or not folders else f"{folders[-1]}/{name}"]


def is_file(target):
    """Not a pipe, a socket, an event, /dev/null, or the name of a thread."""
    if target == "/dev/null" or re.fullmatch(r"/proc/\d+/task/\d+/comm", target):
        return False
    return target.startswith(("/", "memfd:"))


def check_creations(checks, calls, allowed):
    made = [name for call in calls if call.name in CREATING for name in created_by(call)]
    elsewhere = [name for name in made if is_file(name) and not name.startswith(allowed)]
    checks.equal(elsewhere, [], f"{len(made)} creations, none outside the destination, the state and gpg's home")


def check_writes(checks, calls, destination, allowed):
    written = collections.Counter()
    for call in calls:
        if call.name in WRITING:
            written[target_of(call)] += call.result
    stored = sum(n for target, n in written.items() if target.startswith(destination))
    other = {target: n for target, n in written.items()
             if is_file(target) and not target.startswith(destination)}
    checks.that(stored > 4 << 20, "the payload went to the destination", f"{stored} bytes")
    checks.that(sum(other.values()) < BOOKKEEPING_BYTES,
                f"all other files together got less than {BOOKKEEPING_BYTES} bytes", f"{other}")
    strangers = [t for t in other if not t.startswith(allowed)]
    checks.equal(strangers, [], "and each of them is the journal's, gpg's home or a passphrase in memory")
    shared = [c.arguments for c in calls if c.name in MAPPING and "MAP_SHARED" in c.arguments
              and "PROT_WRITE" in c.arguments and DESCRIPTOR.search(c.arguments)]
    checks.equal(shared, [], "no file was written through shared memory")


def check_order(checks, calls, job):
    """For the object: every write before its fsync, that before its name, that before the folder's."""
    name = job.objects()[0]
    link = next(c for c in calls if c.name == "linkat" and f'"{name.name}"' in c.arguments)
    steps = [c for c in calls if c.thread == link.thread]
    unnamed = re.compile(re.escape(str(name.parent)) + r"/#\d+$")
    writes = [c.time for c in steps if c.name in WRITING and unnamed.match(target_of(c)) and c.time < link.time]
    syncs = [c.time for c in steps if c.name in SYNCING and unnamed.match(target_of(c))]
    folder_syncs = [c.time for c in steps if c.name in SYNCING and target_of(c) == str(name.parent)]
    order = (bool(writes) and any(max(writes) < s < link.time for s in syncs)
             and any(f > link.time for f in folder_syncs))
    checks.that(order, "write < fsync of the file < its name < fsync of the folder",
                f"writes {writes[-1:]}, syncs {syncs}, name {link.time}, folder {folder_syncs}")


def main():
    checks = support.Checks()
    if why := support.why_no_strace():
        checks.skip("a whole run writes payload to its destination alone", why)
        checks.exit()
    with support.scratch() as folder, support.memory_folder() as runtime, support.gpg_home() as home:
        job = support.Job(folder / "job", runtime).write()
        support.fill_folder(job.source, 5)
        (job.source / "marked").write_bytes(MARKER * 100)
        prefix = folder / "trace"
        names = ",".join([*CREATING, *WRITING, *SYNCING, *MAPPING])
        run = job.run(ahead=["strace", "-ff", "-ttt", "-y", "-qq", "-s", "4096", "-e", "signal=none",
                             "-e", f"trace={names}", "-o", str(prefix)])
        checks.equal((run.returncode, run.stderr), (0, ""), "the run exits 0 under strace")
        calls = calls_of(prefix)
        destination = str(job.destination) + "/"
        allowed = (destination, str(job.state), str(runtime) + "/", "memfd:passphrase", "/memfd:passphrase")
        check_creations(checks, calls, allowed)
        check_writes(checks, calls, destination, allowed)
        check_order(checks, calls, job)
        checks.that(support.restores_to(job.objects()[0], job.source, home), "the object restores")
        for place in (job.state, job.destination):
            marked = [p for p in place.rglob("*") if p.is_file() and MARKER in p.read_bytes()]
            checks.equal(marked, [], f"no file in the {place.name} holds plain payload")
        checks.equal([*runtime.iterdir()], [], "gpg's private folder is gone")
        checks.equal([p for p in pathlib.Path(folder).iterdir() if not p.name.startswith(("trace", "job"))], [],
                     "nothing else appeared")
    checks.exit()


main()
