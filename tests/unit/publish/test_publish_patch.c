/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables after a change of a few servers: copies that are changed say what tables say that are
 * built anew. Changes of all kinds are drawn at random over few addresses, so that services share
 * servers, servers come back, and methods change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/owned_port.h"
#include "publish/builder.h"
#include "sched/sched.h"

#define N_CHANGES  4000
#define N_SERVICES 12
#define N_HOSTS	   9

struct bed {
	struct published pub;
	struct publisher publisher;
	struct config *config;
	uint64_t seed, tokens;
	bool stuck; /* no grace period ends */
	uint32_t patched, full, servers_told, prepared;
};

static uint32_t draw(struct bed *b, uint32_t n)
{
	b->seed = b->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(b->seed >> 33) % n;
}

/* --- a publisher --- */

static uint64_t grace_start(void *arg)
{
	struct bed *b = arg;

	return ++b->tokens;
}

static bool grace_passed(void *arg, uint64_t token)
{
	const struct bed *b = arg;

	(void)token;
	return !b->stuck;
}

static int make_addrs(void *arg, struct snapshot *draft)
{
	struct bed *b = arg;

	b->full++;
	return builder_addrs(b->config, &b->publisher, draft);
}

static int make_listeners(void *arg, struct snapshot *draft)
{
	(void)arg;
	return builder_listeners(draft);
}

static void tell_servers(void *arg, const struct snapshot *live, const struct endpoint *touched,
			 uint32_t n)
{
	struct bed *b = arg;

	(void)live;
	(void)touched;
	b->patched++;
	b->servers_told += n;
}

static void forgotten(void *arg, struct service_rt *svc, struct server_rt *srv)
{
	struct bed *b = arg;

	(void)svc;
	if (forward_has(srv->method, FORWARD_REPLIES_PASS))
		assert_int_equal(publisher_touch_server(&b->publisher, &srv->ep), 0);
}

static const char document[] =
	"{\"node\": {\"ports\": [{\"name\": \"public\", \"device\": \"d0\"}]},"
	" \"shared\": {\"addresses\": [{\"address\": \"10.0.0.3/24\", \"kind\": \"gateway\", "
	"\"link\": \"public\"}]}}";

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	const struct publisher_tables tables = {.addrs = make_addrs,
						.listeners = make_listeners,
						.servers = tell_servers,
						.arg = b};
	struct config_errors errors;
	char line[512] = "";

	*state = b;
	b->seed = 4;
	b->pub.grace = (struct grace){grace_start, grace_passed, b};
	assert_int_equal(runtime_init(&b->pub.runtime), 0);
	assert_int_equal(publisher_init(&b->publisher, &b->pub, &tables), 0);
	b->pub.runtime.on_server_forget = forgotten;
	b->pub.runtime.on_forget_arg = b;
	config_errors_init(&errors);
	if (config_parse(document, strlen(document), NULL, sched_names(), &b->config, &errors) < 0)
		fail_msg("%s", config_error_format(&errors, &errors.errors.v[0], line, 512));
	config_errors_fini(&errors);
	assert_int_equal(builder_config(&b->publisher, b->config, line), 0);
	assert_int_equal(publisher_flush(&b->publisher), 0);
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	publisher_fini(&b->publisher);
	runtime_fini(&b->pub.runtime);
	config_destroy(b->config);
	free(b);
	return 0;
}

/* --- changes --- */

static void service_name(uint32_t i, char name[16])
{
	snprintf(name, 16, "s%u", i);
}

static void host_text(struct bed *b, bool v6, char text[64])
{
	if (v6)
		snprintf(text, 64, "[2001:db8::%u]:%u", 1 + draw(b, N_HOSTS), 80 + draw(b, 2));
	else
		snprintf(text, 64, "10.0.0.%u:%u", 1 + draw(b, N_HOSTS), 80 + draw(b, 2));
}

/* Even services are of IPv4; each third by mark. */
static json_t *service_object(struct bed *b, uint32_t i)
{
	static const char *const replies[] = {"route", "reset", "vip"};
	const bool v6 = i % 2;
	char name[16], listen[64];
	json_t *o;

	service_name(i, name);
	snprintf(listen, sizeof(listen), v6 ? "[2001:db8:1::%u]:80" : "192.0.2.%u:80", i + 1);
	if (i % 3 == 0)
		o = json_pack("{s:s, s:i, s:s}", "name", name, "mark", i + 1, "family",
			      v6 ? "ipv6" : "ipv4");
	else
		o = json_pack("{s:s, s:s, s:[s]}", "name", name, "protocol", i % 4 ? "tcp" : "udp",
			      "listen", listen);
	json_object_set_new(o, "forward", json_string(draw(b, 2) ? "nat" : "dr"));
	json_object_set_new(o, "unknown_reply", json_string(replies[draw(b, 3)]));
	json_object_set_new(o, "nat_icmp_send", json_boolean(draw(b, 2)));
	return o;
}

static int random_change(struct bed *b, struct config_change *ch, struct config_errors *errors)
{
	const uint32_t i = draw(b, N_SERVICES);
	char name[16], host[64];
	json_t *o;
	int ret;

	service_name(i, name);
	host_text(b, i % 2, host);
	switch (draw(b, 12)) {
	case 0:
		o = service_object(b, i);
		ret = config_service_add(b->config, o, ch, errors);
		break;
	case 1:
		if (draw(b, 4))
			return -EINVAL;
		return config_service_delete(b->config, name, ch, errors);
	case 2:
		o = json_pack("{s:b}", "nat_icmp_send", draw(b, 2));
		ret = config_service_edit(b->config, name, o, ch, errors);
		break;
	case 3:
	case 4:
		o = json_pack("{s:s}", "forward", draw(b, 2) ? "nat" : "dr");
		ret = config_server_edit(b->config, name, host, o, ch, errors);
		break;
	case 5:
	case 6:
	case 7:
		return config_server_delete(b->config, name, host, ch, errors);
	default:
		o = json_pack("{s:s}", "address", host);
		if (draw(b, 2))
			json_object_set_new(o, "forward", json_string(draw(b, 2) ? "nat" : "dr"));
		ret = config_server_add(b->config, name, o, ch, errors);
	}
	json_decref(o);
	return ret;
}

/* Not every change is possible. commits: else the configuration stays as it is. */
static void change(struct bed *b, bool commits)
{
	struct config_change ch = {0};
	struct config_errors errors;
	char error[ERROR_TEXT];

	config_errors_init(&errors);
	if (random_change(b, &ch, &errors) == 0) {
		assert_int_equal(builder_change(&b->publisher, &ch, error), 0);
		if (commits)
			config_change_commit(b->config, &ch);
		else
			config_change_abort(&ch);
	}
	config_errors_fini(&errors);
}

/* A change that fails. Earlier changes are published before: see publisher_set_service(). */
static void apply_that_fails(struct bed *b)
{
	assert_int_equal(publisher_flush(&b->publisher), 0);
	change(b, false);
	publisher_discard(&b->publisher);
	assert_int_equal(publisher_touch_addrs(&b->publisher), 0);
}

/* --- both ways --- */

static int entry_cmp(const void *a, const void *b)
{
	const struct addr_entry *x = a, *y = b;

	return addr_cmp(&x->addr, &y->addr);
}

static struct addr_entry *entries_sorted(const struct snapshot *s, uint32_t *n)
{
	struct addr_entry *v = snapshot_addrs(s, n);

	assert_non_null(v);
	qsort(v, *n, sizeof(*v), entry_cmp);
	return v;
}

static void addrs_equal(const struct snapshot *a, const struct snapshot *b)
{
	uint32_t n, m;
	struct addr_entry *x = entries_sorted(a, &n), *y = entries_sorted(b, &m);
	char text[ADDR_STRLEN];

	assert_int_equal(n, m);
	for (uint32_t i = 0; i < n; i++)
		if (!addr_equal(&x[i].addr, &y[i].addr) || x[i].kinds != y[i].kinds ||
		    x[i].link != y[i].link)
			fail_msg("%s: kinds %x, built anew %x",
				 addr_format(&x[i].addr, text, sizeof(text)), x[i].kinds,
				 y[i].kinds);
	free(x);
	free(y);
}

/* Before the first service there is no table. */
#define OWNED_EQUAL(F)                                                                             \
	static void owned##F##_equal(const struct snapshot *a, const struct snapshot *b)           \
	{                                                                                          \
		assert_int_equal(a->owned##F ? a->owned##F->n : 0, b->owned##F->n);                \
		for (uint32_t i = 0; a->owned##F && i <= b->owned##F->mask; i++) {                 \
			const struct listener##F *l = &b->owned##F->slots[i], *found;              \
                                                                                                   \
			if (l->proto == 0)                                                         \
				continue;                                                          \
			found = listener_table##F##_entry(a->owned##F, l->proto, l->addr,          \
							  l->port);                                \
			assert_non_null(found);                                                    \
			assert_int_equal(found->flags, l->flags);                                  \
			assert_int_equal(found->service_id, l->service_id);                        \
		}                                                                                  \
	}
OWNED_EQUAL(4)
OWNED_EQUAL(6)

static void tables_are_as_built_anew(struct bed *b)
{
	struct snapshot *anew =
		snapshot_clone(b->publisher.live, b->publisher.live->max_service_id);

	assert_int_equal(builder_addrs(b->config, &b->publisher, anew), 0);
	snapshot_set_owned4(anew, owned_ports4_create(anew));
	snapshot_set_owned6(anew, owned_ports6_create(anew));
	addrs_equal(b->publisher.live, anew);
	owned4_equal(b->publisher.live, anew);
	owned6_equal(b->publisher.live, anew);
	snapshot_destroy(anew);
}

static void changed_tables_are_those_that_are_built_anew(void **state)
{
	struct bed *b = *state;

	for (uint32_t i = 0; i < N_CHANGES; i++) {
		for (uint32_t k = draw(b, 3); k < 3; k++) {
			change(b, true);
			/* Some tables before the last change, as an apply makes them. */
			while (draw(b, 4) == 0 && publisher_prepare(&b->publisher))
				b->prepared++;
		}
		b->stuck = draw(b, 3) == 0;
		if (draw(b, 64) == 0)
			apply_that_fails(b);
		assert_int_equal(publisher_flush(&b->publisher), 0);
		publisher_reap(&b->publisher);
		assert_int_equal(publisher_flush(&b->publisher), 0);
		tables_are_as_built_anew(b);
	}
	/* Most changes are of servers. */
	assert_true(b->patched > b->full);
	assert_true(b->servers_told > b->patched);
	assert_true(b->prepared > 100);
}

/* A table with too little room is built anew, with more. */
static void tables_grow(void **state)
{
	struct bed *b = *state;
	struct config_change ch;
	struct config_errors errors;
	char error[ERROR_TEXT], host[64];
	json_t *o = service_object(b, 2);

	config_errors_init(&errors);
	assert_int_equal(config_service_add(b->config, o, &ch, &errors), 0);
	assert_int_equal(builder_change(&b->publisher, &ch, error), 0);
	config_change_commit(b->config, &ch);
	assert_int_equal(publisher_flush(&b->publisher), 0);
	json_decref(o);
	b->full = 0;
	for (uint32_t i = 0; i < 500; i++) {
		snprintf(host, sizeof(host), "10.1.%u.%u:80", i / 250, i % 250 + 1);
		o = json_pack("{s:s, s:s}", "address", host, "forward", "nat");
		assert_int_equal(config_server_add(b->config, "s2", o, &ch, &errors), 0);
		assert_int_equal(builder_change(&b->publisher, &ch, error), 0);
		config_change_commit(b->config, &ch);
		assert_int_equal(publisher_flush(&b->publisher), 0);
		json_decref(o);
	}
	tables_are_as_built_anew(b);
	assert_in_range(b->full, 3, 12); /* 500 addresses: the room doubles */
	config_errors_fini(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changed_tables_are_those_that_are_built_anew, setup,
						teardown),
		cmocka_unit_test_setup_teardown(tables_grow, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
