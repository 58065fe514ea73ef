/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever frames arrive, in whatever order, with one to four workers: each packet leaves by
 * one door, and no packet buffer is lost. PLVS_SEED=N begins at another seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "fuzz/frame_program.h"
#include "lib/lab.h"

#define PROGRAMS 200
#define BYTES	 3000

static uint64_t state;

static uint8_t roll(void)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint8_t)(state >> 56);
}

/* A connection of a client with a server, with right numbers: steps of frame_program.c. Every
 * sixteenth byte is any byte. */
static size_t conversation(uint8_t *out)
{
	static const uint8_t steps[][4] = {/* kind, flags, seq, ack */
					   {0x40, 2, 0, 0},  {0x41, 18, 0, 1}, {0x40, 16, 1, 1},
					   {0x40, 24, 1, 1}, {0x41, 24, 1, 7}, {0x40, 17, 7, 50},
					   {0x41, 17, 50, 8}};
	const uint8_t who = roll(), what = roll();
	size_t n = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const uint8_t step[] = {
			steps[i][0], who,	  (uint8_t)(i == 3 || i == 4 ? roll() : what),
			steps[i][1], steps[i][2], steps[i][3]};

		for (size_t k = 0; k < sizeof(step); k++)
			out[n++] = roll() & 15 ? step[k] : roll();
	}
	return n;
}

static void the_sums_of_the_doors_hold_for_any_frames(void **unused)
{
	const char *text = getenv("PLVS_SEED"), *wrong;
	const uint64_t first = text ? strtoull(text, NULL, 10) : 1;
	static uint8_t program[BYTES];

	(void)unused;
	for (uint64_t seed = first; seed < first + PROGRAMS; seed++) {
		state = seed;
		for (size_t i = 0; i < BYTES;) {
			if (seed % 3 && i + 64 < BYTES && roll() < 250)
				i += conversation(program + i);
			else
				program[i++] = roll();
		}
		program[0] = (uint8_t)seed; /* workers */
		wrong = frame_program_run(program, BYTES);
		if (wrong)
			fail_msg("PLVS_SEED=%llu: %s", (unsigned long long)seed, wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sums_of_the_doors_hold_for_any_frames),
	};

	return lab_run(512, tests);
}
