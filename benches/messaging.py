"""the runtime: a group's consumer against a bare rdkafka loop, the relay, commit to acknowledgement"""

import json
import os
import subprocess
import time

from support import measure

TURNS = int(os.environ.get("BENCH_PAIRS", "3"))
COUNT = int(os.environ.get("BENCH_RECORDS", "1000000"))
ROWS = COUNT // 5
BAR_LOOP, BAR_RELAY, BAR_P99_MS = 0.9, 40_000, 20


def main():
    binary, brokers, store = os.environ["BENCH_MESSAGING"], os.environ["BENCH_BROKERS"], os.environ["BENCH_POSTGRES"]
    work = os.environ["BENCH_WORK"]
    topic = lambda name: f"bench.messaging.{name}.{int(time.time())}"
    source, target = topic("in"), topic("out")
    for name in (source, target):
        tool = ["./dev", "kafka", "tool", "--cluster", "bench", "topics", "--create", "--topic", name]
        subprocess.run([*tool, "--partitions", "12", "--replication-factor", "3"], check=True, stdout=subprocess.DEVNULL)
    sqlite = lambda: f"sqlite:{work}/messaging-{time.time_ns()}"

    def one(what, store="-", count=COUNT, topic=source):
        answer = measure.inside([binary, what, brokers, store, str(count), topic])
        measure.note(f"  {json.dumps(answer)}")
        return answer

    one("fill")
    runs = {"bare": [], "empty": [], "postgres": [], "sqlite": [], "relay": [], "latency": []}
    for _ in range(TURNS):
        runs["bare"].append(one("bare"))
        runs["empty"].append(one("consume"))
        runs["postgres"].append(one("consume", store))
        runs["sqlite"].append(one("consume", sqlite()))
        runs["relay"].append(one("relay", store, ROWS, target))
        runs["latency"].append(one("latency", store, 20_000, target))

    def rates(name):
        return [run["per_second"] for run in runs[name]]

    def shown(values):
        return f"{measure.median(values):,.0f} ({min(values):,.0f}–{max(values):,.0f})"

    def ratio(name):
        ratios = [ours / bare for ours, bare in zip(rates(name), rates("bare"))]
        return f"{measure.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"

    measure.machine()
    print(f"{COUNT:,} records of 384 bytes in 12 partitions, {TURNS} turns.\n")
    measure.table(
        ["consumer", "records/s: median (min–max)", "÷ bare"],
        [
            ["bare rdkafka loop", shown(rates("bare")), ""],
            ["ours, empty handler, no store", shown(rates("empty")), ratio("empty")],
            ["ours, inbox in PostgreSQL", shown(rates("postgres")), ratio("postgres")],
            ["ours, inbox in SQLite", shown(rates("sqlite")), ratio("sqlite")],
        ],
    )
    p99 = [run["p99_ms"] for run in runs["latency"]]
    measure.table(
        [f"relay over PostgreSQL, {ROWS:,} rows", "median (min–max)"],
        [
            ["written rows/s, 1,000 a transaction", shown([run["written_per_second"] for run in runs["relay"]])],
            ["published rows/s", shown(rates("relay"))],
            ["commit to acknowledgement at 2,000 rows/s, p50 ms", measure.spread([run["p50_ms"] for run in runs["latency"]], 1)],
            ["the same, p99 ms", measure.spread(p99, 1)],
        ],
    )
    loop = measure.median([ours / bare for ours, bare in zip(rates("empty"), rates("bare"))])
    relay = measure.median(rates("relay"))
    measure.table(
        ["bar", "seen", ""],
        [
            [f"empty handler ≥ {BAR_LOOP} × bare", f"{loop:.2f}", measure.verdict(loop >= BAR_LOOP)],
            [f"relay ≥ {BAR_RELAY:,} rows/s", f"{relay:,.0f}", measure.verdict(relay >= BAR_RELAY)],
            [
                f"commit to acknowledgement p99 ≤ {BAR_P99_MS} ms",
                f"{measure.median(p99):.1f} ms",
                measure.verdict(measure.median(p99) <= BAR_P99_MS),
            ],
        ],
    )


if __name__ == "__main__":
    main()
