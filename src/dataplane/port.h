/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PORT_H
#define PLVS_DATAPLANE_PORT_H

/*
 * A DPDK port, from its name to packets. If a driver refuses a feature that packets do not need
 * (offloads, RSS, many queues, multicast filters), the port goes without it, step by step, with a
 * line in the log. Only a port that cannot carry packets is an error.
 *
 * Control context. All return 0, or -errno with a sentence in error.
 */

#include "base/error_text.h"
#include "dataplane/dataplane.h"

#define PORT_DATA_ROOM 2048 /* bytes of a frame in one mbuf, unless an MTU needs more */

/* Finds the device and reads its properties: dev, driver, socket, mac, and the numbers of queues
 * and descriptors to use. Does not change the port. */
int port_find(struct port *p, uint16_t n_workers, char error[ERROR_TEXT]);

/* True: an AF_XDP port, whose packet buffers the kernel reads and writes. See umem_pool.h. */
bool port_has_umem(const struct port *p);
/* The most bytes of a frame of this MTU, two VLAN tags included. */
uint32_t port_frame_max(uint16_t mtu);
/* True: frames longer than an mbuf are received and sent in several segments. */
bool port_can_scatter(const struct port *p);

/* Sets queues, offloads, RSS and MTU, or fewer if the driver refuses, with a warning of the port.
 * p->pool is set before. fast_free: all packets come from one pool and none is referenced twice. */
int port_configure(struct port *p, bool fast_free, char error[ERROR_TEXT]);
int port_start(struct port *p, const struct owner_map *owners, uint16_t n_workers,
	       char error[ERROR_TEXT]);
void port_stop(struct port *p);
/* Gives the device back. Does nothing for a port that was never found. */
void port_close(struct port *p);

/* Around rte_eth_*() calls from any thread but workers: one call of the driver at a time, apart
 * from bursts of workers. port_lock() returns false, without the lock, while the device is lost, is
 * being opened again, is stopped or closed. The functions here that call the driver take the
 * lock. */
bool port_lock(struct port *p);
void port_unlock(struct port *p);

/* Reads the state of the device's link, without waiting, for port_link_up() and port_speed_mbps().
 * Link thread, and main before that thread runs. Skipped while another thread is inside the driver,
 * and while port_lock() fails. */
void port_link_look(struct port *p);
/* The state of the link at the last look; down in all states of the device but PORT_WORKS. For a
 * device on a Linux interface the driver reports only the device and not the interface. Any
 * thread. */
bool port_link_up(const struct port *p);
/* True: the device reads a Linux interface (af_packet, AF_XDP), so Linux handles each frame first.
 */
bool port_on_kernel(const struct port *p);
/* The Linux interface that an af_packet or af_xdp device reads; "" for others. */
void port_kernel_if(const struct port *p, char *buf, size_t len);
/* Mbit/s at the last look; 0: not known. Any thread. */
uint32_t port_speed_mbps(const struct port *p);
/* Any thread but workers. 0, or -errno with the MTU unchanged: the driver refused, or the device
 * cannot be used (-ENODEV). If the driver needs the device stopped, port recovery sets the MTU soon
 * after the call and logs a refusal. */
int port_set_mtu(struct port *p, uint16_t mtu);

/* Adds or removes a VLAN whose frames are wanted. A device that filters VLANs passes wanted ones,
 * and always VLAN 0 (a priority tag). If a device refuses a VLAN, filtering is switched off, if the
 * driver can. Any thread but workers. For a stopped or lost port the change takes effect at its
 * start. */
void port_vlan_want(struct port *p, uint16_t vlan, bool wanted);

/* True: the driver may have receive interrupts. */
bool port_has_interrupts(const struct port *p);
/* Sets the wake-up of sleeping workers for a queue. port_wake.c does this for DPDK's drivers; other
 * kinds of ports call this function when the queue is open, before workers use the port. fd belongs
 * to the caller, and stays open until the port is closed. */
void port_wake_set(struct port *p, uint16_t queue, enum queue_wake_kind kind, int fd);
/* "descriptor", "interrupt", "clock": of all queues. */
const char *port_wake_name(const struct port *p);

/* "none", "spreads", "owners" */
const char *port_rss_name(enum port_rss rss);

#endif
