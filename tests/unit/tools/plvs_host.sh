#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# plvs_host PLVS-HOST: on a host of files, with programs that play the kernel: NICs are bound and
# given back, what is needed is not taken, a step that fails leaves nothing done.
set -euo pipefail
host=$(realpath "$1")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export PLVS_HOST_ROOT=$dir/root
root=$PLVS_HOST_ROOT
unset SSH_CONNECTION
cases=0

fail()
{
	echo "FAILED: $*"
	exit 1
}

# nic ADDRESS DRIVER INTERFACE [CLASS]
nic()
{
	local d=$root/sys/bus/pci/devices/$1
	mkdir -p "$d/net/$3" "$root/sys/bus/pci/drivers/$2" "$root/sys/class/net/$3"
	echo "${4:-0x020000}" > "$d/class"
	echo 0x8086 > "$d/vendor"
	echo 0x10d3 > "$d/device"
	echo 0 > "$d/numa_node"
	echo "$2" > "$d/natural"
	ln -s "../../drivers/$2" "$d/driver"
	ln -s "$d" "$root/sys/class/net/$3/device"
}

# iommu_group NUMBER ADDRESS...
iommu_group()
{
	local g=$root/sys/kernel/iommu_groups/$1 a
	shift
	mkdir -p "$g/devices"
	for a; do
		ln -s "$root/sys/bus/pci/devices/$a" "$g/devices/$a"
		ln -s "$g" "$root/sys/bus/pci/devices/$a/iommu_group"
	done
}

# A host with four NICs; eth0 has the default route, eth3 is a mlx5, eth9 no PCI device.
host_make()
{
	rm -rf "$root"
	mkdir -p "$root"/{etc,dev/net,proc/sys/vm,sys/devices/system/cpu,sys/kernel/iommu_groups,sys/class/net/eth9} \
		"$root/sys/module/vfio/parameters" "$root/sys/bus/pci/drivers"
	echo 0-7 > "$root/sys/devices/system/cpu/online"
	echo > "$root/sys/devices/system/cpu/isolated"
	echo N > "$root/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"
	echo 0 > "$root/proc/sys/vm/nr_hugepages"
	echo 'HugePages_Free:        0' > "$root/proc/meminfo"
	echo 'hugetlbfs /dev/hugepages hugetlbfs rw 0 0' > "$root/proc/mounts"
	echo 1000 > "$dir/limit"
	: > "$dir/addresses"
	: > "$dir/broken"
	nic 0000:01:00.0 e1000e eth0
	nic 0000:02:00.0 e1000e eth1
	nic 0000:02:00.1 e1000e eth2
	nic 0000:03:00.0 mlx5_core eth3
	nic 0000:00:1f.0 ahci none0 0x010601
	iommu_group 1 0000:01:00.0
	iommu_group 2 0000:02:00.0
	iommu_group 3 0000:02:00.1 0000:00:1f.0
	find "$root" | sort > "$dir/before"
}

program()
{
	cat > "$dir/bin/$1"
	chmod +x "$dir/bin/$1"
}

mkdir "$dir/bin"
# A write to /sys or /proc, and what the kernel does.
program tee <<'END'
#!/bin/bash
path=$1
read -r v
d=$PLVS_HOST_ROOT/sys/bus/pci/devices/$v
bind()
{
	grep -qx "$v $1" "$STUB/broken" || ln -sfn "../../drivers/$1" "$d/driver"
}
case $path in
*/driver/unbind) rm "$d/driver" ;;
*/drivers_probe)
	want=
	[ ! -e "$d/driver_override" ] || read -r want < "$d/driver_override"
	bind "${want:-$(cat "$d/natural")}"
	;;
*/nr_hugepages) limit=$(cat "$STUB/limit"); echo $((v < limit ? v : limit)) > "$path" ;;
*) echo "$v" > "$path" ;;
esac
END
program modprobe <<'END'
#!/bin/sh
[ "$1" != igb_uio ] && mkdir -p "$PLVS_HOST_ROOT/sys/bus/pci/drivers/$1"
END
program ip <<'END'
#!/bin/sh
case "$*" in
"route show default") echo "default via 192.0.2.1 dev eth0 proto static" ;;
"-o address show dev "*) grep " $5 " "$STUB/addresses" ;;
esac
END
program ss <<'END'
#!/bin/sh
cat "$STUB/sessions" 2> /dev/null || true
END
program update-grub <<'END'
#!/bin/sh
echo update-grub >> "$STUB/calls"
END
export STUB=$dir PATH=$dir/bin:$PATH

# says STATUS PATTERN ARGUMENT...
says()
{
	local want=$1 pattern=$2 status=0 said
	shift 2
	said=$("$host" "$@" 2>&1) || status=$?
	[ $status -eq "$want" ] || fail "plvs-host $*: status $status: $said"
	# shellcheck disable=SC2053
	[[ $said == $pattern ]] || fail "plvs-host $* says: $said"
	cases=$((cases + 1))
}

# As before: no file more, no driver other.
untouched()
{
	find "$root" -not -name driver_override -not -path "*/drivers/vfio*" | sort > "$dir/after"
	# Folders that were made for files may stay.
	diff <(grep -v '/etc/' "$dir/before") <(grep -v '/etc/' "$dir/after") || fail "$1: the host is not as before"
	[ -z "$(find "$root/etc" -type f -o -type l)" ] || fail "$1: files stay: $(find "$root/etc" -type f)"
	drivers 0000:01:00.0 e1000e 0000:02:00.0 e1000e 0000:02:00.1 e1000e
	[ "$(cat "$root/proc/sys/vm/nr_hugepages")" = 0 ] || fail "$1: hugepages stay"
}

drivers()
{
	local is
	while [ $# -gt 0 ]; do
		is=$(basename "$(readlink "$root/sys/bus/pci/devices/$1/driver" || true)")
		[ "$is" = "$2" ] || fail "$1 has the driver '$is', not $2"
		shift 2
	done
}

host_make
says 2 'usage:*'
says 2 '*is not expected here*' apply --nicc eth1
says 2 '*--nic needs a value' apply --nic
says 1 '*no PCI device has the address 0000:09:00.0*plvs-host show*' apply --nic 0000:09:00.0
says 1 '*"eth7" is neither an interface nor a PCI address*' apply --nic eth7
says 1 '*neither an interface*' apply --nic ../../etc
says 1 '*eth9 is no PCI device*net_af_xdp0,iface=eth9*' apply --nic eth9
says 1 '*0000:00:1f.0 is no NIC*' apply --nic 00:1f.0
says 1 '*default route leaves by eth0*--force' apply --nic eth0
says 1 '*mlx5_core shares the NIC with DPDK*-a 0000:03:00.0' apply --nic eth3
says 1 '*0000:00:1f.0 (ahci) is in the same IOMMU group*' apply --nic eth2
says 1 '*"vfio" is not vfio-pci*' apply --nic eth1 --driver vfio
says 1 '*"1x" is not a number of MiB' apply --hugepages 1x
says 1 '*not a list of CPUs*' apply --cpus a
says 1 '*no group "no-such-group"' apply --group no-such-group
echo '2: eth1 inet 10.0.0.1/24 scope global' > "$dir/addresses"
says 1 '*eth1 has the address 10.0.0.1*ip address flush*' apply --nic eth1
SSH_CONNECTION='198.51.100.1 4000 10.0.0.1 22' says 1 '*SSH session comes in by eth1*' apply --nic eth1
# sudo takes the variable away; the kernel still knows the session.
echo '0 0 10.0.0.1:22 198.51.100.1:4000' > "$dir/sessions"
says 1 '*SSH session comes in by eth1*' apply --nic eth1
# A bond that stands on the NIC.
mkdir "$root/sys/class/net/eth2/upper_bond0"
echo '2: bond0 inet 10.0.0.1/24 scope global' > "$dir/addresses"
says 1 '*SSH session comes in by bond0*' apply --nic 0000:02:00.1
rm -r "$dir/sessions" "$root/sys/class/net/eth2/upper_bond0"
: > "$dir/addresses"
untouched "refusals"
says 0 '*driver vfio-pci instead of e1000e*' plan --nic eth1 --hugepages 64
untouched "a plan"

# Without an IOMMU.
mv "$root/sys/kernel/iommu_groups" "$dir/groups"
says 1 '*vfio-pci needs an IOMMU*--iommu*--no-iommu' apply --nic eth1
says 0 '*IOMMU      off*' show
says 0 '*-a 0000:02:00.0*' apply --nic eth1 --no-iommu
[ "$(cat "$root/sys/module/vfio/parameters/enable_unsafe_noiommu_mode")" = Y ] || fail "noiommu mode is off"
grep -q 'noiommu_mode=1' "$root/etc/modprobe.d/plvs-host.conf" || fail "no option for the next boot"
says 0 '*' undo
mv "$dir/groups" "$root/sys/kernel/iommu_groups"
untouched "undo without an IOMMU"

# The whole of it, twice, at the next boot, and back.
says 0 '*-a 0000:02:00.0 ' apply --nic eth1 --hugepages 63 --iommu --cpus 2-7 --group nogroup
drivers 0000:02:00.0 vfio-pci 0000:01:00.0 e1000e
[ "$(cat "$root/proc/sys/vm/nr_hugepages")" = 32 ] || fail "hugepages: $(cat "$root/proc/sys/vm/nr_hugepages")"
grep -qx 'vm.nr_hugepages = 32' "$root/etc/sysctl.d/60-plvs-host.conf" || fail "no sysctl"
grep -q 'iommu=pt isolcpus=2-7' "$root/etc/default/grub.d/60-plvs-host.cfg" || fail "no kernel command line"
[ "$(cat "$dir/calls")" = update-grub ] || fail "update-grub was not run"
grep -q 'GROUP="nogroup"' "$root/etc/udev/rules.d/60-plvs-host.rules" || fail "no udev rule"
! grep -rL '^# Written by plvs-host' "$root/etc" | grep . || fail "these have no header"
[ -L "$root/etc/systemd/system/multi-user.target.wants/plvs-host.service" ] || fail "the unit is not enabled"
says 0 'plvs-host: all of it is done already' plan --nic 0000:02:00.0 --hugepages 64 --group nogroup
says 0 '*prepared   0000:02:00.0: vfio-pci instead of e1000e*' show
ln -sfn ../../drivers/e1000e "$root/sys/bus/pci/devices/0000:02:00.0/driver"
says 0 '' boot
drivers 0000:02:00.0 vfio-pci
says 0 '*driver e1000e instead of vfio-pci*' undo
untouched "undo"
says 0 '*nothing to undo' undo

# A step that fails takes back the ones before.
echo '0000:02:00.0 vfio-pci' > "$dir/broken"
says 1 '*has the driver none, not vfio-pci*taking back*' apply --nic eth1 --hugepages 64
untouched "a NIC that does not bind"
: > "$dir/broken"
echo 10 > "$dir/limit"
says 1 '*Linux gives 20 MiB of 64 MiB*taking back*' apply --nic eth1 --hugepages 64
untouched "hugepages that are not there"
echo 1000 > "$dir/limit"
says 1 '*no module igb_uio*taking back*' apply --nic eth1 --driver igb_uio
untouched "a driver that is not there"

# A file of somebody else is not written over, and not removed.
mkdir -p "$root/etc/sysctl.d"
echo 'vm.nr_hugepages = 5' > "$root/etc/sysctl.d/60-plvs-host.conf"
says 1 "*60-plvs-host.conf is there and not plvs-host's*" apply --hugepages 64
[ "$(cat "$root/proc/sys/vm/nr_hugepages")" = 0 ] || fail "hugepages although refused"
rm "$root/etc/sysctl.d/60-plvs-host.conf"
says 0 '*' apply --hugepages 64
echo '# edited' > "$root/etc/sysctl.d/60-plvs-host.conf"
says 0 '*it stays*' undo
[ -e "$root/etc/sysctl.d/60-plvs-host.conf" ] || fail "an edited file is gone"
rm "$root/etc/sysctl.d/60-plvs-host.conf"

# Taken by force, and a NIC that is gone at the next boot.
says 0 '*' apply --nic eth0 --force
drivers 0000:01:00.0 vfio-pci
mv "$root/sys/bus/pci/devices/0000:01:00.0" "$dir/gone"
says 1 '*0000:01:00.0 is gone*' boot
mv "$dir/gone" "$root/sys/bus/pci/devices/0000:01:00.0"
says 0 '*' undo
untouched "undo after force"
echo "$cases calls of plvs-host"
