/* SPDX-License-Identifier: BSD-3-Clause */
/* Inquiries as objects: identity, birth, inheritance, death. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "health/health_internal.h"

/* Address and port that the spec leaves open come from the server, then from the service. */
static struct endpoint target_of(const struct group *g, const struct endpoint *server,
				 const struct check_spec *spec)
{
	struct endpoint t = *server;

	if (spec->address.family != ADDR_NONE)
		t.addr = spec->address;
	if (spec->port)
		t.port = be16_from((uint16_t)spec->port);
	else if (t.port == 0)
		t.port = g->vip.port;
	if (spec->type == CHECK_ICMP)
		t.port = 0;
	return t;
}

static uint64_t hash_of(const struct inquiry *w)
{
	uint64_t hash = HASH_START;

	hash = hash_bytes(hash, &w->spec.type, sizeof(w->spec.type));
	hash = hash_bytes(hash, &w->target, sizeof(w->target));
	hash = hash_bytes(hash, &w->server, sizeof(w->server));
	hash = hash_bytes(hash, &w->vip, sizeof(w->vip));
	hash = hash_text(hash, w->spec.http.path);
	hash = hash_text(hash, w->spec.http.host);
	return hash_text(hash, w->service_key);
}

static bool same(const struct inquiry *a, const struct inquiry *b)
{
	return endpoint_equal(&a->target, &b->target) && endpoint_equal(&a->server, &b->server) &&
	       endpoint_equal(&a->vip, &b->vip) && a->via == b->via &&
	       a->h->options.specs->equal(&a->spec, &b->spec) &&
	       (a->service_key == b->service_key ||
		(a->service_key && b->service_key && strcmp(a->service_key, b->service_key) == 0));
}

static struct inquiry *inquiry_create(struct health *h, const struct inquiry *key)
{
	struct inquiry *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	/* Two timers each; those that are not armed need their room all the same. */
	if (timers_reserve(&h->timers, 2 * (h->inquiries.n + 1) + 2 * h->n_members) ||
	    hash_table_reserve(&h->inquiries) || h->options.specs->copy(&key->spec, &w->spec))
		goto err_free;
	if (key->service_key && !(w->service_key = strdup(key->service_key)))
		goto err_spec;
	w->h = h;
	w->target = key->target;
	w->server = key->server;
	w->vip = key->vip;
	w->via = key->via;
	w->hash = w->node.hash = key->hash;
	LIST_INIT(&w->links);
	inquiry_state_init(&w->state, &w->spec);
	hash_table_add(&h->inquiries, &w->node, w->node.hash);
	if (w->spec.type == CHECK_PASSIVE && h->options.traffic)
		h->options.traffic(h->options.arg, w->service_key, &w->server, &w->before);
	timer_arm(&h->timers, &w->start, inquiry_first_us(&w->spec, w->hash, health_now(h)));
	return w;
err_spec:
	h->options.specs->fini(&w->spec);
err_free:
	free(w);
	return NULL;
}

/* With NAT the server does not have the VIP, and the router itself needs no path. */
static enum probe_via via_of(enum forward_method method, const struct check_spec *spec)
{
	if (!spec->via_vip)
		return VIA_NONE;
	if (forward_has(method, FORWARD_OUTER_HEADER))
		return VIA_TUNNEL;
	return forward_has(method, FORWARD_SERVER_HAS_VIP) ? VIA_DR : VIA_NONE;
}

struct inquiry *inquiry_find_or_create(const struct member *m, enum forward_method method,
				       const struct check_spec *spec, bool *created)
{
	const struct group *g = m->group;
	struct health *h = g->h;
	struct inquiry key = {
		.h = h, .spec = *spec, .server = m->ep, .target = target_of(g, &m->ep, spec)};
	struct hash_node *node;

	/* Services that share a server at other ports ask the same when the target is the same. */
	if (check_spec_names_vip(spec)) {
		key.vip = g->vip;
		key.via = (uint8_t)via_of(method, spec);
	} else {
		key.server = key.target;
	}
	if (spec->type == CHECK_PASSIVE)
		key.service_key = g->key;
	key.hash = hash_of(&key);
	*created = false;
	for (node = hash_table_first(&h->inquiries, key.hash); node; node = hash_table_next(node))
		if (same(&key, (struct inquiry *)node))
			return (struct inquiry *)node;
	*created = true;
	return inquiry_create(h, &key);
}

void inquiry_not_made(struct inquiry *w, bool not_made)
{
	w->h->n_not_made += (uint32_t)not_made - (uint32_t)w->not_made;
	w->not_made = not_made;
}

void inquiry_destroy(struct inquiry *w)
{
	inquiry_not_made(w, false);
	hash_table_del(&w->h->inquiries, &w->node);
	w->h->options.specs->fini(&w->spec);
	free(w->service_key);
	free(w->last.sentence);
	free(w);
}

void inquiry_inherit(struct inquiry *w, const struct inquiry *old)
{
	w->state = old->state;
	inquiry_not_made(w, w->state.not_made);
	w->has_percent = old->has_percent;
	w->percent = old->percent;
	w->has_units = old->has_units;
	w->units = old->units;
	w->last = old->last;
	w->last.sentence = old->last.sentence ? strdup(old->last.sentence) : NULL;
	w->probes = old->probes;
	w->failures = old->failures;
	w->errors = old->errors;
	/* The old one's due time, unless the new interval is shorter: no probe is lost by a reload,
	 * and none comes early. */
	if (timer_armed(&old->start)) {
		uint64_t at = health_now(w->h) + 1000ULL * inquiry_interval_ms(&w->state, &w->spec);

		w->round = old->round;
		timer_arm(&w->h->timers, &w->start, old->start.at_us < at ? old->start.at_us : at);
	}
}

void inquiry_hurry(struct inquiry *w, uint64_t now_us)
{
	const struct inquiry_state unknown = {.state = HEALTH_UNKNOWN};
	const uint64_t fast_us = 1000ULL * inquiry_interval_ms(&unknown, &w->spec);
	const uint64_t at_us = now_us + w->hash % fast_us; /* not all at once */

	/* Counts of workers are looked at by their window. */
	if (w->spec.type != CHECK_PASSIVE && timer_armed(&w->start) && at_us < w->start.at_us)
		timer_arm(&w->h->timers, &w->start, at_us);
}

bool inquiry_wanted(const struct inquiry *w)
{
	const struct inquiry_link *l;

	LIST_FOREACH(l, &w->links, of_inquiry)
	if (member_asked(&l->member->state))
		return true;
	return false;
}

void inquiry_resume(struct inquiry *w, uint64_t now_us)
{
	if (!w->paused || !inquiry_wanted(w))
		return;
	/* The check was paused, so its state starts anew. */
	w->paused = false;
	inquiry_state_init(&w->state, &w->spec);
	inquiry_not_made(w, false);
	timer_arm(&w->h->timers, &w->start, now_us);
}
