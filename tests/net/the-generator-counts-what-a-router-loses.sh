#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
# plvs-generator at plvs over memif: each of its tests finds a rate by both methods and families, and a
# service that is not there loses all.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
RUN=$(mktemp -d "${TMPDIR:-/tmp}/plvs-generator.XXXXXX")
trap 'rm -rf "$RUN"' EXIT

fail()
{
	echo "FAILED: $*" >&2
	tail -20 "$RUN/log" >&2
	exit 1
}

# generate OPTION...: the rows are in $RUN/csv.
generate()
{
	echo "  tools/generator/run $*"
	env -u PLVS_NET -u PLVS_RUN timeout 60 "$top/tools/generator/run" --csv "$RUN/csv" \
		--seconds 0.5 --rate 3000 --loss 20 --resolution 20 "$@" > "$RUN/log" 2>&1
}

# rows TEST N: so many rows of a test say that half of the rate went through.
rows()
{
	local n
	n=$(awk -F, -v test="$1" '$1 == test && $5 >= 100' "$RUN/csv" | wc -l)
	[ "$n" -eq "$2" ] || fail "$n rows of $1, $2 are wanted: $(cat "$RUN/csv")"
}

generate --method nat --family 4 --sizes 64,1518 --connections 1,1000 throughput connections ||
	fail "NAT, IPv4"
rows throughput 4
rows connections 1
"$top/tools/bench/table" "$RUN/log" > "$RUN/table"
grep -q '^| throughput | 64 | 1,000 |' "$RUN/table" || fail "no table: $(cat "$RUN/table")"
generate --method dr --family 6 --sizes 84 --connections 100 latency connections || fail "DR, IPv6"
rows latency-10 1
rows latency-90 1
rows connections 1
# A package of the full set.
if command -v gnuplot > /dev/null; then
	"$top/tools/pktgen-scripts/plot" "$RUN/csv" "$RUN/plot.svg" latency
	grep -q '<svg' "$RUN/plot.svg" || fail "no plot"
fi
if generate --vip 192.0.2.80:81 --sizes 64 --connections 1 throughput; then
	fail "a service that is not there loses nothing"
fi
grep -q '^throughput,dr,64,1,0,.*,no rate$' "$RUN/csv" || fail "a rate where nothing came: $(cat "$RUN/csv")"
