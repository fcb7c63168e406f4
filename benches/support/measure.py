"""Measurements and how they are shown."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
import timeit

HERE = os.path.dirname(os.path.abspath(__file__))


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def run(argv, output, expect=0, env=None):
    """A program's wall seconds, CPU seconds, peak memory; fails when it ends otherwise than expected."""
    spawn = [sys.executable, "-I", "-S", os.path.join(HERE, "spawn.py"), output, *argv]
    answer = subprocess.run(spawn, stdout=subprocess.PIPE, check=True, env={**os.environ, **(env or {})})
    measured = json.loads(answer.stdout)
    if expect is not None and measured["exit"] != expect:
        with open(output, encoding="utf-8", errors="replace") as file:
            said = file.read()
        sys.exit(f"bench: {' '.join(argv)} ended with {measured['exit']}, not {expect}:\n{said[-2000:]}")
    return measured


def inside(argv):
    """What a program of ours printed about itself, as JSON."""
    return json.loads(subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout)


def interleaved(contenders, rounds, between=lambda: None):
    """{name: [result]}: every contender once a round, each round starting with another one."""
    results = {name: [] for name in contenders}
    order = list(contenders)
    for _ in range(rounds):
        for name in order:
            between()
            results[name].append(contenders[name]())
            note(f"  {name}: {results[name][-1]['wall']:.3f} s")
        order = order[1:] + order[:1]
    return results


def speed():
    """Milliseconds that two million additions take here and now, the best of four: what a machine shared with others has to give changes within minutes."""
    return min(timeit.repeat("for number in range(2_000_000): total += number", "total = 0", repeat=4, number=1)) * 1000


def median(values):
    return statistics.median(values)


def spread(values, digits=3):
    """`1.234 (1.200–1.300)`"""
    values = list(values)
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def memory(results):
    peak = max(result["rss_kb"] for result in results)
    known = peak > max(result["floor_kb"] for result in results) * 1.02
    return f"{peak / 1024:.0f} MB" if known else f"< {peak / 1024:.0f} MB"


def verdict(met):
    return "met" if met else "MISSED"


def table(head, rows):
    """Markdown that is also readable as it is."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
    line = lambda row: "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
    print(line(head))
    print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    for row in rows:
        print(line(row))
    print(flush=True)


def machine(kafka=True):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown CPU")
    memory_kb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024
    parts = [model, f"{os.cpu_count()} cores", f"{memory_kb / (1 << 20):.0f} GB", f"Linux {platform.release()}"]
    if kafka:
        parts.append(f"Kafka {os.environ['BENCH_KAFKA_VERSION']}, 3 brokers on the same machine, heap {os.environ['BENCH_HEAP']}")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True, check=False)
    parts += [time.strftime("%Y-%m-%d"), f"commit {commit.stdout.strip() or 'unknown'}"]
    print("machine: " + "; ".join(parts) + "\n", flush=True)
