"""What the bare requests of a command take: `floor.py plan|apply COUNT BROKER…` prints the seconds as JSON.

A process of its own, like what it is compared with; its start is not counted, nor the encoding of its requests.
"""

import json
import resource
import sys
import time

from support import topics, wire


class Clock:
    def __init__(self):
        self.phases, self.began = {}, time.perf_counter()

    def lap(self, phase):
        now = time.perf_counter()
        self.phases[phase] = now - self.began
        self.began = now


def plan(count, addresses):
    """Metadata of all topics, then all settings of all topics, pipelined over a connection to each broker."""
    everything = wire.metadata()
    settings = [wire.describe_configs(chunk) for chunk in topics.chunks(topics.names(count), topics.CHUNK)]
    clock = Clock()
    brokers = [wire.Broker(address) for address in addresses]
    clock.lap("connect")
    answer = brokers[0].ask(everything)
    clock.lap("metadata")
    size = wire.exchange(wire.spread(brokers, settings))
    clock.lap("configs")
    if wire.topic_count(answer) < count:
        sys.exit("floor: a broker does not know all topics")
    return {"phases": clock.phases, "bytes": size + len(answer)}


def apply(count, addresses):
    """Read, ask whether the creations would be accepted, read again, create, confirm on every broker."""
    everything, names = wire.metadata(), topics.names(count)
    by_name, last = wire.metadata(names), wire.metadata(names[-1:])
    chunks = topics.chunks(topics.wanted(count), topics.CREATE_CHUNK)
    ask = [wire.create_topics(chunk, validate_only=True) for chunk in chunks]
    create = [wire.create_topics(chunk) for chunk in chunks]
    keys = list(topics.CONFIGS)
    settings = [wire.describe_configs(chunk, keys) for chunk in topics.chunks(names, topics.CHUNK)]
    clock = Clock()
    brokers = [wire.Broker(address) for address in addresses]
    clock.lap("connect")
    brokers[0].ask(everything)
    clock.lap("read")
    wire.exchange([(brokers[0], ask)])
    clock.lap("ask")
    brokers[0].ask(by_name)
    clock.lap("read again")
    wire.exchange([(brokers[0], create)])
    clock.lap("create")
    # Brokers take over what the controller did in its order: the last topic comes last, and with its settings. Asking
    # for it alone leaves them their processors while they make the replicas' files.
    behind = brokers
    while True:
        for broker in behind:
            broker.send(last)
        behind = [broker for broker in behind if wire.first_topic_unknown(broker.receive())]
        if not behind:
            break
        time.sleep(0.02)
    clock.lap("brokers behind")
    wire.exchange([(broker, [by_name, *settings]) for broker in brokers])
    clock.lap("confirm")
    return {"phases": clock.phases}


def main():
    work = {"plan": plan, "apply": apply}[sys.argv[1]]
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    result = work(int(sys.argv[2]), sys.argv[3:])
    after = resource.getrusage(resource.RUSAGE_SELF)
    result["wall"] = sum(result["phases"].values())
    result["encoding"] = time.perf_counter() - began - result["wall"]
    result["cpu"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps(result))


if __name__ == "__main__":
    main()
