#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# programs_are_hardened PROGRAM...: position-independent, full RELRO, bound at start, no
# executable stack, and the compiler's stack protector and FORTIFY in use.
set -euo pipefail
failed=0

# has PROGRAM WHAT READELF-OPTION PATTERN
has()
{
	readelf -W "$3" "$1" | grep -E "$4" > /dev/null && return
	echo "$1: no $2"
	failed=1
}

for program in "$@"; do
	has "$program" "position-independent code" -h 'Type: +DYN'
	has "$program" "RELRO" -l 'GNU_RELRO'
	has "$program" "binding at start" -d 'BIND_NOW'
	has "$program" "stack that is not executable" -l 'GNU_STACK .* RW +0x'
	has "$program" "stack protector" --dyn-syms '__stack_chk_fail'
	has "$program" "FORTIFY" --dyn-syms '__[a-z]+_chk(@| |$)'
done
echo "$# programs looked at"
[ $failed -eq 0 ] && [ $# -gt 0 ]
