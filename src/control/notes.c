/* SPDX-License-Identifier: BSD-3-Clause */
/* Notes of other threads, and of other files, for the control thread. */
#include <unistd.h>

#include "control/control_internal.h"

#define PAIR_SOON_MS 50 /* several changes are one piece of news for the peer */

void control_wake(struct control *c)
{
	static const uint64_t one = 1;

	(void)!write(c->wake_fd, &one, sizeof(one));
}

void control_post(struct control *c, struct control_note *note)
{
	note->next = NULL;
	pthread_mutex_lock(&c->note_lock);
	if (c->last_note)
		c->last_note->next = note;
	else
		c->first_note = note;
	c->last_note = note;
	pthread_mutex_unlock(&c->note_lock);
	control_wake(c);
}

void control_notes_run(struct control *c)
{
	struct control_note *n;

	pthread_mutex_lock(&c->note_lock);
	n = c->first_note;
	c->first_note = c->last_note = NULL;
	pthread_mutex_unlock(&c->note_lock);
	while (n) {
		struct control_note *next = n->next;

		n->run(c, n);
		n = next;
	}
}

void control_notes_drop(struct control *c)
{
	while (c->first_note) {
		struct control_note *next = c->first_note->next;

		if (c->first_note->drop)
			c->first_note->drop(c->first_note);
		c->first_note = next;
	}
}

void control_pair_changed(struct control *c)
{
	const struct timeval soon = {.tv_usec = PAIR_SOON_MS * 1000};

	fleet_changed(&c->fleet);
	if (c->pair_ev && !evtimer_pending(c->pair_ev, NULL))
		evtimer_add(c->pair_ev, &soon);
}
