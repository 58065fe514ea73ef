/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Listings of connections, through the socket and the workers' command rings. Workers run
 * in this thread, a round at a time, while control runs in its own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "answer_check.h"
#include "control/control_internal.h"
#include "lib/harness.h"
#include "sched/sched.h"

#define DEADLINE_MS   20000
#define N_CONNECTIONS 5000
#define N_WORKERS     2

/* Without a link thread: its functions are only referred to. */
int link_set_addresses(struct link *l, const struct link_address *list, uint32_t n)
{
	(void)l;
	(void)list;
	(void)n;
	return 0;
}

int link_want_nexthop(struct link *l, const struct link_want *want, bool wanted)
{
	(void)l;
	(void)want;
	(void)wanted;
	return 0;
}

int link_want_nexthops(struct link *l, const struct link_want *list, uint32_t n)
{
	(void)l;
	(void)list;
	(void)n;
	return 0;
}

int link_list_routes(struct link *l, struct link_fib_route **out, uint32_t *n)
{
	(void)l;
	(void)out;
	(void)n;
	return -ESHUTDOWN;
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

static struct harness harness;
static struct control *control;
static char dir[64], path[80];

static const char config_text[] =
	"{\"node\": {\"name\": \"lb1\", \"ports\": [{\"name\": \"public\", \"device\": \"d0\"},"
	"{\"name\": \"private\", \"device\": \"d1\"}], \"control\": {\"socket\": \"%s\"}},"
	" \"shared\": {\"services\": ["
	"  {\"name\": \"web\", \"protocol\": \"tcp\", \"listen\": [\"192.0.2.80:80\"],"
	"   \"servers\": [{\"address\": \"10.0.0.1:80\"}, {\"address\": \"10.0.0.2:80\"}]}]}}";

static void silent(enum log_level level, const char *area, const char *line)
{
	(void)level;
	(void)area;
	(void)line;
}

/* As if a client of 198.51.100.0/24 had come to the service, by its listener k. */
static struct conn4 *connection_to(uint32_t i, uint32_t k)
{
	const struct service *svc = harness.dp->pub.snapshot->services[1];
	const struct server *server = &svc->servers[i % 2];
	be32 client = be32_from(0xc6336400 + i % 250);
	be16 port = be16_from((uint16_t)(1024 + i));
	struct worker *w = harness.dp->workers[owner4(&harness.dp->owners, client, port)];
	struct conn4 *c = table4_alloc(&w->v4.table);

	assert_non_null(c);
	c->c.proto = IPPROTO_TCP;
	c->c.state = i % 4 ? CONN_ESTABLISHED : CONN_TIME_WAIT;
	c->c.flags = CONN_F_LIVE | (i % 4 ? CONN_F_ACTIVE : 0);
	c->c.method = FWD_NAT;
	c->c.server = server->rt->id;
	c->c.timeout = 900 * CONN_TICK_HZ;
	c->c.gen = 1;
	c->caddr = client;
	c->cport = port;
	c->vaddr = svc->listen[k].addr.v4;
	c->vport = svc->listen[k].port;
	c->daddr = server->addr.v4;
	c->dport = server->port;
	assert_int_equal(table4_link(&w->v4.table, c, DIR_IN, NULL), 0);
	return c;
}

static int setup(void **state)
{
	struct harness_config hc = {.n_workers = N_WORKERS, .max_connections = 20000};
	struct control_options opt = {0};
	struct config_errors errors;
	struct config *config = NULL;
	char text[1024], error[256];

	(void)state;
	log_set_sink(silent);
	if (harness_create(&harness, &hc, error) < 0)
		fail_msg("%s", error);
	/* Control publishes in place of the harness' world. */
	snapshot_destroy(harness.dp->pub.snapshot);
	harness.dp->pub.snapshot = NULL;
	strcpy(dir, "/tmp/plvs-connections-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sock", dir);
	snprintf(text, sizeof(text), config_text, path);
	config_errors_init(&errors);
	assert_int_equal(config_parse(text, strlen(text), NULL, sched_names(), &config, &errors),
			 0);
	config_errors_fini(&errors);
	opt.dp = harness.dp;
	if (control_create(&opt, config, &control, error) < 0 || control_start(control, error) < 0)
		fail_msg("%s", error);
	for (uint32_t i = 0; i < N_CONNECTIONS; i++)
		(void)connection_to(i, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	control_stop(control);
	harness_stop(&harness);
	control_destroy(control);
	harness_destroy(&harness);
	rmdir(dir);
	return 0;
}

static int dial(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(sa.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void say(int fd, const char *method, const char *params)
{
	char text[512];
	int n = snprintf(text, sizeof(text),
			 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}\n", method,
			 params);

	assert_int_equal(send(fd, text, (size_t)n, MSG_NOSIGNAL), n);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* A line, while workers go round. */
static json_t *hear(int fd)
{
	uint64_t deadline = now_ms() + DEADLINE_MS;
	size_t len = 0, cap = 1024;
	char *line = malloc(cap);
	json_t *doc;

	for (;;) {
		ssize_t n;

		harness_round(&harness);
		n = recv(fd, line + len, 1, MSG_DONTWAIT);
		if (n < 0) {
			if (now_ms() > deadline)
				fail_msg("no answer within %d ms", DEADLINE_MS);
			continue;
		}
		assert_int_equal(n, 1);
		if (line[len] == '\n')
			break;
		if (++len == cap)
			line = realloc(line, cap *= 2);
	}
	doc = json_loadb(line, len, 0, NULL);
	assert_non_null(doc);
	free(line);
	return doc;
}

/* All rows of a stream, and its result. */
static json_t *hear_rows(int fd, json_t **result)
{
	json_t *rows = json_array(), *doc;

	for (;;) {
		doc = hear(fd);
		if (!json_object_get(doc, "method"))
			break;
		answer_objects(&shown_connection, SHOWN_LIST,
			       json_object_get(json_object_get(doc, "params"), "rows"));
		json_array_extend(rows, json_object_get(json_object_get(doc, "params"), "rows"));
		json_decref(doc);
	}
	*result = json_incref(json_object_get(doc, "result"));
	assert_non_null(*result);
	json_decref(doc);
	return rows;
}

static json_int_t count(const char *params)
{
	int fd = dial();
	json_int_t n;
	json_t *doc;

	say(fd, "connection.count", params);
	doc = hear(fd);
	n = json_integer_value(json_object_get(json_object_get(doc, "result"), "count"));
	json_decref(doc);
	close(fd);
	return n;
}

static void every_connection_is_listed_once(void **state)
{
	json_t *seen = json_object(), *rows, *result;
	int fd = dial();

	(void)state;
	say(fd, "connection.list", "{}");
	rows = hear_rows(fd, &result);
	assert_int_equal(json_array_size(rows), N_CONNECTIONS);
	assert_int_equal(json_integer_value(json_object_get(result, "count")), N_CONNECTIONS);
	assert_true(json_is_false(json_object_get(result, "truncated")));
	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);

		json_object_set_new(seen, json_string_value(json_object_get(row, "client")),
				    json_true());
		assert_string_equal(json_string_value(json_object_get(row, "virtual")),
				    "192.0.2.80:80");
	}
	assert_int_equal(json_object_size(seen), N_CONNECTIONS);
	json_decref(seen);
	json_decref(rows);
	json_decref(result);
	close(fd);
}

static void filters_choose_what_is_listed(void **state)
{
	(void)state;
	assert_int_equal(count("{}"), N_CONNECTIONS);
	assert_int_equal(count("{\"service\":\"web\"}"), N_CONNECTIONS);
	assert_int_equal(count("{\"state\":\"time_wait\"}"), N_CONNECTIONS / 4);
	assert_int_equal(count("{\"server\":\"10.0.0.1:80\"}"), N_CONNECTIONS / 2);
	assert_int_equal(count("{\"protocol\":\"udp\"}"), 0);
	assert_int_equal(count("{\"client\":\"198.51.100.7\"}"), N_CONNECTIONS / 250);
	assert_int_equal(count("{\"client\":\"203.0.113.0/24\"}"), 0);
	assert_int_equal(count("{\"worker\":0}") + count("{\"worker\":1}"), N_CONNECTIONS);
}

static void a_limit_says_that_there_is_more(void **state)
{
	json_t *rows, *result;
	int fd = dial();

	(void)state;
	say(fd, "connection.list", "{\"limit\":100}");
	rows = hear_rows(fd, &result);
	assert_int_equal(json_array_size(rows), 100);
	assert_true(json_is_true(json_object_get(result, "truncated")));
	json_decref(rows);
	json_decref(result);
	close(fd);
}

static void one_connection_is_found_by_its_addresses(void **state)
{
	const char *method;
	int fd = dial();
	json_t *doc;

	(void)state;
	say(fd, "connection.find",
	    "{\"protocol\":\"tcp\",\"client\":\"198.51.100.3:1027\",\"virtual\":\"192.0.2.80:"
	    "80\"}");
	doc = hear(fd);
	assert_int_equal(
		json_unpack(doc, "{s:{s:{s:s}}}", "result", "connection", "method", &method), 0);
	assert_string_equal(method, "nat");
	answer_check("connection.find", json_object_get(doc, "result"));
	json_decref(doc);
	say(fd, "connection.find",
	    "{\"protocol\":\"tcp\",\"client\":\"198.51.100.3:1\",\"virtual\":\"192.0.2.80:80\"}");
	doc = hear(fd);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(doc, "error"), "code")),
			 RPC_NO_OBJECT);
	json_decref(doc);
	close(fd);
}

/* With workers that run. */
static void each_answer_is_as_the_tables_say(void **state)
{
	static const char *const methods[] = {"status",	      "worker.list", "counter.list",
					      "service.list", "health.list", "config.history"};
	int fd = dial();

	(void)state;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		json_t *doc;

		say(fd, methods[i], "{}");
		doc = hear(fd);
		assert_non_null(json_object_get(doc, "result"));
		answer_check(methods[i], json_object_get(doc, "result"));
		json_decref(doc);
	}
	close(fd);
}

static json_int_t ended(const char *method, const char *params, json_int_t *code)
{
	int fd = dial();
	json_int_t n;
	json_t *doc;

	say(fd, method, params);
	doc = hear(fd);
	n = json_integer_value(json_object_get(json_object_get(doc, "result"), "count"));
	*code = json_integer_value(json_object_get(json_object_get(doc, "error"), "code"));
	json_decref(doc);
	close(fd);
	return n;
}

static void connections_are_ended_by_key_and_by_filter(void **state)
{
	static const char *const key = "{\"protocol\":\"tcp\",\"client\":\"198.51.100.3:1027\","
				       "\"virtual\":\"192.0.2.80:80\"}";
	json_int_t code;

	(void)state;
	assert_int_equal(ended("connection.end", key, &code), 1);
	assert_int_equal(ended("connection.end",
			       "{\"protocol\":\"tcp\",\"client\":\"198.51.100.3:1\","
			       "\"virtual\":\"192.0.2.80:80\"}",
			       &code),
			 0);
	assert_int_equal(code, RPC_NO_OBJECT);
	/* Without a filter none is ended. */
	ended("connection.end_all", "{}", &code);
	assert_int_equal(code, RPC_BAD_PARAMS);
	ended("connection.end_all", "{\"service\":\"wob\"}", &code);
	assert_int_equal(code, RPC_NO_OBJECT);
	/* Marked ones stay until their ends are told; the one above is not counted again. */
	assert_int_equal(ended("connection.end_all",
			       "{\"server\":\"10.0.0.1:80\",\"state\":\"established\"}", &code),
			 N_CONNECTIONS / 2 - 1);
	assert_int_equal(count("{}"), N_CONNECTIONS);
}

/* By its method, through command rings: both workers are asked if need be. */
static void a_packet_is_explained(void **state)
{
	const char *server, *door, *reason, *flags;
	int fd = dial();
	json_t *doc;

	(void)state;
	say(fd, "explain",
	    "{\"protocol\":\"tcp\",\"source\":\"198.51.100.3:1027\","
	    "\"destination\":\"192.0.2.80:80\",\"in\":\"public\",\"flags\":\"A\"}");
	doc = hear(fd);
	if (json_unpack(doc, "{s:{s:{s:s}, s:{s:s}, s:{s:s, s:s}}}", "result", "packet", "flags",
			&flags, "connection", "server", &server, "verdict", "door", &door, "reason",
			&reason) < 0)
		fail_msg("%s", json_dumps(doc, 0));
	assert_string_equal(flags, "A");
	assert_string_equal(server, "10.0.0.1:80");
	assert_string_equal(door, "dropped"); /* no route in this test */
	assert_string_equal(reason, "no_route");
	json_decref(doc);
	say(fd, "explain",
	    "{\"protocol\":\"tcp\",\"source\":\"198.51.100.3:1\","
	    "\"destination\":\"192.0.2.80\"}");
	doc = hear(fd);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(doc, "error"), "code")),
			 RPC_BAD_PARAMS);
	json_decref(doc);
	close(fd);
}

static uint32_t kinds_of(const char *text)
{
	const struct addr_entry4 *e;
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	e = addr_table4_find(harness.dp->pub.snapshot->addrs4, addr.v4);
	return e ? e->kinds : 0;
}

/* Workers go round for ms, or until the address is of these kinds. */
static bool becomes(const char *text, uint32_t kinds, uint64_t ms)
{
	const uint64_t deadline = now_ms() + ms;

	while (kinds_of(text) != kinds && now_ms() < deadline)
		harness_round(&harness);
	return kinds_of(text) == kinds;
}

static void listeners_set(const char *listen)
{
	int fd = dial();
	char text[256];

	snprintf(text, sizeof(text), "{\"service\":\"web\",\"set\":{\"listen\":%s}}", listen);
	say(fd, "service.edit", text);
	json_decref(hear(fd));
	close(fd);
}

/* The servers, and connections to the other listener, go on. */
static void a_listener_that_goes_lingers_until_its_connections_end(void **state)
{
	struct conn4 *c[8];

	(void)state;
	listeners_set("[\"192.0.2.80:80\",\"192.0.2.81:80\",\"192.0.2.82:80\"]");
	/* Of both workers. */
	for (uint32_t i = 0; i < 8; i++)
		c[i] = connection_to(N_CONNECTIONS + i, 1);
	listeners_set("\"192.0.2.80:80\"");
	assert_int_equal(kinds_of("192.0.2.81"), ADDR_KIND_LINGERING);
	assert_true(becomes("192.0.2.82", 0, DEADLINE_MS));
	for (uint32_t i = 1; i < 8; i++)
		c[i]->c.flags &= (uint8_t)~CONN_F_LIVE;
	assert_false(becomes("192.0.2.81", 0, 1200)); /* looked at twice */
	/* Back, and gone again: the look at the first time means nothing to the second. */
	listeners_set("[\"192.0.2.80:80\",\"192.0.2.81:80\"]");
	assert_true(kinds_of("192.0.2.81") & ADDR_KIND_VIP);
	listeners_set("\"192.0.2.80:80\"");
	assert_false(becomes("192.0.2.81", 0, 1200));
	c[0]->c.flags &= (uint8_t)~CONN_F_LIVE;
	assert_true(becomes("192.0.2.81", 0, DEADLINE_MS));
	assert_int_equal(count("{}"), N_CONNECTIONS);
}

static void several_clients_list_at_once_and_one_hangs_up(void **state)
{
	json_t *rows[2], *result;
	int fds[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		fds[i] = dial();
		say(fds[i], "connection.list", "{}");
	}
	close(fds[2]);
	for (int i = 0; i < 2; i++) {
		rows[i] = hear_rows(fds[i], &result);
		assert_int_equal(json_array_size(rows[i]), N_CONNECTIONS);
		json_decref(rows[i]);
		json_decref(result);
		close(fds[i]);
	}
}

/* Ends while a worker still has the command: teardown and ASan say whether that is safe. */
static void control_stops_while_a_listing_is_under_way(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, "connection.list", "{}");
	for (int i = 0; i < 10000 && !__atomic_load_n(&control->n_streams, __ATOMIC_RELAXED); i++)
		usleep(1000);
	assert_int_equal(control->n_streams, 1);
	close(fd);
}

static void listings_of_workers_and_ports_show_them(void **state)
{
	json_t *doc, *list;
	int fd = dial();

	(void)state;
	say(fd, "worker.list", "{}");
	doc = hear(fd);
	list = json_object_get(json_object_get(doc, "result"), "workers");
	assert_int_equal(json_array_size(list), N_WORKERS);
	json_decref(doc);
	say(fd, "port.list", "{}");
	doc = hear(fd);
	list = json_object_get(json_object_get(doc, "result"), "ports");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "name")),
			    "public");
	json_decref(doc);
	say(fd, "status", "{}");
	doc = hear(fd);
	assert_non_null(json_object_get(json_object_get(doc, "result"), "doors"));
	json_decref(doc);
	close(fd);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_connection_is_listed_once),
		T(filters_choose_what_is_listed),
		T(a_limit_says_that_there_is_more),
		T(one_connection_is_found_by_its_addresses),
		T(each_answer_is_as_the_tables_say),
		T(a_packet_is_explained),
		T(connections_are_ended_by_key_and_by_filter),
		T(a_listener_that_goes_lingers_until_its_connections_end),
		T(several_clients_list_at_once_and_one_hangs_up),
		T(control_stops_while_a_listing_is_under_way),
		T(listings_of_workers_and_ports_show_them),
	};
	int ret;

	if (harness_eal_init(0, 256, NULL) < 0)
		return 1;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	harness_eal_fini();
	return ret;
}
