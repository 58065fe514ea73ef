/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_FUZZ_FRAME_PROGRAM_H
#define PLVS_TESTS_FUZZ_FRAME_PROGRAM_H

/*
 * A router with a service of every kind, and bytes that say what happens to it: frames that
 * arrive, made from a description and then changed byte by byte, time that passes, neighbours,
 * servers and the lease that come and go. State lives on from step to step and ends with the
 * program. The first byte is the number of workers.
 *
 * Whatever the bytes are: after every step that runs the workers both sums of the doors hold,
 * and in the end no packet buffer is lost. EAL must run.
 */

#include <stddef.h>
#include <stdint.h>

/* NULL, or what did not hold (static). */
const char *frame_program_run(const uint8_t *data, size_t size);

#endif
