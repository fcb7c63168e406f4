"""What processes take, as the kernel counts it."""


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
