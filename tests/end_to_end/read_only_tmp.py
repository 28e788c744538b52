#!/usr/bin/env python3
"""Promise 27: with /tmp, /var/tmp, TMPDIR and HOME read-only, or full, a run still passes."""
import os
import pathlib
import shutil
import subprocess

import support

# In a mount namespace of its own: the machine does not notice.
SCRIPT = """
set -e
options=$1; shift
for place in /tmp /var/tmp "$HOME" "$TMPDIR"; do
  mount -t tmpfs -o "$options" none "$place"
  if dd if=/dev/zero of="$place/probe" bs=64k count=1 2>/dev/null; then exit 90; fi
done
exec "$@"
"""
# 4 KiB is the smallest tmpfs there is; the probe above fills it.
PLACES = {"read-only": "ro", "full": "size=4k"}


def namespace():
    """How to get mounts of our own, or None."""
    for way in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        if subprocess.run([*way, "true"], capture_output=True).returncode == 0:
            return way
    return None


def main():
    checks = support.Checks()
    way = namespace()
    if way is None:
        checks.skip("a run passes without temporary folders", "no mount namespaces here")
        checks.exit()
    # Nothing that the run may use can lie below a place that is mounted over, the program included.
    with support.memory_folder() as folder, support.gpg_home() as home:
        job = support.Job(folder / "job", folder).write()
        job.program = shutil.copy(support.binary(), folder / "program")
        support.fill_folder(job.source, 4)
        places = {name: str(folder / name.lower()) for name in ("HOME", "TMPDIR")}
        for place in places.values():
            os.mkdir(place)
        for what, options in PLACES.items():
            job.empty_destination()
            run = job.run(ahead=[*way, "sh", "-c", SCRIPT, "sh", options], **places)
            checks.equal((run.returncode, run.stderr), (0, ""),
                         f"a run with {what} temporary folders and home exits 0")
            checks.that(len(job.objects()) == 1 and support.restores_to(job.objects()[0], job.source, home),
                        f"what it stored with {what} ones restores")
        for name, place in places.items():
            checks.equal(list(pathlib.Path(place).iterdir()), [], f"nothing was written to {name}")
    checks.exit()


main()
