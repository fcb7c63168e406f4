"""orders from POST to their outcome: sustained and at 500/s, on PostgreSQL and SQLite, against Spring Boot"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

from support import measure, messaging, stores, writeback
from support.processes import Stopwatch, Watched, split, surroundings
from support.topics import Cluster

TURNS = int(os.environ.get("BENCH_PAIRS", "3"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "60"))
WINDOW = int(os.environ.get("BENCH_WINDOW", "2000"))  # orders that are on their way at the same time
RATE = 500
ONLY = os.environ.get("BENCH_ONLY", "sustained paced").split()
WHO = os.environ.get("BENCH_WHO", "kafkaflow kafkaflow-sqlite spring kafkaflow-captures").split()
WARM = os.environ.get("BENCH_WARM", "kafkaflow spring kafkaflow").split()
MOST_WARM = 12  # runs, WARM's among them
NAMES = {
    "kafkaflow": "kafkaflow, PostgreSQL",
    "kafkaflow-sqlite": "kafkaflow, SQLite",
    "kafkaflow-captures": "kafkaflow, PostgreSQL, payments captured",
    "spring": "Spring Boot, PostgreSQL",
}
READY = 120  # seconds
BAR_SUSTAINED, BAR_SQLITE, BAR_CPU = 2.5, 3.0, 0.25
BAR_POST_MS, BAR_OUTCOME_MS, BAR_MEMORY_MB = 10, 75, 150
PEER, LETTERS = "peer.", "notification-service.send-notification"


def delete_peers():
    """A replica's and a consumer's request costs a broker by all the partitions that are asked for: each run has none but its own."""
    messaging.delete(f"{re.escape(PEER)}.*")


class Bench:
    def __init__(self):
        self.flow, self.kafkaflow, self.spring = (os.environ[name] for name in ["BENCH_FLOW", "BENCH_KAFKAFLOW", "BENCH_SPRING_FLOW"])
        self.brokers, self.postgres, self.work = os.environ["BENCH_BROKERS"], os.environ["BENCH_POSTGRES"], os.environ["BENCH_WORK"]
        self.around = surroundings()
        Cluster.running().delete_at_once()
        delete_peers()
        self.runs = {}

    def service(self, who, port, store, topology, letters):
        """How the service is started, and its topic of letters."""
        if who == "spring":
            return [self.spring, self.brokers, store, str(port), PEER], PEER + LETTERS
        argv = [self.kafkaflow, "up", "-b", self.brokers, "--store", store, "--yes", "--listen", f"127.0.0.1:{port}"]
        argv += ["--inventory-listen", f"127.0.0.1:{port + 1}", "--notification-listen", f"127.0.0.1:{port + 2}"]
        argv += ["--email", "file:/dev/null", "--sms", "file:/dev/null", "--operator", "file:/dev/null", "--without-address", "file:/dev/null"]
        argv += ["--topology", topology, "--payments", "simulated" if who == "kafkaflow-captures" else "none"]
        return argv, letters

    def once(self, who, what, number):
        messaging.await_deletions()
        os.sync()  # the run before leaves gigabytes that are not written yet
        store = stores.sqlite(self.work) if who == "kafkaflow-sqlite" else stores.postgres(self.postgres)
        with messaging.system(self.work) as (topology, letters), store as location, writeback.steadily():
            self.among(who, what, number, location, topology, letters)
        if who == "spring":
            delete_peers()

    def among(self, who, what, number, store, topology, letters):
        port = int(os.environ.get("BENCH_HTTP_PORT", "18300"))
        argv, topic = self.service(who, port, store, topology, letters)
        speed = measure.speed()
        log = f"{self.work}/flow-{who}.log"
        with open(log, "w", encoding="utf-8") as out:
            service = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT, cwd=self.work)
            try:
                self.until_ready(service, who, log)
                answer = self.drive(service, f"http://127.0.0.1:{port}", topic, what, number)
                if who != "spring":
                    answer["account"] |= self.stock(port)
            finally:
                service.send_signal(signal.SIGTERM)
                try:
                    service.wait(30)
                except subprocess.TimeoutExpired:
                    service.kill()
                    service.wait()
        answer["speed_ms"] = speed
        measure.note(f"  {who} {what}: {json.dumps(answer)}")
        self.runs.setdefault((who, what), []).append(answer)

    def until_ready(self, service, who, log):
        word = "ready" if who == "spring" else "http://"
        deadline = time.monotonic() + READY
        while word not in open(log, encoding="utf-8").read():
            if service.poll() is not None or time.monotonic() > deadline:
                with open(log, encoding="utf-8") as said:
                    sys.exit(f"bench: {NAMES[who]} did not start:\n{said.read()[-3000:]}")
            time.sleep(0.1)

    def drive(self, service, url, topic, what, number):
        argv = [self.flow, what, url, self.brokers, topic, str(SECONDS), str(number)]
        client = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        watched = [Watched("service", [service.pid]), *self.around, Watched("client", [client.pid])]
        watch, cores, answer = None, None, None
        for line in client.stdout:
            if line == "soon\n":
                # What the start left to be written would be written while it is measured: commits of 50 ms, each 5 s.
                os.sync()
            elif line == "begin\n":
                watch = Stopwatch(watched)
            elif line == "end\n":
                cores = watch.cores()
            else:
                answer = json.loads(line)
        if client.wait() or answer is None:
            sys.exit("bench: the client failed")
        answer["cpu"] = cores
        answer["memory_mb"] = round(watched[0].peak_kb() / 1024)
        return answer

    def stock(self, port):
        """What became reserved, and whether the stock adds up."""
        url = f"http://127.0.0.1:{port}/products"
        with urllib.request.urlopen(url, timeout=10) as answer:
            products = json.load(answer)["products"]
        load = [product for product in products if product["productId"].startswith("LOAD-")]
        return {"reserved": sum(product["reserved"] for product in load), "missing": sum(10_000_000 - product["available"] - product["reserved"] for product in load)}

    def warm(self):
        """Runs before any that counts: the brokers' own code is slow at first, for minutes. Ends once an order costs them as much as in the run before."""
        for one in WARM:
            self.once(one, "sustained", WINDOW)
        runs, number = self.runs.get(("kafkaflow", "sustained"), []), len(WARM)
        while number < MOST_WARM and len(runs) > 1 and cost(runs[-1], "brokers") < 0.95 * cost(runs[-2], "brokers"):
            self.once("kafkaflow", "sustained", WINDOW)
            number += 1
        self.runs.clear()
        return number

    def of(self, who, what, read):
        return [read(run) for run in self.runs[who, what]]


def exact(run):
    account = run["account"]
    clean = not (account["lost"] or account["strangers"] or account["again"])
    if "reserved" in account:
        # One order in five hundred asks for what is sold out; the first ones, while it warms up, do not.
        clean = clean and account["missing"] == 0 and account["reserved"] <= account["accepted"]
    return clean


def cost(run, of="service"):
    """Seconds of a core that an order takes the service, or the brokers."""
    return run["cpu"][of] / run["per_second"]


def sustained(bench):
    rows, what = [], "sustained"
    for who in WHO:
        rates = bench.of(who, what, lambda run: run["per_second"])
        runs = bench.runs[who, what]
        middle = sorted(runs, key=lambda run: run["per_second"])[len(runs) // 2]
        ratio = measure.spread((one / two for one, two in zip(rates, bench.of("spring", what, lambda run: run["per_second"]))), 2) if "spring" in WHO else ""
        rows.append([
            NAMES[who], f"{measure.median(rates):,.0f} ({min(rates):,.0f}–{max(rates):,.0f})", ratio if who != "spring" else "", f"{cost(middle) * 1000:.2f}",
            split(middle), f"{middle['post_ms']['p50']:.1f} / {middle['post_ms']['p99']:.1f}",
            max(run["memory_mb"] for run in runs), "exact" if all(map(exact, runs)) else "NOT EXACT",
        ])
    measure.table(
        [f"sustained, {WINDOW:,} on their way", "orders/s: median (min–max)", "÷ Spring", "own CPU ms an order", "cores: service / brokers / database / client", "POST p50 / p99 ms", "peak MB", "account"],
        rows,
    )
    if "spring" not in WHO:
        return []
    bars = []
    for who, bar in [("kafkaflow", BAR_SUSTAINED), ("kafkaflow-sqlite", BAR_SQLITE)]:
        if who in WHO:
            seen = measure.median([one["per_second"] / two["per_second"] for one, two in zip(bench.runs[who, what], bench.runs["spring", what])])
            bars.append([f"{NAMES[who]}: sustained ≥ {bar} × Spring Boot", f"{seen:.2f}", measure.verdict(seen >= bar)])
    if "kafkaflow" in WHO:
        seen = measure.median([cost(one) / cost(two) for one, two in zip(bench.runs["kafkaflow", what], bench.runs["spring", what])])
        bars.append([f"own CPU an order ≤ {BAR_CPU} × the JVM's", f"{seen:.2f}", measure.verdict(seen <= BAR_CPU)])
    return bars


def paced(bench):
    rows, what = [], "paced"
    for who in WHO:
        runs = bench.runs[who, what]
        middle = sorted(runs, key=lambda run: run["outcome_ms"]["p99"])[len(runs) // 2]
        spread = lambda field, part: measure.spread(bench.of(who, what, lambda run: run[field][part]), 1)
        rows.append([
            NAMES[who], spread("post_ms", "p50"), spread("post_ms", "p99"), spread("outcome_ms", "p50"), spread("outcome_ms", "p99"),
            split(middle), max(run["memory_mb"] for run in runs), "exact" if all(map(exact, runs)) else "NOT EXACT",
        ])
    measure.table(
        [f"at {RATE}/s", "POST p50 ms", "POST p99 ms", "outcome p50 ms", "outcome p99 ms", "cores: service / brokers / database / client", "peak MB", "account"],
        rows,
    )
    bars = []
    if "kafkaflow" in WHO:
        post, outcome = (measure.median(bench.of("kafkaflow", what, lambda run: run[field]["p99"])) for field in ["post_ms", "outcome_ms"])
        bars.append([f"POST p99 ≤ {BAR_POST_MS} ms at {RATE}/s", f"{post:.1f} ms", measure.verdict(post <= BAR_POST_MS)])
        bars.append([f"POST to CONFIRMED p99 ≤ {BAR_OUTCOME_MS} ms at {RATE}/s", f"{outcome:.1f} ms", measure.verdict(outcome <= BAR_OUTCOME_MS)])
    return bars


def main():
    bench = Bench()
    measure.machine()
    warmed = bench.warm()
    print(f"{TURNS} turns of {SECONDS} s after 30 s of warming up, and {warmed} runs before them for the brokers; one of 500 orders asks for what is sold out.\n")
    who, bars = list(WHO), []
    for _ in range(TURNS):
        for one in who:
            for what, number in [("sustained", WINDOW), ("paced", RATE)]:
                if what in ONLY:
                    bench.once(one, what, number)
        who = who[1:] + who[:1]
    for name, part in [("sustained", sustained), ("paced", paced)]:
        if name in ONLY:
            bars += part(bench)
    ours = [run for (who, _), runs in bench.runs.items() if who == "kafkaflow" for run in runs]
    if ours:
        memory = max(run["memory_mb"] for run in ours)
        bars.append([f"memory of the whole process ≤ {BAR_MEMORY_MB} MB", f"{memory} MB", measure.verdict(memory <= BAR_MEMORY_MB)])
        bars.append(["every order accounted for", "", measure.verdict(all(map(exact, ours)))])
    measure.table(["bar", "seen", ""], bars)
    speeds = [run["speed_ms"] for runs in bench.runs.values() for run in runs]
    print(f"The machine's own speed, before each run: two million additions in Python took {measure.spread(speeds, 0)} ms.")


if __name__ == "__main__":
    main()
