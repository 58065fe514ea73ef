/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_OWNER_H
#define PLVS_DATAPLANE_OWNER_H

/*
 * owner(client address, client port): the worker that a connection belongs to, computed in software
 * for every packet, so that all workers agree with any kind of port.
 *
 * T is Toeplitz with a key of period 16 bits (0x6d5a...). Each input bit then adds the key
 * window of its position modulo 16, so T depends only on the exclusive or of the input's
 * 16-bit words: the source half of `in` and the destination half of `out` packets give the
 * same value, and a NIC with this key, SRC_ONLY or DST_ONLY fields and the same 128-step
 * indirection table delivers packets to their owner.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/be.h"
#include "base/family.h"

#define OWNER_STEPS   128
#define OWNER_WORDS   512 /* words of each step, of 65536 in all */
#define OWNER_KEY_LEN 52  /* bytes: enough for every NIC's key */

extern uint16_t owner_toeplitz_hi[256], owner_toeplitz_lo[256]; /* low 16 bits of T are enough */

/* The even words of step 0; and the least even and the least odd word of each step. */
extern uint16_t owner_evens[OWNER_WORDS / 2];
extern uint16_t owner_least[OWNER_STEPS][2];

/* Once, before workers start. Fills the tables and the RSS key. */
void owner_init(void);
extern uint8_t owner_rss_key[OWNER_KEY_LEN];

struct owner_map {
	uint8_t worker[OWNER_STEPS];
	bool several; /* several workers: a single one owns every connection */
};

/* Worker i owns the steps i, i + W, i + 2W, ... */
void owner_map_init(struct owner_map *map, unsigned int n_workers);

/* The exclusive or of an address's 16-bit words, host order. */
static inline uint16_t owner4_fold(be32 addr)
{
	return be16_to((be16)(addr & 0xffff)) ^ be16_to((be16)(addr >> 16));
}

static inline uint16_t owner6_fold(struct addr6 addr)
{
	const uint64_t w = addr.word[0] ^ addr.word[1];

	return owner4_fold((be32)((uint32_t)w ^ (uint32_t)(w >> 32)));
}

static inline unsigned int owner_step(uint16_t x)
{
	return (owner_toeplitz_hi[x >> 8] ^ owner_toeplitz_lo[x & 0xff]) & (OWNER_STEPS - 1);
}

/*
 * The words of a step, even ones or odd ones, by i below OWNER_WORDS / 2, in ascending order. A
 * port is in the step for an address with the fold a (owner4_fold(), owner6_fold()) if port xor a
 * is one of the words. T is linear, so that two words of a step differ by a word of step 0.
 */
static inline uint16_t owner_word(unsigned int step, unsigned int odd, unsigned int i)
{
	return owner_least[step][odd] ^ owner_evens[i];
}

static inline unsigned int owner4_step(be32 client, be16 port)
{
	return owner_step(owner4_fold(client) ^ be16_to(port));
}

static inline unsigned int owner6_step(struct addr6 client, be16 port)
{
	return owner_step(owner6_fold(client) ^ be16_to(port));
}

static inline unsigned int owner6(const struct owner_map *map, struct addr6 client, be16 port)
{
	return map->worker[owner6_step(client, port)];
}

static inline unsigned int owner4(const struct owner_map *map, be32 client, be16 port)
{
	return map->worker[owner4_step(client, port)];
}

#endif
