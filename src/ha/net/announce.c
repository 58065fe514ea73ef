/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/net/announce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PACE	 2000
#define AT_ONCE	 32 /* frames in one step: the worker's urgent ring has 256 places */
#define RETRY_US 10000

struct announcer {
	struct ha_announcing config;
	struct announce_ops ops;
	struct announce_item *list;
	uint32_t n;

	bool active;
	uint32_t rounds;    /* that are still to begin, the present one not counted */
	bool round;	    /* one is under way */
	uint32_t next;	    /* frame of it: 2 an item */
	uint64_t round_us;  /* when the present or last round began */
	uint64_t credit_us; /* pace: the time up to which frames are paid for */
};

struct announcer *announcer_create(const struct ha_announcing *config,
				   const struct announce_ops *ops)
{
	struct announcer *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->config = *config;
	a->ops = *ops;
	return a;
}

void announcer_destroy(struct announcer *a)
{
	if (!a)
		return;
	free(a->list);
	free(a);
}

int announcer_set(struct announcer *a, const struct announce_item *list, uint32_t n)
{
	struct announce_item *copy = NULL;

	if (n) {
		copy = malloc(n * sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		memcpy(copy, list, n * sizeof(*copy));
	}
	free(a->list);
	a->list = copy;
	a->n = n;
	a->next = 0;
	return 0;
}

void announcer_start(struct announcer *a, uint64_t now_us)
{
	a->active = true;
	a->round = true;
	a->rounds = a->config.count - 1;
	a->next = 0;
	a->round_us = now_us;
	a->credit_us = now_us;
}

void announcer_abort(struct announcer *a)
{
	a->active = false;
	a->round = false;
	a->rounds = 0;
}

/* A question by ND that nobody asked is no announcement. */
static bool has_form(const struct announce_item *item, uint8_t op)
{
	return op == DISCOVERY_ANSWER || item->addr.family == ADDR_V4;
}

static int send_form(struct announcer *a, const struct announce_item *item, uint8_t op)
{
	/* The sender's MAC is filled in by the socket: in a reply the target's is as good as
	 * any, and the broadcast address tells no station that it is meant alone. */
	const struct discovery_packet p = {
		.op = op,
		.dst = discovery_all,
		.target_mac = op == DISCOVERY_ANSWER ? discovery_all : (struct mac){{0}},
		.sender = item->addr,
		.target = item->addr,
	};

	return a->ops.send(a->ops.arg, item->link, &p);
}

void announcer_again(struct announcer *a, link_id link, const struct addr *addr)
{
	const struct announce_item item = {.link = link, .addr = *addr};

	if (!a->active)
		return;
	if (has_form(&item, DISCOVERY_QUESTION))
		send_form(a, &item, DISCOVERY_QUESTION);
	send_form(a, &item, DISCOVERY_ANSWER);
}

static uint64_t next_round_us(const struct announcer *a)
{
	if (a->rounds)
		return a->round_us + a->config.spacing_ms * 1000ULL;
	return a->config.refresh_s ? a->round_us + a->config.refresh_s * 1000000ULL : UINT64_MAX;
}

static void round_begin(struct announcer *a, uint64_t now_us)
{
	a->round = true;
	a->next = 0;
	a->round_us = now_us;
	a->rounds -= a->rounds != 0;
}

/* A part of the present round. Returns when it goes on; 0: it is over. */
static uint64_t round_step(struct announcer *a, uint64_t now_us)
{
	uint64_t frame_us = 1000000 / PACE;
	unsigned int n = 0;

	/* A pause is not saved up. */
	if (a->credit_us + AT_ONCE * frame_us < now_us)
		a->credit_us = now_us - AT_ONCE * frame_us;
	while (a->next < 2 * a->n) {
		const struct announce_item *item = &a->list[a->next / 2];
		const uint8_t op = a->next % 2 ? DISCOVERY_ANSWER : DISCOVERY_QUESTION;

		if (!has_form(item, op)) {
			a->next++;
			continue;
		}
		if (a->credit_us > now_us || n == AT_ONCE)
			return a->credit_us > now_us ? a->credit_us : now_us + frame_us;
		if (send_form(a, item, op) == -EAGAIN)
			return now_us + RETRY_US;
		a->credit_us += frame_us;
		a->next++;
		n++;
	}
	a->round = false;
	return 0;
}

uint64_t announcer_step(struct announcer *a, uint64_t now_us)
{
	uint64_t due;

	if (!a->active)
		return UINT64_MAX;
	if (!a->round) {
		due = next_round_us(a);
		if (due > now_us)
			return due;
		round_begin(a, now_us);
	}
	due = round_step(a, now_us);
	if (due == 0)
		due = next_round_us(a);
	return due > now_us ? due : now_us + 1; /* a round may take longer than its spacing */
}

bool announcer_busy(const struct announcer *a)
{
	return a->active && (a->round || a->rounds);
}
