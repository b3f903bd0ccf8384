#!/usr/bin/env bash
# Purchases as fast as oha sends them, then the verdict on the books.
#
#   loadtest/oha.sh                                   a new sale of 1,000 units, 20,000 requests
#   STOCK=100000 REQUESTS=200000 CONNECTIONS=256 loadtest/oha.sh
#   SALE=s1 ITEM=red-42 loadtest/oha.sh               a sale that exists
#   RATE=2000 STOCK=20000 loadtest/oha.sh             2,000 a second, each time from when the press was due
#
# oha draws the lines of the bodies file at random, so some buyers repeat (a repeat is answered with its first job) and
# some never come; loadtest/wrk.sh sends each line once. Exit code: oha's, or that of loadtest/ledger.sh.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

requests=${REQUESTS:-20000}
# An open loop: who has to wait behind a slow answer has waited.
pace=()
if [ -n "${RATE:-}" ]; then pace=(-q "$RATE" --latency-correction); fi
command -v oha >/dev/null || { echo "oha is not installed: cargo install oha" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

choose_sale
mint "$work/bodies.ndjson" "${BUYERS:-$requests}"
# A request without an answer after 15 s is a failed one: the run ends by itself.
oha --no-tui "${pace[@]}" -n "$requests" -c "${CONNECTIONS:-64}" -t 15s -m POST -T application/json \
    -Z "$work/bodies.ndjson" "$(run_value buyers)/api/v1/sales/$SALE/orders"
"$here/ledger.sh" "$RUN" "$SALE"
