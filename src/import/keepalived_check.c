/* SPDX-License-Identifier: BSD-3-Clause */
/* The properties that all checkers of keepalived share. */
#include <string.h>

#include "import/keepalived.h"

#define DELAY_LOOP_DEFAULT 60000U
#define CONNECT_DEFAULT	   5000U

static const struct kind {
	const char *keyword;
	uint32_t retry, before_retry_ms; /* 0: as delay_loop */
} kinds[] = {
	{"TCP_CHECK", 1, 1000},	 {"HTTP_GET", 1, 3000},	  {"SSL_GET", 1, 3000},
	{"SMTP_CHECK", 1, 1000}, {"DNS_CHECK", 3, 0},	  {"UDP_CHECK", 1, 1000},
	{"PING_CHECK", 1, 1000}, {"MISC_CHECK", 0, 1000}, {"BFD_CHECK", 1, 1000},
	{"FILE_CHECK", 1, 1000},
};

static const struct kind *kind_of(const struct kw *k)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kw_is(k, kinds[i].keyword))
			return &kinds[i];
	return NULL;
}

bool ka_is_checker(const struct kw *k)
{
	return kind_of(k) != NULL;
}

/* The innermost that says it: checker, real server, virtual server. */
#define INNERMOST(c, has, member, otherwise)                                                       \
	((c)->timing.has      ? (c)->timing.member                                                 \
	 : (c)->s->timing.has ? (c)->s->timing.member                                              \
	 : (c)->v->timing.has ? (c)->v->timing.member                                              \
			      : (otherwise))

static bool is_vip(const struct ka_check *c, const struct addr *a)
{
	for (const struct lvs_listener *l = c->svc->listeners; l; l = l->next)
		if (addr_equal(&l->addr, a))
			return true;
	return false;
}

static void source_dropped(struct importer *im, const struct kw *k, enum note_kind kind,
			   const char *why)
{
	if (k)
		note(im, k->at, kind, "%s: %s", k->raw[0], why);
}

/* After address and via_vip: the source is of the target's family. */
static void source_set(struct ka_check *c, struct lvs_check *check)
{
	const struct addr *target = check->address.family ? &check->address : &c->s->addr;
	struct importer *im = c->ka->im;
	const char *why = NULL;
	struct addr a = {0};

	if (check->via_vip)
		why = "plvs chooses the source of a check by the VIP itself";
	else if (strcmp(check->type, "icmp") == 0 || strcmp(check->type, "exec") == 0)
		why = "plvs chooses the source of such a check itself";
	else if (c->bindto && !kw_address(im, c->bindto, 1, &a))
		return;
	else if (a.family && a.family != target->family)
		why = "not of the family of the address that is asked: left out";
	else if (a.family == ADDR_V6 && addr_is_link_local(&a))
		why = "a link-local address is no `source` of a check in plvs: left out";
	if (why) {
		const enum note_kind kind = check->via_vip ? NOTE_DROPPED : NOTE_DIFFERS;

		source_dropped(im, c->bindto, kind, why);
		source_dropped(im, c->bind_port, kind, why);
		return;
	}
	check->source = a;
	if (c->bindto)
		note(im, c->bindto->at, NOTE_NOTICE,
		     "bindto is the check's `source`: every router with this configuration needs "
		     "the address, else its checks fail");
	if (c->bind_port)
		kw_port(im, c->bind_port, 1, &check->source_port);
}

static void target_set(struct ka_check *c, struct lvs_check *check)
{
	struct importer *im = c->ka->im;
	bool own_way = c->out->method == METHOD_DR || c->out->method == METHOD_TUNNEL;
	struct addr a;

	if (c->connect_port)
		kw_port(im, c->connect_port, 1, &check->port);
	if (!c->connect_ip || !kw_address(im, c->connect_ip, 1, &a))
		return;
	if (is_vip(c, &a) && own_way)
		check->via_vip = true;
	else if (!addr_equal(&a, &c->s->addr))
		check->address = a;
	if (a.family == ADDR_V6 && check->address.family)
		note(im, c->connect_ip->at, NOTE_NOTICE, "connect_ip is an IPv6 address");
}

struct lvs_check *ka_check_begin(struct ka_check *c, const char *type, uint32_t interval_factor)
{
	const struct kind *kind = kind_of(c->kw);
	struct lvs_check *check = check_make(c->ka->im, c->kw->at, type);
	uint32_t loop = INNERMOST(c, has_delay_loop, delay_loop, DELAY_LOOP_DEFAULT);

	check->interval_ms = loop;
	if (interval_factor > 1)
		check->interval_ms =
			loop < 86400000U / interval_factor ? loop * interval_factor : 86400000U;
	check->fast_ms = INNERMOST(c, has_before_retry, before_retry,
				   kind->before_retry_ms ? kind->before_retry_ms : loop);
	check->timeout_ms = INNERMOST(c, has_connect, connect, CONNECT_DEFAULT);
	check->fall = INNERMOST(c, has_retry, retry, kind->retry) + 1;
	check->rise = 1;
	target_set(c, check);
	source_set(c, check);
	check_add(c->ka->im, c->out, check);
	return check;
}

/* A time that must not be 0: keepalived passes such a line over. */
static bool time_take(struct importer *im, const struct kw *k, uint32_t *ms)
{
	uint32_t n;

	if (!kw_ms(im, k, &n))
		return false;
	if (n == 0) {
		note(im, k->at, NOTE_DIFFERS,
		     "%.48s 0 is not valid: passed over, as keepalived does", k->raw[0]);
		return false;
	}
	*ms = n;
	return true;
}

/* 0 is at once, and as short as plvs can. */
static bool pause_take(struct importer *im, const struct kw *k, uint32_t *ms)
{
	const bool good = kw_ms(im, k, ms);

	if (good && *ms == 0)
		*ms = 1;
	return good;
}

void ka_retry_check(struct importer *im, const struct kw *k, struct ka_timing *t)
{
	if (!kw_is(k, "retry") || !t->has_retry || t->retry)
		return;
	t->has_retry = false;
	note(im, k->at, NOTE_DIFFERS,
	     "retry 0 is valid in a checker alone: passed over, as keepalived does");
}

bool ka_timing_take(struct importer *im, const struct kw *k, struct ka_timing *t)
{
	if (kw_is(k, "delay_loop"))
		t->has_delay_loop |= time_take(im, k, &t->delay_loop);
	else if (kw_is(k, "retry"))
		t->has_retry = kw_number(im, k, 1, 1000, &t->retry);
	else if (kw_is(k, "delay_before_retry"))
		t->has_before_retry = pause_take(im, k, &t->before_retry);
	else if (kw_is(k, "connect_timeout"))
		t->has_connect |= time_take(im, k, &t->connect);
	else if (kw_is(k, "virtualhost"))
		t->virtualhost = kw_word(im, k, 1);
	else
		return false;
	return true;
}
