"""The topics that records are measured on."""

import contextlib
import subprocess
import time


def tool(*arguments):
    argv = ["./dev", "kafka", "tool", "--cluster", "bench", "topics", *arguments]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


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
            tool("--delete", "--if-exists", "--topic", name)
