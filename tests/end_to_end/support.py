"""tests/end_to_end/support.py - what the scripts beside it share: a job in a folder, checks, processes.

Each script gets the finished binary's path, prints a line per check (PASS, FAIL or SKIP, then a
sentence that can be false) and exits with 1 if one failed. Only Python's standard library, and the
tools that an operator would use: gpg, gunzip, tar.
"""
import contextlib
import ctypes
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

PASSPHRASE = "0123456789abcdef-correct-horse"


class Checks:
    """Counts what was checked, and says it."""

    def __init__(self):
        self.failed = 0
        self.done = 0

    def that(self, holds, sentence, detail=""):
        self.done += 1
        if holds:
            print(f"PASS {sentence}", flush=True)
            return True
        self.failed += 1
        print(f"FAIL {sentence}" + (f": {detail}" if detail else ""), flush=True)
        return False

    def equal(self, found, wanted, sentence):
        return self.that(found == wanted, sentence, f"found {found!r}, wanted {wanted!r}")

    def skip(self, sentence, why):
        self.done += 1
        print(f"SKIP {sentence}: {why}", flush=True)

    def exit(self):
        if self.done == 0:
            print("FAIL something was checked", flush=True)
        sys.exit(1 if self.failed or self.done == 0 else 0)


def binary():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} path/to/backup-pipe")
    return os.path.abspath(sys.argv[1])


def why_no_strace():
    """The program hides its memory from other processes of its user; only root's strace sees it."""
    if shutil.which("strace") is None:
        return "there is no strace"
    return "" if os.geteuid() == 0 else "strace has to be root's"


@contextlib.contextmanager
def scratch():
    """A folder of our own, below TMPDIR, that is gone afterwards."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bp-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def memory_folder():
    """The same on memory-backed storage, with a short path: gpg keeps sockets there."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bp-", dir="/dev/shm"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fill_folder(folder, mebibytes, seed=1):
    """Files of bytes that do not compress, so that every stage has the same amount of work."""
    numbers = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(mebibytes):
        (folder / f"file-{index:03}").write_bytes(numbers.randbytes(1 << 20))


class Job:
    """A job file with everything that it needs in one folder, and ways to run it."""

    def __init__(self, folder, runtime=None):
        self.folder = pathlib.Path(folder)
        self.runtime = runtime
        self.file = self.folder / "job.toml"
        self.source = self.folder / "source"
        self.destination = self.folder / "destination"
        self.state = self.folder / "state"
        self.passphrase = self.folder / "passphrase"
        self.program = binary()
        self.destination.mkdir(parents=True)
        self._write(self.passphrase, PASSPHRASE + "\n")

    @staticmethod
    def _write(path, text):
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)

    def write(self, source=None, job="", pipeline='["gzip", "gpg"]'):
        """A job of one source; without one it is the folder `source`."""
        source = source or f'type = "folder"\npath = "{self.source}"'
        self._write(self.file, f"""
[job]
name = "e2e"
hostname = "host"
pipeline = {pipeline}
{job}
[source.data]
{source}
[filter.gpg]
passphrase = {{ file = "{self.passphrase}" }}
[destination.local]
type = "file"
path = "{self.destination}"
""")
        return self

    def environment(self, **more):
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        kept["STATE_DIRECTORY"] = str(self.state)
        if self.runtime:
            kept["RUNTIME_DIRECTORY"] = str(self.runtime)
        return kept | more

    def argv(self, *options):
        return [self.program, "run", str(self.file), *options]

    def run(self, *options, ahead=(), timeout=120, **more):
        return subprocess.run([*ahead, *self.argv(*options)], env=self.environment(**more),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=timeout)

    def start(self, *options):
        return subprocess.Popen(self.argv(*options), env=self.environment(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def files(self):
        """Everything in the destination that is no folder."""
        return sorted(p for p in self.destination.rglob("*") if not p.is_dir())

    def objects(self):
        """The backups: no manifests, nothing hidden."""
        return [p for p in self.files() if not p.name.startswith(".") and not p.name.endswith(".json")]

    def strangers(self):
        """Files that are neither an object nor the manifest of one."""
        expected = {str(p) for p in self.objects()}
        expected |= {f"{p}.manifest.json" for p in expected}
        return [p for p in self.files() if str(p) not in expected]

    def empty_destination(self):
        shutil.rmtree(self.destination)
        self.destination.mkdir()


def decode(path, consumer, home):
    """gpg -d | gunzip | consumer: its output, or None if any of the three failed."""
    decrypt = subprocess.Popen(
        ["gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback",
         "--passphrase", PASSPHRASE, "--decrypt", str(path)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    unpack = subprocess.Popen(["gunzip"], stdin=decrypt.stdout, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    decrypt.stdout.close()
    read = subprocess.run(consumer, stdin=unpack.stdout, capture_output=True)
    unpack.stdout.close()
    good = [decrypt.wait(), unpack.wait(), read.returncode] == [0, 0, 0]
    return read.stdout if good else None


def restores_to(path, source, home):
    """Whether an object, opened with plain tools, is the source folder to the byte."""
    with scratch() as folder:
        if decode(path, ["tar", "-x", "-C", str(folder)], home) is None:
            return False
        restored = folder / pathlib.Path(source).name
        return subprocess.run(["diff", "-r", "--no-dereference", str(source), str(restored)],
                              stdout=subprocess.DEVNULL).returncode == 0


@contextlib.contextmanager
def gpg_home():
    """For our own decrypting; the agent that gpg starts in it is ended."""
    with memory_folder() as home:
        try:
            yield home
        finally:
            subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)


# Processes

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """From now on, what loses its parent below us becomes our child, and so can be counted."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _stat_of(pid):
    """(parent, state, name) of a process, or None when it is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
    return int(rest[1]), rest[0], name


def descendants(root):
    """(pid, name) of everything alive below a process; zombies are not alive."""
    processes = {int(p): _stat_of(p) for p in os.listdir("/proc") if p.isdigit()}
    found = []
    below = [root]
    while below:
        parent = below.pop()
        for pid, facts in processes.items():
            if facts and facts[0] == parent:
                below.append(pid)
                if facts[1] != "Z":
                    found.append((pid, facts[2]))
    return found


def wait_until(holds, seconds):
    """Asks again and again until it holds; whether it did."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def bury_children():
    """Reaps adopted orphans that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass


def no_descendants_within(seconds):
    """What is still alive below us after so long; empty is good."""
    wait_until(lambda: not descendants(os.getpid()), seconds)
    bury_children()
    return descendants(os.getpid())
