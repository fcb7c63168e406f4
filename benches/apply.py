"""kafkaflow apply, from nothing, against the sum of its bare requests and against confluent-kafka"""

import os
import sys

from support import measure, topics

PAIRS = int(os.environ.get("BENCH_PAIRS", "5"))
COUNTS = [int(count) for count in os.environ.get("BENCH_COUNTS", "100 1000 10000").split()]
PEER_CHUNK = 2000  # 8,000 metadata records of the 10,000 that a controller takes at once
FRESH_FROM = 5000  # from so many topics on, brokers start anew for every run
BAR_RATIO, BAR_RSS_MB = 1.3, 100
HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    binary, python, work = os.environ["BENCH_KAFKAFLOW"], os.environ["BENCH_PYTHON"], os.environ["BENCH_WORK"]
    addresses = os.environ["BENCH_BROKERS"].split(",")
    bootstrap = ",".join(addresses)
    cluster = topics.Cluster.running()
    cluster.prepare()

    def nothing_there():
        """Every run begins with no topic of ours, and with brokers that have done a little of this before."""
        if count < FRESH_FROM:
            cluster.delete_all()
            return
        warm = [sys.executable, os.path.join(HERE, "floor.py"), "apply", "100", *addresses]
        anew = topics.Cluster.fresh()
        for _ in range(3):
            measure.inside(warm)
            anew.delete_all()

    rows, phases, bars, refused = [], [], [], []
    for count in COUNTS:
        file, output = os.path.join(work, "topology.yaml"), os.path.join(work, "output")
        topics.write_topology(file, count)
        floor = [sys.executable, os.path.join(HERE, "floor.py"), "apply", str(count), *addresses]
        ours = [binary, "apply", file, "-b", bootstrap, "--yes", "--timeout", "15m"]
        peer = [python, os.path.join(HERE, "peers/confluent_admin.py"), "create", str(count)]
        contenders = {
            "floor": lambda: measure.inside(floor),
            "kafkaflow": lambda: measure.run(ours, output),
            "confluent-kafka": lambda: measure.run([*peer, str(PEER_CHUNK), bootstrap], output),
        }
        measure.note(f"apply: {count} topics")
        if count == COUNTS[0] and count < FRESH_FROM:
            contenders["floor"]()  # the brokers' JVMs
        results = measure.interleaved(contenders, PAIRS, nothing_there)
        to_floor = [a["wall"] / b["wall"] for a, b in zip(results["kafkaflow"], results["floor"])]
        to_peer = [a["wall"] / b["wall"] for a, b in zip(results["confluent-kafka"], results["kafkaflow"])]
        if count == max(COUNTS):
            nothing_there()
            at_once = measure.run([*peer, str(count), bootstrap], output, expect=None)
            with open(output, encoding="utf-8") as file:
                refused = [count, at_once, file.read().strip()]
        for name in contenders:
            rows.append([
                f"{count:,}",
                {"floor": "bare requests", "confluent-kafka": "confluent-kafka, creates only"}.get(name, name),
                measure.spread(one["wall"] for one in results[name]),
                f"{measure.median(one['cpu'] for one in results[name]):.3f}",
                measure.memory(results[name]) if name != "floor" else "",
                measure.spread(to_floor, 2) if name == "kafkaflow" else "",
                measure.spread(to_peer, 2) if name == "confluent-kafka" else "",
            ])
        parts = results["floor"][0]["phases"]
        phases.append([f"{count:,}", *[f"{measure.median(one['phases'][part] for one in results['floor']) * 1000:.0f}" for part in parts]])
        peak = max(one["rss_kb"] for one in results["kafkaflow"]) / 1024
        bars.append([f"apply ≤ {BAR_RATIO} × bare requests at {count:,}", f"{measure.median(to_floor):.2f}", measure.verdict(measure.median(to_floor) <= BAR_RATIO)])
        if count == max(COUNTS):
            bars.append([f"peak memory ≤ {BAR_RSS_MB} MB", measure.memory(results["kafkaflow"]), measure.verdict(peak <= BAR_RSS_MB)])
    measure.machine()
    measure.table(["topics", "", "wall s: median (min–max)", "CPU s", "peak memory", "÷ bare", "÷ kafkaflow"], rows)
    print("The bare requests' parts, median ms:\n")
    measure.table(["topics", *parts], phases)
    count, at_once, said = refused
    outcome = "all created" if at_once["exit"] == 0 else f"refused: {said}"
    print(f"confluent-kafka, {count:,} topics in one request, {at_once['wall']:.2f} s: {outcome}\n")
    measure.table(["bar", "seen", ""], bars)


if __name__ == "__main__":
    main()
