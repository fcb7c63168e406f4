"""the runtime: a group's consumer, the relay, commit to acknowledgement; against bare rdkafka and Spring Kafka"""

import json
import os
import shlex
import time

from support import measure, messaging

TURNS = int(os.environ.get("BENCH_PAIRS", "5"))
COUNT = int(os.environ.get("BENCH_RECORDS", "1000000"))
ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
PACED = 20_000  # of the latencies: ten seconds
ONLY = os.environ.get("BENCH_ONLY", "consumer relay latency").split()
BAR_LOOP, BAR_PEER, BAR_RELAY, BAR_P99_MS = 0.9, 1.2, 40_000, 20
UNDER = shlex.split(os.environ.get("BENCH_UNDER", ""))


class Runs:
    """{name: [figures]}, turn by turn."""

    def __init__(self):
        self.binary, self.brokers = os.environ["BENCH_MESSAGING"], os.environ["BENCH_BROKERS"]
        self.postgres, self.work = os.environ["BENCH_POSTGRES"], os.environ["BENCH_WORK"]
        self.runs = {}

    def sqlite(self):
        return f"sqlite:{self.work}/messaging-{time.time_ns()}"

    def ours(self, name, what, topic, count, store="-"):
        return self.note(name, [self.binary, what, self.brokers, store, str(count), topic])

    def spring(self, name, mode, topic, count):
        java = [os.environ["BENCH_SPRING"], self.brokers, topic, str(count), mode]
        return self.note(name, java + ([self.postgres] if mode == "inbox" else []))

    def note(self, name, argv):
        answer = measure.inside([*UNDER, *argv])
        measure.note(f"  {name}: {json.dumps(answer)}")
        self.runs.setdefault(name, []).append(answer)

    def of(self, name, field="per_second", part=None):
        return [run[field] if part is None else run[field][part] for run in self.runs[name]]

    def rate(self, name):
        values = self.of(name)
        return f"{measure.median(values):,.0f} ({min(values):,.0f}–{max(values):,.0f})"

    def ratios(self, name, other):
        return [one / two for one, two in zip(self.of(name), self.of(other))]


def factor(ratios):
    return measure.spread(ratios, 2)


def consumer(runs, topic):
    contenders = [
        ("bare", lambda: runs.ours("bare", "bare", topic, COUNT)),
        ("validator", lambda: runs.ours("validator", "validator", "-", COUNT)),
        ("empty", lambda: runs.ours("empty", "empty", topic, COUNT)),
        ("judged", lambda: runs.ours("judged", "judged", topic, COUNT)),
        ("spring empty", lambda: runs.spring("spring empty", "empty", topic, COUNT)),
        ("inbox", lambda: runs.ours("inbox", "inbox", topic, COUNT, runs.postgres)),
        ("spring inbox", lambda: runs.spring("spring inbox", "inbox", topic, COUNT)),
        ("inbox sqlite", lambda: runs.ours("inbox sqlite", "inbox", topic, COUNT, runs.sqlite())),
        ("whole", lambda: runs.ours("whole", "whole", topic, COUNT, runs.postgres)),
        ("whole sqlite", lambda: runs.ours("whole sqlite", "whole", topic, COUNT, runs.sqlite())),
    ]
    runs.ours("fill", "fill", topic, COUNT)
    for _ in range(2):  # the brokers' own code is slow at first
        runs.ours("warm", "bare", topic, COUNT)
    for _ in range(TURNS):
        for name, run in contenders:
            run()
        contenders = contenders[3:] + contenders[:3]

    judged_floor = [1 / (1 / bare + 1 / validator) for bare, validator in zip(runs.of("bare"), runs.of("validator"))]
    judged = [seen / floor for seen, floor in zip(runs.of("judged"), judged_floor)]
    print(f"{COUNT:,} records of 384 bytes in 12 partitions, {TURNS} turns.\n")
    measure.table(
        ["consumer", "records/s: median (min–max)", "÷ bare", "÷ Spring Kafka"],
        [
            ["bare rdkafka loop", runs.rate("bare"), "", ""],
            ["the validator alone, one thread", runs.rate("validator"), "", ""],
            ["empty handler, no store", runs.rate("empty"), factor(runs.ratios("empty", "bare")), factor(runs.ratios("empty", "spring empty"))],
            ["the same with validation", runs.rate("judged"), factor(runs.ratios("judged", "bare")), ""],
            ["inbox in PostgreSQL", runs.rate("inbox"), factor(runs.ratios("inbox", "bare")), factor(runs.ratios("inbox", "spring inbox"))],
            ["inbox in SQLite", runs.rate("inbox sqlite"), factor(runs.ratios("inbox sqlite", "bare")), ""],
            ["validation, inbox, one effect row: PostgreSQL", runs.rate("whole"), factor(runs.ratios("whole", "bare")), ""],
            ["validation, inbox, one effect row: SQLite", runs.rate("whole sqlite"), factor(runs.ratios("whole sqlite", "bare")), ""],
            ["Spring Kafka, empty batch listener", runs.rate("spring empty"), factor(runs.ratios("spring empty", "bare")), ""],
            ["Spring Kafka, inbox in PostgreSQL", runs.rate("spring inbox"), factor(runs.ratios("spring inbox", "bare")), ""],
        ],
    )
    return [
        at_least(f"empty handler ≥ {BAR_LOOP} × bare", BAR_LOOP, measure.median(runs.ratios("empty", "bare"))),
        at_least(f"with validation ≥ {BAR_LOOP} × 1/(1/bare + 1/validator)", BAR_LOOP, measure.median(judged)),
        at_least(f"inbox in PostgreSQL ≥ {BAR_PEER} × Spring Kafka", BAR_PEER, measure.median(runs.ratios("inbox", "spring inbox"))),
    ]


def relay(runs, topic):
    for _ in range(TURNS):
        runs.ours("produce", "produce", topic, ROWS)
        runs.ours("relay", "relay", topic, ROWS, runs.postgres)
    written = runs.of("relay", "written_per_second")
    measure.table(
        [f"relay over PostgreSQL, {ROWS:,} rows", "rows/s: median (min–max)"],
        [
            ["written, 1,000 a transaction", f"{measure.median(written):,.0f} ({min(written):,.0f}–{max(written):,.0f})"],
            ["published and recorded", runs.rate("relay")],
            ["for so many seconds", measure.spread(runs.of("relay", "seconds"), 1)],
            ["the same records by a bare producer", runs.rate("produce")],
            ["÷ bare producer", factor(runs.ratios("relay", "produce"))],
        ],
    )
    seen = measure.median(runs.of("relay"))
    return [[f"relay ≥ {BAR_RELAY:,} rows/s", f"{seen:,.0f}", measure.verdict(seen >= BAR_RELAY)]]


def latency(runs, topic):
    runs.ours("warm", "produce-latency", topic, PACED)
    for _ in range(TURNS):
        runs.ours("produce-latency", "produce-latency", topic, PACED)
        runs.ours("latency", "latency", topic, PACED, runs.postgres)
    parts = [
        ["commit to acknowledgement", "latency", "whole_ms"],
        ["… a row waits for its round", "latency", "waiting_ms"],
        ["… the round's acknowledgement", "latency", "acknowledged_ms"],
        ["recording of a round, after it", "latency", "recorded_ms"],
        ["the commit itself, before it", "latency", "committing_ms"],
        ["the same records at the same times, without a store", "produce-latency", "acknowledged_ms"],
    ]
    measure.table(
        ["2,000 rows/s, ms", "p50: median (min–max)", "p99: median (min–max)"],
        [[words, *(measure.spread(runs.of(name, field, part), 1) for part in ["p50", "p99"])] for words, name, field in parts],
    )
    seen = measure.median(runs.of("latency", "whole_ms", "p99"))
    return [[f"commit to acknowledgement p99 ≤ {BAR_P99_MS} ms", f"{seen:.1f} ms", measure.verdict(seen <= BAR_P99_MS)]]


def at_least(words, bar, seen):
    return [words, f"{seen:.2f}", measure.verdict(seen >= bar)]


def main():
    runs = Runs()
    measure.machine()
    with messaging.topics("in", "out") as (source, target):
        bars = []
        for name, part, topic in [("consumer", consumer, source), ("relay", relay, target), ("latency", latency, target)]:
            if name in ONLY:
                bars += part(runs, topic)
    measure.table(["bar", "seen", ""], bars)


if __name__ == "__main__":
    main()
