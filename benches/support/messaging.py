"""The topics that are measured on."""

import contextlib
import glob
import os
import shutil
import subprocess
import time

from . import wire

SERVICES = ["order-service", "inventory-service", "notification-service"]


def tool(*arguments):
    argv = ["./dev", "kafka", "tool", "--cluster", "bench", "topics", *arguments]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def delete(pattern):
    tool("--delete", "--if-exists", "--topic", pattern)


def await_deletions():
    """Until the files of deleted topics are gone."""
    left = lambda: glob.glob(f"{os.environ['BENCH_CLUSTER_DIR']}/node-*/data/*/*-delete")
    wire.until(lambda: not left(), 60, "the files of deleted topics are gone")


@contextlib.contextmanager
def topics(*names, config=()):
    """Topics of 12 partitions that are there for as long as they are used."""
    made = [f"bench.messaging.{name}.{int(time.time())}" for name in names]
    try:
        for name in made:
            settings = [part for setting in config for part in ["--config", setting]]
            tool("--create", "--topic", name, "--partitions", "12", "--replication-factor", "3", *settings)
        yield made
    finally:
        for name in made:
            delete(name)


@contextlib.contextmanager
def system(folder):
    """A topology file like the repository's, with topics and groups of its own, and its topic of notifications."""
    run = f"bench{time.time_ns() // 1_000_000}"
    with open("topology.yaml", encoding="utf-8") as file:
        text = file.read()
    for name in SERVICES:
        text = text.replace(f"{name}.", f"{name}.{run}.").replace(f"group: {name}", f"group: {run}-{name}")
    folder = f"{folder}/{run}"
    shutil.copytree("schemas", f"{folder}/schemas")
    with open(f"{folder}/topology.yaml", "w", encoding="utf-8") as file:
        file.write(text)
    try:
        yield os.path.abspath(f"{folder}/topology.yaml"), f"notification-service.{run}.send-notification"
    finally:
        delete(f".*[.]{run}[.].*")
        shutil.rmtree(folder, ignore_errors=True)
