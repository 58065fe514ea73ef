/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_SIEVE_SIEVE_H
#define PLVS_DATAPLANE_SIEVE_SIEVE_H

/*
 * The sieve, for ports whose interface Linux keeps. The driver net_af_xdp loads the XDP program
 * sieve.bpf.c if the device has the argument xdp_prog. The program passes frames to Linux that the
 * router does not balance, so the port needs no TAP. The program reads addresses from maps. The
 * driver opened the maps, and plvs finds them among the descriptors of the process.
 *
 * Each list of entries has one author: control lists destinations and endpoints of servers, the
 * link thread lists the addresses of Linux. A list replaces the author's earlier list. The maps of
 * all ports get the difference, and a port that is opened again gets the whole list.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error_text.h"
#include "base/addr.h"
#include "dataplane/sieve/sieve_keys.h"

struct port;

enum sieve_map { SIEVE_MAP_TO, SIEVE_MAP_FROM, SIEVE_MAP_OWN, SIEVE_MAPS };

/* An element of a map. Compared as bytes. */
struct sieve_entry {
	uint8_t map; /* enum sieve_map */
	uint8_t key[20];
	uint8_t value[2];
};

struct sieve_list {
	struct sieve_entry *v;
	uint32_t n, max;
	bool failed; /* out of memory: the list is not complete */
};

enum sieve_author { SIEVE_BY_CONTROL, SIEVE_BY_LINK, SIEVE_AUTHORS };

struct sieve {
	pthread_mutex_t lock;
	struct sieve_list lists[SIEVE_AUTHORS];	 /* under lock; sorted, each key once */
	int fds[16 /* MAX_PORTS */][SIEVE_MAPS]; /* under lock; -1: not open */
	uint16_t n_ports;			 /* with open maps; control and main: ro */
};

void sieve_init(struct sieve *s);
void sieve_fini(struct sieve *s);

/* Any thread but workers. Destinations within a prefix are of this kind (enum sieve_kind). */
void sieve_add_to(struct sieve_list *list, const struct addr *addr, uint8_t len, uint8_t kind);
/* Adds a server whose replies pass here. any: replies of every protocol and port. */
void sieve_add_server(struct sieve_list *list, const struct addr *addr, bool any);
void sieve_add_endpoint(struct sieve_list *list, const struct endpoint *ep, uint8_t proto);
void sieve_add_own(struct sieve_list *list, const struct addr *addr);

/* Any thread but workers. Takes the list over. 0 or -ENOMEM (the list before stays). Refusals of
 * the kernel are logged. */
int sieve_replace(struct sieve *s, enum sieve_author author, struct sieve_list *list);

/* --- The thread that opens devices --- */

/* True: the device's arguments name an XDP program. */
bool sieve_is_asked(const struct port *p);
/* True: another process reads the queue of the interface by AF_XDP. To be checked before EAL opens
 * devices, since the driver removes any XDP program when it closes a device. */
bool sieve_interface_is_read(const char *interface, uint32_t queue);
/* Before the device is configured: removes the sieve of a killed router from the interface. 0, or
 * -errno with a sentence in error. */
int sieve_clear_way(const struct port *p, char error[ERROR_TEXT]);
/* The newest map of the process, for sieve_open(). */
uint32_t sieve_newest(void);
/* When the device is configured: finds the maps that are newer than `before` and fills them. A
 * program without these maps is not the sieve, and sieve_has() returns false. */
void sieve_open(struct sieve *s, const struct port *p, uint16_t index, uint32_t before);
void sieve_close(struct sieve *s, uint16_t index);
/* True: Linux keeps the interface of the port. */
bool sieve_has(const struct sieve *s, uint16_t index);

#endif
