#!/usr/bin/env bash
# A million strangers in a minute, and whether those who were there before notice.
#
#   loadtest/strangers.sh                                  1,000,000 strangers within 60 s
#   STRANGERS=50000 SECONDS_FLOOD=10 QUIET=5 loadtest/strangers.sh
#
# Every request is of another buyer and from another address. One half shows its token and counts by its buyer, the other
# half shows a forged one and counts by its address. Beside them KNOWN buyers (200) press 100 times a second in all:
# first alone for QUIET seconds (30), then under the flood.
#
# Starts a gateway of its own on the running stack, which believes X-Forwarded-For from this machine and limits by
# address. Good when its memory grew by at most CAP_MIB (64), no known buyer got a 429 or an error, and their p99 stayed
# below twice the quiet one; FLOOR_MS (5): below it a p99 is good whatever it was before. Exit 0 good, 1 it could not be run,
# 3 the verdict is bad.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

strangers=${STRANGERS:-1000000} seconds=${SECONDS_FLOOD:-60} quiet=${QUIET:-30} known=${KNOWN:-200}
connections=${CONNECTIONS:-256} threads=${THREADS:-2} cap=${CAP_MIB:-64} floor=${FLOOR_MS:-5}
command -v wrk >/dev/null || { echo "wrk is not installed: apt-get install wrk" >&2; exit 1; }
work=$(mktemp -d) gateway=
stop() {
    [ -z "$gateway" ] || kill "$gateway" 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT

choose_sale
mint "$work/strangers" "$strangers"
"$SECKILL" --config "$(run_value config)" tokens mint --sale "$SALE" --buyers "$known" --item "$ITEM" --ttl 1h \
    --prefix known- >"$work/known"
split --number "l/$threads" --numeric-suffixes "$work/strangers" "$work/strangers."
rm "$work/strangers"

# The stack's own configuration, but for whom it believes. It holds secrets: the directory is nobody else's.
python3 - "$(run_value config)" >"$work/seckill.toml" <<'PY'
import sys
lines = [line for line in open(sys.argv[1]) if not line.startswith("trusted_proxies")]
at = next(at for at, line in enumerate(lines) if line.strip() == "[gateway]")
lines.insert(at + 1, 'trusted_proxies = ["127.0.0.0/8"]\n')
sys.stdout.write("".join(lines))
PY
ports=($(python3 -c 'import socket
both = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*[one.getsockname()[1] for one in both])'))
shop=http://127.0.0.1:${ports[0]} operators=http://127.0.0.1:${ports[1]}
SECKILL__LIMITS__PER_IP__ENABLED=true "$SECKILL" --config "$work/seckill.toml" gateway \
    --listen "127.0.0.1:${ports[0]}" --operators "127.0.0.1:${ports[1]}" >"$work/log" 2>&1 &
gateway=$!
for _ in $(seq 100); do
    curl --silent --fail "$shop/readyz" >/dev/null && break
    kill -0 "$gateway" 2>/dev/null || { tail -5 "$work/log" >&2; exit 1; }
    sleep 0.2
done

admin_key=$(run_value adminKey)
rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$gateway/status"; }
metrics() {
    printf 'header = "authorization: Bearer %s"\n' "$admin_key" |
        curl --config - --silent --show-error --fail --max-time 10 "$operators/metrics"
}
# Callers that each limit remembers, and all of them first.
keys() {
    metrics | awk '/^seckill_limiter_keys/ { sub(/.*limit="/, ""); sub(/"}/, ""); all += $2; each = each "  " $1 " " $2 }
        END { print all + 0 each }'
}

# known SECONDS FILE: the known buyers, for so long.
known() {
    wrk --threads 1 --connections 20 --duration "$1" --timeout 15 --script "$here/wrk/known.lua" \
        "$shop/api/v1/sales/$SALE/orders" -- "$work/known" 200 >"$2"
}

known 3 "$work/warm" # they are known from here on, and the program is warm
known "$quiet" "$work/quiet"
before=$(rss_kib)
echo "quiet:  $(grep ^known "$work/quiet")"
echo "keys:   $(keys)"

# So long between two requests of one connection that all are sent in time.
pause_ms=$(python3 -c "print(max(0, int($connections * $seconds * 1000 / $strangers)))")
known "$seconds" "$work/flooded" & crowd=$!
wrk --threads "$threads" --connections "$connections" --duration "$((seconds * 2))" --timeout 15 \
    --script "$here/wrk/strangers.lua" "$shop/api/v1/sales/$SALE/orders" \
    -- "$work/strangers." "$threads" "$pause_ms" >"$work/flood" & flood=$!
peak=$before
while kill -0 "$flood" 2>/dev/null; do
    now=$(rss_kib)
    [ "$now" -le "$peak" ] || peak=$now
    keys >>"$work/keys"
    sleep 1
done
wait "$flood"
wait "$crowd"
echo "flood:  $(grep ^strangers "$work/flood")"
echo "known:  $(grep ^known "$work/flooded")"
echo "keys:   $(sort -n "$work/keys" | tail -1) (at most)"
metrics | awk '/^seckill_limited_callers / { print "limited callers within a minute: " $2 }'
sleep 3
after=$(rss_kib)
echo "later:  $(keys)"
echo "memory: $((before / 1024)) MiB before, $((peak / 1024)) at most, $((after / 1024)) after"

python3 - "$work/quiet" "$work/flooded" "$before" "$peak" "$cap" "$floor" "$work/flood" "$strangers" <<'PY'
import re, sys
quiet, flooded, before, peak, cap, floor, flood, strangers = sys.argv[1:]
def read(path, word):
    line = next(line for line in open(path) if line.startswith(word))
    return {name: float(value) for name, value in re.findall(r"(\w+) ([\d.]+)", line)}
a, b, sent = read(quiet, "known"), read(flooded, "known"), read(flood, "strangers")
wrong = []
if b["limited"] or b["errors"]:
    wrong.append(f"known buyers got {b['limited']:.0f} 429s and {b['errors']:.0f} errors")
if b["p99_ms"] >= max(2 * a["p99_ms"], float(floor)):
    wrong.append(f"the known buyers' p99 rose from {a['p99_ms']} to {b['p99_ms']} ms")
if (int(peak) - int(before)) / 1024 > float(cap):
    wrong.append(f"memory grew by {(int(peak) - int(before)) // 1024} MiB, more than {cap}")
if sent["sent"] < float(strangers):
    wrong.append(f"only {sent['sent']:.0f} of {strangers} strangers came")
for fault in wrong:
    print(f"FAILED: {fault}")
if not wrong:
    print("good: nobody who was there before has noticed")
sys.exit(3 if wrong else 0)
PY
