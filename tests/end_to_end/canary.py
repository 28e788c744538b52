"""tests/end_to_end/canary.py - a planted secret is found nowhere but where it belongs.

Promise 35: good and failing runs, at log level trace, with the passphrase from each kind of place. While
they run, the arguments and environment of every process below them are sampled; afterwards everything that
they wrote or printed is searched.
"""
import os
import pathlib
import subprocess
import threading
import time

import support

CANARY = "canary-7f3a9c51e2-sings-in-the-mine"


def process_tree(root):
    return [root] + [pid for pid, _ in support.descendants(root)]


class Sampler(threading.Thread):
    """Reads /proc/PID/{cmdline,environ} of a process tree every few milliseconds."""

    def __init__(self, root, exempt_environment):
        super().__init__(daemon=True)
        self.root, self.exempt = root, exempt_environment
        self.hits, self.samples, self.names, self.over = [], 0, set(), threading.Event()

    def run(self):
        own = self._read(self.root, "cmdline")
        while not self.over.is_set():
            for pid in process_tree(self.root):
                arguments = self._read(pid, "cmdline")
                self._look(arguments, "cmdline", arguments)
                # A child that has not called exec yet is still us, with the environment that the user
                # gave to us.
                if not (self.exempt and arguments == own):
                    self._look(self._read(pid, "environ"), "environ", arguments)
            time.sleep(0.003)

    @staticmethod
    def _read(pid, what):
        try:
            return pathlib.Path(f"/proc/{pid}/{what}").read_bytes()
        except OSError:
            return b""

    def _look(self, data, what, arguments):
        if not data:
            return
        self.samples += 1
        self.names.add(arguments.split(b"\0")[0])
        if CANARY.encode() in data:
            self.hits.append(f"{what} of {arguments[:60]!r}")


def searched(folder, but):
    """Files below a folder that hold the canary, except where it was put on purpose."""
    hits = []
    for path in folder.rglob("*"):
        if path.is_file() and path not in but and CANARY.encode() in path.read_bytes():
            hits.append(str(path.relative_to(folder)))
    return hits


def one_run(checks, kind, secret, works, environment=None):
    with support.scratch() as folder:
        job = support.Job(folder)
        support.fill_folder(job.source, 12)
        source = None if works else 'type = "command"\nargv = ["sh", "-c", "head -c 3000000 /dev/zero; exit 7"]'
        job.write(source=source)
        text = job.file.read_text().replace(f'{{ file = "{job.passphrase}" }}', secret(folder))
        job.file.write_text(text)
        job.passphrase.unlink()
        report = folder / "report.json"
        argv = job.argv("--summary", "--report", str(report), "--log-level", "trace")
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=job.environment(**(environment or {})))
        sampler = Sampler(process.pid, environment is not None)
        sampler.start()
        out, err = process.communicate(timeout=120)
        sampler.over.set()
        sampler.join()
        what = f"a {'good' if works else 'failing'} run with the secret from {kind}"
        checks.equal(process.returncode, 0 if works else 1, f"{what} ends as it should")
        checks.that(sampler.samples > 20 and any(b"gpg" in name for name in sampler.names),
                    f"{what} was watched while gpg ran", f"{sampler.samples} samples, {sampler.names}")
        checks.equal(sampler.hits, [], f"{what} shows it in no process's arguments or environment")
        checks.that(CANARY.encode() not in out + err, f"{what} does not print it")
        own = {job.file, folder / "secret", folder / "tell"}
        checks.equal(searched(folder, own), [], f"{what} writes it into no file")


def file_secret(folder):
    (folder / "secret").write_text(CANARY + "\n")
    (folder / "secret").chmod(0o600)
    return f'{{ file = "{folder}/secret" }}'


def command_secret(folder):
    file_secret(folder)
    return f'{{ command = ["cat", "{folder}/secret"] }}'


def main():
    checks = support.Checks()
    kinds = {
        "a file": (file_secret, None),
        "a command": (command_secret, None),
        "the job file": (lambda folder: f'"{CANARY}"', None),
        "the environment": (lambda folder: '{ env = "BP_CANARY" }', {"BP_CANARY": CANARY}),
    }
    for kind, (secret, environment) in kinds.items():
        for works in (True, False):
            one_run(checks, kind, secret, works, environment)
    checks.exit()


if __name__ == "__main__":
    os.umask(0o077)
    main()
