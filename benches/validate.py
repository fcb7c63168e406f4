"""kafkaflow validate-event of a million events, against ajv, jsonschema-rs and jsonschema"""

import json
import os
import random
import re
import shutil
import sys

from support import measure

PAIRS = int(os.environ.get("BENCH_PAIRS", "7"))
COUNT = int(os.environ.get("BENCH_EVENTS", "1000000"))
SLICE = COUNT // 100  # of the peer that would take minutes for all
ONE_IN = 100  # is invalid
BAR_BOTH, BAR_ONE, BAR_RSS_MB, BAR_FIRST_MS = 10, 5, 64, 15
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
SCHEMA = os.path.join(ROOT, "schemas/OrderPlaced.v1.json")


def write_events(path):
    """Orders like the design document's own, every hundredth with a quantity of 0, the totals right."""
    draw = random.Random(1)
    with open(os.path.join(ROOT, "tests/fixtures/events/OrderPlaced.json"), encoding="utf-8") as file:
        event = json.load(file)
    with open(path, "w", encoding="utf-8") as file:
        for number in range(COUNT):
            event["eventId"], event["orderId"] = f"evt-{draw.getrandbits(32):08x}", f"ORD-{number}"
            event["customerId"] = f"CUST-{draw.randrange(100_000)}"
            item, cents = event["items"][0], draw.randrange(1, 100_000)
            item["quantity"] = draw.randrange(1, 9) if number % ONE_IN else 0
            item["unitPrice"] = cents / 100
            event["totalAmount"] = (item["quantity"] * cents + 1995) / 100
            file.write(json.dumps(event) + "\n")


def counted(measured, output, count):
    """Every contender must have judged as many events, and found as many invalid."""
    with open(output, encoding="utf-8") as file:
        said = file.read()
    numbers = re.search(r"([\d,]+) valid, ([\d,]+) invalid", said) or re.search(r'"valid": ?(\d+), ?"invalid": ?(\d+)', said)
    valid, invalid = (int(number.replace(",", "")) for number in numbers.groups())
    if (valid, invalid) != (count - count // ONE_IN, count // ONE_IN):
        sys.exit(f"bench: {valid} valid and {invalid} invalid, of {count}")
    return {**measured, "rate": count / measured["wall"]}


def main():
    binary, python, work = os.environ["BENCH_KAFKAFLOW"], os.environ["BENCH_PYTHON"], os.environ["BENCH_WORK"]
    events, one, output = (os.path.join(work, name) for name in ["events.ndjson", "one.ndjson", "output"])
    write_events(events)
    with open(events, encoding="utf-8") as file, open(one, "w", encoding="utf-8") as first:
        file.readline()
        first.write(file.readline())
    schemas = ["--schemas", os.path.join(ROOT, "schemas")]
    ajv = [shutil.which("node"), os.path.join(os.environ["BENCH_AJV"], "validate.mjs"), SCHEMA, events]
    py = lambda which, lines: [python, os.path.join(HERE, "peers/python_schema.py"), which, SCHEMA, events, str(lines)]

    def ours(threads):
        argv = [binary, "validate-event", events, *schemas, "--threads", str(threads)]
        return lambda: counted(measure.run(argv, output, expect=3), output, COUNT)

    contenders = {
        "kafkaflow, 2 threads": ours(2),
        "kafkaflow, 1 thread": ours(1),
        "ajv, compiled": lambda: counted(measure.run(ajv, output), output, COUNT),
        "jsonschema-rs": lambda: counted(measure.run(py("rs", COUNT), output), output, COUNT),
        f"jsonschema, {SLICE:,} events": lambda: counted(measure.run(py("python", SLICE), output), output, SLICE),
    }
    measure.note(f"validate: {COUNT:,} events, {os.path.getsize(events) // COUNT} bytes each")
    results = measure.interleaved(contenders, PAIRS)
    rows = []
    for name, runs in results.items():
        over_ajv = [mine["rate"] / theirs["rate"] for mine, theirs in zip(runs, results["ajv, compiled"])]
        rows.append([
            name,
            measure.spread([one["wall"] for one in runs]),
            f"{measure.median(one['cpu'] for one in runs):.2f}",
            f"{measure.median(one['rate'] for one in runs):,.0f}",
            measure.memory(runs),
            measure.spread(over_ajv, 2),
        ])
    first = [measure.run([binary, "validate-event", one, *schemas], output) for _ in range(21)][1:]
    measure.machine(kafka=False)
    measure.table(["", "wall s: median (min–max)", "CPU s", "events/s", "peak memory", "× ajv"], rows)
    over = lambda name: measure.median(a["rate"] / b["rate"] for a, b in zip(results[name], results["ajv, compiled"]))
    both, single = over("kafkaflow, 2 threads"), over("kafkaflow, 1 thread")
    peak = max(one["rss_kb"] for one in results["kafkaflow, 2 threads"]) / 1024
    first_ms = 1000 * measure.median(one["wall"] for one in first)
    measure.table(["bar", "seen", ""], [
        [f"two threads ≥ {BAR_BOTH} × ajv", f"{both:.1f}", measure.verdict(both >= BAR_BOTH)],
        [f"one thread ≥ {BAR_ONE} × ajv", f"{single:.1f}", measure.verdict(single >= BAR_ONE)],
        [f"peak memory ≤ {BAR_RSS_MB} MB", f"{peak:.0f} MB", measure.verdict(peak <= BAR_RSS_MB)],
        [f"a file of one event ≤ {BAR_FIRST_MS} ms", f"{first_ms:.1f} ms", measure.verdict(first_ms <= BAR_FIRST_MS)],
    ])


if __name__ == "__main__":
    main()
