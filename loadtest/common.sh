# shellcheck shell=bash
# What the shell scripts share; sourced, never run. Reads run.json, makes a sale, mints bodies. Needs curl and python3.
#
# Environment: RUN (run.json), SALE and ITEM (default: a new sale), STOCK (its units), BUYERS (bodies to mint),
# SECKILL (the program), ALLOW_REMOTE=1 (a target that is not this machine).

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
RUN=${RUN:-$here/../.seckill/run.json}
SECKILL=${SECKILL:-$here/../target/release/seckill}

# run_value KEY: a value of run.json; buyers and operators have to be on this machine.
run_value() {
    python3 - "$RUN" "$1" "${ALLOW_REMOTE:-0}" <<'PY'
import json, sys
from urllib.parse import urlsplit
path, key, remote = sys.argv[1:]
try:
    value = json.load(open(path))[key]
except (OSError, ValueError, KeyError) as problem:
    sys.exit(f"{path}: {problem!r}; is a stack running? (cargo xtask up)")
if key in ("buyers", "operators") and remote != "1" and urlsplit(value).hostname not in ("127.0.0.1", "localhost", "::1"):
    sys.exit(f"{value} is not this machine; set ALLOW_REMOTE=1 if that is meant")
print(value)
PY
}

# operator METHOD PATH [BODY]: asks the operators' port. The key goes by stdin, so that no process list shows it.
operator() {
    local base key
    base=$(run_value operators) && key=$(run_value adminKey) || return 1
    printf 'header = "authorization: Bearer %s"\n' "$key" |
        curl --config - --silent --show-error --fail-with-body --max-time 10 --request "$1" \
            --header 'content-type: application/json' ${3:+--data "$3"} "$base$2"
}

# choose_sale: sets SALE and ITEM; a new sale, warm and open, unless both are given.
choose_sale() {
    if [ -n "${SALE:-}" ]; then
        : "${ITEM:?which item of $SALE is to be bought?}"
        return
    fi
    SALE=load-$(date +%s%N) ITEM=unit
    operator POST /admin/v1/sales "$(
        python3 - "$SALE" "$ITEM" "${STOCK:-1000}" <<'PY'
import json, sys
from datetime import datetime, timedelta, timezone
sale, item, stock = sys.argv[1:]
now = datetime.now(timezone.utc).replace(microsecond=0)
time = lambda shift: (now + shift).isoformat().replace("+00:00", "Z")
print(json.dumps({"id": sale, "title": "Load test", "opensAt": time(-timedelta(minutes=1)),
                  "closesAt": time(timedelta(hours=6)), "limitPerBuyer": 1,
                  "items": [{"id": item, "title": "One unit", "price": {"amount": 100, "currency": "CNY"},
                             "stock": int(stock)}]}))
PY
    )" >/dev/null
    operator POST "/admin/v1/sales/$SALE/warm" >/dev/null
    operator POST "/admin/v1/sales/$SALE/open" >/dev/null
    echo "sale $SALE: ${STOCK:-1000} units of $ITEM"
}

# mint FILE COUNT: that many ready request bodies, each of another buyer, one per line.
mint() {
    local config
    config=$(run_value config)
    "$SECKILL" --config "$config" tokens mint --sale "$SALE" --buyers "$2" --item "$ITEM" --ttl 1h >"$1"
    echo "minted $(wc -l <"$1") bodies"
}
