#!/usr/bin/env bash
# What a console that watches a sale costs the gateway, and whether it keeps up: runs of purchases as fast as wrk sends
# them, in turn without and with somebody on the live stream (A B A B).
#
#   loadtest/console.sh                     6 pairs of 200,000 requests each, on a sale that is sold out
#   PAIRS=10 REQUESTS=400000 loadtest/console.sh
#
# Prints the processor time of the first gateway for one request in each run, what watching adds in each pair, and how far
# apart the stream's events came. Exit code 1: a gap of more than 2 s, or a run that was not answered as it should be.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

command -v wrk >/dev/null || { echo "wrk is not installed: apt-get install wrk" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

STOCK=100 choose_sale
mint "$work/bodies.ndjson" "${REQUESTS:-200000}"
export SALE RUN
python3 - "$work/bodies.ndjson" "$here/wrk/distinct.lua" "${PAIRS:-6}" "${CONNECTIONS:-64}" <<'PY'
import json, os, re, statistics, subprocess, sys, threading, time, urllib.request
bodies, script, pairs, connections = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
run, sale = json.load(open(os.environ["RUN"])), os.environ["SALE"]
pid, ticks = run["pids"]["gateway"][0], os.sysconf("SC_CLK_TCK")

def cpu_s():
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / ticks

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
    said = subprocess.run(["wrk", "-t2", f"-c{connections}", "-d60s", "--timeout", "15s", "-s", script,
                           f"{run['buyers']}/api/v1/sales/{sale}/orders", "--", bodies, "2"],
                          capture_output=True, text=True).stdout
    used, took = cpu_s() - used, time.monotonic() - began
    sent, answered = map(int, re.search(r"lines sent (\d+) answered (\d+)", said).groups())
    if sent != answered or re.search(r"^status 5", said, re.M):
        sys.exit(f"not every request was answered as it should be:\n{said}")
    return used / answered * 1e6, answered / took

load()  # the first units are sold, and the rest is known to be gone
added, alone, gaps, events, rates = [], [], [], 0, []
for pair in range(1, pairs + 1):
    without, rate = load()
    console = Console()
    console.start()
    time.sleep(1)
    begun = time.monotonic()
    watched, rate_watched = load()
    ended = time.monotonic()
    console.over = True
    seen = [begun] + [at for at in console.came if begun <= at <= ended] + [ended]
    gaps.append(max(later - earlier for earlier, later in zip(seen, seen[1:])))
    events += len(seen) - 2
    added.append(watched / without - 1)
    alone.append(without)
    rates += [rate, rate_watched]
    print(f"pair {pair}: {without:6.2f} us alone, {watched:6.2f} us watched ({added[-1]:+.1%}); "
          f"{rate:,.0f} and {rate_watched:,.0f} requests a second; {len(seen) - 2} events, longest gap {gaps[-1]:.2f} s")
print(f"watching adds {statistics.median(added):+.1%} of {statistics.median(alone):.1f} us (median; {min(added):+.1%} … "
      f"{max(added):+.1%}), at {min(rates):,.0f} to {max(rates):,.0f} requests a second; {events} events, "
      f"longest gap {max(gaps):.2f} s")
sys.exit(max(gaps) > 2)
PY
