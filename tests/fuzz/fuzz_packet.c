/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/frame_program.h"
#include "lib/harness.h"

/* Frames through all stages, with a state that lives on between them: see frame_program.h. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	const char *wrong;

	if (!started && harness_eal_init(0, 512, NULL) < 0)
		abort();
	if (!started)
		atexit(harness_eal_fini);
	started = true;
	wrong = size ? frame_program_run(data, size) : NULL;
	if (wrong) {
		fprintf(stderr, "%s\n", wrong);
		abort();
	}
	return 0;
}
