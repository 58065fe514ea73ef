/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PORT_H
#define PLVS_DATAPLANE_PORT_H

/*
 * A DPDK port, from its name to packets. A feature that a driver refuses and packets do not need
 * (offloads, RSS, many queues, multicast filters) is given up step by step with a line in
 * the log; only a port that cannot carry packets is an error.
 *
 * Control context. All return 0 or -errno, and then error says what and why.
 */

#include "dataplane/dataplane.h"

#define PORT_DATA_ROOM 2048 /* bytes of a frame in one mbuf, unless an MTU needs more */

/* Finds the device and asks what it can do: dev, driver, socket, mac, and how many queues
 * and descriptors will be asked for. Changes nothing at the port. */
int port_find(struct port *p, uint16_t n_workers, char error[256]);

/* The kernel reads and writes the port's packet buffers: an AF_XDP port. See umem_pool.h. */
bool port_has_umem(const struct port *p);
/* Bytes that a frame of this MTU may have, two VLAN tags included. */
uint32_t port_frame_max(uint16_t mtu);
/* Frames longer than an mbuf come and go in several segments. */
bool port_can_scatter(const struct port *p);

/* Queues, offloads, RSS, MTU; fewer of them where the driver refuses, with a warning of the port.
 * p->pool is set before. fast_free: all packets come from one
 * pool and none is ever referenced twice. */
int port_configure(struct port *p, bool fast_free, char error[256]);
int port_start(struct port *p, const struct owner_map *owners, uint16_t n_workers, char error[256]);
void port_stop(struct port *p);
/* Gives the device back. Does nothing for a port that was never found. */
void port_close(struct port *p);

/* Around rte_eth_*() calls from any thread that is no worker: one call of the driver at a time,
 * bursts of workers excepted. port_lock() returns false, without the lock, while the device
 * cannot be asked: the device is lost, is being opened again, was stopped, or was closed. The
 * functions here that call the driver take the lock. */
bool port_lock(struct port *p);
void port_unlock(struct port *p);

/* Asks the device for the state of its link, without waiting: the answer is for
 * port_link_up() and port_speed_mbps(). Link thread, and main before that thread runs. Skipped
 * while another thread is inside the driver, and while port_lock() fails. */
void port_link_look(struct port *p);
/* The state of the link at the last look; down in all states of the device but PORT_WORKS. Of a
 * device that reads a Linux interface only the state of the device: the driver says nothing of
 * the interface. Any thread. */
bool port_link_up(const struct port *p);
/* The Linux interface that an af_packet or af_xdp device reads; "" for others. */
void port_kernel_if(const struct port *p, char *buf, size_t len);
/* Mbit/s at the last look, or 0: not known. Any thread. */
uint32_t port_speed_mbps(const struct port *p);
/* Any thread but workers. 0 or -errno: the driver refused, or the device cannot be asked
 * (-ENODEV); the port keeps its MTU. Where a driver needs its device stopped, port recovery
 * does that soon after the call, and a refusal is logged. */
int port_set_mtu(struct port *p, uint16_t mtu);

/* Frames with this VLAN's tag are wanted, or no longer wanted. A device that filters VLANs lets
 * through those that are wanted, and VLAN 0 (a priority tag) always; a device that refuses a
 * VLAN stops to filter, if the driver can. Any thread but workers; a port that is stopped or
 * lost takes the wish up when it starts. */
void port_vlan_want(struct port *p, uint16_t vlan, bool wanted);

/* The driver may have receive interrupts. */
bool port_has_interrupts(const struct port *p);
/* The way in which a worker that sleeps hears of frames in a queue. Drivers that DPDK has are known
 * (port_wake.c); any other kind of port calls this when its queue is open, before workers use the
 * port. fd belongs to the caller, and stays open until the port is closed. */
void port_wake_set(struct port *p, uint16_t queue, enum queue_wake_kind kind, int fd);
/* "descriptor", "interrupt", "clock": of all queues. */
const char *port_wake_name(const struct port *p);

/* "none", "spreads", "owners" */
const char *port_rss_name(enum port_rss rss);

#endif
