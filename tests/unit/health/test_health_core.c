/* SPDX-License-Identifier: BSD-3-Clause */
/* The core on virtual time, with checkers that say what the test wants. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/health_config.h"
#include "health/health_internal.h"

#define SECOND 1000000ULL

enum mode { GOOD, BAD, HANGS, ODD };

static struct {
	uint64_t now_us;
	struct health *h;
	uint8_t mode[65536]; /* enum mode, by the target's port */
	uint32_t asked[65536];
	struct probe *under_way[65536];
	uint32_t n_changed, n_edges, n_quorum, max_under_way, n_under_way;
	bool lost;			    /* the quorum, as told last */
	uint64_t change_us;		    /* that a change costs */
	struct probe_result advice;	    /* of CHECK_AGENT */
	struct passive_counters traffic[3]; /* by port */
} world;

static uint64_t virtual_us(void *arg)
{
	(void)arg;
	return world.now_us;
}

static uint64_t virtual_ms(void *arg)
{
	(void)arg;
	return world.now_us / 1000 + 1;
}

static uint16_t port_of(const struct probe *p)
{
	return be16_to(p->target.port);
}

static void fake_start(struct probe *p)
{
	uint16_t port = port_of(p);

	world.asked[port]++;
	switch (world.mode[port]) {
	case GOOD:
		if (p->spec->type == CHECK_AGENT)
			probe_end_result(p, &world.advice);
		else
			probe_end(p, PROBE_OK, "connected to %u", port);
		return;
	case BAD:
		probe_end(p, PROBE_FAIL, "refused by %u", port);
		return;
	case ODD:
		probe_end(p, PROBE_ERROR, "no descriptor");
		return;
	default:
		world.under_way[port] = p;
		world.n_under_way++;
		if (world.n_under_way > world.max_under_way)
			world.max_under_way = world.n_under_way;
	}
}

static void fake_cancel(struct probe *p, char *phase, size_t len)
{
	world.under_way[port_of(p)] = NULL;
	world.n_under_way--;
	snprintf(phase, len, "no SYN-ACK");
}

static const struct checker_ops fake = {
	.type = CHECK_TCP, .state_size = 16, .start = fake_start, .cancel = fake_cancel};
static const struct checker_ops *const fakes[CHECK_TYPE_MAX] = {
	[CHECK_TCP] = &fake,
	[CHECK_AGENT] = &fake,
};

static void on_changed(void *arg, const char *key)
{
	(void)arg;
	(void)key;
	world.n_changed++;
	world.now_us += world.change_us;
}

static void on_edge(void *arg, const char *key, const struct endpoint *server)
{
	(void)arg;
	(void)key;
	(void)server;
	world.n_edges++;
}

static void on_quorum(void *arg, const char *key)
{
	struct health_service_view v;

	(void)arg;
	assert_int_equal(health_get_service(world.h, key, &v), 0);
	world.n_quorum++;
	world.lost = v.lost;
}

static void on_traffic(void *arg, const char *key, const struct endpoint *server,
		       struct passive_counters *out)
{
	(void)arg;
	(void)key;
	*out = world.traffic[be16_to(server->port)];
}

static void ignore(enum log_level level, const char *area, const char *line)
{
	(void)level;
	(void)area;
	(void)line;
}

static int begin(void **state)
{
	const struct health_options o = {.specs = &config_spec_ops,
					 .changed = on_changed,
					 .edge = on_edge,
					 .quorum = on_quorum,
					 .traffic = on_traffic,
					 .max_in_flight = 8};
	const struct health_hooks hooks = {virtual_us, virtual_ms, NULL, fakes};

	(void)state;
	log_set_sink(ignore);
	memset(&world, 0, sizeof(world));
	world.now_us = 1000 * SECOND;
	return health_create_with(&o, &hooks, &world.h);
}

static int end(void **state)
{
	(void)state;
	health_destroy(world.h);
	return world.n_under_way != 0;
}

static void run_for(uint64_t us)
{
	uint64_t until = world.now_us + us, next;

	while ((next = health_run(world.h)) <= until)
		if (next > world.now_us)
			world.now_us = next;
	world.now_us = until;
}

static struct endpoint server(uint16_t port)
{
	struct endpoint ep = {.port = be16_from(port)};

	addr_parse("10.0.0.1", &ep.addr);
	return ep;
}

#define MAX_LIST 128
static struct health_policy policy;

/* A service "tcp:..." of n servers at ports from first, all with these checks. */
static void set(const char *key, uint16_t first, uint32_t n, const struct check_spec *const *checks)
{
	static struct health_server list[MAX_LIST];
	struct endpoint vip;

	assert_int_equal(endpoint_parse("10.9.9.9:80", &vip), 0);
	for (uint32_t i = 0; i < n; i++)
		list[i] = (struct health_server){
			.ep = server((uint16_t)(first + i)), .weight = 10, .checks = checks};
	assert_int_equal(health_set_service(world.h, key, &vip, &policy, list, n), 0);
}

static struct health_view view(const char *key, uint16_t port)
{
	struct endpoint ep = server(port);
	struct health_view v;

	assert_int_equal(health_get(world.h, key, &ep, &v), 0);
	return v;
}

static struct health_effect effect(const char *key, uint16_t port)
{
	struct endpoint ep = server(port);

	return health_effect(world.h, key, &ep, 77);
}

static struct check_spec tcp = {.name = (char *)"tcp",
				.type = CHECK_TCP,
				.interval_ms = 2000,
				.timeout_ms = 1000,
				.rise = 2,
				.fall = 3};
static const struct check_spec *const with_tcp[] = {&tcp, NULL};
static const struct check_spec *const with_none[] = {NULL};

static void a_server_without_checks_is_up_at_once_and_unknown_ones_too(void **state)
{
	(void)state;
	set("a", 1, 1, with_none);
	assert_int_equal(view("a", 1).state, HEALTH_UP);
	assert_false(effect("a", 1).down);
	assert_int_equal(effect("a", 1).weight, 10);
	assert_int_equal(effect("b", 1).weight, 77);
	assert_true(health_complete(world.h));
	run_for(SECOND);
	assert_int_equal(world.n_edges, 0);
}

/* Servers, and those that are up. */
static void counted(uint32_t n, uint32_t up)
{
	uint32_t is_n, is_up;

	(void)health_count(world.h, &is_n, &is_up);
	assert_int_equal(is_n, n);
	assert_int_equal(is_up, up);
}

static void a_server_is_out_until_its_first_success_and_falls_after_three(void **state)
{
	struct health_view v;

	(void)state;
	set("a", 1, 1, with_tcp);
	assert_true(effect("a", 1).down);
	assert_false(health_complete(world.h));
	counted(1, 0);
	run_for(1100000);
	assert_false(effect("a", 1).down);
	counted(1, 1);
	assert_true(health_complete(world.h));
	assert_int_equal(world.n_changed, 1);
	assert_int_equal(world.n_edges, 1);
	run_for(60 * SECOND);
	world.mode[1] = BAD;
	run_for(10 * SECOND);
	v = view("a", 1);
	assert_int_equal(v.state, HEALTH_DOWN);
	assert_true(v.effect.down && v.effect.as_removed);
	assert_int_equal(v.n_history, 2);
	assert_string_equal(v.history[0].reason, "refused by 1 after 0.0 ms, 3rd of 3");
	assert_string_equal(v.history[1].reason, "connected to 1 after 0.0 ms");
	assert_in_range(v.probes, 32, 38);
	assert_int_equal(world.n_changed, 2);
	assert_int_equal(world.n_edges, 2);
}

static void a_server_that_hangs_is_told_by_the_time_limit(void **state)
{
	(void)state;
	tcp.fall = 1;
	world.mode[80] = HANGS;
	set("a", 80, 1, with_tcp);
	run_for(3 * SECOND);
	tcp.fall = 3;
	assert_string_equal(view("a", 80).history[0].reason,
			    "no SYN-ACK from 10.0.0.1:80 within 1s");
	assert_int_equal(world.n_under_way + world.h->in_flight, 2 * world.h->in_flight);
}

static void a_loop_that_comes_late_gives_probes_their_time_back(void **state)
{
	(void)state;
	tcp.fall = 1;
	world.mode[80] = HANGS;
	set("a", 80, 1, with_tcp);
	tcp.fall = 3;
	while (!world.under_way[80])
		run_for(10000);
	/* Something keeps the loop for 5 s; meanwhile the answer has come. */
	world.now_us += 5 * SECOND;
	health_run(world.h);
	assert_non_null(world.under_way[80]);
	world.n_under_way--;
	probe_end(world.under_way[80], PROBE_OK, "connected");
	world.under_way[80] = NULL;
	run_for(1);
	assert_int_equal(view("a", 80).state, HEALTH_UP);
	/* The hold does not go on for ever. */
	while (!world.under_way[80])
		run_for(10000);
	for (int i = 0; i < 3; i++) {
		world.now_us += 5 * SECOND;
		health_run(world.h);
	}
	assert_int_equal(view("a", 80).state, HEALTH_DOWN);
	run_for(SECOND);
}

static void a_quorum_is_told_when_it_is_lost_and_when_it_is_back(void **state)
{
	struct health_service_view v;
	const char *key = NULL;

	(void)state;
	policy.quorum = 2;
	set("a", 1, 3, with_tcp);
	run_for(30 * SECOND);
	assert_int_equal(world.n_quorum, 0);
	world.mode[1] = world.mode[2] = BAD;
	run_for(20 * SECOND);
	assert_int_equal(world.n_quorum, 1);
	assert_true(world.lost);
	assert_int_equal(health_lost(world.h, &key, 1), 1);
	assert_string_equal(key, "a");
	assert_int_equal(health_get_service(world.h, "a", &v), 0);
	assert_int_equal(v.has, 1);
	assert_int_equal(v.needed, 2);
	/* A reload that asks for less gives it back; one that asks for more takes it. */
	policy.quorum = 1;
	set("a", 1, 3, with_tcp);
	run_for(1);
	assert_int_equal(world.n_quorum, 2);
	assert_false(world.lost);
	policy.quorum = 2;
	set("a", 1, 3, with_tcp);
	world.mode[1] = world.mode[2] = GOOD;
	run_for(30 * SECOND);
	assert_int_equal(world.n_quorum, 4);
	assert_int_equal(health_lost(world.h, &key, 1), 0);
	/* A quorum that never was is lost once every server is known, not before. */
	world.mode[20] = world.mode[21] = BAD;
	world.mode[21] = HANGS;
	set("b", 20, 2, with_tcp);
	run_for(500000);
	assert_int_equal(world.n_quorum, 4);
	run_for(30 * SECOND);
	assert_int_equal(world.n_quorum, 5);
	assert_true(world.lost);
	health_del_service(world.h, "b");
	policy.quorum = 0;
}

static void an_operators_word_is_settled_when_asked_for(void **state)
{
	struct endpoint ep = server(2);

	(void)state;
	set("a", 1, 3, with_none);
	run_for(1);
	assert_int_equal(health_force(world.h, "a", &ep, HEALTH_ADMIN_DOWN, "disk"), 0);
	assert_false(effect("a", 2).down);
	health_settle(world.h, "a");
	assert_true(effect("a", 2).down);
	assert_int_equal(world.n_changed, 1);
	assert_int_equal(view("a", 2).edges, 1);
	run_for(1);
	assert_int_equal(world.n_changed, 1);
}

static void many_services_that_change_at_once_are_settled_in_rounds(void **state)
{
	uint32_t rounds = 0;
	char key[16];

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "s%u", i);
		set(key, 1, 1, with_tcp);
	}
	run_for(20 * SECOND);
	world.mode[1] = BAD;
	world.n_changed = 0;
	world.change_us = 500;
	while (world.n_changed < 100 && rounds < 100) {
		uint32_t before = world.n_changed;
		uint64_t next = health_run(world.h);

		rounds += world.n_changed != before;
		assert_in_range(world.n_changed - before, 0, 8);
		if (world.n_changed && world.n_changed < 100)
			assert_int_equal(next, 0); /* at once, but after others */
		else if (next > world.now_us)
			world.now_us = next;
	}
	world.change_us = 0;
	assert_int_equal(world.n_changed, 100);
	assert_int_equal(rounds, 13);
}

static void what_cannot_be_asked_counts_neither_way(void **state)
{
	struct health_counters c;

	(void)state;
	set("a", 1, 1, with_tcp);
	run_for(5 * SECOND);
	world.mode[1] = ODD;
	run_for(60 * SECOND);
	assert_int_equal(view("a", 1).state, HEALTH_UP);
	assert_in_range(view("a", 1).errors, 25, 35);
	/* The check is unknown, the server stays as it was. */
	health_counters(world.h, &c);
	assert_int_equal(c.not_made, 1);
	world.mode[1] = GOOD;
	run_for(5 * SECOND);
	health_counters(world.h, &c);
	assert_int_equal(c.not_made, 0);
	assert_int_equal(view("a", 1).state, HEALTH_UP);
	world.mode[1] = ODD;
	run_for(60 * SECOND);
	health_del_service(world.h, "a");
	health_counters(world.h, &c);
	assert_int_equal(c.not_made, 0);
}

static void services_that_ask_the_same_ask_once(void **state)
{
	struct check_spec renamed = tcp, slower = tcp;
	const struct check_spec *const with_renamed[] = {&renamed, NULL};
	const struct check_spec *const with_slower[] = {&slower, NULL};
	struct health_counters c;

	(void)state;
	renamed.name = (char *)"other";
	slower.interval_ms = 5000;
	set("a", 1, 10, with_tcp);
	set("b", 1, 10, with_renamed);
	set("c", 1, 10, with_slower);
	health_counters(world.h, &c);
	assert_int_equal(c.checks, 20);
	assert_int_equal(c.members, 30);
	run_for(20 * SECOND);
	world.mode[3] = BAD;
	run_for(20 * SECOND);
	assert_true(effect("a", 3).down && effect("b", 3).down && effect("c", 3).down);
	assert_false(effect("a", 4).down);
	health_del_service(world.h, "a");
	health_del_service(world.h, "c");
	health_counters(world.h, &c);
	assert_int_equal(c.checks, 10);
	assert_true(effect("b", 3).down);
	world.mode[3] = GOOD;
	run_for(20 * SECOND);
	assert_false(effect("b", 3).down);
}

static void a_reload_keeps_state_counts_and_due_times(void **state)
{
	uint32_t asked;

	(void)state;
	set("a", 1, 3, with_tcp);
	run_for(30 * SECOND);
	world.mode[1] = world.mode[2] = BAD;
	run_for(10 * SECOND);
	assert_true(effect("a", 1).down && effect("a", 2).down);
	world.n_changed = world.n_edges = 0;
	asked = world.asked[3];
	/* The same, then another interval, another list, a check more: no edge, no gap. */
	for (int i = 0; i < 20; i++) {
		set("a", 1, 3, with_tcp);
		tcp.interval_ms = i & 1 ? 2000 : 3000;
		set("a", 1, 3, with_tcp);
		assert_true(effect("a", 1).down && effect("a", 2).down);
		assert_false(effect("a", 3).down);
		run_for(SECOND);
	}
	tcp.interval_ms = 2000;
	assert_in_range(world.asked[3] - asked, 6, 12);
	assert_int_equal(view("a", 3).n_history, 1);
	assert_int_equal(world.n_edges, 0);
	set("a", 2, 3, with_tcp); /* 1 goes, 4 comes */
	assert_true(effect("a", 2).down);
	assert_false(effect("a", 3).down);
	assert_true(effect("a", 4).down);
	assert_int_equal(effect("a", 1).weight, 77);
	run_for(2 * SECOND);
	assert_false(effect("a", 4).down);
}

static void a_check_that_is_added_takes_nobody_out_before_it_fails(void **state)
{
	struct check_spec more = tcp;
	const struct check_spec *const with_both[] = {&tcp, &more, NULL};

	(void)state;
	more.name = (char *)"more";
	more.port = 500;
	world.mode[500] = BAD;
	set("a", 1, 1, with_tcp);
	run_for(10 * SECOND);
	set("a", 1, 1, with_both);
	assert_false(effect("a", 1).down);
	run_for(2 * SECOND);
	assert_false(effect("a", 1).down);
	run_for(10 * SECOND);
	assert_true(effect("a", 1).down);
	assert_string_equal(view("a", 1).reason, "refused by 500 after 0.0 ms");
	set("a", 1, 1, with_tcp);
	assert_false(effect("a", 1).down);
}

static void a_hundred_failures_at_once_are_one_change(void **state)
{
	(void)state;
	tcp.fall = 1;
	set("a", 1, 100, with_tcp);
	tcp.fall = 3;
	run_for(10 * SECOND);
	assert_int_equal(view("a", 100).state, HEALTH_UP);
	memset(world.mode, BAD, sizeof(world.mode));
	world.n_changed = 0;
	/* The loop comes late: all are due in the same round. */
	world.h->max_in_flight = 1000;
	world.now_us += 5 * SECOND;
	health_run(world.h);
	assert_int_equal(world.n_changed, 1);
	assert_int_equal(world.n_edges, 200);
	for (uint16_t i = 1; i <= 100; i++)
		assert_true(effect("a", i).as_removed);
}

static void operators_force_and_put_into_maintenance(void **state)
{
	struct endpoint ep = server(1), nobody = server(9);
	uint32_t asked;

	(void)state;
	set("a", 1, 2, with_tcp);
	run_for(10 * SECOND);
	assert_int_equal(health_force(world.h, "a", &nobody, HEALTH_ADMIN_UP, NULL), -ENOENT);
	assert_int_equal(health_force(world.h, "a", &ep, HEALTH_ADMIN_DOWN, "disk is full"), 0);
	run_for(1);
	assert_true(effect("a", 1).as_removed);
	assert_string_equal(view("a", 1).reason, "disk is full");
	assert_string_equal(view("a", 1).history[0].reason, "forced down: disk is full");
	/* Over a reload too. */
	set("a", 1, 2, with_tcp);
	assert_true(effect("a", 1).as_removed);
	assert_int_equal(health_force(world.h, "a", &ep, HEALTH_ADMIN_MAINT, NULL), 0);
	run_for(5 * SECOND);
	assert_true(effect("a", 1).down && !effect("a", 1).as_removed);
	asked = world.asked[1];
	run_for(60 * SECOND);
	assert_int_equal(world.asked[1], asked);
	assert_true(health_complete(world.h));
	/* The server died meanwhile: no state is believed before the server is asked. */
	world.mode[1] = BAD;
	assert_int_equal(health_force(world.h, "a", &ep, HEALTH_ADMIN_NONE, NULL), 0);
	assert_false(health_complete(world.h));
	run_for(1000);
	assert_true(effect("a", 1).down);
	world.mode[1] = GOOD;
	run_for(3 * SECOND);
	assert_false(effect("a", 1).down);
	world.mode[1] = BAD;
	run_for(20 * SECOND);
	assert_int_equal(health_force(world.h, "a", &ep, HEALTH_ADMIN_UP, NULL), 0);
	run_for(20 * SECOND);
	assert_false(effect("a", 1).down);
	assert_int_equal(view("a", 1).state, HEALTH_DOWN);
}

static void a_server_that_is_good_again_re_enters_after_its_delay_and_slowly(void **state)
{
	uint32_t changed;

	(void)state;
	policy.slow_start_s = 10;
	tcp.reentry_ms = 30000;
	set("a", 1, 2, with_tcp);
	run_for(10 * SECOND);
	assert_int_equal(effect("a", 1).weight, 10);
	world.mode[1] = BAD;
	run_for(20 * SECOND);
	world.mode[1] = GOOD;
	run_for(30 * SECOND);
	assert_true(effect("a", 1).down);
	assert_int_equal(strncmp(view("a", 1).reason, "it comes back in ", 17), 0);
	run_for(5 * SECOND);
	assert_false(effect("a", 1).down);
	assert_in_range(effect("a", 1).weight, 1, 5);
	changed = world.n_changed;
	run_for(10 * SECOND);
	assert_int_equal(effect("a", 1).weight, 10);
	assert_in_range(world.n_changed - changed, 5, 9);
	/* A takeover waits for neither. */
	world.mode[1] = BAD;
	run_for(20 * SECOND);
	world.mode[1] = GOOD;
	run_for(10 * SECOND);
	assert_true(effect("a", 1).down);
	changed = world.n_changed;
	health_takeover(world.h);
	run_for(1);
	assert_int_equal(effect("a", 1).weight, 10);
	assert_false(effect("a", 1).down);
	assert_int_equal(world.n_changed, changed + 1);
	tcp.reentry_ms = 0;
	policy.slow_start_s = 0;
}

static void a_new_active_router_asks_again_at_the_fast_interval(void **state)
{
	const struct check_spec slow = {.name = (char *)"slow",
					.type = CHECK_TCP,
					.interval_ms = 60000,
					.fast_ms = 500,
					.timeout_ms = 500,
					.rise = 1,
					.fall = 3};
	const struct check_spec *const checks[] = {&slow, NULL};
	uint64_t asked[5];

	(void)state;
	set("a", 1, 4, checks);
	run_for(200 * SECOND);
	for (uint16_t i = 1; i <= 4; i++)
		asked[i] = view("a", i).probes;
	health_takeover(world.h);
	run_for(SECOND);
	for (uint16_t i = 1; i <= 4; i++)
		assert_true(view("a", i).probes > asked[i]);
	/* Once: they are as they were. */
	run_for(5 * SECOND);
	for (uint16_t i = 1; i <= 4; i++)
		assert_true(view("a", i).probes <= asked[i] + 2);
}

static void an_agent_sets_weight_drains_and_takes_down(void **state)
{
	const struct check_spec agent = {
		.name = (char *)"agent", .type = CHECK_AGENT, .interval_ms = 1000, .weight = true};
	const struct check_spec *const checks[] = {&agent, NULL};

	(void)state;
	world.advice = (struct probe_result){.advice = ADVICE_WEIGHT, .weight_percent = 50};
	set("a", 1, 1, checks);
	run_for(3 * SECOND);
	assert_false(effect("a", 1).down);
	assert_int_equal(effect("a", 1).weight, 5);
	assert_string_equal(view("a", 1).weight_source, "agent");
	set("a", 1, 1, checks);
	assert_int_equal(effect("a", 1).weight, 5);
	set("b", 1, 1, checks); /* shares the answer that is there */
	assert_int_equal(effect("b", 1).weight, 5);
	world.advice.advice = ADVICE_DRAIN;
	run_for(3 * SECOND);
	assert_int_equal(effect("a", 1).weight, 0);
	assert_false(effect("a", 1).down);
	world.advice.advice = ADVICE_READY | ADVICE_MAINT;
	run_for(3 * SECOND);
	assert_true(effect("a", 1).down && !effect("a", 1).as_removed);
	world.advice.advice = ADVICE_READY | ADVICE_DOWN;
	world.advice.verdict = PROBE_FAIL;
	run_for(3 * SECOND);
	assert_true(effect("a", 1).as_removed);
	world.advice.advice = ADVICE_UP;
	world.advice.verdict = PROBE_OK;
	run_for(3 * SECOND);
	assert_false(effect("a", 1).down);
	assert_int_equal(effect("a", 1).weight, 5);
}

static void traffic_takes_a_server_down_but_never_the_last(void **state)
{
	const struct check_spec passive = {
		.name = (char *)"passive",
		.type = CHECK_PASSIVE,
		.passive = {.window_ms = 1000, .min_syns = 10, .no_answer_percent = 50}};
	const struct check_spec *const checks[] = {&passive, NULL};

	(void)state;
	set("a", 1, 2, checks);
	assert_false(effect("a", 1).down);
	for (uint32_t bad = 1; bad <= 2; bad++) {
		for (int i = 0; i < 60; i++) {
			for (uint32_t port = 1; port <= bad; port++) {
				world.traffic[port].syns += 200;
				world.traffic[port].no_answer += 150;
			}
			run_for(SECOND / 10);
		}
		assert_int_equal(view("a", 1).state, HEALTH_DOWN);
		assert_int_equal(view("a", 2).state, bad == 2 ? HEALTH_DOWN : HEALTH_UP);
		assert_true(effect("a", 1).down);
		assert_false(effect("a", 2).down);
	}
	/* Without traffic nothing speaks against it. */
	run_for(5 * SECOND);
	assert_int_equal(effect("a", 1).down + effect("a", 2).down, 0);
}

static void probes_under_way_are_bounded_and_waiting_is_lateness(void **state)
{
	struct health_counters c;

	(void)state;
	memset(world.mode, HANGS, sizeof(world.mode));
	set("a", 1, 100, with_tcp); /* 50 a second for 1 s each, and 8 at once */
	run_for(60 * SECOND);
	assert_int_equal(world.max_under_way, 8);
	health_counters(world.h, &c);
	assert_in_range(c.late_us[0], 5 * SECOND, 15 * SECOND);
	assert_true(c.queued > 50);
	/* Fair: nobody is asked twice before all have been. */
	for (uint16_t i = 1; i <= 100; i++)
		assert_in_range(world.asked[i], 4, 7);
	memset(world.mode, GOOD, sizeof(world.mode));
	run_for(60 * SECOND);
	health_counters(world.h, &c);
	assert_int_equal(c.queued, 0);
	assert_int_equal(c.late_us[2], 0);
	assert_int_equal(view("a", 50).state, HEALTH_UP);
}

static void a_peers_verdict_counts_until_there_is_an_own_one(void **state)
{
	struct endpoint one = server(1), two = server(2);
	uint8_t before[32], after[32];

	(void)state;
	world.mode[1] = world.mode[2] = HANGS;
	set("a", 1, 2, with_tcp);
	health_digest(world.h, before);
	health_peer_verdict(world.h, "a", &one, HEALTH_UP);
	health_peer_verdict(world.h, "a", &two, HEALTH_DOWN);
	run_for(1);
	assert_false(effect("a", 1).down);
	assert_true(effect("a", 2).down);
	assert_false(health_complete(world.h));
	health_digest(world.h, after);
	assert_memory_equal(before, after, 32); /* of own verdicts */
	world.mode[1] = BAD;
	world.mode[2] = GOOD;
	run_for(10 * SECOND);
	assert_true(effect("a", 1).down);
	assert_false(effect("a", 2).down);
	assert_true(health_complete(world.h));
	health_digest(world.h, after);
	assert_memory_not_equal(before, after, 32);
	/* The order in which services came is not a part of it; the one of servers is. */
	counted(2, 1);
	set("b", 1, 2, with_none);
	counted(4, 3);
	health_digest(world.h, before);
	health_del_service(world.h, "a");
	health_digest(world.h, after);
	assert_memory_not_equal(before, after, 32);
	set("a", 1, 2, with_tcp);
	run_for(10 * SECOND);
	health_digest(world.h, after);
	assert_memory_equal(before, after, 32);
}

/* A server that is up stays up while a new check has said nothing, and is not decided. */
static void a_new_check_leaves_its_servers_undecided_until_it_speaks(void **state)
{
	(void)state;
	set("a", 1, 2, with_none);
	assert_int_equal(health_undecided(world.h), 0);
	world.mode[1] = GOOD;
	world.mode[2] = BAD;
	set("a", 1, 2, with_tcp);
	assert_false(effect("a", 1).down || effect("a", 2).down);
	assert_true(health_complete(world.h)); /* by what was known */
	assert_int_equal(health_undecided(world.h), 2);
	run_for(60 * SECOND);
	assert_int_equal(health_undecided(world.h), 0);
	assert_false(effect("a", 1).down);
	assert_true(effect("a", 2).down);
}

static void ten_thousand_inquiries_start_on_time_and_evenly(void **state)
{
	static struct health_server list[100];
	struct endpoint vip = server(80);
	struct health_counters c;
	uint64_t asked;
	char key[16];

	(void)state;
	for (uint32_t g = 0; g < 100; g++) {
		for (uint32_t i = 0; i < 100; i++)
			list[i] = (struct health_server){.ep = server((uint16_t)(g * 100 + i + 1)),
							 .weight = 1,
							 .checks = with_tcp};
		snprintf(key, sizeof(key), "s%u", g);
		assert_int_equal(health_set_service(world.h, key, &vip, &policy, list, 100), 0);
	}
	run_for(20 * SECOND);
	assert_true(health_complete(world.h));
	health_counters(world.h, &c);
	assert_int_equal(c.checks, 10000);
	for (int i = 0; i < 10; i++) {
		asked = c.probes;
		run_for(SECOND);
		health_counters(world.h, &c);
		assert_in_range(c.probes - asked, 4500, 5500);
	}
	assert_int_equal(c.late_us[2], 0);
}

static void words_count_and_hide_what_terminals_obey(void **state)
{
	static const uint32_t n[] = {1, 2, 3, 4, 11, 12, 13, 21, 102, 111, 113};
	static const char *const words[] = {"1st",  "2nd",  "3rd",   "4th",   "11th", "12th",
					    "13th", "21st", "102nd", "111th", "113th"};
	const struct check_spec http = {.type = CHECK_HTTP};
	struct probe_result r = {.verdict = PROBE_FAIL, .duration_us = 12345};
	char buf[HEALTH_SENTENCE_LEN];

	(void)state;
	for (uint32_t i = 0; i < 11; i++)
		assert_string_equal(words_ordinal(n[i], buf, sizeof(buf)), words[i]);
	snprintf(r.reason, sizeof(r.reason), "HTTP 503 from 10.0.0.12:80/health");
	words_answer(&http, &r, NULL, 3, 3, buf, sizeof(buf));
	assert_string_equal(buf, "HTTP 503 from 10.0.0.12:80/health after 12 ms, 3rd of 3");
	snprintf(r.reason, sizeof(r.reason), "got \033[2J\r\n\xff");
	words_answer(&http, &r, NULL, 1, 1, buf, sizeof(buf));
	assert_string_equal(buf, "got .[2J... after 12 ms");
}

#define CORE_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CORE_TEST(a_server_without_checks_is_up_at_once_and_unknown_ones_too),
		CORE_TEST(a_server_is_out_until_its_first_success_and_falls_after_three),
		CORE_TEST(a_server_that_hangs_is_told_by_the_time_limit),
		CORE_TEST(a_loop_that_comes_late_gives_probes_their_time_back),
		CORE_TEST(what_cannot_be_asked_counts_neither_way),
		CORE_TEST(a_quorum_is_told_when_it_is_lost_and_when_it_is_back),
		CORE_TEST(an_operators_word_is_settled_when_asked_for),
		CORE_TEST(many_services_that_change_at_once_are_settled_in_rounds),
		CORE_TEST(services_that_ask_the_same_ask_once),
		CORE_TEST(a_reload_keeps_state_counts_and_due_times),
		CORE_TEST(a_check_that_is_added_takes_nobody_out_before_it_fails),
		CORE_TEST(a_hundred_failures_at_once_are_one_change),
		CORE_TEST(operators_force_and_put_into_maintenance),
		CORE_TEST(a_server_that_is_good_again_re_enters_after_its_delay_and_slowly),
		CORE_TEST(a_new_active_router_asks_again_at_the_fast_interval),
		CORE_TEST(an_agent_sets_weight_drains_and_takes_down),
		CORE_TEST(traffic_takes_a_server_down_but_never_the_last),
		CORE_TEST(probes_under_way_are_bounded_and_waiting_is_lateness),
		CORE_TEST(a_peers_verdict_counts_until_there_is_an_own_one),
		CORE_TEST(a_new_check_leaves_its_servers_undecided_until_it_speaks),
		CORE_TEST(ten_thousand_inquiries_start_on_time_and_evenly),
		CORE_TEST(words_count_and_hide_what_terminals_obey),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
