"""The peer: Python's confluent-kafka (librdkafka underneath), by its batched admin calls.

confluent_admin.py plan COUNT CHUNK BROKERS     reads all topics and all their settings; exit 0 when they are as declared
confluent_admin.py create COUNT CHUNK BROKERS   creates the topics and waits for the answers, nothing else
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from support import topics


def plan(admin, count, chunk):
    listed = admin.list_topics(timeout=120).topics
    names = topics.names(count)
    if any(name not in listed for name in names):
        sys.exit("a topic is missing")
    under_way = []
    for part in topics.chunks(names, chunk):
        resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in part]
        under_way.append(admin.describe_configs(resources, request_timeout=120))
    for futures in under_way:
        for future in futures.values():
            settings = future.result()
            if any(settings[key].value != value for key, value in topics.CONFIGS.items()):
                sys.exit("a setting differs")


def create(admin, count, chunk):
    under_way = []
    for part in topics.chunks(topics.wanted(count), chunk):
        new = [NewTopic(name, partitions, replication, config=configs) for name, partitions, replication, configs in part]
        under_way.append(admin.create_topics(new, operation_timeout=60, request_timeout=120))
    refused = {}
    for futures in under_way:
        for future in futures.values():
            try:
                future.result()
            except Exception as error:  # the library's own class holds the reason as its text
                refused[str(error)] = refused.get(str(error), 0) + 1
    if refused:
        print(json.dumps(refused))
        sys.exit(1)


if __name__ == "__main__":
    work = {"plan": plan, "create": create}[sys.argv[1]]
    work(AdminClient({"bootstrap.servers": sys.argv[4]}), int(sys.argv[2]), int(sys.argv[3]))
