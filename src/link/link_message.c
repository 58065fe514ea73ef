/* SPDX-License-Identifier: BSD-3-Clause */
/* The queue of messages to the link thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "link/link_internal.h"

void *link_copy_array(const void *from, size_t size, uint32_t n, bool *failed)
{
	void *to = n ? malloc(size * n) : NULL;

	if (to)
		memcpy(to, from, size * n);
	else if (n)
		*failed = true;
	return to;
}

int link_post(struct link *l, struct link_msg *msg)
{
	uint64_t one = 1;
	bool first;

	pthread_mutex_lock(&l->lock);
	/* Before the start messages wait; after the end nobody would take them. */
	if (l->started && !l->running) {
		pthread_mutex_unlock(&l->lock);
		return -ESHUTDOWN;
	}
	first = !l->first;
	if (first)
		l->first = msg;
	else
		l->last->next = msg;
	l->last = msg;
	pthread_mutex_unlock(&l->lock);
	if (first && write(l->msg_fd, &one, sizeof(one)) < 0)
		log_debug(LINK_AREA, "eventfd: %s", strerror(errno)); /* full: woken anyway */
	return 0;
}

void link_poke(struct link *l)
{
	const uint64_t one = 1;

	if (write(l->msg_fd, &one, sizeof(one)) < 0)
		log_debug(LINK_AREA, "eventfd: %s", strerror(errno)); /* full: woken anyway */
}

static void msg_free(struct link_msg *msg)
{
	free(msg->list);
	free(msg);
}

int link_tell(struct link *l, const struct link_msg *from)
{
	struct link_msg *msg = malloc(sizeof(*msg));

	if (!msg) {
		free(from->list);
		return -ENOMEM;
	}
	*msg = *from;
	if (link_post(l, msg) < 0)
		msg_free(msg);
	return 0;
}

int link_call(struct link *l, struct link_msg *msg)
{
	int ret;

	msg->wait = true;
	if (!l->joinable)
		return -ESHUTDOWN;
	ret = link_post(l, msg);
	if (ret < 0)
		return ret;
	pthread_mutex_lock(&l->lock);
	while (!msg->done)
		pthread_cond_wait(&l->cond, &l->lock);
	pthread_mutex_unlock(&l->lock);
	return msg->ret;
}

static void msg_finish(struct link *l, struct link_msg *msg)
{
	if (!msg->wait) {
		msg_free(msg);
		return;
	}
	pthread_mutex_lock(&l->lock);
	msg->done = true;
	pthread_cond_broadcast(&l->cond);
	pthread_mutex_unlock(&l->lock);
}

static struct link_msg *take_messages(struct link *l)
{
	struct link_msg *msg;

	pthread_mutex_lock(&l->lock);
	msg = l->first;
	l->first = l->last = NULL;
	pthread_mutex_unlock(&l->lock);
	return msg;
}

void link_messages(struct link *l)
{
	struct link_msg *msg = take_messages(l);

	while (msg) {
		struct link_msg *next = msg->next;

		msg->fn(l, msg);
		msg_finish(l, msg);
		msg = next;
	}
}

void link_messages_end(struct link *l)
{
	struct link_msg *msg;

	pthread_mutex_lock(&l->lock);
	l->running = false;
	pthread_mutex_unlock(&l->lock);
	for (struct link_msg *next = msg = take_messages(l); msg; msg = next) {
		next = msg->next;
		msg->ret = -ESHUTDOWN;
		msg_finish(l, msg);
	}
}
