/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/owner.h"

uint16_t owner_toeplitz_hi[256], owner_toeplitz_lo[256];
uint16_t owner_evens[OWNER_WORDS / 2];
uint16_t owner_least[OWNER_STEPS][2];
uint8_t owner_rss_key[OWNER_KEY_LEN];

#define OWNER_KEY_WORD 0x6d5aU

/* The 16 low bits of the key window that input bit `bit` (0 = first on the wire) selects:
 * a 32-bit window of a 16-bit-periodic key has the same halves. */
static uint16_t key_window(unsigned int bit)
{
	bit %= 16;
	return (uint16_t)(OWNER_KEY_WORD << bit | OWNER_KEY_WORD >> (16 - bit));
}

static uint16_t toeplitz16(uint16_t word)
{
	uint16_t t = 0;

	for (unsigned int bit = 0; bit < 16; bit++)
		if (word & 0x8000U >> bit)
			t ^= key_window(bit);
	return t;
}

/* Each step has as many even words as odd ones, since T is linear and the steps are its values. */
static void words_fill(void)
{
	unsigned int n = 0;

	for (unsigned int x = UINT16_MAX + 1; x-- > 0;)
		owner_least[owner_step((uint16_t)x)][x & 1] = (uint16_t)x;
	for (unsigned int x = 0; x <= UINT16_MAX; x += 2)
		if (owner_step((uint16_t)x) == 0)
			owner_evens[n++ % (OWNER_WORDS / 2)] = (uint16_t)x;
}

void owner_init(void)
{
	for (unsigned int i = 0; i < 256; i++) {
		owner_toeplitz_hi[i] = toeplitz16((uint16_t)(i << 8));
		owner_toeplitz_lo[i] = toeplitz16((uint16_t)i);
	}
	for (unsigned int i = 0; i < OWNER_KEY_LEN; i++)
		owner_rss_key[i] = i % 2 ? OWNER_KEY_WORD & 0xff : OWNER_KEY_WORD >> 8;
	words_fill();
}

void owner_map_init(struct owner_map *map, unsigned int n_workers)
{
	map->several = n_workers > 1;
	for (unsigned int i = 0; i < OWNER_STEPS; i++)
		map->worker[i] = (uint8_t)(i % n_workers);
}
