"""What nobody syncs, written out steadily while a run lasts.

Left to itself the kernel keeps pages for 30 seconds (`vm.dirty_expire_centisecs`) and then writes all of them at once: what three
brokers wrote in half a minute stands before every commit of a database on the same disk, for a second or two.
`BENCH_SYNC` says how many seconds are between two writes, 0 leaves it to the kernel.
"""

import os
import threading

EVERY = float(os.environ.get("BENCH_SYNC", "1"))


class Steadily:
    def __init__(self, every=EVERY):
        self.every, self.over = every, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.over.wait(self.every):
            os.sync()

    def __enter__(self):
        if self.every > 0:
            self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        if self.every > 0:
            self.thread.join()
