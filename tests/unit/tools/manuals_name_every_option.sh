#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# manuals_name_every_option PAGE COMMAND... [";" PAGE COMMAND...]: the options that a program's --help names
# are those that its page names, and no others. The manual page has them as they are typed.
set -euo pipefail
top=$(cd "$(dirname "$0")/../../.." && pwd)
failed=0

words()
{
	grep -oE -- '(^|[^a-zA-Z0-9_-])--[a-z][a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u
}

# compare PAGE COMMAND...
compare()
{
	local page=$1 lacks more
	shift
	"$@" > "$help" 2>&1 || true
	[ -n "$(words < "$help")" ] || { echo "$* --help names no option"; failed=1; }
	lacks=$(comm -23 <(words < "$help") <(words < "$page"))
	[ -z "$lacks" ] || { echo "$page lacks $lacks"; failed=1; }
	# In the lists of options: definitions, and rows of tables.
	more=$(comm -13 <(words < "$help") <(grep -E '^(\*\*-|\| `--)' "$page" | grep -vi deprecated | words))
	[ -z "$more" ] || { echo "$page has $more, which $1 does not"; failed=1; }
	command -v lowdown > /dev/null || return 0
	"$top/tools/man-page" page 8 "$page" "$help.8"
	lacks=$(comm -23 <(words < "$page") <(sed 's/\\f[A-Z]//g; s/\\-/-/g' "$help.8" | words))
	[ -z "$lacks" ] || { echo "the manual page of $page lacks $lacks"; failed=1; }
}

help=$(mktemp)
trap 'rm -f "$help" "$help.8"' EXIT
while [ $# -gt 0 ]; do
	arguments=()
	while [ $# -gt 0 ] && [ "$1" != ";" ]; do
		arguments+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	compare "${arguments[@]}"
done
[ $failed -eq 0 ]
