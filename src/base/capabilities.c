/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/capabilities.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int capabilities_reduce(uint64_t left)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct now[2], data[2];

	if (syscall(SYS_capget, &header, now) != 0)
		return -errno;
	memset(data, 0, sizeof(data));
	for (int i = 0; i < 2; i++)
		data[i].permitted = data[i].effective =
			now[i].permitted & (uint32_t)(left >> (32 * i));
	return syscall(SYS_capset, &header, data) == 0 ? 0 : -errno;
}
