/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_OBJECT_INDEX_H
#define PLVS_CONFIG_OBJECT_INDEX_H

/*
 * An index of listeners, marks, names and addresses and of the objects that have them. With the
 * index the check of a service takes time in proportion to that service, also among ten thousand
 * services. Context: control.
 */

#include "config/config.h"

enum config_index_kind {
	INDEX_LISTEN,  /* protocol + address:port -> service */
	INDEX_MARK,    /* -> service */
	INDEX_NAME,    /* -> service */
	INDEX_VIP,     /* address, counted: listeners and the operator's VIPs */
	INDEX_NAT,     /* address, counted: real servers by NAT */
	INDEX_OWN,     /* address, counted: of node.ports */
	INDEX_ADDRESS, /* address, counted: shared.addresses */
	INDEX_POOL,    /* address, counted: those of kind `pool` */
};

struct config_index_key {
	uint8_t kind; /* enum config_index_kind */
	uint8_t proto;
	be16 port;
	uint32_t mark;
	struct addr addr; /* of a mark: only its family */
	const char *name; /* INDEX_NAME; NULL elsewhere. Lives as long as the entry. */
};

/* NULL: out of memory. */
struct config_index *config_index_create(void);
void config_index_destroy(struct config_index *ix);

/* The number of entries with the key; *service (may be NULL) gets the object of the first. */
uint32_t config_index_get(const struct config_index *ix, const struct config_index_key *key,
			  struct config_service **service);
/* The number of different VIPs. */
uint32_t config_index_vips(const struct config_index *ix);
/* About n additions follow: look-ups stay as fast. Without memory they get slower. */
void config_index_expect(struct config_index *ix, uint32_t n);
/* Makes room, so that the next n additions cannot fail. 0 or -ENOMEM. */
int config_index_reserve(struct config_index *ix, uint32_t n);
/* Needs room from config_index_reserve(). */
void config_index_add(struct config_index *ix, const struct config_index_key *key,
		      struct config_service *service);
/* Removes an entry. Its room stays for a later addition. */
void config_index_del(struct config_index *ix, const struct config_index_key *key);

/* The number of a service's keys. */
uint32_t config_index_service_keys(const struct config_service *svc);
void config_index_add_service(struct config_index *ix, struct config_service *svc);
void config_index_del_service(struct config_index *ix, const struct config_service *svc);
/* An address of shared.addresses. Two keys at most. */
void config_index_add_address(struct config_index *ix, const struct config_address *a);
void config_index_del_address(struct config_index *ix, const struct config_address *a);

static inline struct config_index_key index_key_addr(enum config_index_kind kind,
						     const struct addr *addr)
{
	return (struct config_index_key){.kind = (uint8_t)kind, .addr = *addr};
}

static inline struct config_index_key index_key_listen(uint8_t proto, const struct endpoint *ep)
{
	return (struct config_index_key){
		.kind = INDEX_LISTEN, .proto = proto, .port = ep->port, .addr = ep->addr};
}

static inline struct config_index_key index_key_mark(uint32_t mark, uint8_t family)
{
	return (struct config_index_key){.kind = INDEX_MARK, .mark = mark, .addr.family = family};
}

static inline struct config_index_key index_key_name(const char *name)
{
	return (struct config_index_key){.kind = INDEX_NAME, .name = name};
}

#endif
