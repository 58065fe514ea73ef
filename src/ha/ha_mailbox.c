/* SPDX-License-Identifier: BSD-3-Clause */
/* Notes that other threads leave for the ha thread: a list under a lock, and an eventfd. */
#include <stdlib.h>
#include <unistd.h>

#include "ha/ha_internal.h"

struct ha_note *ha_note_create(void (*run)(struct ha *ha, struct ha_note *note),
			       void (*drop)(struct ha_note *note))
{
	struct ha_note *n = calloc(1, sizeof(*n));

	if (n) {
		n->run = run;
		n->drop = drop;
	}
	return n;
}

void ha_wake(struct ha *ha)
{
	const uint64_t one = 1;

	(void)!write(ha->note_fd, &one, sizeof(one));
}

void ha_note_send(struct ha *ha, struct ha_note *n)
{
	pthread_mutex_lock(&ha->lock);
	if (ha->last)
		ha->last->next = n;
	else
		ha->first = n;
	ha->last = n;
	pthread_mutex_unlock(&ha->lock);
	ha_wake(ha);
}

bool ha_mailbox_run(struct ha *ha)
{
	struct ha_note *n;
	uint64_t count;
	bool stopping;

	(void)!read(ha->note_fd, &count, sizeof(count));
	pthread_mutex_lock(&ha->lock);
	n = ha->first;
	ha->first = ha->last = NULL;
	stopping = ha->stopping;
	pthread_mutex_unlock(&ha->lock);
	while (n) {
		struct ha_note *next = n->next;

		n->run(ha, n);
		free(n);
		n = next;
	}
	return stopping;
}

void ha_mailbox_fini(struct ha *ha)
{
	while (ha->first) {
		struct ha_note *next = ha->first->next;

		if (ha->first->drop)
			ha->first->drop(ha->first);
		free(ha->first);
		ha->first = next;
	}
}
