/* SPDX-License-Identifier: BSD-3-Clause */
/* The kind of check that a virtual of ldirectord has. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "import/ldirectord.h"

static const struct {
	const char *name;
	uint16_t port;
} services[] = {
	{"ftp", 21},	      {"smtp", 25},    {"dns", 53},   {"http", 80},	{"pop", 110},
	{"nntp", 119},	      {"imap", 143},   {"ldap", 389}, {"https", 443},	{"submission", 587},
	{"ldaps", 636},	      {"imaps", 993},  {"pops", 995}, {"oracle", 1521}, {"radius", 1812},
	{"http_proxy", 3128}, {"mysql", 3306}, {"sip", 5060}, {"pgsql", 5432},	{"none", 0},
	{"simpletcp", 0},
};
#define N_SERVICES (sizeof(services) / sizeof(services[0]))

const char *ldir_service_of_port(uint32_t port)
{
	for (size_t i = 0; i < N_SERVICES; i++)
		if (port && services[i].port == port)
			return services[i].name;
	return "none";
}

bool ldir_service_find(const char *name, uint32_t *port)
{
	for (size_t i = 0; i < N_SERVICES; i++) {
		if (strcmp(services[i].name, name) != 0)
			continue;
		*port = services[i].port;
		return true;
	}
	return false;
}

/* Where the check stands, for messages: the most telling line. */
static struct origin check_at(const struct ldir_context *c, const struct ldir_real *real)
{
	static const enum ldir_key keys[] = {K_RECEIVE, K_CHECKCOMMAND, K_CHECKTYPE, K_SERVICE};

	if (real->request || real->receive)
		return real->at;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (c->v->v[keys[i]].at.line)
			return c->v->v[keys[i]].at;
	return c->v->at;
}

static uint32_t port_of_check(const struct ldir_context *c, const struct lvs_server *s)
{
	const struct ldir_value *said = &c->v->v[K_CHECKPORT];
	uint64_t port;

	if (said->at.line && number_parse(said->text, 65535, &port) && port)
		return (uint32_t)port;
	if (said->at.line)
		note(c->im, said->at, NOTE_ERROR, "checkport: expected a number from 1 to 65535");
	return s->port ? s->port : c->service_port;
}

static struct lvs_check *check_begin(const struct ldir_context *c, const struct ldir_real *real,
				     const struct lvs_server *s, const char *type, uint32_t timeout)
{
	struct lvs_check *check = check_make(c->im, check_at(c, real), type);

	check->interval_ms = c->interval_ms;
	check->timeout_ms = timeout;
	check->fall = c->fall;
	check->rise = 1;
	check->port = strcmp(type, "icmp") == 0 ? 0 : port_of_check(c, s);
	return check;
}

static void ping_add(const struct ldir_context *c, const struct ldir_real *real,
		     struct lvs_server *s)
{
	const struct ldir_value *own = &c->v->v[K_CHECKCOUNT];
	const struct ldir_value *count = own->at.line ? own : &c->cf->v[K_CHECKCOUNT];
	uint32_t n = count->at.line ? count->number : 1;
	struct lvs_check *check = check_begin(c, real, s, "icmp", c->check_ms);

	if (n > 1 && n <= 100) {
		check->timeout_ms *= n;
		note(c->im, count->at, NOTE_DIFFERS,
		     "checkcount %u: a round of ldirectord failed after %u pings of %u ms; one "
		     "probe with a "
		     "time limit of %u ms is written",
		     n, n, c->check_ms, check->timeout_ms);
	}
	check_add(c->im, s, check);
}

static void connect_add(const struct ldir_context *c, const struct ldir_real *real,
			struct lvs_server *s)
{
	if (c->svc->protocol != IPPROTO_UDP) {
		check_add(c->im, s, check_begin(c, real, s, "tcp", c->check_ms));
		return;
	}
	note(c->im, check_at(c, real), NOTE_NOTICE, "connect of a UDP service is a ping");
	ping_add(c, real, s);
}

/* The nearest safe check where there is no equal. */
static void nearest_add(const struct ldir_context *c, const struct ldir_real *real,
			struct lvs_server *s, uint32_t timeout)
{
	const char *type = c->svc->protocol == IPPROTO_UDP ? "icmp" : "tcp";

	check_add(c->im, s, check_begin(c, real, s, type, timeout));
}

static void external_add(const struct ldir_context *c, const struct ldir_real *real,
			 struct lvs_server *s)
{
	const struct ldir_value *command = &c->v->v[K_CHECKCOMMAND];
	struct lvs_check *check;

	if (!command->at.line || command->text[0] != '/') {
		note(c->im, check_at(c, real), NOTE_UNSAID,
		     "external: checkcommand is no absolute path: imported as a %s, which is "
		     "weaker",
		     c->svc->protocol == IPPROTO_UDP ? "ping" : "connection");
		nearest_add(c, real, s, c->check_ms);
		return;
	}
	if (strpbrk(command->text, " \t"))
		note(c->im, command->at, NOTE_DIFFERS,
		     "checkcommand has a blank: ldirectord runs no shell, so it takes all of it as "
		     "the "
		     "program's name; kept so");
	check = check_begin(c, real, s, "exec", c->check_ms);
	check->port = 0;
	word_add(c->im, &check->argv, command->text);
	word_add(c->im, &check->argv, c->vport ? "%v" : arena_printf(c->im, "%u", c->svc->mark));
	word_add(c->im, &check->argv, c->vport ? arena_printf(c->im, "%u", c->vport) : "0");
	word_add(c->im, &check->argv, "%h");
	word_add(c->im, &check->argv, "%p");
	note(c->im, command->at, NOTE_DIFFERS,
	     "checkcommand: ldirectord ran it as root, plvs runs it as nobody unless exec.user "
	     "says "
	     "otherwise");
	check_add(c->im, s, check);
}

/* rounds: of which one negotiates. */
static void negotiate_add(const struct ldir_context *c, const struct ldir_real *real,
			  struct lvs_server *s, uint32_t rounds)
{
	struct lvs_check *check = check_begin(c, real, s, "tcp", c->negotiate_ms);

	check->interval_ms *= rounds;
	if (ldir_negotiate(c, real, s, check))
		check_add(c->im, s, check);
}

/* N connects, then one negotiation. */
static void combined_add(const struct ldir_context *c, const struct ldir_real *real,
			 struct lvs_server *s, const char *digits)
{
	unsigned long n = strtoul(digits, NULL, 10);

	n = n < 1000 ? n : 1000;
	note(c->im, c->v->v[K_CHECKTYPE].at, NOTE_DIFFERS,
	     "checktype %lu: so many connects for each negotiation: two checks are written, the "
	     "second with an interval of %lu rounds; both must be good",
	     n, n + 1);
	connect_add(c, real, s);
	negotiate_add(c, real, s, (uint32_t)n + 1);
}

void ldir_checks(const struct ldir_context *c, const struct ldir_real *real, struct lvs_server *s)
{
	const struct ldir_value *said = &c->v->v[K_CHECKTYPE];
	const char *type = said->at.line ? said->text : "negotiate";

	if (strcmp(type, "negotiate") == 0) {
		negotiate_add(c, real, s, 1);
	} else if (strcmp(type, "connect") == 0) {
		connect_add(c, real, s);
	} else if (strcmp(type, "ping") == 0) {
		ping_add(c, real, s);
	} else if (strcmp(type, "external") == 0) {
		external_add(c, real, s);
	} else if (strcmp(type, "external-perl") == 0) {
		note(c->im, said->at, NOTE_UNSAID,
		     "external-perl: code that runs inside of ldirectord has no equal: imported as "
		     "a %s, "
		     "which is weaker; a check of type exec with a wrapper could run it",
		     c->svc->protocol == IPPROTO_UDP ? "ping" : "connection");
		nearest_add(c, real, s, c->check_ms);
	} else if (strcmp(type, "on") == 0) {
		note(c->im, said->at, NOTE_NOTICE, "checktype on: always up, no check");
	} else if (strpbrk(type, "0123456789")) {
		combined_add(c, real, s, strpbrk(type, "0123456789"));
	} else if (strcmp(type, "off") != 0) {
		note(c->im, said->at, NOTE_ERROR,
		     "checktype: \"%.32s\": expected negotiate, connect, ping, external, "
		     "external-perl, off, "
		     "on or a number",
		     type);
	}
}
