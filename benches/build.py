"""a clean build of every profile: seconds, crates, size of the binary"""

import json
import os
import shutil
import subprocess
import sys
import time

from support import measure

PROFILES = os.environ.get("BENCH_PROFILES", "quick dev release").split()


def build(profile, folder):
    """-> (seconds, crates compiled, bytes of the binary)"""
    shutil.rmtree(folder, ignore_errors=True)
    argv = ["cargo", "build", "--profile", profile, "--target-dir", folder, "--message-format=json"]
    began = time.perf_counter()
    answer = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    seconds = time.perf_counter() - began
    if answer.returncode != 0:
        sys.exit(f"bench: {' '.join(argv)} failed")
    messages = [json.loads(line) for line in answer.stdout.splitlines() if line.startswith(b"{")]
    crates = {message["package_id"] for message in messages if message["reason"] == "compiler-artifact"}
    binary = next(message["executable"] for message in messages if message.get("executable"))
    return seconds, len(crates), os.path.getsize(binary)


def main():
    folder = os.path.join(os.environ["BENCH_WORK"], "target")
    subprocess.run(["cargo", "fetch", "--quiet"], check=True)  # downloads are not part of it
    rows = []
    try:
        for profile in PROFILES:
            measure.note(f"build: {profile}")
            seconds, crates, size = build(profile, folder)
            rows.append([profile, f"{seconds:.0f}", crates, f"{size / (1 << 20):.1f} MiB"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rustc = subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    measure.machine(kafka=False)
    print(f"{rustc}\n")
    measure.table(["profile", "clean build s", "crates", "binary"], rows)


if __name__ == "__main__":
    main()
