#!/usr/bin/env bash
# What a console that watches a sale costs the gateway, and whether it keeps up: runs of purchases at a steady rate, in
# turn without and with somebody on the live stream (A B A B).
#
#   loadtest/console.sh                     5 pairs of 8 s at 20,000 requests a second, on a sale that is sold out
#   PAIRS=10 RATE=5000 loadtest/console.sh
#
# Prints the processor time of the first gateway for one request in each run, what watching adds in each pair, and how far
# apart the stream's events came. Exit code 1: a gap of more than 2 s, or a run that was not answered as it should be.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

PATH=$PATH:$here/../target/tools/bin
command -v oha >/dev/null || { echo "oha is not installed: cargo install oha" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

STOCK=100 choose_sale
mint "$work/bodies.ndjson" 100000
export SALE RUN
python3 - "$work/bodies.ndjson" "${RATE:-20000}" "${PAIRS:-5}" "${CONNECTIONS:-64}" <<'PY'
import json, os, statistics, subprocess, sys, threading, time, urllib.request
bodies, rate, pairs, connections = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
SECONDS = 8
run, sale = json.load(open(os.environ["RUN"])), os.environ["SALE"]
tasks = f"/proc/{run['pids']['gateway'][0]}/task"

def cpu_s():
    """Of all its threads, which live as long as it does, to the nanosecond: ticks are too coarse for a percent."""
    return sum(int(open(f"{tasks}/{task}/schedstat").read().split()[0]) for task in os.listdir(tasks)) / 1e9

class Console(threading.Thread):
    """Reads the stream until it is told to stop, and notes when each event came."""
    def __init__(self):
        super().__init__(daemon=True)
        self.came, self.over = [], False
        request = urllib.request.Request(f"{run['operators']}/admin/v1/sales/{sale}/live",
                                         headers={"authorization": f"Bearer {run['adminKey']}"})
        self.stream = urllib.request.urlopen(request, timeout=10)
    def run(self):
        for line in self.stream:
            if self.over:
                return
            if line.startswith(b"event: live"):
                self.came.append(time.monotonic())

def load():
    began, used = time.monotonic(), cpu_s()
    said = subprocess.run(["oha", "--no-tui", "--output-format", "json", "-q", str(rate), "-n", str(rate * SECONDS),
                           "-c", connections, "-t", "15s", "-m", "POST", "-T", "application/json", "-Z", bodies,
                           f"{run['buyers']}/api/v1/sales/{sale}/orders"], capture_output=True, text=True, check=True)
    used, took = cpu_s() - used, time.monotonic() - began
    statuses = json.loads(said.stdout)["statusCodeDistribution"]
    answered = sum(statuses.values())
    if answered != rate * SECONDS or any(status not in ("202", "409") for status in statuses):
        sys.exit(f"not every request was answered as it should be: {statuses}")
    return used / answered * 1e6, answered / took

load()  # the first units are sold, and the rest is known to be gone
added, alone, gaps, events, rates = [], [], [], 0, []
for pair in range(1, pairs + 1):
    without, alone_rate = load()
    console = Console()
    console.start()
    time.sleep(1)
    begun = time.monotonic()
    watched, watched_rate = load()
    ended = time.monotonic()
    console.over = True
    seen = [begun] + [at for at in console.came if begun <= at <= ended] + [ended]
    gaps.append(max(later - earlier for earlier, later in zip(seen, seen[1:])))
    events += len(seen) - 2
    added.append(watched / without - 1)
    alone.append(without)
    rates += [alone_rate, watched_rate]
    print(f"pair {pair}: {without:6.2f} us alone, {watched:6.2f} us watched ({added[-1]:+.1%}); "
          f"{alone_rate:,.0f} and {watched_rate:,.0f} requests a second; {len(seen) - 2} events, longest gap {gaps[-1]:.2f} s")
print(f"watching adds {statistics.median(added):+.1%} of {statistics.median(alone):.1f} us (median; {min(added):+.1%} … "
      f"{max(added):+.1%}), at {min(rates):,.0f} to {max(rates):,.0f} requests a second; {events} events, "
      f"longest gap {max(gaps):.2f} s")
sys.exit(max(gaps) > 2)
PY
