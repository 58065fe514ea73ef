# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# In the guest: plvs-host and plvs on NICs that DPDK drives by vfio-pci. Sourced by the script of a
# kind of NIC, which says what differs: QUEUES (of a port with two workers), QUEUES_3 (with three),
# RSS (as port list says; empty: any), READERS (how many of three workers get frames from the device),
# JUMBO (no: QEMU's device receives no frame that needs several buffers).

# shellcheck source=tests/pci/guest/rig.sh
. "$PLVS_TOP/tests/pci/guest/rig.sh"
host="$TOP/tools/host"
PORT_DEVICES=()

# pci_port NAME N LINUX-JSON: port NAME on the Nth NIC.
pci_port()
{
	PORT_DEVICES+=("$(dut "$2")")
	PLVS_PORTS=$(jq -c --arg name "$1" --arg device "$(dut "$2")" --argjson linux "$3" \
		'. + [{name: $name, device: $device, tap: $name, linux: $linux}]' <<< "$PLVS_PORTS")
}

# In place of lib.sh's: PCI devices and hugepages.
plvs_eal()
{
	local i device lcores=0@0
	for ((i = 1; i <= $1; i++)); do lcores+=,$i@$((i % CPUS)); done
	printf '%s\n' --file-prefix "$NET" --lcores "$lcores"
	for device in "${PORT_DEVICES[@]}"; do printf '%s\n' -a "$device"; done
}

# says SENTENCE COMMAND...: the command fails with the sentence (a pattern).
says()
{
	local sentence=$1 said
	shift
	! said=$("$@" 2>&1) || fail "$* is not refused"
	note "$(tail -1 <<< "$said")"
	# shellcheck disable=SC2053
	[[ $said == $sentence ]] || fail "$* says: $said"
}

# Before anything is prepared: sentences of plvs and of plvs-host.
refusals()
{
	local interface=$1
	local plvs=("$BUILD/src/plvs" --lcores "0@0,1@$((1 % CPUS))" --file-prefix "$NET" -a "$(dut 0)" -- -c "$RUN/plvs.json")
	says "*no hugepages:*plvs-host apply --hugepages*" "${plvs[@]}"
	echo 64 > /proc/sys/vm/nr_hugepages
	says "*is not given to DPDK: it has Linux's driver*plvs-host apply --nic $(dut 0)*" "${plvs[@]}"
	echo 0 > /proc/sys/vm/nr_hugepages
	says "*no PCI device has the address*plvs-host show*" "$host" plan --nic 0000:09:00.0
	ip address add 203.0.113.1/24 dev "$interface"
	says "*has the address 203.0.113.1*--force" "$host" plan --nic "$interface"
	ip address flush dev "$interface"
	says "*is in the same IOMMU group; give both*" "$host" plan --nic "$interface"
}

host_binds()
{
	"$host" apply --nic "$1" --nic "$(dut 1)" --hugepages 640
	"$host" show
	is "driver" "$(driver_of "$(dut 0)")" = vfio-pci
	is "driver" "$(driver_of "$(dut 1)")" = vfio-pci
	is "hugepages" "$(cat /proc/sys/vm/nr_hugepages)" -eq 320
	# As the unit does at the next boot.
	dut 0 > "/sys/bus/pci/devices/$(dut 0)/driver/unbind"
	"$host" boot
	is "driver after a boot" "$(driver_of "$(dut 0)")" = vfio-pci
	words "by interface and by address, group $(basename "$(readlink "/sys/bus/pci/devices/$(dut 0)/iommu_group")") of the IOMMU"
}

host_undoes()
{
	"$host" undo
	is "driver" "$(driver_of "$(dut 0)")" = "$1"
	is "hugepages" "$(cat /proc/sys/vm/nr_hugepages)" -eq 0
	is "files that stay" "$(find /etc/plvs /etc/modules-load.d /etc/sysctl.d /etc/systemd/system -name '*plvs-host*' -o -name host.state | wc -l)" -eq 0
	wait_for 5 "Linux has its interface again" interface_of 01 00
}

# An MTU set on the TAP while plvs runs. One that needs other buffers is refused, with the remedy.
mtu_changes()
{
	local name
	for name in public private; do ip -n "$NET-linux" link set dev $name mtu 1800; done
	wait_for 5 "the ports have MTU 1800" eval "[ \"\$(ports .mtu)\" = 1800 ]"
	packets_cross 1800
}

# The NIC is in use: a second plvs with it names who has it.
started_twice()
{
	says "*$(dut 0) is in use by another program: \"fuser -v /dev/vfio/*" "$BUILD/src/plvs" --lcores "0@0,1@$((1 % CPUS))" \
		--file-prefix other -a "$(dut 0)" -- -c "$RUN/plvs.json"
	is "answers of the first" "$(pings 192.0.2.10)" -eq 3
}

# The whole run.
nic_run()
{
	local interface driver id
	machine_ready
	interface=$(interface_of 01 00)
	driver=$(driver_of "$(dut 0)")
	id=$(cut -c 3- "/sys/bus/pci/devices/$(dut 0)/vendor"):$(cut -c 3- "/sys/bus/pci/devices/$(dut 0)/device")
	row "NIC" "${PLVS_KIND:?} ($id), Linux $(uname -r)"
	pci_network 1 2
	pci_port public 0 '{"addresses": ["192.0.2.10/24"]}'
	pci_port private 1 '{"addresses": ["10.10.0.2/16"]}'
	services_config
	check "what is missing is said with its remedy" refusals "$interface"
	check "plvs-host binds to vfio-pci" host_binds "$interface"
	servers_start
	plvs_start 2
	check "queues with two workers" queues "$QUEUES" "$RSS"
	check "NAT" answers 192.0.2.80 10 2
	check "direct routing" answers 192.0.2.90 10 2
	check "bulk TCP" bulk_crosses
	check "VLAN made and removed at run time" vlan_works
	check "MTU 1800 at run time" mtu_changes
	check "cable pulled and put back" cable_pulled
	check "a second plvs on the NIC says so" started_twice
	plvs_stop
	PLVS_PORTS=$(jq -c '.[].mtu = 9000' <<< "$PLVS_PORTS")
	services_config
	plvs_start 3
	check "restart with three workers" queues "$QUEUES_3" "$RSS"
	check "received by each of three workers" spreads "$READERS"
	check "direct routing after the restart" answers 192.0.2.90 10 2
	if [ "${JUMBO:-yes}" = yes ]; then
		check "MTU 9000 by the configuration" packets_cross 9000
	fi
	check "every packet left by one door" doors_add_up
	plvs_stop
	check "plvs-host undo gives the NIC back" host_undoes "$driver"
	end
}
