/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PORT_INTERNAL_H
#define PLVS_DATAPLANE_PORT_INTERNAL_H

/* Declarations that the files of a port (port*.c) share. Control context. */

#include "dataplane/port.h"

/* Appends a line to the operator's warnings of the port, and logs the line as a warning. */
void port_warn(struct port *p, const char *text);
/* True: a frame of this MTU fits into one mbuf of the port's pool. */
bool port_fits_room(const struct port *p, uint16_t mtu);

/* True: an MTU waits for port recovery. */
bool port_mtu_is_wanted(struct port *p);
/* Sets that MTU. The device is stopped, and no worker uses the port. */
void port_set_wanted_mtu(struct port *p);

/* Takes the lock in any state of the device: for the thread that opens, starts, stops and closes
 * devices (main, or port recovery while it runs), and for fields that the lock protects. Released
 * by port_unlock(). */
void port_hold(struct port *p);
/* True: other threads may call the driver. The lock is held. */
bool port_can_ask(const struct port *p);

/* --- port_link.c --- */

/* The interrupt thread counts changes of the link state, from here to port_link_unsubscribe(). */
void port_link_subscribe(struct port *p);
void port_link_unsubscribe(struct port *p);
/* Warns of an AF_XDP port that is started and does not read all receive queues of its interface.
 * An XDP program adds queues to some drivers: virtio_net adds one for each CPU. */
void port_queues_compare(struct port *p);

/* --- port_vlan.c --- */

/* Sets all wanted VLANs in the device, which loses them when it stops. The port's lock is held. */
void port_vlans_set(struct port *p);

/* --- port_wake.c --- */

/* Fills p->wake; the device was started. The port's lock is held. */
void port_wake_find(struct port *p);
/* Call when the device is closed. */
void port_wake_forget(struct port *p);

/* --- port_rss.c --- */

/* Fields of the hash, out of those supported. A port of one direction gets the fields of one
 * side, and then the NIC delivers to owners; other ports only spread. */
uint64_t port_rss_fields(const struct port *p, uint64_t supported);
/* The kind of RSS that the direction of the port allows with n_queues receive queues. */
enum port_rss port_rss_wanted(const struct port *p, uint16_t n_queues);
/* Sets the indirection table of the NIC to that of owners: entry i goes to the queue of the
 * worker that owns step i. True: the NIC delivers to owners. */
bool port_rss_table_set(struct port *p, const struct owner_map *owners, uint16_t n_workers);

#endif
