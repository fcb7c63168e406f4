"""Runs a program and prints what it took, as JSON: `python3 -I -S spawn.py OUTPUT PROGRAM ARGS…`

A process of its own, because the kernel counts the memory of whoever starts a program into that program's peak: this
one is small (`floor_kb`), and a peak that is not above it is only known to be no larger.
"""

import os
import sys
import time

output, argv = sys.argv[1], sys.argv[2:]
actions = [
    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
    (os.POSIX_SPAWN_DUP2, 1, 2),
]
began = time.perf_counter()
pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=actions)
_, status, usage = os.wait4(pid, 0)
wall = time.perf_counter() - began
with open("/proc/self/status", encoding="utf-8") as file:
    own = next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
print(
    f'{{"wall": {wall}, "cpu": {usage.ru_utime + usage.ru_stime}, "rss_kb": {usage.ru_maxrss}, '
    f'"floor_kb": {own}, "exit": {os.waitstatus_to_exitcode(status)}}}'
)
