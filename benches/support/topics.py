"""The topics of the benchmarks: made, deleted, written as a topology file."""

import os
import subprocess
import time

from . import wire
from .processes import own_ticks, pid_in

PREFIX = "bench."
MOST = 10_000
PARTITIONS, REPLICATION = 1, 3
CONFIGS = {"min.insync.replicas": "2", "retention.ms": "86400000"}
CREATE_CHUNK = 1250  # 5,000 metadata records, as kafkaflow cuts them
CHUNK = 250  # topics in a request that reads


def names(count):
    return [f"{PREFIX}t{index:05d}" for index in range(count)]


def chunks(items, size):
    return [items[at : at + size] for at in range(0, len(items), size)]


def wanted(count):
    return [(name, PARTITIONS, REPLICATION, CONFIGS) for name in names(count)]


def write_topology(path, count):
    with open(path, "w", encoding="utf-8") as file:
        file.write("version: 1\nname: bench\nallow: [KF060, KF062]\ntopics:\n")
        for name, partitions, replication, configs in wanted(count):
            file.write(f"  - name: {name}\n    partitions: {partitions}\n    replication: {replication}\n    config:\n")
            for key, value in configs.items():
                file.write(f"      {key}: {value}\n")


class Cluster:
    """What is done between the measurements; never timed."""

    def __init__(self, addresses, pids):
        self.brokers = [wire.Broker(address) for address in addresses]
        self.pids = pids

    @classmethod
    def running(cls):
        """The one that dev.d/bench started."""
        folder = os.environ["BENCH_CLUSTER_DIR"]
        pids = [pid_in(f"{folder}/node-{node}/pid") for node in (1, 2, 3)]
        return cls(os.environ["BENCH_BROKERS"].split(","), pids)

    @classmethod
    def fresh(cls):
        """Started anew without data: removing ten thousand topics takes brokers minutes, this takes seconds."""
        argv = ["./dev", "kafka", "start", "--cluster", "bench", "--fresh"]
        env = {**os.environ, "KAFKA_HEAP": os.environ["BENCH_HEAP"]}
        subprocess.run(argv, env=env, stderr=subprocess.DEVNULL, check=True)
        return cls.running()

    def prepare(self):
        self.delete_at_once()
        self.delete_all()

    def delete_at_once(self):
        """Deleted topics' files would otherwise be removed a minute later, in the middle of another measurement."""
        self.brokers[0].ask(wire.set_brokers_default("log.segment.delete.delay.ms", "1000"))

    def create(self, count):
        """Afterwards there are the first `count` topics and no others of ours, everywhere."""
        there = set(self.names(self.brokers[0]))
        missing = [topic for topic in wanted(count) if topic[0] not in there]
        for chunk in chunks(missing, CREATE_CHUNK):
            self.brokers[0].ask(wire.create_topics(chunk))
        self.await_count(count)
        self.settle(count)

    def delete_all(self):
        """Afterwards there is none of ours anywhere, nor will one appear."""
        # The controller decides, not what a broker shows: one that is behind has yet to hear of the newest.
        ours = sorted(set(self.names(self.brokers[0])) | set(names(MOST)))
        for chunk in chunks(ours, 1000):
            self.brokers[0].ask(wire.delete_topics(chunk))
        # Brokers take everything over in order: whoever shows the mark has seen all that was before it.
        mark = PREFIX + "mark"
        self.brokers[0].ask(wire.create_topics([(mark, 1, REPLICATION, {})]))
        for broker in self.brokers:
            wire.until(lambda: self.names(broker) == [mark], 300, "every topic deleted on every broker")
        self.brokers[0].ask(wire.delete_topics([mark]))
        self.await_count(0)
        self.settle()

    def names(self, broker):
        return [name for name in wire.topic_names(broker.ask(wire.metadata())) if name.startswith(PREFIX)]

    def await_count(self, count):
        for broker in self.brokers:
            wire.until(lambda: len(self.names(broker)) == count, 300, f"{count} topics on every broker")

    def settle(self, count=0):
        """Until the brokers rest: they make and remove replicas' files long after they answered."""
        # Replicas cost something at rest, too: three brokers with 30,000 of them use 0.4 of a core.
        rest = 0.3 + 0.05 * count / 1000
        deadline = time.monotonic() + 60
        quiet = 0
        while quiet < 3 and time.monotonic() < deadline:
            before = self.ticks()
            time.sleep(0.5)
            used = (self.ticks() - before) / os.sysconf("SC_CLK_TCK") / 0.5
            quiet = quiet + 1 if used < rest else 0

    def ticks(self):
        return sum(map(own_ticks, self.pids))
