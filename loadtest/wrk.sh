#!/usr/bin/env bash
# Each of BUYERS distinct buyers purchases once, as fast as wrk sends them, then the verdict on the books.
#
#   loadtest/wrk.sh                                   a new sale of 1,000 units, 20,000 buyers
#   STOCK=100000 BUYERS=100000 CONNECTIONS=256 loadtest/wrk.sh
#   SALE=s1 ITEM=red-42 loadtest/wrk.sh               a sale that exists
#
# On a new sale every 202 has to be a unit sold in the end, and nothing else may be. Ends when every line is answered,
# at the latest after SECONDS_MAX (default 60). Exit code: wrk's, or that of loadtest/ledger.sh.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

threads=${THREADS:-2}
command -v wrk >/dev/null || { echo "wrk is not installed: apt-get install wrk" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fresh=${SALE:+no}
choose_sale
mint "$work/bodies.ndjson" "${BUYERS:-20000}"
wrk --threads "$threads" --connections "${CONNECTIONS:-64}" --duration "${SECONDS_MAX:-60}" --timeout 15 --latency \
    --script "$here/wrk/distinct.lua" "$(run_value buyers)/api/v1/sales/$SALE/orders" \
    -- "$work/bodies.ndjson" "$threads" | tee "$work/answers"

if [ -n "$fresh" ]; then
    exec "$here/ledger.sh" "$RUN" "$SALE"
fi
accepted=$(awk '$1 == "accepted" { print $2 }' "$work/answers")
unknown=$(awk '$1 == "unknown" { print $2 }' "$work/answers")
"$here/ledger.sh" "$RUN" "$SALE" "$accepted" "$((accepted + unknown))"
