/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_DESCRIPTORS_H
#define PLVS_TESTS_DESCRIPTORS_H

#include <dirent.h>
#include <stdint.h>

/* Open descriptors of the process, and a few more at each call: two counts can be compared. */
static inline uint32_t count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	uint32_t n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

#endif
