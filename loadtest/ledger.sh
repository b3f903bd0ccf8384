#!/usr/bin/env bash
# Judges the books of a sale after a load run.
#
#   loadtest/ledger.sh RUN_JSON SALE [SOLD_AT_LEAST [SOLD_AT_MOST]]
#
# Waits until nothing is under way (unpublished + queued = 0, at most 30 s) and prints the ledger.
# Exit 0: the books balance. 1: not settled, or no answer. 2: usage. 3: a difference, more sold than there is, or fewer
# or more units sold than the caller knows to have been accepted.
set -euo pipefail

if [ $# -lt 2 ] || [ $# -gt 4 ]; then
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
RUN=$1
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

# Once a second; what was accepted may take this many seconds to be placed.
settle_s=30
for ((waited = 0; ; waited++)); do
    books=$(operator GET "/admin/v1/sales/$2/ledger") || { echo "$books" >&2; exit 1; }
    moving=$(python3 -c 'import json, sys
print(sum(line["unpublished"] + line["queued"] for line in json.load(sys.stdin)["items"]))' <<<"$books")
    if [ "$moving" -eq 0 ] || [ "$waited" -ge "$settle_s" ]; then break; fi
    sleep 1
done

python3 - "$books" "$moving" "$waited" "${3:-}" "${4:-}" <<'PY'
import json, sys
books, moving, waited, least, most = sys.argv[1:]
lines = json.loads(books)["items"]
terms = ["stock", "free", "unpublished", "queued", "held", "paid", "difference"]
width = max([4] + [len(line["id"]) for line in lines])
print(f"{'item':<{width}} " + " ".join(f"{term:>11}" for term in terms))
for line in lines:
    print(f"{line['id']:<{width}} " + " ".join(f"{line[term]:>11}" for term in terms))

sold = sum(line["held"] + line["paid"] for line in lines)
wrong = [f"{line['id']}: difference {line['difference']}" for line in lines if line["difference"]]
wrong += [f"{line['id']}: {line['held'] + line['paid']} sold of {line['stock']}"
          for line in lines if line["held"] + line["paid"] > line["stock"]]
if least and sold < int(least):
    wrong.append(f"{least} units were accepted, only {sold} are sold")
if most and sold > int(most):
    wrong.append(f"at most {most} units can have been accepted, {sold} are sold")
for fault in wrong:
    print(f"FAILED: {fault}")
if moving != "0":
    print(f"FAILED: {moving} units still under way after {waited} s")
elif not wrong:
    print(f"the books balance: {sold} sold")
sys.exit(3 if wrong else int(moving != "0"))
PY
