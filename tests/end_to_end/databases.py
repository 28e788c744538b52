"""tests/end_to_end/databases.py - real databases go through the whole pipe, and come back with plain tools.

MariaDB and PostgreSQL servers of our own, on 127.0.0.1. What was dumped is restored into an empty server by
gpg -d | gunzip | the server's client, and every table is compared by its content's checksum. Dumps that are cut
or that would lack something leave nothing.
"""
import contextlib
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

import support

SERVERS = pathlib.Path(__file__).resolve().parents[1] / "servers"
CANARY = "canary-5b1e\"c0'de\\ #1"

MARIADB_DATA = r"""
CREATE DATABASE `shop-1 ü` CHARACTER SET utf8mb4;
USE `shop-1 ü`;
CREATE TABLE `odd ``name``; DROP` (id INT PRIMARY KEY, b LONGBLOB, `select` TEXT, j DOUBLE, d DATETIME(6));
INSERT INTO `odd ``name``; DROP` VALUES (1, x'00ff0a0d271a5c22', 'äöü 😀 \\ '' "', 0.1, '2026-11-23 01:02:03.456789'),
  (2, NULL, '', NULL, NULL), (3, '', REPEAT('😀', 10000), 1e300, '0001-01-01');
CREATE TABLE numbers (n INT PRIMARY KEY, h CHAR(64), g INT GENERATED ALWAYS AS (n * 2) STORED);
INSERT INTO numbers (n, h) SELECT seq, SHA2(seq, 256) FROM seq_1_to_50000;
CREATE TABLE child (n INT, FOREIGN KEY (n) REFERENCES numbers (n));
INSERT INTO child VALUES (1), (50000);
CREATE TABLE blobs (id INT PRIMARY KEY, b LONGBLOB);
INSERT INTO blobs SELECT seq, UNHEX(REPEAT(SHA2(seq, 512), 2000)) FROM seq_1_to_200;
CREATE VIEW big AS SELECT n FROM numbers WHERE n > 40000;
DELIMITER //
CREATE FUNCTION total() RETURNS INT READS SQL DATA RETURN (SELECT SUM(n) FROM child)//
CREATE PROCEDURE add_one(x INT) BEGIN INSERT INTO child VALUES (x); END//
CREATE TRIGGER mark BEFORE INSERT ON `odd ``name``; DROP` FOR EACH ROW BEGIN SET NEW.d = NOW(); END//
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DISABLE DO BEGIN DELETE FROM child; END//
DELIMITER ;
CREATE USER 'full'@'127.0.0.1' IDENTIFIED BY 'canary-5b1e"c0''de\\ #1';
GRANT ALL ON *.* TO 'full'@'127.0.0.1';
CREATE USER 'blind'@'127.0.0.1' IDENTIFIED BY 'canary-5b1e"c0''de\\ #1';
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `shop-1 ü`.* TO 'blind'@'127.0.0.1';
"""

POSTGRES_DATA = r'''
CREATE SCHEMA "Odd ""schema""";
CREATE TABLE "Odd ""schema"""."select" (id SERIAL PRIMARY KEY, b BYTEA, t TEXT, d TIMESTAMPTZ, n NUMERIC);
INSERT INTO "Odd ""schema"""."select" (b, t, d, n) VALUES ('\x00ff0a0d271a5c22', E'äöü 😀 \\ '' "\t\n\\.', '2026-11-23', 0.1),
  (NULL, '', NULL, NULL);
CREATE TABLE numbers (n INT PRIMARY KEY, h TEXT);
INSERT INTO numbers SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 50000) i;
CREATE VIEW big AS SELECT n FROM numbers WHERE n > 40000;
CREATE FUNCTION total() RETURNS BIGINT LANGUAGE sql AS 'SELECT sum(n) FROM numbers';
CREATE ROLE full_ LOGIN PASSWORD 'canary-5b1e"c0''de\ #1';
GRANT pg_read_all_data TO full_;
CREATE ROLE part LOGIN PASSWORD 'canary-5b1e"c0''de\ #1';
GRANT SELECT ON numbers TO part;
'''


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server in a folder of its own; `client` is the argument list of its superuser's client."""

    def __init__(self, folder, script, pid_file, stop):
        self.folder, self.port, self.pid_file, self.stop_signal = folder, free_port(), pid_file, stop
        folder.mkdir()
        subprocess.run([SERVERS / script, folder, str(self.port)], check=True, stdin=subprocess.DEVNULL)

    def stop(self):
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.folder / self.pid_file).read_text().split()[0])
            os.kill(pid, self.stop_signal)
            support.wait_until(lambda: not (self.folder / self.pid_file).exists(), 20)
            support.bury_children()


class MariaDB(Server):
    def __init__(self, folder):
        super().__init__(folder, "maria-up", "pid", signal.SIGTERM)
        self.client = ["mariadb", "--no-defaults", "--default-character-set=utf8mb4", "--batch",
                       "--skip-column-names", "-uroot", "-S", str(folder / "s.sock")]

    def ask(self, sql):
        done = subprocess.run(self.client, input=sql, capture_output=True, text=True, errors="surrogateescape",
                              check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr[-500:])
        return done.stdout

    def kill(self, user):
        self.ask("".join(f"KILL {line};" for line in self.ask(
            f"SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '{user}'").split()))

    def is_dumped(self):
        """Whether a dumper reads the largest table now."""
        return self.ask("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'full' AND "
                        "INFO LIKE 'SELECT%FROM `blobs`%'") == "1\n"

    def fingerprint(self, database):
        """Every table's checksum, and the text of whatever else there is."""
        named = f"'{database}'"
        tables = self.ask("SELECT CONCAT('`', REPLACE(TABLE_NAME, '`', '``'), '`') FROM information_schema.TABLES "
                          f"WHERE TABLE_SCHEMA = {named} ORDER BY 1").splitlines()
        rows = (self.ask(f"SELECT * FROM `{database}`.{table} ORDER BY 1") for table in tables)
        found = [hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest() for text in rows]
        for what in ("ROUTINE_NAME, ROUTINE_DEFINITION FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA",
                     "TRIGGER_NAME, ACTION_STATEMENT FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA",
                     "EVENT_NAME, EVENT_DEFINITION FROM information_schema.EVENTS WHERE EVENT_SCHEMA",
                     "TABLE_NAME, TABLE_TYPE, ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA"):
            found.append(self.ask(f"SELECT {what} = {named} ORDER BY 1"))
        return tables, found


class PostgreSQL(Server):
    def __init__(self, folder):
        super().__init__(folder, "pg-up", "data/postmaster.pid", signal.SIGINT)
        self.client = self.client_of("postgres")

    def client_of(self, database):
        return ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-p",
                str(self.port), "-U", "test", "-d", database]

    def ask(self, sql, database="postgres"):
        done = subprocess.run(self.client_of(database), input=sql, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr[-500:])
        return done.stdout

    def kill(self, user):
        self.ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{user}'")

    def is_dumped(self):
        return self.ask("SELECT count(*) FROM pg_stat_activity WHERE usename = 'full_' AND "
                        "query LIKE 'COPY public.numbers%'") == "1\n"

    def fingerprint(self, database):
        tables = self.ask("SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE "
                          "relkind IN ('r', 'v') AND nspname !~ '^pg_' AND nspname <> 'information_schema' "
                          "ORDER BY c.oid::regclass::text", database).splitlines()
        rows = [self.ask(f"SELECT md5(string_agg(ROW(x.*)::text, ',' ORDER BY ROW(x.*)::text)) FROM {t} x", database) for t in tables]
        rest = self.ask("SELECT * FROM pg_sequences ORDER BY 1, 2; "
                        "SELECT proname, prosrc FROM pg_proc WHERE proname = 'total'", database)
        return tables, [*rows, rest]


class Watcher(threading.Thread):
    """Looks for the canary in the arguments and environment of everything below us."""

    def __init__(self):
        super().__init__(daemon=True)
        self.hits, self.seen, self.over = [], set(), threading.Event()

    def run(self):
        while not self.over.is_set():
            for pid, name in support.descendants(os.getpid()):
                for what in ("cmdline", "environ"):
                    with contextlib.suppress(OSError):
                        if CANARY.encode() in pathlib.Path(f"/proc/{pid}/{what}").read_bytes():
                            self.hits.append(f"{what} of {name}")
                self.seen.add(name)
            time.sleep(0.003)


def run_watched(job, *options):
    watcher = Watcher()
    watcher.start()
    done = job.run("--log-level", "trace", "--summary", *options)
    watcher.over.set()
    watcher.join()
    return done, watcher


def make_job(folder, server, kind, user, more):
    job = support.Job(folder)
    secret = folder / "password"
    secret.write_text(CANARY + "\n")
    secret.chmod(0o600)
    return job.write(source=f'type = "{kind}"\nhost = "127.0.0.1"\nport = {server.port}\nuser = "{user}"\n'
                            f'password = {{ file = "{secret}" }}\n{more}')


def check_round_trip(checks, what, server, make_empty, kind, user, database, more, restore):
    with support.memory_folder() as folder, support.gpg_home() as home:
        folder.chmod(0o755)  # as root the empty server runs as nobody
        job = make_job(folder / "job", server, kind, user, more)
        done, watcher = run_watched(job, "--report", str(folder / "report.json"))
        checks.equal(done.returncode, 0, f"a dump of {what} ends well" + ("" if done.returncode == 0 else done.stderr))
        checks.that(any("dump" in name for name in watcher.seen), f"the dumper of {what} was watched", watcher.seen)
        checks.equal(watcher.hits, [], f"the password of {what} is in no process's arguments or environment")
        told = done.stdout + done.stderr + (folder / "report.json").read_text()
        told += "".join(p.read_text() for p in job.files() if p.suffix == ".json")
        checks.that(CANARY not in told, f"the password of {what} is in nothing that was printed or written")
        empty = make_empty(folder / "empty")
        try:
            restored = support.decode(job.objects()[0], restore(empty), home) is not None
            checks.that(restored, f"plain tools restore {what} into an empty server")
            checks.equal(empty.fingerprint(database), server.fingerprint(database), f"{what} comes back as it was")
        finally:
            empty.stop()


def check_refused(checks, what, server, kind, user, more, reason):
    with support.scratch() as folder:
        job = make_job(folder / "job", server, kind, user, more)
        done = job.run()
        checks.that(done.returncode == 2 and reason in done.stderr, f"{what} is refused before the start", done.stderr)
        checks.equal(job.files(), [], f"{what} leaves nothing")


def check_killed(checks, what, server, kind, user, more):
    """The pace is held back, so that the server finds a dump to kill in the middle of its data."""
    with support.scratch() as folder:
        job = make_job(folder / "job", server, kind, user, more)
        text = job.file.read_text().replace('pipeline = ["gzip", "gpg"]', 'pipeline = ["slow", "gzip", "gpg"]')
        job.file.write_text(text + '[filter.slow]\ntype = "rate_limit"\nrate = "2MiB"\n')
        process = job.start()
        dumping = support.wait_until(server.is_dumped, 30)
        server.kill(user)
        _, errors = process.communicate(timeout=120)
        checks.that(dumping and process.returncode == 1, f"{what} fails", f"{dumping} {process.returncode} {errors}")
        checks.equal(job.files(), [], f"{what} leaves nothing")


def mariadb(checks, folder):
    server = MariaDB(folder / "m")
    try:
        server.ask(MARIADB_DATA)
        name = "shop-1 ü"
        scope = f'databases = ["{name}"]'
        check_round_trip(checks, "a MariaDB database", server, MariaDB, "mysql", "full", name, scope,
                         lambda empty: empty.client)
        check_refused(checks, "a MariaDB dump without its routines", server, "mysql", "blind",
                      f'dbname = "{name}"', "routines")
        check_killed(checks, "a MariaDB dump whose connection the server ends", server, "mysql", "full", scope)
    finally:
        server.stop()


def postgresql(checks, folder):
    server = PostgreSQL(folder / "p")
    try:
        server.ask("CREATE DATABASE shop")
        server.ask(POSTGRES_DATA, "shop")

        def make_empty(place):
            empty = PostgreSQL(place)
            empty.ask("CREATE DATABASE shop; CREATE ROLE full_; CREATE ROLE part;")
            return empty

        scope = 'dbname = "shop"'
        check_round_trip(checks, "a PostgreSQL database", server, make_empty, "postgresql", "full_", "shop", scope,
                         lambda empty: empty.client_of("shop"))
        check_round_trip(checks, "a PostgreSQL database in pg_dump's format", server, make_empty, "postgresql",
                         "full_", "shop", scope + '\nformat = "custom"',
                         lambda empty: ["pg_restore", "-e", "-h", str(empty.folder), "-p", str(empty.port), "-U",
                                        "test", "-d", "shop"])
        check_refused(checks, "a PostgreSQL dump without a table", server, "postgresql", "part", scope,
                      "may not read all of it")
        check_killed(checks, "a PostgreSQL dump whose connection the server ends", server, "postgresql", "full_",
                     scope)
    finally:
        server.stop()


def main():
    checks = support.Checks()
    support.adopt_orphans()
    os.environ["PATH"] += ":/usr/sbin"
    with support.memory_folder() as folder:
        folder.chmod(0o755)  # as root the servers run as nobody
        for part, needed in ((mariadb, ["mariadbd", "mariadb-dump"]), (postgresql, ["pg_dump", "psql"])):
            missing = [name for name in needed if shutil.which(name) is None]
            if part is postgresql and not list(pathlib.Path("/usr/lib").glob("postgresql/*/bin/initdb")):
                missing.append("initdb")
            if missing:
                sentence = f"databases of {part.__name__} come back"
                (checks.that(False, sentence, missing) if os.environ.get("CI") else checks.skip(sentence, missing))
                continue
            part(checks, folder)
    checks.exit()


if __name__ == "__main__":
    os.umask(0o022)
    main()
