"""ten minutes of records in, inbox, outbox, relay and records out, on both stores at once; memory is watched"""

import json
import os
import subprocess
import sys
import time

from support import measure, messaging

MINUTES = float(os.environ.get("BENCH_MINUTES", "10"))
SETTLED = 0.2  # of the time: until then caches and pools fill
BAR_GROWTH = 0.05  # of the memory, over what is left of the time
# The brokers need not keep what was read.
CONFIG = ["retention.bytes=33554432", "segment.bytes=16777216"]


def slope(samples):
    """Least squares, kB a second."""
    mean_at = sum(at for at, _ in samples) / len(samples)
    mean_kb = sum(kb for _, kb in samples) / len(samples)
    spread = sum((at - mean_at) ** 2 for at, _ in samples)
    return sum((at - mean_at) * (kb - mean_kb) for at, kb in samples) / spread if spread else 0.0


def main():
    binary, brokers = os.environ["BENCH_MESSAGING"], os.environ["BENCH_BROKERS"]
    stores = [os.environ["BENCH_POSTGRES"], f"sqlite:{os.environ['BENCH_WORK']}/soak-{time.time_ns()}"]
    measure.machine()
    rows, bars = [], []
    with messaging.topics("pg.in", "pg.out", "lite.in", "lite.out", config=CONFIG) as names:
        started = []
        for at, store in enumerate(stores):
            source, target = names[2 * at : 2 * at + 2]
            argv = [binary, "soak", brokers, store, str(int(MINUTES * 60)), source, target]
            started.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))
        answers = [process.communicate()[0] for process in started]
        if any(process.returncode for process in started):
            sys.exit(f"bench: a soak failed: {[process.returncode for process in started]}")
    for answer in map(json.loads, answers):
        measure.note(f"  {json.dumps(answer)}")
        samples = answer["samples"]
        last = samples[-1][0]
        settled = [sample for sample in samples if sample[0] >= SETTLED * last]
        kb_a_second = slope(settled)
        growth = kb_a_second * (last - settled[0][0]) / settled[0][1]
        kind = {"postgres": "PostgreSQL", "sqlite": "SQLite"}[answer["store"]]
        rows.append(
            [
                kind,
                f"{last / 60:.1f}",
                f"{answer['per_second']:,.0f}",
                f"{answer['produced']:,}",
                f"{answer['published']:,}",
                " / ".join(f"{kb / 1024:.1f}" for _, kb in [samples[0], settled[0], samples[-1]]),
                f"{max(kb for _, kb in samples) / 1024:.1f}",
                f"{kb_a_second * 60:+.0f}",
            ]
        )
        bars.append([f"{kind}: memory grows by ≤ {BAR_GROWTH:.0%} after the first fifth", f"{growth:+.1%}", measure.verdict(growth <= BAR_GROWTH)])
        bars.append([f"{kind}: each record handled and published once", f"{answer['published'] - answer['produced']:+,}", measure.verdict(answer["published"] == answer["produced"])])
    head = ["store", "minutes", "records/s", "records in", "records out", "MB: start / after a fifth / end", "most MB", "slope kB/min"]
    measure.table(head, rows)
    measure.table(["bar", "seen", ""], bars)


if __name__ == "__main__":
    main()
