#!/usr/bin/env python3
"""Asks brokers for metadata over the Kafka protocol, standard library only.

    metadata.py [--within SECONDS] [--listed 1,2,3] [--alive NODE=PID]... NODE=HOST:PORT...

A broker *serves* when its answer lists every node of --listed and a controller. Prints the nodes that do, one a line.
Exit: 0 all serve; 1 not all within the time; 3 a process of --alive ended (its node is printed as `died NODE`).
"""

import argparse
import os
import socket
import struct
import sys
import time

METADATA, VERSION = 3, 4  # the last version before flexible headers that every supported broker answers


def ask(address, timeout=2.0):
    """-> (set of node ids, controller id); raises OSError or ValueError when there is no good answer."""
    host, port = address.rsplit(":", 1)
    client = b"dev"
    # header v1, then: topics = empty array (none), allow_auto_topic_creation = false
    body = struct.pack(">hhih", METADATA, VERSION, 1, len(client)) + client + struct.pack(">ib", 0, 0)
    with socket.create_connection((host, int(port)), timeout) as connection:
        connection.settimeout(timeout)
        connection.sendall(struct.pack(">i", len(body)) + body)
        (size,) = struct.unpack(">i", read(connection, 4))
        if not 0 < size < 1 << 20:
            raise ValueError("not a Kafka broker")
        answer = Reader(read(connection, size))
    answer.int32()  # correlation id
    answer.int32()  # throttle time
    nodes = set()
    for _ in range(answer.int32()):
        nodes.add(answer.int32())
        answer.string()  # host
        answer.int32()  # port
        answer.string()  # rack
    answer.string()  # cluster id
    return nodes, answer.int32()


def read(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ValueError("connection closed")
        data += part
    return data


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        try:
            (value,) = struct.unpack_from(form, self.data, self.at)
        except struct.error as error:
            raise ValueError("answer too short") from error
        self.at += struct.calcsize(form)
        return value

    def int32(self):
        return self.take(">i")

    def string(self):
        size = self.take(">h")  # -1: null
        self.at += max(size, 0)


def serves(address, listed):
    try:
        nodes, controller = ask(address)
    except (OSError, ValueError):
        return False
    return listed <= nodes and controller in nodes


def alive(pid):
    if not pid.isdigit():
        return False
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--within", type=float, default=0.0)
    parser.add_argument("--listed", default="")
    parser.add_argument("--alive", action="append", default=[])
    parser.add_argument("brokers", nargs="+")
    args = parser.parse_args()
    listed = {int(node) for node in args.listed.split(",") if node}
    brokers = dict(broker.split("=", 1) for broker in args.brokers)
    processes = dict(entry.split("=", 1) for entry in args.alive)

    deadline = time.monotonic() + args.within
    while True:
        ended = [node for node, pid in processes.items() if not alive(pid)]
        if ended:
            for node in ended:
                print(f"died {node}")
            return 3
        serving = [node for node, address in brokers.items() if serves(address, listed)]
        if len(serving) == len(brokers) or time.monotonic() >= deadline:
            print("\n".join(serving))
            return 0 if len(serving) == len(brokers) else 1
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
