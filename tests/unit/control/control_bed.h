/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_CONTROL_BED_H
#define PLVS_TESTS_CONTROL_BED_H

/*
 * The control thread with its socket, without data plane: what it publishes is looked at
 * in place of workers, and the test says when a grace period is over. One test program
 * includes this once, after cmocka.h.
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "answer_check.h"
#include "publish/builder.h"
#include "control/control_internal.h"
#include "model/sync_event.h"
#include "sched/sched.h"

#define DEADLINE_MS 20000

/* --- the link side: remembers what it was told --- */

struct link {
	struct link_address addresses[64];
	struct link_want wants[64];
	uint32_t n_addresses, n_wants;
};

int link_set_addresses(struct link *l, const struct link_address *list, uint32_t n)
{
	l->n_addresses = n < 64 ? n : 64;
	memcpy(l->addresses, list, l->n_addresses * sizeof(*list));
	return 0;
}

int link_want_nexthops(struct link *l, const struct link_want *list, uint32_t n)
{
	l->n_wants = n < 64 ? n : 64;
	memcpy(l->wants, list, l->n_wants * sizeof(*list));
	return 0;
}

int link_want_nexthop(struct link *l, const struct link_want *want, bool wanted)
{
	uint32_t i = 0;

	while (i < l->n_wants && !addr_equal(&l->wants[i].addr, &want->addr))
		i++;
	if (i < l->n_wants && !wanted)
		l->wants[i] = l->wants[--l->n_wants];
	else if (i == l->n_wants && wanted && i < 64)
		l->wants[l->n_wants++] = *want;
	return 0;
}

int link_list_routes(struct link *l, struct link_fib_route **out, uint32_t *n)
{
	struct link_fib_route r = {.dest = {addr_from_v4(be32_from(0x0a000000)), 8},
				   .kind = ROUTE_GATEWAY,
				   .mtu = 1500,
				   .via = addr_from_v4(be32_from(0xc0000201))};

	(void)l;
	*out = malloc(sizeof(r));
	**out = r;
	*n = 1;
	return 0;
}

int link_list_nexthops(struct link *l, struct link_nexthop **out, uint32_t *n)
{
	(void)l;
	(void)out;
	(void)n;
	return -ESHUTDOWN;
}

const struct link_port_counters *link_port_counters(const struct link *l, uint16_t port)
{
	(void)l;
	(void)port;
	return NULL;
}

/* --- the fixture --- */

struct fixture {
	char dir[64], path[80], file[80];
	struct published pub;
	struct link link;
	struct identity_feed identities;
	uint64_t tokens;
	uint32_t stuck;		 /* no grace period ends */
	const char *state_dir;	 /* or NULL */
	const char *file_digest; /* not NULL: the start is one after a trial */
	struct control *control;
	int fd;
	int next_id;
};

static char last_log[1024];

static inline void remember(enum log_level level, const char *area, const char *line)
{
	(void)area;
	if (level <= LOG_LEVEL_WARNING)
		snprintf(last_log, sizeof(last_log), "%s", line);
}

static inline uint64_t grace_start(void *arg)
{
	struct fixture *f = arg;

	return __atomic_add_fetch(&f->tokens, 1, __ATOMIC_RELAXED);
}

static inline bool grace_passed(void *arg, uint64_t token)
{
	struct fixture *f = arg;

	(void)token;
	return !__atomic_load_n(&f->stuck, __ATOMIC_ACQUIRE);
}

static const char web[] =
	"{\"node\": {\"name\": \"lb1\", \"ports\": [{\"name\": \"public\", \"device\": \"d0\"}],\n"
	"  \"control\": {\"socket\": \"%s\"}},\n"
	" \"shared\": {\"services\": [\n"
	"  {\"name\": \"web\", \"protocol\": \"tcp\", \"listen\": [\"192.0.2.80:80\"],\n"
	"   \"scheduler\": \"wlc\", \"forward\": \"nat\", \"servers\": [\n"
	"    {\"address\": \"10.0.0.1:80\", \"weight\": 2},\n"
	"    {\"address\": \"10.0.0.2:80\", \"weight\": 1}]},\n"
	"  {\"name\": \"dns\", \"protocol\": \"udp\", \"listen\": [\"192.0.2.53:53\"],\n"
	"   \"scheduler\": \"rr\", \"forward\": \"dr\", \"servers\": [\n"
	"    {\"address\": \"10.0.1.1:53\"}]}\n"
	" ]}}\n";

static inline void write_file(const struct fixture *f, const char *text)
{
	FILE *file = fopen(f->file, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static inline struct config *parse(const char *text)
{
	struct config_errors errors;
	struct config *config = NULL;
	char line[512] = "";

	config_errors_init(&errors);
	if (config_parse(text, strlen(text), NULL, sched_names(), &config, &errors) < 0)
		fail_msg("%s", config_error_format(&errors, &errors.errors.v[0], line, 512));
	config_errors_fini(&errors);
	return config;
}

static inline int dial(const struct fixture *f)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(sa.sun_path, f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static inline void start(struct fixture *f, struct config *config)
{
	struct control_options opt = {.config_path = f->file,
				      .pub = &f->pub,
				      .link = &f->link,
				      .state_dir = f->state_dir,
				      .undone = f->file_digest,
				      .file_digest = f->file_digest,
				      .identities = &f->identities};
	char error[256];

	if (control_create(&opt, config, &f->control, error) < 0)
		fail_msg("%s", error);
	if (control_start(f->control, error) < 0)
		fail_msg("%s", error);
	f->fd = dial(f);
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char text[4096];

	log_set_sink(remember);
	last_log[0] = '\0';
	strcpy(f->dir, "/tmp/plvs-control-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->dir);
	snprintf(f->file, sizeof(f->file), "%s/plvs.json", f->dir);
	snprintf(text, sizeof(text), web, f->path);
	write_file(f, text);
	assert_int_equal(runtime_init(&f->pub.runtime), 0);
	f->pub.grace = (struct grace){grace_start, grace_passed, f};
	start(f, parse(text));
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	control_stop(f->control);
	control_destroy(f->control);
	identity_feed_fini(&f->identities);
	assert_null(f->pub.snapshot);
	runtime_fini(&f->pub.runtime);
	unlink(f->file);
	rmdir(f->dir);
	free(f);
	return 0;
}

/* --- the client --- */

static inline json_t *hear(struct fixture *f)
{
	size_t len = 0, cap = 65536;
	char *line = malloc(cap);
	json_t *doc;

	for (;;) {
		struct pollfd p = {.fd = f->fd, .events = POLLIN};
		char *end;
		ssize_t n;

		if (poll(&p, 1, DEADLINE_MS) != 1)
			fail_msg("no answer within %d ms", DEADLINE_MS);
		/* A single request is out at a time: all that comes is its answer. */
		n = recv(f->fd, line + len, cap - len - 1, 0);
		assert_true(n > 0);
		len += (size_t)n;
		end = memchr(line, '\n', len);
		if (end) {
			*end = '\0';
			break;
		}
		if (len + 1 == cap)
			line = realloc(line, cap *= 2);
	}
	doc = json_loads(line, 0, NULL);
	assert_non_null(doc);
	free(line);
	return doc;
}

static inline void say(struct fixture *f, const char *method, const char *params)
{
	size_t len = strlen(method) + strlen(params) + 128, at = 0;
	char *text = malloc(len);

	len = (size_t)snprintf(text, len,
			       "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\",\"params\":%s}\n",
			       ++f->next_id, method, params);
	while (at < len) {
		ssize_t n = send(f->fd, text + at, len - at, MSG_NOSIGNAL);

		assert_true(n > 0);
		at += (size_t)n;
	}
	free(text);
}

/* The answer as it came. */
static inline json_t *ask(struct fixture *f, const char *method, const char *params)
{
	say(f, method, params);
	return hear(f);
}

/* The result; an error fails the test. */
static inline json_t *get(struct fixture *f, const char *method, const char *params)
{
	json_t *doc = ask(f, method, params), *result = json_object_get(doc, "result");

	if (!result)
		fail_msg("%s %s: %s", method, params, json_dumps(doc, 0));
	answer_check(method, result);
	json_incref(result);
	json_decref(doc);
	return result;
}

static inline void do_it(struct fixture *f, const char *method, const char *params)
{
	json_decref(get(f, method, params));
}

static inline void expect_error(struct fixture *f, const char *method, const char *params, int code,
				const char *part)
{
	json_t *doc = ask(f, method, params);
	const char *message;
	int got;

	if (json_unpack(doc, "{s:{s:i, s:s}}", "error", "code", &got, "message", &message) < 0)
		fail_msg("%s %s: not refused", method, params);
	if (got != code || !strstr(message, part))
		fail_msg("%s %s: %d %s", method, params, got, message);
	json_decref(doc);
}

/* --- what is published --- */

/* As a worker reads it. */
static inline const struct snapshot *snapshot_of(const struct fixture *f)
{
	return __atomic_load_n(&f->pub.snapshot, __ATOMIC_ACQUIRE);
}

static inline const struct service *node_of(const struct fixture *f, const char *key)
{
	const struct service_rt *rt = runtime_service_find(&f->pub.runtime, key);

	return rt ? snapshot_of(f)->services[rt->id] : NULL;
}

static inline const char *servers_of(const struct fixture *f, const char *key)
{
	static char text[1024];
	const struct service *svc = node_of(f, key);
	char ep[ENDPOINT_STRLEN];
	size_t len = 0;

	text[0] = '\0';
	for (uint32_t i = 0; svc && i < svc->n_servers; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s/%u", i ? " " : "",
					endpoint_format(&svc->servers[i].rt->ep, ep, sizeof(ep)),
					svc->servers[i].weight);
	return text;
}

static inline uint32_t kinds_of(const struct fixture *f, const char *text)
{
	const struct snapshot *s = snapshot_of(f);
	const struct addr_entry4 *e4;
	const struct addr_entry6 *e6;
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	if (addr.family == ADDR_V6) {
		e6 = addr_table6_find(s->addrs6, addr6_of(&addr));
		return e6 ? e6->kinds : 0;
	}
	e4 = addr_table4_find(s->addrs4, addr.v4);
	return e4 ? e4->kinds : 0;
}

static inline uint32_t listener_of(const struct fixture *f, uint8_t proto, const char *text)
{
	struct endpoint ep;

	assert_int_equal(endpoint_parse(text, &ep), 0);
	if (ep.addr.family == ADDR_V6)
		return listener_table6_find(snapshot_of(f)->listeners6, proto, addr6_of(&ep.addr),
					    ep.port);
	return listener_table4_find(snapshot_of(f)->listeners4, proto, ep.addr.v4, ep.port);
}

#define WEB "tcp:192.0.2.80:80"
#define DNS "udp:192.0.2.53:53"
#define VIP (ADDR_KIND_VIP | ADDR_KIND_ACTIVE)

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
