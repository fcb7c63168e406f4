"""a thousand kills at every boundary of consumer and relay, on both stores; nothing lost, nothing twice"""

import json
import os
import re
import subprocess
import sys

from support import measure

KILLS = os.environ.get("KAFKAFLOW_CRASH_KILLS", "1000")
SEED = os.environ.get("KAFKAFLOW_CRASH_SEED", "1")


def built():
    """The test's own binary: it runs itself as the child that is killed."""
    argv = ["cargo", "test", "--quiet", "--test", "faults", "--no-run", "--message-format=json"]
    lines = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    messages = [json.loads(line) for line in lines if line.startswith("{")]
    return next(message["executable"] for message in messages if message.get("executable") and message["target"]["name"] == "faults")


def main():
    env = {**os.environ, "CARGO_MANIFEST_DIR": os.getcwd(), "KAFKAFLOW_CRASH_KILLS": KILLS, "KAFKAFLOW_CRASH_SEED": SEED}
    for name in ["BROKERS", "POSTGRES", "CLUSTER"]:
        env[f"KAFKAFLOW_TEST_{name}"] = os.environ[f"BENCH_{name}"]
    argv = [built(), "crash::kills", "--nocapture"]
    run = subprocess.run(argv, env=env, stdout=subprocess.PIPE, text=True, check=False)
    pattern = r"([\d,]+) kills \(([\d,]+) at their boundary\) in (\d+) s: (\d+) inputs, (\d+) effects, (\d+) dead letters, (\d+) repeats"
    found = re.search(pattern, run.stdout)
    if run.returncode or not found:
        sys.exit(f"bench: the test failed:\n{run.stdout[-4000:]}")
    kills, met, seconds, inputs, effects, dead, repeats = (f"{int(number):,}" for number in found.groups())
    measure.machine()
    head = ["kills", "at their boundary", "seconds", "inputs", "effects", "dead letters", "records published twice", "lost or twice"]
    measure.table(head, [[kills, met, seconds, inputs, effects, dead, repeats, "none"]])


if __name__ == "__main__":
    main()
