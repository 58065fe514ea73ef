/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/wake.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int wake_init(struct wake *w)
{
	w->asleep = 0;
	w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return w->fd < 0 ? -errno : 0;
}

void wake_fini(struct wake *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

void wake_drain(struct wake *w)
{
	uint64_t n;

	if (read(w->fd, &n, sizeof(n)) < 0)
		return; /* another sleep drained the eventfd */
}

void wake_write(struct wake *w)
{
	uint64_t one = 1;

	if (__atomic_exchange_n(&w->asleep, 0, __ATOMIC_ACQ_REL) == 0)
		return; /* another producer writes */
	if (write(w->fd, &one, sizeof(one)) < 0)
		return; /* full: the eventfd is readable all the same */
}
