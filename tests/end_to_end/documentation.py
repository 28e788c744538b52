#!/usr/bin/env python3
"""What README, docs and examples say is true: every job file passes `check`, every key is described,
and the filter that CONTRIBUTING shows compiles."""
import json
import pathlib
import re
import shlex
import subprocess

import support

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
# One of each type, so that `plan --resolved` names every key there is with a default.
EVERY_TYPE = """
[source.a]
type = "folder"
path = "/etc"
[source.b]
type = "command"
argv = ["true"]
[source.c]
type = "file"
path = "/etc/hostname"
[source.d]
type = "stdin"
[source.f]
type = "mysql"
dbname = "f"
[source.g]
type = "postgresql"
dbname = "g"
[filter.gzip]
[filter.gpg]
passphrase = "0123456789abcdef"
[destination.e]
type = "file"
path = "/tmp"
pipeline = ["gzip", "gpg"]
"""


def blocks(language):
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            if found[1] == language:
                line = text.count("\n", 0, found.start()) + 2
                yield f"{page.relative_to(ROOT)}:{line}", found[2]


def check_job_files(checks, folder):
    jobs = list(blocks("toml"))
    jobs += [(p.relative_to(ROOT).as_posix(), p.read_text()) for p in sorted((ROOT / "examples").glob("*.toml"))]
    checks.that(len(jobs) >= 9, "the documentation shows job files", f"{len(jobs)} found")
    for where, text in jobs:
        job = folder / "job.toml"
        job.write_text(text, encoding="utf-8")
        job.chmod(0o600)
        done = subprocess.run([support.binary(), "check", str(job)], capture_output=True, text=True)
        checks.equal((done.returncode, done.stderr), (0, ""), f"the job file of {where} passes check")


def check_keys(checks, folder):
    job = folder / "every.toml"
    job.write_text(EVERY_TYPE, encoding="utf-8")
    job.chmod(0o600)
    done = subprocess.run([support.binary(), "plan", "--resolved", str(job)], capture_output=True, text=True)
    keys = set(re.findall(r"^(\w+) +=", done.stdout, re.M))
    checks.that(done.returncode == 0 and len(keys) > 30, "plan --resolved names the keys", done.stderr)
    cells = re.findall(r"^\| ((?:`\w+`,? )+)\|", (ROOT / "docs/job-file.md").read_text(encoding="utf-8"), re.M)
    described = set(re.findall(r"\w+", " ".join(cells)))
    checks.equal(sorted(keys - described), [], "docs/job-file.md has a line for every key")


def check_links(checks):
    """Links from page to page lead somewhere."""
    dead = []
    for page in PAGES:
        text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        links = [t.split("#")[0] for t in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in t]
        dead += [f"{page.name}: {target}" for target in links if target and not (page.parent / target).exists()]
    checks.equal(dead, [], "every link between the pages leads somewhere")


def check_commands(checks):
    """The subcommands and options that the pages use exist."""
    helps = {name: subprocess.run([support.binary(), name, "--help"], capture_output=True, text=True).stdout
             for name in ("run", "check", "plan")}
    general = subprocess.run([support.binary(), "--help"], capture_output=True, text=True).stdout
    unknown = []
    for page in PAGES:
        for name, rest in re.findall(r"backup-pipe (run|check|plan)\b([^`\n#|>]*)", page.read_text(encoding="utf-8")):
            unknown += [f"{name} {o}" for o in re.findall(r"--[\w-]+", rest) if o not in helps[name] + general]
    checks.equal(unknown, [], "every option that the pages show exists")


def check_shown_filter(checks, folder):
    """Only where a build folder beside the binary says how to compile."""
    commands = pathlib.Path(support.binary()).parent.parent / "compile_commands.json"
    if not commands.exists():
        checks.skip("the code of CONTRIBUTING.md compiles", f"no {commands}")
        return
    unit = next(u for u in json.loads(commands.read_text()) if u["file"].endswith("stages/registry.cpp"))
    flags = [w for w in shlex.split(unit["command"]) if re.match(r"-(D|I|W|f|std=|isystem)", w)]
    shown = list(blocks("cpp"))
    checks.that(any(text.startswith("// stages/") for _, text in shown), "CONTRIBUTING.md shows a whole filter")
    for where, text in shown:
        source = folder / "shown.cpp"
        source.write_text(text, encoding="utf-8")
        done = subprocess.run(["g++", *flags, "-fsyntax-only", str(source)], capture_output=True, text=True)
        checks.equal((done.returncode, done.stderr), (0, ""), f"the code of {where} compiles")


def main():
    checks = support.Checks()
    with support.scratch() as folder:
        check_job_files(checks, folder)
        check_keys(checks, folder)
        check_links(checks)
        check_commands(checks)
        check_shown_filter(checks, folder)
    checks.exit()


main()
