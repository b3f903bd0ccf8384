#!/usr/bin/env bash
# The three load scenarios of the quotas' requirements: every use written before its answer, against in batches after it.
#
#   loadtest/quota.sh                 durations divided by 60: 10 s, 5 s, 2 times 1 s (at least 5 s each)
#   FACTOR=1 loadtest/quota.sh        10 min at 100 a second, 5 min at 1,000, a minute at 100 and then one at 2,000
#
# Beside a running `cargo xtask up` it starts a gateway of its own for each of the two ways, with a quota for requests, and
# asks it for tokens: a login with a client_id, a check, a count, and no database of their own. wrk paces by pauses, so a
# gateway that answers late is asked less often; the rate that came about is printed. Prints mean and p99 in ms beside the
# figures of the requirements. Exit code 1 when a request was not answered as it should be, or a use was not
# counted and written.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

FACTOR=${FACTOR:-60}
command -v wrk >/dev/null || { echo "wrk is not installed: apt-get install wrk" >&2; exit 1; }
work=$(mktemp -d)
gateway=
stop_gateway() {
    if [ -n "$gateway" ]; then
        kill -TERM "$gateway" 2>/dev/null || true
        wait "$gateway" 2>/dev/null || true
        gateway=
    fi
}
before=
finish() {
    stop_gateway
    if [ -n "$before" ]; then
        operator PUT /admin/v1/quotas "$before" >/dev/null || echo "the quotas' limits could not be put back: $before" >&2
    fi
    rm -rf "$work"
}
trap finish EXIT

config=$(run_value config)
choose_sale
python3 - "$config" "$work/logins" <<'PY'
import base64, hashlib, hmac, json, re, sys, time
config, out = sys.argv[1:]
secret = bytes.fromhex(re.search(r'^hs256_secret\s*=\s*"([0-9a-f]+)"', open(config).read(), re.M).group(1))
encode = lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
head = encode(b'{"alg":"HS256","typ":"JWT"}')
with open(out, "w") as file:
    # So many buyers that none meets a limit of its own, and a few API clients that they share.
    for n in range(20_000):
        claims = {"sub": f"load-{n}", "client_id": f"app-{n % 20}", "exp": int(time.time()) + 7200}
        text = head + "." + encode(json.dumps(claims).encode())
        file.write(text + "." + encode(hmac.new(secret, text.encode(), hashlib.sha256).digest()) + "\n")
PY

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# What an operator has set wins over a gateway's environment, so the limits are set as an operator does, for all gateways of
# the stack, and put back at the end.
found=$(operator GET /admin/v1/quotas | python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["limits"]))')
operator PUT /admin/v1/quotas '{"requestsPerClientAndDay":1000000000,"purchasesPerBuyerAndDay":0,"reason":"load test"}' >/dev/null
before=$found

start_gateway() { # ENABLED
    made=0
    port=$(free_port) operators_port=$(free_port)
    SECKILL__QUOTAS__ENABLED=$1 \
        SECKILL__QUOTAS__PRESET="${PRESET:-default}" \
        "$SECKILL" --config "$config" gateway --listen "127.0.0.1:$port" --operators "127.0.0.1:$operators_port" \
        >"$work/gateway-$1.log" 2>&1 &
    gateway=$!
    for _ in $(seq 100); do
        if curl --silent --fail --output /dev/null "http://127.0.0.1:$port/readyz" &&
            curl --silent --fail --output /dev/null "http://127.0.0.1:$port/api/v1/sales/$SALE"; then
            return
        fi
        sleep 0.1
    done
    tail -5 "$work/gateway-$1.log" >&2
    return 1
}

seconds() { python3 -c 'import sys; print(max(5, round(int(sys.argv[1]) / float(sys.argv[2]))))' "$1" "$FACTOR"; }

failed=0
run() { # MODE SCENARIO RATE CONNECTIONS SECONDS FIGURES
    local line
    line=$(wrk --threads 2 --connections "$4" --duration "$5" --timeout 15 --script "$here/wrk/paced.lua" \
        "http://127.0.0.1:$port/api/v1/sales/$SALE/tokens" -- "$work/logins" $((1000 * $4 / $3)) | grep '^PACED')
    read -r _ _ requests _ rate _ other _ mean _ p99 <<<"$line"
    printf '%-6s %-22s %9s %8s %7s %9s %9s   %s\n' "$1" "$2" "$requests" "$rate" "$other" "$mean" "$p99" "$6"
    made=$((made + requests))
    [ "$other" -eq 0 ] || failed=1
}

echo "time factor $FACTOR; ${PRESET:-default} preset"
printf '%-6s %-22s %9s %8s %7s %9s %9s   %s\n' way scenario requests /s other mean p99 "asked for (mean / p99)"
for mode in sync async; do
    if [ "$mode" = sync ]; then
        start_gateway false
        figures=("45 / 120" "280 / 800" "rises steeply, timeouts")
    else
        start_gateway true
        figures=("4 / 12" "8 / 25" "steady")
    fi
    run "$mode" "100 a second" 100 20 "$(seconds 600)" "${figures[0]}"
    run "$mode" "1,000 a second" 1000 100 "$(seconds 300)" "${figures[1]}"
    run "$mode" "burst: 100" 100 20 "$(seconds 60)" "${figures[2]}"
    run "$mode" "burst: 2,000" 2000 200 "$(seconds 60)" "${figures[2]}"
    key=$(run_value adminKey)
    for _ in $(seq 150); do # what waits is written within the flush interval
        state=$(printf 'header = "authorization: Bearer %s"\n' "$key" |
            curl --config - --silent --fail "http://127.0.0.1:$operators_port/admin/v1/quotas")
        verdict=$(python3 -c '
import json, sys
counts = json.loads(sys.argv[1])["statistics"]
written = int(sys.argv[2]) <= counts["total"] == counts["processed"] and counts["dropped"] == 0
print("written" if written else "waiting", json.dumps(counts))' "$state" "$made")
        [ "${verdict%% *}" = written ] && break
        sleep 0.1
    done
    echo "$mode: $made requests answered; $verdict"
    [ "${verdict%% *}" = written ] || failed=1
    stop_gateway
done
exit "$failed"
