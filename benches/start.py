"""how long kafkaflow --help takes, and kafkaflow validate of 5,000 topics"""

import os

from support import measure, topics

RUNS, COUNT = 20, 5000


def main():
    binary, work = os.environ["BENCH_KAFKAFLOW"], os.environ["BENCH_WORK"]
    file, output = os.path.join(work, "topology.yaml"), os.path.join(work, "output")
    topics.write_topology(file, COUNT)
    rows = []
    for what, argv, bar in [("--help", ["--help"], 0.010), (f"validate, {COUNT:,} topics", ["validate", file], 0.3)]:
        results = [measure.run([binary, *argv], output) for _ in range(RUNS + 1)][1:]  # the first fills the page cache
        walls = [1000 * one["wall"] for one in results]
        cpu = 1000 * measure.median(one["cpu"] for one in results)
        met = measure.median(walls) <= 1000 * bar
        rows.append([what, measure.spread(walls, 1), f"{cpu:.1f}", measure.memory(results), f"≤ {1000 * bar:.0f} ms", measure.verdict(met)])
    measure.machine(kafka=False)
    measure.table(["kafkaflow", f"wall ms of {RUNS}: median (min–max)", "CPU ms", "peak memory", "bar", ""], rows)


if __name__ == "__main__":
    main()
