"""The Kafka protocol as far as the benchmarks need it: requests as bytes, answers mostly left undecoded.

A *floor* is what a command's requests cost over bare sockets when nothing is made of the answers. Requests are encoded
before the clock starts. Versions are the last before flexible headers, except where kafkaflow's own make a difference to
the broker (CreateTopics 7 answers with every setting of every topic).
"""

import selectors
import socket
import struct
import time

METADATA, CREATE_TOPICS, DELETE_TOPICS, DESCRIBE_CONFIGS, INCREMENTAL_ALTER_CONFIGS = 3, 19, 20, 32, 44
TOPIC, BROKER = 2, 4  # ConfigResource.Type
UNKNOWN_TOPIC = 3
TIMEOUT_MS = 60_000


def string(text):
    data = text.encode()
    return struct.pack(">h", len(data)) + data


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def compact(text):
    data = text.encode()
    return varint(len(data) + 1) + data


def compact_array(items):
    return varint(len(items) + 1) + b"".join(items)


def frame(api, version, body, flexible=False):
    head = struct.pack(">hhi", api, version, 1) + string("bench") + (b"\0" if flexible else b"")
    return struct.pack(">i", len(head) + len(body)) + head + body


def metadata(names=None):
    """Of all topics, or of those named."""
    topics = struct.pack(">i", -1) if names is None else array([string(name) for name in names])
    return frame(METADATA, 4, topics + b"\0")


def describe_configs(names, keys=None):
    """All settings of the topics, or those called `keys`."""
    wanted = struct.pack(">i", -1) if keys is None else array([string(key) for key in keys])
    resources = [struct.pack(">b", TOPIC) + string(name) + wanted for name in names]
    return frame(DESCRIBE_CONFIGS, 2, array(resources) + b"\0")


def create_topics(topics, validate_only=False):
    """`topics`: (name, partitions, replication, {key: value})."""
    items = []
    for name, partitions, replication, configs in topics:
        settings = [compact(key) + compact(value) + b"\0" for key, value in configs.items()]
        head = compact(name) + struct.pack(">ih", partitions, replication)
        items.append(head + compact_array([]) + compact_array(settings) + b"\0")
    body = compact_array(items) + struct.pack(">i?", TIMEOUT_MS, validate_only) + b"\0"
    return frame(CREATE_TOPICS, 7, body, flexible=True)


def delete_topics(names):
    return frame(DELETE_TOPICS, 3, array([string(name) for name in names]) + struct.pack(">i", TIMEOUT_MS))


def set_brokers_default(key, value):
    """A setting for all brokers at once."""
    config = string(key) + b"\0" + string(value)
    resource = struct.pack(">b", BROKER) + string("") + array([config])
    return frame(INCREMENTAL_ALTER_CONFIGS, 0, array([resource]) + b"\0")


class Broker:
    """One connection."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(300)

    def send(self, request):
        self.socket.sendall(request)

    def receive(self):
        (size,) = struct.unpack(">i", self._read(4))
        return self._read(size)

    def ask(self, request):
        self.send(request)
        return self.receive()

    def _read(self, size):
        data = bytearray(size)
        view, got = memoryview(data), 0
        while got < size:
            count = self.socket.recv_into(view[got:])
            if count == 0:
                raise EOFError("a broker closed the connection")
            got += count
        return data


def exchange(lanes):
    """Sends each broker its requests without waiting in between and reads all answers as they come.

    `lanes`: [(Broker, [request])]. Returns how many bytes came; none of them is decoded.
    """
    selector = selectors.DefaultSelector()
    total, left = 0, 0
    for broker, requests in lanes:
        if requests:
            broker.socket.setblocking(False)
            lane = {"out": memoryview(b"".join(requests)), "answers": len(requests), "need": 4, "head": b""}
            selector.register(broker.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, lane)
            left += 1
    scratch = bytearray(1 << 20)
    while left:
        for key, events in selector.select(300):
            lane = key.data
            if events & selectors.EVENT_WRITE:
                lane["out"] = lane["out"][key.fileobj.send(lane["out"]) :]
                if not lane["out"]:
                    selector.modify(key.fileobj, selectors.EVENT_READ, lane)
            if events & selectors.EVENT_READ:
                count = key.fileobj.recv_into(scratch)
                if count == 0:
                    raise EOFError("a broker closed the connection")
                total += count
                if skim(lane, memoryview(scratch)[:count]):
                    selector.unregister(key.fileobj)
                    key.fileobj.settimeout(300)
                    left -= 1
    return total


def skim(lane, data):
    """Counts the frames that `data` completes; true when the lane's last answer is there."""
    while data:
        if lane["answers"] == 0:
            raise ValueError("more answers than requests")
        if lane["need"] and len(lane["head"]) < 4:
            take = 4 - len(lane["head"])
            lane["head"] += bytes(data[:take])
            data = data[take:]
            if len(lane["head"]) == 4:
                (lane["need"],) = struct.unpack(">i", lane["head"])
            continue
        take = min(lane["need"], len(data))
        lane["need"] -= take
        data = data[take:]
        if lane["need"] == 0:
            lane["answers"] -= 1
            lane["need"], lane["head"] = 4, b""
    return lane["answers"] == 0


def spread(brokers, requests):
    """Neighbouring requests to the same broker, as many to each."""
    share = -(-len(requests) // len(brokers)) if requests else 1
    return [(broker, requests[at * share : (at + 1) * share]) for at, broker in enumerate(brokers)]


# --- the little that is decoded


class Reader:
    def __init__(self, data, at=4):  # 4: the correlation id
        self.data, self.at = data, at

    def take(self, form):
        (value,) = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def string(self):
        size = self.take(">h")
        self.at += max(size, 0)
        return bytes(self.data[self.at - max(size, 0) : self.at]).decode()

    def skip_numbers(self):
        count = self.take(">i")
        self.at += 4 * count


def topic_reader(answer):
    """At the topics of a Metadata answer: (reader, how many, controller)."""
    reader = Reader(answer)
    reader.take(">i")
    for _ in range(reader.take(">i")):
        reader.take(">i")
        reader.string()
        reader.take(">i")
        reader.string()
    reader.string()
    controller = reader.take(">i")
    return reader, reader.take(">i"), controller


def topic_count(answer):
    return topic_reader(answer)[1]


def first_topic_unknown(answer):
    return topic_reader(answer)[0].take(">h") == UNKNOWN_TOPIC


def topic_names(answer):
    reader, count, _ = topic_reader(answer)
    names = []
    for _ in range(count):
        reader.take(">h")
        names.append(reader.string())
        reader.take(">b")
        for _ in range(reader.take(">i")):
            reader.take(">h")
            reader.take(">i")
            reader.take(">i")
            reader.skip_numbers()
            reader.skip_numbers()
    return names


def until(probe, seconds, what):
    """Asks until the answer is true."""
    deadline = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.1)
