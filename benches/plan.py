"""kafkaflow plan, nothing to do, against the bare requests and against confluent-kafka"""

import os
import sys

from support import measure, topics

PAIRS = int(os.environ.get("BENCH_PAIRS", "15"))
COUNTS = [int(count) for count in os.environ.get("BENCH_COUNTS", "100 1000 10000").split()]
PEER_CHUNK = 1000
BAR_RATIO, BAR_RSS_MB = 1.5, 100
HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    binary, python, work = os.environ["BENCH_KAFKAFLOW"], os.environ["BENCH_PYTHON"], os.environ["BENCH_WORK"]
    addresses = os.environ["BENCH_BROKERS"].split(",")
    cluster = topics.Cluster.running()
    cluster.prepare()
    rows, phases, walls = [], [], {}
    for count in COUNTS:
        measure.note(f"plan: {count} topics")
        cluster.create(count)
        file, output = os.path.join(work, "topology.yaml"), os.path.join(work, "output")
        topics.write_topology(file, count)
        bootstrap = ",".join(addresses)
        floor = [sys.executable, os.path.join(HERE, "floor.py"), "plan", str(count), *addresses]
        ours = [binary, "plan", file, "-b", bootstrap]
        peer = [python, os.path.join(HERE, "peers/confluent_admin.py"), "plan", str(count), str(PEER_CHUNK), bootstrap]
        contenders = {
            "floor": lambda: measure.inside(floor),
            "kafkaflow": lambda: measure.run(ours, output),
            "confluent-kafka": lambda: measure.run(peer, output),
        }
        for warm in contenders.values():  # the brokers' JVMs and caches
            warm()
        results = measure.interleaved(contenders, PAIRS)
        to_floor = [a["wall"] / b["wall"] for a, b in zip(results["kafkaflow"], results["floor"])]
        to_peer = [a["wall"] / b["wall"] for a, b in zip(results["confluent-kafka"], results["kafkaflow"])]
        walls[count] = measure.median(one["wall"] for one in results["kafkaflow"])
        for name in contenders:
            rows.append([
                f"{count:,}",
                {"floor": "bare requests"}.get(name, name),
                measure.spread(one["wall"] for one in results[name]),
                f"{measure.median(one['cpu'] for one in results[name]):.3f}",
                measure.memory(results[name]) if name != "floor" else "",
                {"kafkaflow": measure.spread(to_floor, 2), "floor": ""}.get(name, ""),
                measure.spread(to_peer, 1) if name == "confluent-kafka" else "",
            ])
        parts = {part: measure.median(one["phases"][part] for one in results["floor"]) for part in results["floor"][0]["phases"]}
        phases.append([f"{count:,}", *[f"{seconds * 1000:.1f}" for seconds in parts.values()], f"{results['floor'][0]['bytes']:,}"])
        if count == max(COUNTS):
            peak = max(one["rss_kb"] for one in results["kafkaflow"]) / 1024
            bars = [
                [f"plan ≤ {BAR_RATIO} × bare requests at {count:,}", f"{measure.median(to_floor):.2f}", measure.verdict(measure.median(to_floor) <= BAR_RATIO)],
                [f"peak memory ≤ {BAR_RSS_MB} MB", measure.memory(results["kafkaflow"]), measure.verdict(peak <= BAR_RSS_MB)],
            ]
    counts = sorted(walls)
    if len(counts) > 1:
        least, most = counts[-2], counts[-1]
        growth = walls[most] / walls[least]
        # Linear: ten times the topics take at most ten times as long; a constant share makes it less.
        bars.append([f"linear: {least:,} to {most:,} topics", f"× {growth:.1f}", measure.verdict(growth <= most / least)])
    measure.machine()
    measure.table(["topics", "", "wall s: median (min–max)", "CPU s", "peak memory", "÷ bare", "÷ kafkaflow"], rows)
    print("The bare requests' parts, median ms:\n")
    measure.table(["topics", "connect", "Metadata", "DescribeConfigs", "bytes"], phases)
    measure.table(["bar", "seen", ""], bars)


if __name__ == "__main__":
    main()
