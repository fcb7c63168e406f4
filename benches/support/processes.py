"""What processes take, as the kernel counts it."""

import os
import time

PARTS = ["service", "brokers", "database", "client"]


def pid_in(file):
    """The process whose number a file begins with."""
    with open(file, encoding="utf-8") as text:
        return text.read().split()[0]


def stat(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rsplit(")", 1)[1].split()


class Watched:
    """A process, with those of its children that have ended and those that run."""

    def __init__(self, name, pids):
        self.name, self.pids = name, pids

    def ticks(self):
        return sum(ticks(pid) for pid in self.pids)

    def peak_kb(self):
        return sum(status_kb(pid, "VmHWM") for pid in self.pids)


def surroundings():
    """The brokers and the database that a benchmark runs on."""
    cluster = os.environ["BENCH_CLUSTER_DIR"]
    return [
        Watched("brokers", [pid_in(f"{cluster}/node-{node}/pid") for node in (1, 2, 3)]),
        Watched("database", [pid_in(os.environ["BENCH_POSTGRES_PID"])]),
    ]


class Stopwatch:
    """The cores that each of these has taken since."""

    def __init__(self, watched):
        self.watched, self.began = watched, time.monotonic()
        self.before = {one.name: one.ticks() for one in watched}

    def cores(self):
        ticks = (time.monotonic() - self.began) * os.sysconf("SC_CLK_TCK")
        return {one.name: round((one.ticks() - self.before[one.name]) / ticks, 3) for one in self.watched}


def split(run):
    return " / ".join(f"{run['cpu'][name]:.2f}" for name in PARTS)


def ticks(pid):
    """Of it, of its children that were waited for, and of those that run."""
    fields = stat(pid)
    return sum(int(field) for field in fields[11:15]) + sum(map(own_ticks, children(pid)))


def own_ticks(pid):
    try:
        fields = stat(pid)
    except FileNotFoundError:  # it ended meanwhile
        return 0
    return int(fields[11]) + int(fields[12])


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return file.read().split()


def status_kb(pid, field):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field + ":"))
