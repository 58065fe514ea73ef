# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Facts that plvs-host finds on a host. Reads only. Sourced.

root=${PLVS_HOST_ROOT:-}
pci=$root/sys/bus/pci
state=$root/etc/plvs/host.state

refuse()
{
	echo "plvs-host: $*" >&2
	exit 1
}

# A line of a file of the host, empty if there is none.
value()
{
	local line=
	[ ! -r "$1" ] || read -r line < "$1" || true
	echo "$line"
}

pci_driver()
{
	[ ! -e "$pci/devices/$1/driver" ] || basename "$(readlink -f "$pci/devices/$1/driver")"
}

# The interfaces of a PCI device, and those that stand on them: bonds, bridges, VLANs.
pci_interfaces()
{
	local d name upper
	for d in "$pci/devices/$1"/net/* "$pci/devices/$1"/virtio*/net/*; do
		[ -e "$d" ] || continue
		name=${d##*/}
		echo "$name"
		for upper in "$root/sys/class/net/$name"/upper_*; do
			[ ! -e "$upper" ] || echo "${upper##*/upper_}"
		done
	done
}

# The PCI address that a NIC's name stands for.
pci_address()
{
	local nic=$1 path
	[[ ! $nic =~ ^[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$ ]] || nic=0000:$nic
	if [[ $nic =~ ^[0-9a-fA-F]{4}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7]$ ]]; then
		[ -e "$pci/devices/${nic,,}" ] || refuse "no PCI device has the address $nic; \"plvs-host show\" lists the NICs"
		echo "${nic,,}"
		return
	fi
	[[ $nic != */* && -e $root/sys/class/net/$nic ]] ||
		refuse "\"$nic\" is neither an interface nor a PCI address; \"plvs-host show\" lists the NICs"
	path=$(readlink -f "$root/sys/class/net/$nic/device" || true)
	[[ ${path##*/} != virtio* ]] || path=${path%/*}
	[[ ${path##*/} == *:*:*.* && -e $pci/devices/${path##*/} ]] ||
		refuse "$nic is no PCI device: open it by --vdev net_af_xdp0,iface=$nic instead"
	echo "${path##*/}"
}

network_devices()
{
	local d
	for d in "$pci"/devices/*; do
		[[ $(value "$d/class") != 0x02* ]] || echo "${d##*/}"
	done
}

iommu_on()
{
	compgen -G "$root/sys/kernel/iommu_groups/*" > /dev/null
}

# The other end of the caller's SSH session, and of every other one, is at these addresses.
ssh_addresses()
{
	local client client_port server rest
	read -r client client_port server rest <<< "${SSH_CONNECTION:-}"
	[ -z "$server" ] || echo "$server"
	ss -Htn state established '( sport = :22 )' 2> /dev/null |
		awk '{ sub(/:[0-9]+$/, "", $3); gsub(/[][]/, "", $3); sub(/%.*/, "", $3); print $3 }'
	: "$client$client_port$rest"
}

# Why the interface is needed, one reason a line.
interface_uses()
{
	local a addresses
	addresses=$(ip -o address show dev "$1" 2> /dev/null | awk '{ sub(/\/.*/, "", $4); print $4 }' || true)
	for a in $(ssh_addresses | sort -u); do
		! grep -qxF "$a" <<< "$addresses" || echo "an SSH session comes in by $1 ($a)"
	done
	if { ip route show default; ip -6 route show default; } 2> /dev/null | grep -qw "dev $1"; then
		echo "the default route leaves by $1"
	fi
	addresses=$(grep -v '^fe80:' <<< "$addresses" | paste -sd ' ' || true)
	[ -z "$addresses" ] || echo "$1 has the address $addresses"
}

# Drivers that share a NIC with Linux: DPDK opens it as it is.
bifurcated()
{
	case $1 in mlx4_core | mlx5_core | mana) return 0 ;; esac
	return 1
}

hugepages_mib()
{
	echo $(($(value "$root/proc/sys/vm/nr_hugepages" | grep -E '^[0-9]+$' || echo 0) * 2))
}

show()
{
	local d interface driver line cpus node
	line="$(hugepages_mib) MiB in pages of 2 MiB, $(awk '/^HugePages_Free/ { print $2 * 2 }' "$root/proc/meminfo") MiB free"
	grep -q ' hugetlbfs ' "$root/proc/mounts" || line+="; no hugetlbfs is mounted: systemctl start dev-hugepages.mount"
	echo "hugepages  $line"
	if iommu_on; then
		echo "IOMMU      on"
	elif [ "$(value "$root/sys/module/vfio/parameters/enable_unsafe_noiommu_mode")" = Y ]; then
		echo "IOMMU      off; vfio-pci works without (--no-iommu)"
	else
		echo "IOMMU      off: plvs-host apply --iommu and a reboot, with VT-d or AMD-Vi on in the firmware; or --no-iommu"
	fi
	cpus=$(value "$root/sys/devices/system/cpu/isolated")
	echo "CPUs       $(value "$root/sys/devices/system/cpu/online"); Linux keeps off: ${cpus:-none (--cpus)}"
	echo "TAPs       $([ -e "$root/dev/net/tun" ] && echo /dev/net/tun || echo "no /dev/net/tun: modprobe tun")"
	for d in $(network_devices); do
		driver=$(pci_driver "$d")
		node=$(value "$pci/devices/$d/numa_node")
		line="NIC        $d $(value "$pci/devices/$d/vendor" | cut -c 3-):$(value "$pci/devices/$d/device" | cut -c 3-)"
		line+=" driver ${driver:-none}"
		[ "${node:--1}" = -1 ] || line+=" node $node"
		for interface in $(pci_interfaces "$d"); do line+=" $interface"; done
		echo "$line"
		! bifurcated "$driver" || echo "           shared with Linux by its driver: -a $d opens it as it is"
		for interface in $(pci_interfaces "$d"); do
			interface_uses "$interface" | sed 's/^/           /'
		done
	done
	[ ! -e "$state" ] || sed -n 's/^nic \([^ ]*\) \([^ ]*\) \([^ ]*\)$/prepared   \1: \3 instead of \2/p' "$state"
}
