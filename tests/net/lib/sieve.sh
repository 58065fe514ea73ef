# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Interfaces that Linux keeps, for tests with PLVS_DRIVER=af_xdp. Sourced after lib.sh; skips the test
# where the XDP program of plvs was not built.

SIEVE=$BUILD/src/dataplane/sieve.bpf.o
if [ ! -e "$SIEVE" ]; then
	echo "skipped: built without clang, so there is no XDP program"
	exit 0
fi

# sieve_device NUMBER INTERFACE: the device of an interface, with plvs's XDP program.
sieve_device()
{
	# shellcheck disable=SC2034 # of plvs.sh
	PLVS_VDEVS[$1]="net_af_xdp$1,iface=$2,xdp_prog=$SIEVE"
}

# programs_attached: XDP programs on interfaces of the router's host.
programs_attached()
{
	ip -n "$NET-dpdk" link show | grep -c 'prog/xdp' || true
}

# interfaces_made BUT...: interfaces of the router's host beside those that it had.
interfaces_made()
{
	local but='^lo ' name
	for name; do but+="\\|^$name@"; done
	ip -n "$NET-dpdk" -br link | grep -vc "$but"
}
