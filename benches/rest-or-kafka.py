"""the same reservation by a call and by an event, while the inventory is well, slow, too slow, and down"""

import collections
import contextlib
import http.server
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time

from support import measure, messaging, stores

SECONDS = int(os.environ.get("BENCH_SECONDS", "30"))
RATE = int(os.environ.get("BENCH_RATE", "100"))
PORT = int(os.environ.get("BENCH_HTTP_PORT", "18300"))
SLOW, TOO_SLOW = "300ms", "3s"  # the call is waited for 2 s
WAYS = {"events": "by an event", "http": "by a call"}
READY = 60


class Collector(http.server.ThreadingHTTPServer):
    """Takes spans as OpenTelemetry's JSON has them."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Spans)
        self.spans = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def environment(self):
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.server_address[1]}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
        }

    def tree(self, trace):
        """Lines: when it began, how long it took, whose it is and what."""
        mine = [span for span in self.spans if span["traceId"] == trace]
        began = min(int(span["startTimeUnixNano"]) for span in mine)
        below = collections.defaultdict(list)
        ids = {span["spanId"] for span in mine}
        for span in sorted(mine, key=lambda span: int(span["startTimeUnixNano"])):
            parent = span.get("parentSpanId", "")
            below[parent if parent in ids else ""].append(span)
        lines = []

        def add(span, depth):
            start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
            lines.append(f"{(start - began) / 1e6:8.1f} ms {(end - start) / 1e6:8.1f} ms  {'  ' * depth}{span['service']}: {span['name']}")
            for child in below[span["spanId"]]:
                add(child, depth + 1)

        for root in below[""]:
            add(root, 0)
        return lines


class Spans(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        for resource in body.get("resourceSpans", []):
            names = [one["value"].get("stringValue", "") for one in resource["resource"]["attributes"] if one["key"] == "service.name"]
            for scope in resource["scopeSpans"]:
                self.server.spans += [{**span, "service": "".join(names)} for span in scope["spans"]]
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


class System:
    """The order service and the inventory, each a process of its own, over a database of their own."""

    def __init__(self, way, store, topology, letters, environment=None):
        self.kafkaflow, self.brokers = (os.environ[name] for name in ["BENCH_KAFKAFLOW", "BENCH_BROKERS"])
        self.store, self.topology, self.letters = store, topology, letters
        self.way, self.environment = way, {**os.environ, **(environment or {})}
        self.running = {}

    def __enter__(self):
        self.inventory()
        self.start("order", PORT, "--reserve", self.way, "--inventory", f"http://127.0.0.1:{PORT + 1}", "--payments", "none")
        return self

    def __exit__(self, *_):
        for name in list(self.running):
            self.stop(name)

    def inventory(self, delay="0s"):
        self.start("inventory", PORT + 1, "--reservations", "--delay", delay)

    def start(self, name, port, *more):
        argv = [self.kafkaflow, "run", name, "-b", self.brokers, "--store", self.store, "--listen", f"127.0.0.1:{port}", "--topology", self.topology, *more]
        with open(f"{os.environ['BENCH_WORK']}/rest-{name}.log", "a", encoding="utf-8") as log:
            self.running[name] = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT, env=self.environment)
        deadline = time.monotonic() + READY
        while True:
            argv = ["curl", "-sf", "-o", "/dev/null", f"http://127.0.0.1:{port}/readyz"]
            if subprocess.run(argv, check=False).returncode == 0:
                return
            if self.running[name].poll() is not None or time.monotonic() > deadline:
                sys.exit(f"bench: the {name} service did not start; see {log.name}")
            time.sleep(0.2)

    def stop(self, name):
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        process.wait(30)

    def trial(self, meanwhile=lambda: None):
        """Orders for a while; what became of them. `meanwhile` happens when half of the orders were placed."""
        argv = [os.environ["BENCH_FLOW"], "trial", f"http://127.0.0.1:{PORT}", self.brokers, self.letters, str(SECONDS), str(RATE)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as client:
            answer = None
            for line in client.stdout:
                if line == "end\n":
                    meanwhile()
                elif line != "begin\n":
                    answer = json.loads(line)
        return answer

    def place(self):
        """One order, to its outcome; the id of its trace."""
        trace = secrets.token_hex(16)
        body = '{"customerId":"CUST-42","items":[{"productId":"PROD-101","quantity":1}],"shippingAddress":{"street":"123 Main St","city":"Austin","state":"TX","zip":"78701"}}'
        headers = ["-H", "content-type: application/json", "-H", f"traceparent: 00-{trace}-{secrets.token_hex(8)}-01"]
        answer = subprocess.run(["curl", "-s", *headers, "-d", body, f"http://127.0.0.1:{PORT}/orders"], stdout=subprocess.PIPE, check=True)
        order = json.loads(answer.stdout)["orderId"]
        deadline = time.monotonic() + READY
        while time.monotonic() < deadline:
            answer = subprocess.run(["curl", "-s", f"http://127.0.0.1:{PORT}/orders/{order}"], stdout=subprocess.PIPE, check=True)
            if json.loads(answer.stdout)["status"] != "PENDING":
                return trace
            time.sleep(0.05)
        sys.exit(f"bench: {order} is PENDING still")


@contextlib.contextmanager
def among(way, environment=None):
    """A system with topics of its own."""
    topics, store = messaging.system(os.environ["BENCH_WORK"]), stores.postgres(os.environ["BENCH_POSTGRES"])
    with topics as (topology, letters), store as location:
        apply = [os.environ["BENCH_KAFKAFLOW"], "apply", topology, "-b", os.environ["BENCH_BROKERS"], "--yes"]
        subprocess.run(apply, stdout=subprocess.DEVNULL, check=True)
        with System(way, location, topology, letters, environment) as system:
            yield system


def row(words, way, answer):
    account = answer["account"]
    latency = lambda of: f"{of['p50']:,.0f} / {of['p99']:,.0f} / {of['max']:,.0f}" if of["count"] else "–"
    return [words, WAYS[way], f"{account['accepted']:,}", f"{account['refused']:,}", latency(answer["post_ms"]), latency(answer["outcome_ms"]), account["lost"]]


def main():
    measure.machine()
    print(f"{RATE} orders a second for {SECONDS} s in each state of the inventory, which is waited for 2 s by the call.\n")
    rows, traces = [], {}
    for way in WAYS:
        collector = Collector()
        with among(way, collector.environment()) as system:
            system.place()  # the first one waits for the groups
            trace = system.place()
        traces[way] = collector.tree(trace)
        with among(way) as system:
            system.place()
            rows.append(row("well", way, system.trial()))
            for words, delay in [("slow: answers after " + SLOW, SLOW), ("too slow: answers after " + TOO_SLOW, TOO_SLOW)]:
                system.stop("inventory")
                system.inventory(delay)
                rows.append(row(words, way, system.trial()))
                measure.note(f"  {way}: {words}")
            system.stop("inventory")
            rows.append(row(f"down for {SECONDS} s, then started", way, system.trial(system.inventory)))
    rows.sort(key=lambda row: ["well", "slow", "too ", "down"].index(row[0][:4]))
    measure.table(["inventory", "reserved", "accepted", "failed", "POST p50 / p99 / max ms", "outcome p50 / p99 / max ms", "without outcome"], rows)
    for way, lines in traces.items():
        print(f"A trace, {WAYS[way]}: begins, lasts, whose\n")
        print("\n".join("    " + line for line in lines) + "\n")


if __name__ == "__main__":
    main()
