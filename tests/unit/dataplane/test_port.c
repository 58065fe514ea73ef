/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port on drivers with the habits of real ones. The device is net_null; the linker puts the
 * functions __wrap_rte_eth_*() between the port and DPDK, and they behave as the drivers seen
 * under QEMU did: vmxnet3 takes powers of two of receive queues only, virtio drops tags that
 * its filter was not told of, e1000e and vmxnet3 lose link-state interrupts.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_ethdev.h>

#include "dataplane/port.h"
#include "dataplane/port_device.h"
#include "lib/harness.h"

#define DEVICE "net_null0"

static struct {
	/* the driver's habits */
	bool powers_of_two;	   /* of receive queues */
	uint16_t max_tx, max_both; /* most queues; 0: no limit */
	bool down_when_stopped;
	bool refuses; /* everything */
	bool no_rss, no_offloads, filters, stuck_filter, no_lsc_flag;
	uint16_t max_vlans; /* 0: no limit */
	/* the device's state */
	struct rte_eth_conf conf;
	unsigned int n_configured, n_refused;
	bool started, filter_on, cable;
	uint16_t interrupted; /* the state of the link at the last interrupt that was not lost */
	uint8_t vlan[RTE_ETHER_MAX_VLAN_ID + 1];
	uint16_t n_vlans;
	uint32_t dev_flags;
} nic;

#define REAL(name) __real_##name
#define WRAP(name) __wrap_##name

int REAL(rte_eth_dev_info_get)(uint16_t dev, struct rte_eth_dev_info *info);
int REAL(rte_eth_dev_configure)(uint16_t dev, uint16_t n_rx, uint16_t n_tx,
				const struct rte_eth_conf *conf);
int REAL(rte_eth_rx_queue_setup)(uint16_t dev, uint16_t queue, uint16_t n_desc, unsigned int socket,
				 const struct rte_eth_rxconf *conf, struct rte_mempool *pool);
int REAL(rte_eth_dev_start)(uint16_t dev);
int WRAP(rte_eth_dev_info_get)(uint16_t dev, struct rte_eth_dev_info *info);
int WRAP(rte_eth_dev_configure)(uint16_t dev, uint16_t n_rx, uint16_t n_tx,
				const struct rte_eth_conf *conf);
int WRAP(rte_eth_rx_queue_setup)(uint16_t dev, uint16_t queue, uint16_t n_desc, unsigned int socket,
				 const struct rte_eth_rxconf *conf, struct rte_mempool *pool);
int WRAP(rte_eth_dev_start)(uint16_t dev);
int REAL(rte_eth_dev_stop)(uint16_t dev);
int WRAP(rte_eth_dev_stop)(uint16_t dev);
int WRAP(rte_eth_link_get_nowait)(uint16_t dev, struct rte_eth_link *link);
int WRAP(rte_eth_dev_vlan_filter)(uint16_t dev, uint16_t vlan, int on);
int WRAP(rte_eth_dev_get_vlan_offload)(uint16_t dev);
int WRAP(rte_eth_dev_set_vlan_offload)(uint16_t dev, int mask);
int WRAP(rte_eth_dev_rss_reta_update)(uint16_t dev, struct rte_eth_rss_reta_entry64 *reta,
				      uint16_t size);

int WRAP(rte_eth_dev_info_get)(uint16_t dev, struct rte_eth_dev_info *info)
{
	int rc = REAL(rte_eth_dev_info_get)(dev, info);

	nic.dev_flags = *info->dev_flags | (nic.no_lsc_flag ? 0 : RTE_ETH_DEV_INTR_LSC);
	info->dev_flags = &nic.dev_flags;
	info->max_rx_queues = info->max_tx_queues = 8;
	info->rx_offload_capa = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_RSS_HASH |
				(nic.filters ? RTE_ETH_RX_OFFLOAD_VLAN_FILTER : 0);
	info->flow_type_rss_offloads = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP |
				       RTE_ETH_RSS_L3_SRC_ONLY | RTE_ETH_RSS_L4_SRC_ONLY;
	info->hash_key_size = 40;
	info->reta_size = 128;
	return rc;
}

int WRAP(rte_eth_dev_configure)(uint16_t dev, uint16_t n_rx, uint16_t n_tx,
				const struct rte_eth_conf *conf)
{
	struct rte_eth_conf plain = {0};
	uint64_t extra = conf->rxmode.offloads & ~RTE_ETH_RX_OFFLOAD_VLAN_FILTER;

	nic.n_configured++;
	if (nic.refuses || (nic.powers_of_two && n_rx & (n_rx - 1)) ||
	    (nic.max_tx && n_tx > nic.max_tx) ||
	    (nic.max_both && (n_rx > nic.max_both || n_tx > nic.max_both)) ||
	    (nic.no_rss && conf->rxmode.mq_mode == RTE_ETH_MQ_RX_RSS) ||
	    (nic.no_offloads && extra)) {
		nic.n_refused++;
		return -EINVAL;
	}
	nic.conf = *conf;
	nic.filter_on = nic.filters; /* whatever is asked: as virtio */
	/* A setting that net_null is not told of cannot be refused. */
	plain.rxmode.mtu = conf->rxmode.mtu;
	return REAL(rte_eth_dev_configure)(dev, n_rx, n_tx, &plain);
}

int WRAP(rte_eth_rx_queue_setup)(uint16_t dev, uint16_t queue, uint16_t n_desc, unsigned int socket,
				 const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	struct rte_eth_rxconf plain = *conf;

	plain.offloads = 0;
	return REAL(rte_eth_rx_queue_setup)(dev, queue, n_desc, socket, &plain, pool);
}

int WRAP(rte_eth_dev_start)(uint16_t dev)
{
	nic.started = true;
	nic.interrupted = nic.cable;
	memset(nic.vlan, 0, sizeof(nic.vlan)); /* a reset, as virtio's */
	nic.n_vlans = 0;
	return REAL(rte_eth_dev_start)(dev);
}

int WRAP(rte_eth_dev_stop)(uint16_t dev)
{
	nic.started = false;
	return REAL(rte_eth_dev_stop)(dev);
}

/* As ethdev: with link-state interrupts the driver is not asked. */
int WRAP(rte_eth_link_get_nowait)(uint16_t dev, struct rte_eth_link *link)
{
	(void)dev;
	memset(link, 0, sizeof(*link));
	link->link_status = nic.conf.intr_conf.lsc && nic.started ? nic.interrupted : nic.cable;
	if (nic.down_when_stopped && !nic.started)
		link->link_status = RTE_ETH_LINK_DOWN;
	link->link_speed = link->link_status ? 1000 : RTE_ETH_SPEED_NUM_UNKNOWN;
	return 0;
}

int WRAP(rte_eth_dev_vlan_filter)(uint16_t dev, uint16_t vlan, int on)
{
	(void)dev;
	if (!(nic.conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_VLAN_FILTER))
		return -ENOSYS;
	if (nic.vlan[vlan] == (on != 0))
		return 0;
	if (on && nic.max_vlans && nic.n_vlans == nic.max_vlans)
		return -ENOSPC;
	nic.vlan[vlan] = on != 0;
	nic.n_vlans += on ? 1 : -1;
	return 0;
}

int WRAP(rte_eth_dev_get_vlan_offload)(uint16_t dev)
{
	(void)dev;
	return nic.filter_on ? RTE_ETH_VLAN_FILTER_OFFLOAD : 0;
}

int WRAP(rte_eth_dev_set_vlan_offload)(uint16_t dev, int mask)
{
	(void)dev;
	if (nic.stuck_filter)
		return -ENOTSUP;
	nic.filter_on = mask & RTE_ETH_VLAN_FILTER_OFFLOAD;
	return 0;
}

int WRAP(rte_eth_dev_rss_reta_update)(uint16_t dev, struct rte_eth_rss_reta_entry64 *reta,
				      uint16_t size)
{
	(void)dev;
	(void)reta;
	(void)size;
	return 0;
}

/* A frame with this tag reaches the driver's queues. */
static bool receives(uint16_t vlan)
{
	return !nic.filter_on || nic.vlan[vlan];
}

/* --- a port of that device, from name to start ----------------------------------------------- */

static struct port port;
static struct owner_map owners;
static struct rte_mempool *pool;

static void port_up(uint16_t n_workers, enum port_direction direction)
{
	char error[256];

	port = (struct port){
		.config = {.name = "public", .device = DEVICE, .direction = (uint8_t)direction},
		.link_eventfd = -1,
		.pool = pool};
	port_device_init(&port);
	owner_map_init(&owners, n_workers);
	if (port_find(&port, n_workers, error) != 0 || port_configure(&port, false, error) != 0)
		fail_msg("%s", error);
}

static void port_go(uint16_t n_workers)
{
	char error[256];

	if (port_start(&port, &owners, n_workers, error) != 0)
		fail_msg("%s", error);
}

static int setup(void **state)
{
	(void)state;
	memset(&nic, 0, sizeof(nic));
	nic.cable = true;
	return rte_eal_hotplug_add("vdev", DEVICE, "");
}

static int teardown(void **state)
{
	(void)state;
	port_stop(&port);
	port_close(&port);
	rte_eal_hotplug_remove("vdev", DEVICE);
	return 0;
}

/* --- queues ---------------------------------------------------------------------------------- */

static void a_driver_that_takes_all_gives_all(void **state)
{
	(void)state;
	port_up(3, PORT_IN);
	port_go(3);
	assert_int_equal(nic.n_refused, 0);
	assert_int_equal(port.n_rx, 3);
	assert_int_equal(port.n_tx, 3);
	assert_int_equal(port.rss, PORT_RSS_OWNERS);
	assert_string_equal(port.warning, "");
}

static void three_workers_get_two_queues_of_a_driver_of_powers_of_two(void **state)
{
	(void)state;
	nic.powers_of_two = true;
	port_up(3, PORT_IN);
	port_go(3);
	assert_int_equal(port.n_asked, 3);
	assert_int_equal(port.n_rx, 2);
	assert_int_equal(port.n_tx, 3);
	/* Nothing else is given up. */
	assert_true(port.rx_offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM);
	assert_int_equal(nic.conf.rxmode.mq_mode, RTE_ETH_MQ_RX_RSS);
	assert_int_equal(port.rss_asked, PORT_RSS_OWNERS);
	assert_int_equal(port.rss, PORT_RSS_SPREADS); /* a worker has no queue */
	assert_string_equal(port.warning, "works with 2 receive and 3 transmit queues, since the "
					  "driver refused 3 and 3");
}

static void seven_workers_get_four_queues_of_a_driver_of_powers_of_two(void **state)
{
	(void)state;
	nic.powers_of_two = true;
	nic.max_tx = 5;
	port_up(7, PORT_BOTH);
	port_go(7);
	assert_int_equal(port.n_rx, 4);
	assert_int_equal(port.n_tx, 4);
	assert_int_equal(port.rss_asked, PORT_RSS_SPREADS);
	assert_int_equal(port.rss, PORT_RSS_SPREADS);
}

static void a_driver_without_rss_keeps_queues_and_offloads(void **state)
{
	(void)state;
	nic.no_rss = true;
	port_up(3, PORT_IN);
	port_go(3);
	assert_int_equal(port.n_rx, 3);
	assert_true(port.rx_offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM);
	assert_int_equal(port.rss, PORT_RSS_NONE);
	assert_non_null(strstr(port.warning, "works without receive-side scaling,"));
}

static void a_driver_of_one_queue_keeps_its_offloads(void **state)
{
	(void)state;
	nic.max_both = 1;
	port_up(4, PORT_IN);
	port_go(4);
	assert_int_equal(port.n_rx, 1);
	assert_int_equal(port.n_tx, 1);
	assert_true(port.rx_offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM);
	assert_non_null(strstr(port.warning, "1 receive and 1 transmit"));
}

static void a_driver_without_offloads_keeps_queues_and_its_vlan_filter(void **state)
{
	(void)state;
	nic.no_offloads = nic.filters = true;
	port_up(2, PORT_BOTH);
	port_go(2);
	assert_int_equal(port.n_rx, 2);
	assert_false(port.rx_offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM);
	assert_true(port.device.filters_vlans);
}

static void a_driver_that_takes_nothing_is_an_error_with_a_name(void **state)
{
	char error[256];

	(void)state;
	port_up(4, PORT_BOTH);
	port.configured = false; /* as if it had never agreed */
	nic.refuses = true;
	nic.n_refused = 0;
	assert_int_equal(port_configure(&port, false, error), -EINVAL);
	assert_non_null(strstr(error, "port public: driver net_null refuses to be configured"));
	/* Three steps of 4/4, 3/4, 3/3, 2/4, 2/2 queues, and one queue each way with and without
	 * offloads. */
	assert_int_equal(nic.n_refused, 3 * 5 + 2);
}

/* --- VLANs ----------------------------------------------------------------------------------- */

static void a_filter_lets_through_what_is_wanted_and_priority_tags(void **state)
{
	(void)state;
	nic.filters = true;
	port_up(1, PORT_BOTH);
	port_vlan_want(&port, 10, true); /* of the configuration: before the start */
	port_vlan_want(&port, 4094, true);
	port_go(1);
	assert_true(receives(0));
	assert_true(receives(10));
	assert_true(receives(4094));
	assert_false(receives(11));
	/* An interface that appears on the TAP at run time, and one that goes. */
	port_vlan_want(&port, 11, true);
	assert_true(receives(11));
	port_vlan_want(&port, 10, false);
	assert_false(receives(10));
	/* No VLANs: ignored. */
	port_vlan_want(&port, 0, false);
	port_vlan_want(&port, 4095, true);
	port_vlan_want(&port, UINT16_MAX, true);
	assert_true(receives(0));
	assert_false(receives(4095));
}

static void a_device_that_forgets_its_filter_is_told_again_at_each_start(void **state)
{
	(void)state;
	nic.filters = true;
	port_up(1, PORT_BOTH);
	port_vlan_want(&port, 10, true);
	port_go(1);
	port_stop(&port);
	port_vlan_want(&port, 20, true);
	port_vlan_want(&port, 10, false);
	port_go(1);
	assert_true(receives(20));
	assert_true(receives(0));
	assert_false(receives(10));
}

static void a_filter_without_room_is_turned_off(void **state)
{
	(void)state;
	nic.filters = true;
	nic.max_vlans = 3;
	port_up(1, PORT_BOTH);
	port_go(1);
	port_vlan_want(&port, 1, true);
	port_vlan_want(&port, 2, true);
	assert_false(receives(3));
	port_vlan_want(&port, 3, true);
	assert_true(receives(3));
	assert_false(port.device.filters_vlans);
	assert_int_equal(port.device.vlans_refused, 0);
	port_vlan_want(&port, 4, true);
	assert_true(receives(4));
}

static void a_filter_that_cannot_be_turned_off_is_told_to_the_operator(void **state)
{
	(void)state;
	nic.filters = nic.stuck_filter = true;
	nic.max_vlans = 1;
	port_up(1, PORT_BOTH);
	port_vlan_want(&port, 5, true);
	port_go(1);
	assert_int_equal(port.device.vlans_refused, 1);
}

static void a_device_without_a_filter_is_left_alone(void **state)
{
	(void)state;
	port_up(1, PORT_BOTH);
	port_vlan_want(&port, 10, true);
	port_go(1);
	assert_false(port.device.filters_vlans);
	assert_int_equal(port.device.vlans_refused, 0);
	assert_true(receives(10));
}

/* --- links ----------------------------------------------------------------------------------- */

static void a_link_whose_interrupt_is_lost_is_seen_at_the_next_look(void **state)
{
	(void)state;
	port_up(1, PORT_BOTH);
	port_go(1);
	port_link_look(&port);
	assert_true(port_link_up(&port));
	assert_int_equal(port_speed_mbps(&port), 1000);
	nic.cable = false; /* and no interrupt */
	port_link_look(&port);
	assert_false(port_link_up(&port));
	assert_int_equal(port_speed_mbps(&port), 0);
	nic.cable = true;
	port_link_look(&port);
	assert_true(port_link_up(&port));
}

static void a_look_does_not_wait_for_a_thread_inside_the_driver(void **state)
{
	(void)state;
	port_up(1, PORT_BOTH);
	port_go(1);
	port_link_look(&port);
	nic.cable = false;
	assert_true(port_lock(&port));
	port_link_look(&port);
	assert_true(port_link_up(&port)); /* as of the last look */
	port_unlock(&port);
	port_link_look(&port);
	assert_false(port_link_up(&port));
}

/* At the end of the router the link thread outlives the ports: their links did not go. */
static void a_stopped_port_keeps_the_state_of_its_link(void **state)
{
	(void)state;
	nic.down_when_stopped = true;
	port_up(1, PORT_BOTH);
	port_go(1);
	port_link_look(&port);
	port_stop(&port);
	port_link_look(&port);
	assert_true(port_link_up(&port));
	nic.cable = false;
	port_go(1);
	port_link_look(&port);
	assert_false(port_link_up(&port));
}

/* --- devices that are lost and opened again -------------------------------------------------- */

static void a_device_configured_again_keeps_what_the_driver_agreed_to(void **state)
{
	char error[256];

	(void)state;
	nic.powers_of_two = true;
	nic.filters = true;
	port_up(3, PORT_IN);
	port_vlan_want(&port, 10, true);
	port_go(3);
	port_stop(&port);
	nic.n_refused = 0;
	assert_int_equal(port_configure(&port, false, error), 0);
	port_go(3);
	assert_int_equal(nic.n_refused, 0); /* the step that was agreed on, at once */
	assert_int_equal(port.n_rx, 2);
	assert_int_equal(port.n_tx, 3);
	assert_string_equal(port.warning, "works with 2 receive and 3 transmit queues, since the "
					  "driver refused 3 and 3");
	assert_true(receives(10));
	assert_false(receives(11));
	nic.refuses = true;
	assert_int_equal(port_configure(&port, false, error), -EINVAL);
	assert_int_equal(nic.n_refused, 1);
}

static void a_lost_device_has_no_link_and_is_asked_nothing(void **state)
{
	(void)state;
	nic.filters = true;
	port_up(1, PORT_BOTH);
	port_go(1);
	port_link_look(&port);
	assert_true(port_link_up(&port));
	__atomic_store_n(&port.device.state, PORT_GONE, __ATOMIC_RELEASE);
	assert_false(port_lock(&port));
	assert_false(port_link_up(&port));
	nic.cable = false;
	port_link_look(&port);
	assert_int_equal(port_speed_mbps(&port), 1000); /* as of the last look */
	assert_int_equal(port_set_mtu(&port, 1400), -ENODEV);
	port_vlan_want(&port, 11, true);
	assert_false(receives(11));
	/* Opened again. */
	nic.cable = true;
	port_stop(&port);
	port_go(1);
	__atomic_store_n(&port.device.state, PORT_WORKS, __ATOMIC_RELEASE);
	port_link_look(&port);
	assert_true(port_link_up(&port));
	assert_true(receives(11));
	port_stop(&port);
	assert_false(port_lock(&port));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_driver_that_takes_all_gives_all),
		T(three_workers_get_two_queues_of_a_driver_of_powers_of_two),
		T(seven_workers_get_four_queues_of_a_driver_of_powers_of_two),
		T(a_driver_without_rss_keeps_queues_and_offloads),
		T(a_driver_of_one_queue_keeps_its_offloads),
		T(a_driver_without_offloads_keeps_queues_and_its_vlan_filter),
		T(a_driver_that_takes_nothing_is_an_error_with_a_name),
		T(a_filter_lets_through_what_is_wanted_and_priority_tags),
		T(a_device_that_forgets_its_filter_is_told_again_at_each_start),
		T(a_filter_without_room_is_turned_off),
		T(a_filter_that_cannot_be_turned_off_is_told_to_the_operator),
		T(a_device_without_a_filter_is_left_alone),
		T(a_link_whose_interrupt_is_lost_is_seen_at_the_next_look),
		T(a_look_does_not_wait_for_a_thread_inside_the_driver),
		T(a_stopped_port_keeps_the_state_of_its_link),
		T(a_device_configured_again_keeps_what_the_driver_agreed_to),
		T(a_lost_device_has_no_link_and_is_asked_nothing),
	};
	int rc;

	if (harness_eal_init(0, 64, NULL) != 0)
		return 1;
	pool = rte_pktmbuf_pool_create("port_pool", 4095, 0, 0,
				       PORT_DATA_ROOM + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	rc = pool ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
	rte_mempool_free(pool);
	harness_eal_fini();
	return rc;
}
