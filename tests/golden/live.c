/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stand, a JSON object made by tests/golden/live:
 *	command		[...] starts plvs with the configuration file `config`
 *	node, addresses	parts of the configuration
 *	config, log	files
 *	socket		plvs's control socket
 *	client, server	[namespace, interface] of the wires' other ends
 *	linux		namespace of plvs's TAPs
 *	longest_sleep	seconds; events from a longer sleep on are skipped
 */
#include "golden/live.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS   30000
#define STOP_MS	   15000
#define LOOK_MS	   30	/* nothing came for so long: ask plvs whether something will */
#define ANSWER_MS  3000 /* whatever a frame leads to, ARP included, has come by then */
#define CONTROL_MS 10000

static json_t *stand;

/* --- asking --- */

static int rows_append(void *arg, json_t *rows)
{
	return arg ? json_array_extend(arg, rows) : 0;
}

json_t *live_ask(struct scenario *s, const char *method, json_t *params, json_t *rows)
{
	struct live *l = s->at;
	struct rpc_failure failure;
	json_t *result = NULL;

	if (rpc_call(&l->rpc, method, params, rows_append, rows, &result, &failure) != RPC_OK) {
		scenario_fail(s, -EPROTO, "%s: %s", method, failure.text);
		rpc_failure_clear(&failure);
	}
	json_decref(params);
	return result;
}

/* Packets that plvs has dropped and made itself until now. */
static struct live_doors doors_look(struct scenario *s)
{
	json_t *o = live_ask(s, "status", NULL, NULL);
	const json_t *doors = json_object_get(o, "doors");
	struct live_doors d = {
		.dropped = json_integer_value(json_object_get(doors, "dropped")),
		.generated = json_integer_value(json_object_get(doors, "generated")),
	};

	json_decref(o);
	return d;
}

/* --- the process --- */

static void child_run(void)
{
	size_t n = json_array_size(json_object_get(stand, "command"));
	const char **argv = calloc(n + 1, sizeof(*argv));
	int log = open(text_of(stand, "log"), O_WRONLY | O_CREAT | O_APPEND, 0644);
	int null = open("/dev/null", O_RDONLY);

	for (size_t i = 0; argv && i < n; i++)
		argv[i] = json_string_value(json_array_get(json_object_get(stand, "command"), i));
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (!argv || log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 ||
	    dup2(log, 2) < 0)
		_exit(126);
	setsid();
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

/* 0 once it ended with status 0. */
static int process_end(struct scenario *s, unsigned int ms)
{
	struct live *l = s->at;
	int status;

	if (l->pid <= 0)
		return 0;
	kill(l->pid, SIGTERM);
	for (; ms > 0 && waitpid(l->pid, &status, WNOHANG) == 0; ms -= 10)
		usleep(10000);
	if (ms == 0) {
		kill(l->pid, SIGKILL);
		waitpid(l->pid, &status, 0);
	}
	l->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	fprintf(stderr, "%s: plvs did not end well (status %#x)\n", s->name, status);
	return -ECHILD;
}

static bool plvs_answers(struct scenario *s)
{
	json_t *version = live_ask(s, "version", NULL, NULL);

	json_decref(version);
	return version != NULL;
}

static bool routes_known(struct scenario *s)
{
	json_t *o = live_ask(s, "route.list", NULL, NULL), *r;
	static const char *const wanted[] = {"0.0.0.0/0", "10.10.0.0/16", "::/0",
					     "2001:db8:10::/48"};
	unsigned int known = 0;
	size_t i;

	json_array_foreach (json_object_get(o, "routes"), i, r) {
		const char *prefix = text_of(r, "prefix");

		for (unsigned int k = 0; prefix && k < 4; k++)
			known |= (unsigned int)(strcmp(prefix, wanted[k]) == 0) << k;
	}
	json_decref(o);
	return known == 0xf;
}

static int wait_until(struct scenario *s, const char *what, bool (*ready)(struct scenario *s))
{
	struct live *l = s->at;
	char why[sizeof(s->error)];
	int status;

	for (unsigned int ms = 0; ms < START_MS; ms += 20) {
		if (ready(s))
			return 0;
		if (waitpid(l->pid, &status, WNOHANG) != 0) {
			l->pid = 0;
			return scenario_fail(s, -ECHILD, "plvs ended by itself, see %s",
					     text_of(stand, "log"));
		}
		live_pump(s, 20, NULL);
	}
	snprintf(why, sizeof(why), "%s", s->error);
	return scenario_fail(s, -ETIMEDOUT, "not within %d s: %s; %.300s", START_MS / 1000, what,
			     why);
}

/* --- open and close --- */

static int config_write(struct scenario *s, json_t *shared)
{
	json_t *root =
		json_pack("{s:O, s:O}", "node", json_object_get(stand, "node"), "shared", shared);
	int ret;

	json_object_set(shared, "addresses", json_object_get(stand, "addresses"));
	ret = json_dump_file(root, text_of(stand, "config"), JSON_INDENT(1));
	json_decref(root);
	return ret < 0 ? scenario_fail(s, -EIO, "cannot write %s", text_of(stand, "config")) : 0;
}

/* The addresses that the recorded director took for its own. */
static int local_routes(struct scenario *s, const char *verb)
{
	const json_t *prefix;
	char command[256];
	size_t i;

	json_array_foreach (json_object_get(s->doc, "local"), i, prefix) {
		struct addr addr;
		struct prefix p;
		const char *text = json_string_value(prefix);

		/* The text goes through a shell. */
		if (!text || (prefix_parse(text, &p) < 0 && addr_parse(text, &addr) < 0))
			return scenario_fail(s, -EINVAL, "local: not a prefix");
		snprintf(command, sizeof(command), "ip -n %s %s route %s local %s dev lo",
			 text_of(stand, "linux"), strchr(text, ':') ? "-6" : "-4", verb, text);
		if (system(command) != 0)
			return scenario_fail(s, -EIO, "%s failed", command);
	}
	return 0;
}

static int macs_learn(struct scenario *s)
{
	json_t *o = live_ask(s, "port.list", NULL, NULL), *p;
	size_t i;
	int n = 0;

	json_array_foreach (json_object_get(o, "ports"), i, p) {
		unsigned int port =
			strcmp(text_of(p, "name"), "public") == 0 ? PORT_CLIENT : PORT_SERVER;

		n += text_of(p, "mac") && mac_parse(text_of(p, "mac"), &s->router_mac[port]) == 0;
	}
	json_decref(o);
	return n == PORTS ? 0 : scenario_fail(s, -EPROTO, "plvs does not show its two ports");
}

static const char *end_of(const char *side, size_t k)
{
	return json_string_value(json_array_get(json_object_get(stand, side), k));
}

static int live_open(struct scenario *s, json_t *shared)
{
	struct live *l = s->at = calloc(1, sizeof(*l));
	int ret;

	if (!l || rpc_init(&l->rpc, text_of(stand, "socket"), CONTROL_MS) < 0)
		return -ENOMEM;
	ret = config_write(s, shared);
	if (ret == 0)
		ret = live_port_open(s, &l->ports[PORT_CLIENT], end_of("client", 0),
				     end_of("client", 1));
	if (ret == 0)
		ret = live_port_open(s, &l->ports[PORT_SERVER], end_of("server", 0),
				     end_of("server", 1));
	if (ret < 0)
		return ret;
	fflush(NULL);
	l->pid = fork();
	if (l->pid < 0)
		return scenario_fail(s, -errno, "fork: %s", strerror(errno));
	if (l->pid == 0)
		child_run();
	ret = wait_until(s, "plvs answers on its control socket", plvs_answers);
	if (ret == 0)
		ret = wait_until(s, "plvs has its routes", routes_known);
	if (ret == 0)
		ret = local_routes(s, "replace");
	if (ret == 0)
		ret = macs_learn(s);
	if (ret == 0)
		l->seen = doors_look(s);
	return ret;
}

static void live_close(struct scenario *s)
{
	struct live *l = s->at;

	if (!l)
		return;
	process_end(s, STOP_MS);
	local_routes(s, "delete");
	for (unsigned int p = 0; p < PORTS; p++)
		live_port_close(&l->ports[p]);
	rpc_fini(&l->rpc);
	free(l);
}

/* --- frames --- */

static bool something_came(struct scenario *s)
{
	const struct live *l = s->at;

	return l->ports[PORT_CLIENT].n || l->ports[PORT_SERVER].n;
}

/* Most frames are through at once. One that is not was dropped, which the doors tell, or
 * waits for a neighbour or for Linux. */
static void live_send(struct scenario *s, unsigned int port, const uint8_t *frame, size_t len)
{
	struct live *l = s->at;
	struct live_doors now;

	if (send(l->ports[port].fd, frame, len, 0) != (ssize_t)len)
		fprintf(stderr, "%s: cannot send: %s\n", s->name, strerror(errno));
	for (unsigned int ms = 0; ms < ANSWER_MS; ms += LOOK_MS) {
		if (live_pump(s, LOOK_MS, something_came))
			break;
		now = doors_look(s);
		if (now.dropped > l->seen.dropped) {
			/* Its ICMP message may still be on the way. */
			if (now.generated > l->seen.generated)
				live_pump(s, ANSWER_MS, something_came);
			l->seen = now;
			return;
		}
	}
	if (l->ports[port].n) /* it came back: dropped and answered */
		l->seen = doors_look(s);
}

static size_t live_take(struct scenario *s, unsigned int port, uint8_t frame[FRAME_MAX])
{
	struct live_port *p = &((struct live *)s->at)->ports[port];
	size_t len;

	live_pump(s, 0, NULL);
	if (p->n == 0)
		return 0;
	len = p->queue[0].len;
	memcpy(frame, p->queue[0].bytes, len);
	p->n--;
	memmove(&p->queue[0], &p->queue[1], p->n * sizeof(p->queue[0]));
	return len;
}

static bool live_left_to_linux(struct scenario *s)
{
	(void)s;
	return false;
}

static bool live_has(struct scenario *s, uint8_t proto, const struct played *c)
{
	const struct endpoint client = {.addr = c->client, .port = c->cport};
	const struct endpoint dest = {.addr = c->dest, .port = c->dport};
	char a[ENDPOINT_STRLEN], b[ENDPOINT_STRLEN];
	json_t *found = live_ask(s, "connection.find",
				 json_pack("{s:s, s:s, s:s}", "protocol",
					   proto == IPPROTO_TCP ? "tcp" : "udp", "client",
					   endpoint_format(&client, a, sizeof(a)), "virtual",
					   endpoint_format(&dest, b, sizeof(b))),
				 NULL);

	json_decref(found);
	return found != NULL;
}

static int live_sleep(struct scenario *s, unsigned int seconds)
{
	int longest = number_of(stand, "longest_sleep", 400);

	if (seconds > (unsigned int)longest)
		return scenario_fail(s, -ETIME, "a sleep of %u s is longer than %d s", seconds,
				     longest);
	live_pump(s, seconds * 1000, NULL);
	return 0;
}

/* --- changes --- */

static int asked(struct scenario *s, const char *method, json_t *params)
{
	json_t *result = live_ask(s, method, params, NULL);

	json_decref(result);
	return result ? 0 : -EPROTO;
}

static int live_change(struct scenario *s, const char *op, const char *service, const char *server,
		       json_t *object)
{
	if (strcmp(op, "add") == 0)
		return asked(s, "server.add",
			     json_pack("{s:s, s:O}", "service", service, "server", object));
	if (strcmp(op, "edit") == 0)
		return asked(s, "server.edit",
			     json_pack("{s:s, s:s, s:O}", "service", service, "server", server,
				       "set", object));
	return asked(s, "server.delete",
		     json_pack("{s:s, s:s}", "service", service, "server", server));
}

static int live_edit(struct scenario *s, const char *service, json_t *set)
{
	return asked(s, "service.edit", json_pack("{s:s, s:O}", "service", service, "set", set));
}

static json_int_t sum_of(const json_t *doors, const char *const *names)
{
	json_int_t sum = 0;

	for (; *names; names++)
		sum += json_integer_value(json_object_get(doors, *names));
	return sum;
}

static bool live_doors(struct scenario *s, char text[256])
{
	static const char *const in[] = {"received", "ring_in", "injected", "generated", NULL};
	static const char *const out[] = {"sent",    "handed_off", "punted", "answered",
					  "dropped", "parked",	   NULL};

	/* A probe of a neighbour may be on its way. */
	for (int tries = 0; tries < 20; tries++) {
		json_t *o = live_ask(s, "status", NULL, NULL);
		json_t *doors = json_object_get(o, "doors");
		bool equal = doors && sum_of(doors, in) == sum_of(doors, out);

		snprintf(text, 256, "in %lld, out %lld", (long long)sum_of(doors, in),
			 (long long)sum_of(doors, out));
		json_decref(o);
		if (equal)
			return true;
		live_pump(s, 50, NULL);
	}
	return false;
}

const struct router *router_live(json_t *doc)
{
	static const struct router router = {
		.open = live_open,
		.close = live_close,
		.change = live_change,
		.edit = live_edit,
		.send = live_send,
		.take = live_take,
		.left_to_linux = live_left_to_linux,
		.has = live_has,
		.sleep = live_sleep,
		.list = live_list,
		.stats = live_stats,
		.conns = live_conns,
		.doors_add_up = live_doors,
	};

	stand = doc;
	return &router;
}
