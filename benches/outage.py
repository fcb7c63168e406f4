"""the notification service down for two hours at 500/s, and back: each letter once, in order, at its pace"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

from support import measure, messaging, stores
from support.processes import Stopwatch, Watched, split, surroundings

RATE = 500  # what is asked for in a second, before, meanwhile and afterwards
HOURS = float(os.environ.get("BENCH_HOURS", "2"))
BEFORE = 1_000  # letters that arrive, and are noted, before the service is killed
EACH = 4  # letters that an order has
BATCH = 500
# Who takes them, and at which pace: letters a second and at once, or none.
RUNS = [("postgres", 5_000, 500), ("postgres", 0, 0), ("sqlite", 0, 0)]
KINDS = {"postgres": "PostgreSQL", "sqlite": "SQLite"}
ONLY = os.environ.get("BENCH_ONLY", "paced fast").split()
READY = 120  # seconds


class Outage:
    def __init__(self):
        self.program, self.kafkaflow = os.environ["BENCH_OUTAGE"], os.environ["BENCH_KAFKAFLOW"]
        self.brokers, self.work = os.environ["BENCH_BROKERS"], os.environ["BENCH_WORK"]
        self.asked = BEFORE + int(HOURS * 3600 * RATE)
        self.orders = str(max(1, self.asked // EACH))
        self.listen = f"127.0.0.1:{os.environ.get('BENCH_HTTP_PORT', '18300')}"
        self.around = surroundings()

    def run(self, kind, limit, burst):
        file = f"{self.work}/outage-{time.time_ns()}.ndjson"
        place = stores.sqlite(self.work) if kind == "sqlite" else stores.postgres(os.environ["BENCH_POSTGRES"])
        try:
            with messaging.system(self.work) as (topology, topic), place as store:
                argv = [self.kafkaflow, "run", "notification", "-b", self.brokers, "--topology", topology, "--store", store, "--batch", str(BATCH)]
                argv += ["--listen", self.listen, "--email", f"file:{file}", "--without-address", f"file:{file}"]
                argv += ["--rate", f"{limit}/s", "--burst", str(burst)] if limit else []
                subprocess.run([self.kafkaflow, "apply", topology, "-b", self.brokers, "--yes"], check=True, stdout=subprocess.DEVNULL)
                return self.outage(argv, topic, file, limit, burst)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.remove(file)

    def outage(self, argv, topic, file, limit, burst):
        self.fill(topic, 0, BEFORE)
        with self.service(argv) as service:
            self.until_noted(service, BEFORE)
            service.kill()
        filled = self.fill(topic, BEFORE, self.asked)
        command = [self.program, "return", self.brokers, topic, self.orders, file, *map(str, [BEFORE, self.asked, RATE, limit, burst])]
        client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        began = client.stdout.readline()
        if began != "begin\n":
            sys.exit(f"bench: the watcher failed: {began}")
        with self.service(argv) as service:
            watched = [Watched("service", [service.pid]), *self.around, Watched("client", [client.pid])]
            watch = Stopwatch(watched)
            if client.stdout.readline() != "caught up\n":
                sys.exit("bench: the watcher failed")
            cores = watch.cores()
            answer = json.loads(client.stdout.readline())
            if client.wait():
                sys.exit("bench: the watcher failed")
            answer |= {"memory_mb": round(watched[0].peak_kb() / 1024), "cpu": cores, "filled": filled}
            service.send_signal(signal.SIGTERM)
            answer["ended"] = service.wait(30)
        measure.note(f"  {json.dumps(answer)}")
        return answer

    def fill(self, topic, first, end):
        return measure.inside([self.program, "fill", self.brokers, topic, self.orders, str(first), str(end)])["per_second"]

    @contextlib.contextmanager
    def service(self, argv):
        with open(f"{self.work}/outage.log", "a", encoding="utf-8") as log:
            process = subprocess.Popen(argv, stdout=log, stderr=log, cwd=self.work)
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def until_noted(self, service, count):
        """Until nothing is in hand any more: a batch that a kill finds there may be delivered again."""
        deadline = time.monotonic() + READY
        while self.handled() < count:
            if service.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"bench: the service did not deliver {count} letters: {self.work}/outage.log")
            time.sleep(0.1)

    def handled(self):
        """Letters that its store has noted as delivered."""
        try:
            with urllib.request.urlopen(f"http://{self.listen}/metrics", timeout=10) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:  # it does not listen yet
            return 0
        return sum(float(line.split()[-1]) for line in lines if line.startswith("kafkaflow_consumer_records_total{") and 'what="handled"' in line)


def exact(run):
    return not (run["lost"] or run["again"] or run["out_of_order"])


def main():
    outage = Outage()
    measure.machine()
    print(f"{HOURS:g} hours at {RATE}/s: {outage.asked - BEFORE:,} requests gather, {EACH} of an order each, while the service is away; {RATE}/s more come when it is back.\n")
    rows, bars = [], []
    for kind, limit, burst in RUNS:
        if ("paced" if limit else "fast") not in ONLY:
            continue
        run = outage.run(kind, limit, burst)
        name = f"{KINDS[kind]}, {f'{limit:,}/s' if limit else 'no limit'}"
        rows.append([
            name, f"{run['waited'] + run['meanwhile']:,}", f"{run['first_after']:.1f}", f"{run['seconds']:,.0f}", f"{run['per_second']:,.0f}",
            split(run), run["memory_mb"], run["lost"], run["again"], run["out_of_order"], run["too_many"] if limit else "",
        ])
        bars.append([f"{name}: each once, in its order's order", "", measure.verdict(exact(run))])
        if limit:
            bars.append([f"{name}: never more than {limit:,} a second and {burst:,} at once", f"{run['too_many']:+,}", measure.verdict(run["too_many"] <= 0)])
            bars.append([f"{name}: ≥ 0.95 × its pace", f"{run['per_second'] / limit:.2f}", measure.verdict(run["per_second"] >= 0.95 * limit)])
    measure.table(
        ["service", "letters", "first after s", "caught up after s", "letters/s", "cores: service / brokers / database / client", "peak MB", "lost", "twice", "out of order", "over the pace"],
        rows,
    )
    measure.table(["bar", "seen", ""], bars)


if __name__ == "__main__":
    main()
