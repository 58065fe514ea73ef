/* SPDX-License-Identifier: BSD-3-Clause */
#include "golden/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "publish/builder.h"
#include "lib/world.h"
#include "sched/sched.h"

/* --- open and close --- */

static int tables_addrs(void *arg, struct snapshot *draft)
{
	struct inside *in = arg;

	return builder_addrs(in->config, &in->publisher, draft);
}

static int tables_listeners(void *arg, struct snapshot *draft)
{
	(void)arg;
	return builder_listeners(draft);
}

static int tables_cover(void *arg, struct snapshot *draft)
{
	const struct inside *in = arg;

	return builder_cover(in->config, draft);
}

static int refused(struct scenario *s, int ret, const struct config_errors *errors)
{
	char line[512];

	return scenario_fail(s, ret, "%s",
			     errors->errors.n ? config_error_format(errors, &errors->errors.v[0],
								    line, sizeof(line))
					      : strerror(-ret));
}

static int config_open(struct scenario *s, json_t *shared)
{
	struct inside *in = s->at;
	json_t *root = json_pack("{s:{s:s, s:[{s:s,s:s},{s:s,s:s}]}, s:O}", "node", "name",
				 "replay", "ports", "name", "public", "device", "ring0", "name",
				 "private", "device", "ring1", "shared", shared);
	char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	struct config_errors errors;
	int ret;

	json_decref(root);
	if (!text)
		return scenario_fail(s, -EINVAL, "not a scenario");
	config_errors_init(&errors);
	ret = config_parse(text, strlen(text), NULL, sched_names(), &in->config, &errors);
	if (ret < 0) {
		refused(s, ret, &errors);
		/* A feature to come and a scheduler to come; all else is a mistake here. */
		if (strstr(s->error, "not supported yet") || strstr(s->error, "scheduler"))
			ret = -ENOTSUP;
	}
	config_errors_fini(&errors);
	free(text);
	return ret;
}

static int world_open(struct scenario *s)
{
	struct inside *in = s->at;
	const struct harness_config hc = {.max_connections = 20000};
	const struct publisher_tables tables = {.addrs = tables_addrs,
						.listeners = tables_listeners,
						.cover = tables_cover,
						.arg = in};
	char error[256] = "";
	int ret = harness_create(&in->harness, &hc, error);

	if (ret < 0)
		return scenario_fail(s, ret, "%s", error);
	in->asked = asked_create(&in->harness);
	world_route(&in->harness, "0.0.0.0/0", link_id_of(0, 0), NULL);
	world_route(&in->harness, "10.10.0.0/16", link_id_of(1, 0), NULL);
	world_own(&in->harness, "172.31.255.254", link_id_of(0, 0)); /* no client's */
	world_own(&in->harness, "10.10.255.254", link_id_of(1, 0));
	world_route(&in->harness, "::/0", link_id_of(0, 0), NULL);
	world_route(&in->harness, "2001:db8:10::/48", link_id_of(1, 0), NULL);
	world_own(&in->harness, "2001:db8:ffff::fe", link_id_of(0, 0));
	world_own(&in->harness, "2001:db8:10:ffff::fe", link_id_of(1, 0));
	ret = publisher_init(&in->publisher, &in->harness.dp->pub, &tables);
	if (ret < 0)
		return ret;
	ret = builder_config(&in->publisher, in->config, error);
	if (ret < 0)
		return scenario_fail(s, ret, "%s", error);
	return publisher_flush(&in->publisher);
}

static int inside_open(struct scenario *s, json_t *shared)
{
	int ret;

	s->at = calloc(1, sizeof(struct inside));
	if (!s->at)
		return -ENOMEM;
	for (unsigned int p = 0; p < PORTS; p++)
		s->router_mac[p] = (struct mac){{2, 0, 0, 0, 0, (uint8_t)(p + 1)}};
	ret = config_open(s, shared);
	return ret < 0 ? ret : world_open(s);
}

static void inside_close(struct scenario *s)
{
	struct inside *in = s->at;

	if (!in)
		return;
	if (in->publisher.pub)
		publisher_fini(&in->publisher);
	asked_destroy(in->asked);
	if (in->harness.dp)
		harness_destroy(&in->harness);
	config_destroy(in->config);
	free(in);
}

/* --- frames --- */

/* Gives every wanted next hop its MAC, and runs until nothing moves. */
static void run_resolving(struct harness *h)
{
	struct resolve_request want;

	for (;;) {
		char addr[ADDR_STRLEN], mac[MAC_STRLEN];
		struct mac m;

		harness_run(h);
		if (!harness_resolve_wanted(h, &want))
			return;
		m = traffic_mac(&want.addr);
		world_neighbour(h, want.link, addr_format(&want.addr, addr, sizeof(addr)),
				mac_format(&m, mac, sizeof(mac)));
	}
}

static void inside_send(struct scenario *s, unsigned int port, const uint8_t *frame, size_t len)
{
	struct inside *in = s->at;
	struct harness *h = &in->harness;

	asked_before(in->asked, (uint16_t)port, frame, (uint16_t)len);
	harness_receive(h, (uint16_t)port, 0, harness_frame(h, frame, (uint16_t)len));
	run_resolving(h);
	asked_after(in->asked);
}

static size_t inside_take(struct scenario *s, unsigned int port, uint8_t frame[FRAME_MAX])
{
	struct inside *in = s->at;
	struct rte_mbuf *m = harness_sent(&in->harness, (uint16_t)port);
	size_t len;

	if (!m)
		return 0;
	len = rte_pktmbuf_data_len(m);
	if (len > FRAME_MAX)
		len = FRAME_MAX;
	memcpy(frame, rte_pktmbuf_mtod(m, const uint8_t *), len);
	rte_pktmbuf_free(m);
	asked_took(in->asked, port, frame, len);
	return len;
}

static bool inside_left_to_linux(struct scenario *s)
{
	struct inside *in = s->at;
	enum punt_class class;
	struct rte_mbuf *m = harness_punted(&in->harness, &class);
	bool any = m != NULL;

	for (; m; m = harness_punted(&in->harness, &class))
		rte_pktmbuf_free(m);
	return any;
}

/* No Linux routes anything here: what comes out is of a connection. */
static bool inside_has(struct scenario *s, uint8_t proto, const struct played *c)
{
	(void)s;
	(void)proto;
	(void)c;
	return true;
}

static int inside_sleep(struct scenario *s, unsigned int seconds)
{
	struct inside *in = s->at;

	harness_advance_ms(&in->harness, seconds * 1000);
	return 0;
}

static bool inside_doors(struct scenario *s, char text[256])
{
	const struct inside *in = s->at;

	return harness_doors_add_up(&in->harness, text);
}

/* --- changes --- */

static int change_apply(struct scenario *s, struct config_change *ch)
{
	struct inside *in = s->at;
	char error[256] = "";
	int ret = builder_change(&in->publisher, ch, error);

	config_change_commit(in->config, ch);
	if (ret < 0)
		return scenario_fail(s, ret, "%s", error);
	ret = publisher_flush(&in->publisher);
	run_resolving(&in->harness);
	return ret;
}

static int inside_change(struct scenario *s, const char *op, const char *service,
			 const char *server, json_t *object)
{
	struct config *config = ((struct inside *)s->at)->config;
	struct config_change ch = {0};
	struct config_errors errors;
	int ret;

	config_errors_init(&errors);
	if (strcmp(op, "add") == 0)
		ret = config_server_add(config, service, object, &ch, &errors);
	else if (strcmp(op, "edit") == 0)
		ret = config_server_edit(config, service, server, object, &ch, &errors);
	else
		ret = config_server_delete(config, service, server, &ch, &errors);
	ret = ret < 0 ? refused(s, ret, &errors) : change_apply(s, &ch);
	config_errors_fini(&errors);
	return ret;
}

static int inside_edit(struct scenario *s, const char *service, json_t *set)
{
	struct config *config = ((struct inside *)s->at)->config;
	struct config_change ch = {0};
	struct config_errors errors;
	int ret;

	config_errors_init(&errors);
	ret = config_service_edit(config, service, set, &ch, &errors);
	ret = ret < 0 ? refused(s, ret, &errors) : change_apply(s, &ch);
	config_errors_fini(&errors);
	return ret;
}

const struct router router_inside = {
	.open = inside_open,
	.close = inside_close,
	.change = inside_change,
	.edit = inside_edit,
	.send = inside_send,
	.take = inside_take,
	.left_to_linux = inside_left_to_linux,
	.has = inside_has,
	.sleep = inside_sleep,
	.list = inside_list,
	.stats = inside_stats,
	.conns = inside_conns,
	.doors_add_up = inside_doors,
};
