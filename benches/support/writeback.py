"""What nobody syncs, written out steadily while a run lasts.

Left to itself the kernel keeps pages for 30 seconds (`vm.dirty_expire_centisecs`) and then writes all of them at once: what three
brokers wrote in half a minute stands before every commit of a database on the same disk, for a second or two.
`BENCH_SYNC` says how many seconds are between two writes, 0 leaves it to the kernel.
"""

import contextlib
import os
import threading

EVERY = float(os.environ.get("BENCH_SYNC", "1"))


@contextlib.contextmanager
def steadily():
    if EVERY <= 0:
        yield
        return
    over = threading.Event()

    def write():
        while not over.wait(EVERY):
            os.sync()

    writing = threading.Thread(target=write, daemon=True)
    writing.start()
    try:
        yield
    finally:
        over.set()
        writing.join()
