/* SPDX-License-Identifier: BSD-3-Clause */
/* From the values of a ldirectord.cf to objects of an LVS. */
#include <netinet/in.h>
#include <string.h>

#include "import/ldirectord.h"

#define INTERVAL_DEFAULT  10U
#define CHECK_DEFAULT	  5U
#define NEGOTIATE_DEFAULT 30U
#define FAILURES_DEFAULT  1U

/* ---- defaults: of the virtual, else global ---- */

static const struct ldir_value *value_of(const struct ldir *cf, const struct ldir_virtual *v,
					 enum ldir_key key)
{
	return v->v[key].at.line ? &v->v[key] : &cf->v[key];
}

static uint32_t number_of(const struct ldir *cf, const struct ldir_virtual *v, enum ldir_key key,
			  uint32_t otherwise)
{
	const struct ldir_value *value = value_of(cf, v, key);

	return value->at.line ? value->number : otherwise;
}

/* Each of the two time-outs stands for the other. */
static void timeouts_of(struct ldir_context *c)
{
	const struct ldir_value *own = c->v->v, *global = c->cf->v;
	const struct ldir_value *check[] = {&own[K_CHECKTIMEOUT], &own[K_NEGOTIATETIMEOUT],
					    &global[K_CHECKTIMEOUT], &global[K_NEGOTIATETIMEOUT]};
	const struct ldir_value *talk[] = {&own[K_NEGOTIATETIMEOUT], &own[K_CHECKTIMEOUT],
					   &global[K_NEGOTIATETIMEOUT], &global[K_CHECKTIMEOUT]};

	c->check_ms = CHECK_DEFAULT * 1000;
	c->negotiate_ms = NEGOTIATE_DEFAULT * 1000;
	for (int i = 3; i >= 0; i--) {
		if (check[i]->at.line)
			c->check_ms = check[i]->number * 1000;
		if (talk[i]->at.line)
			c->negotiate_ms = talk[i]->number * 1000;
	}
}

static void interval_of(struct ldir_context *c)
{
	const struct ldir_value *own = &c->v->v[K_CHECKINTERVAL];
	const struct ldir_value *global = &c->cf->v[K_CHECKINTERVAL];
	uint32_t seconds = global->at.line ? global->number : INTERVAL_DEFAULT;

	if (own->at.line && c->cf->v[K_FORK].number)
		seconds = own->number;
	else if (own->at.line)
		note(c->im, own->at, NOTE_DROPPED,
		     "checkinterval: a virtual's own is ignored without fork=yes: %u s is taken",
		     seconds);
	c->interval_ms = seconds * 1000;
}

/* ---- the virtual ---- */

static bool protocol_of(struct importer *im, const struct ldir_virtual *v, bool mark,
			uint8_t *protocol)
{
	const struct ldir_value *said = &v->v[K_PROTOCOL];

	*protocol = IPPROTO_TCP;
	if (!said->at.line)
		return false;
	if (strcmp(said->text, "udp") == 0)
		*protocol = IPPROTO_UDP;
	else if (strcmp(said->text, "tcp") != 0 && strcmp(said->text, "fwm") != 0)
		note(im, said->at, NOTE_ERROR, "protocol: expected tcp, udp or fwm");
	if (mark != (strcmp(said->text, "fwm") == 0))
		note(im, said->at, NOTE_ERROR, "protocol %s does not fit virtual=%s", said->text,
		     v->text);
	return true;
}

/* false: noted. */
static bool virtual_address(struct importer *im, const struct ldir_virtual *v,
			    struct lvs_service *svc)
{
	char *copy = arena_copy(im, v->text, strlen(v->text)), *host = copy, *colon;
	uint8_t protocol;
	const char *name, *why;
	uint64_t mark;
	struct addr a;
	uint32_t port;
	bool said;

	svc->v6 = v->v6;
	if (number_parse(v->text, UINT32_MAX, &mark)) {
		protocol_of(im, v, true, &protocol);
		svc->mark = (uint32_t)mark;
		if (mark == 0)
			note(im, v->at, NOTE_ERROR, "virtual=0 is no mark");
		return mark != 0;
	}
	if (*copy == '[') {
		host = copy + 1;
		colon = strchr(host, ']');
		if (colon)
			*colon++ = '\0';
	} else {
		colon = strrchr(copy, ':');
	}
	said = protocol_of(im, v, false, &protocol);
	if (!colon || *colon != ':' || port_lookup(colon + 1, protocol_name(protocol), &port) < 0 ||
	    !port) {
		note(im, v->at, NOTE_ERROR,
		     "virtual=%.64s: expected ADDRESS:PORT, or a mark's number", v->text);
		return false;
	}
	*colon = '\0';
	if (host_lookup(im, host, v->v6, &a, &name, &why) < 0) {
		note(im, v->at, NOTE_LOST, "virtual: %s", why);
		return false;
	}
	if (name)
		note(im, v->at, NOTE_NOTICE, "virtual: the name %s was resolved once", name);
	svc->protocol = port == 53 && !said ? IPPROTO_UDP : protocol;
	if (port == 53 && !said)
		note(im, v->at, NOTE_NOTICE, "port 53 makes it a UDP service");
	listener_new(im, svc, v->at, &a, port);
	return true;
}

static void flags_of(struct importer *im, const struct ldir_virtual *v, struct lvs_service *svc)
{
	const struct ldir_value *flags = &v->v[K_SCHEDFLAGS];
	char *copy, *save = NULL;
	bool hashes = strcmp(svc->scheduler, "sh") == 0 || strcmp(svc->scheduler, "mh") == 0;

	if (!flags->at.line)
		return;
	if (!hashes) {
		note(im, flags->at, NOTE_DROPPED, "schedflags: scheduler %s has none",
		     svc->scheduler);
		return;
	}
	copy = arena_copy(im, flags->text, strlen(flags->text));
	for (char *w = strtok_r(copy, ", ", &save); w; w = strtok_r(NULL, ", ", &save)) {
		if (strstr(w, "-fallback") || strcmp(w, "flag-1") == 0)
			svc->flags |= LVS_FALLBACK;
		else if (strstr(w, "-port") || strcmp(w, "flag-2") == 0)
			svc->flags |= LVS_PORT;
		else
			note(im, flags->at, NOTE_ERROR, "schedflags: \"%.32s\" is no flag", w);
	}
}

static void netmask_of(struct importer *im, const struct ldir_virtual *v, struct lvs_service *svc)
{
	const struct ldir_value *mask = &v->v[K_NETMASK];
	uint64_t len;

	if (!mask->at.line)
		return;
	if (v->v6 ? number_parse(mask->text, 128, &len) && len
		  : netmask_parse(mask->text, &svc->netmask) && svc->netmask != LVS_MASK_ALL)
		svc->netmask = v->v6 ? (uint32_t)len : svc->netmask;
	else
		note(im, mask->at, NOTE_ERROR, "netmask: expected %s",
		     v->v6 ? "a prefix length" : "a dotted netmask");
	if (!svc->persistence_s)
		note(im, mask->at, NOTE_DROPPED, "netmask has no meaning without persistent");
}

static void scheduling_of(struct importer *im, const struct ldir_virtual *v,
			  struct lvs_service *svc)
{
	const struct ldir_value *s = &v->v[K_SCHEDULER];

	svc->scheduler = s->at.line ? scheduler_find(s->text) : "wrr";
	if (!svc->scheduler) {
		note(im, s->at, NOTE_ERROR, "scheduler: \"%.32s\" is no scheduler of plvs",
		     s->text);
		svc->scheduler = "wrr";
	}
	svc->persistence_s = v->v[K_PERSISTENT].number;
	svc->one_packet = v->v[K_OPS].number;
	if (v->v[K_OPS].at.line && !svc->one_packet)
		note(im, v->v[K_OPS].at, NOTE_DROPPED, "ops=no is the default");
	flags_of(im, v, svc);
	netmask_of(im, v, svc);
}

/* ---- its servers ---- */

static uint32_t real_port(struct importer *im, const struct ldir_real *real,
			  const struct lvs_service *svc)
{
	uint32_t port = svc->listeners ? svc->listeners->port : 0;

	if (real->port_text &&
	    port_lookup(real->port_text, protocol_name(svc->protocol), &port) < 0)
		note(im, real->at, NOTE_ERROR, "port \"%.32s\": expected a number or a name",
		     real->port_text);
	return port;
}

static struct lvs_server *real_add(struct importer *im, const struct ldir_real *real,
				   struct lvs_service *svc, uint32_t offset)
{
	struct lvs_server *s = server_new(im, svc, real->at);

	s->addr = real->first;
	if (offset)
		s->addr.v4 = be32_from(be32_to(real->first.v4) + offset);
	s->host = real->host;
	s->port = real_port(im, real, svc);
	s->method = real->method;
	s->weight = real->weight;
	s->upper = real->upper;
	s->lower = real->lower;
	if (real->lower > real->upper && real->upper)
		note(im, real->at, NOTE_ERROR, "l:%u is above u:%u", real->lower, real->upper);
	return s;
}

static void reals_map(struct ldir_context *c, struct lvs_service *svc)
{
	for (const struct ldir_real *r = c->v->reals; r; r = r->next) {
		uint32_t n = 1;

		if (r->lost) {
			struct lvs_server *s = server_new(c->im, svc, r->at);

			s->host = r->host;
			s->lost = r->lost;
			continue;
		}
		if (r->first.family == ADDR_V4)
			n += be32_to(r->last.v4) - be32_to(r->first.v4);
		for (uint32_t i = 0; i < n; i++)
			ldir_checks(c, r, real_add(c->im, r, svc, i));
	}
}

static void fallback_map(struct ldir_context *c, struct lvs_service *svc)
{
	enum ldir_key key = c->v->v6 ? K_FALLBACK6 : K_FALLBACK;
	const struct ldir_value *v = value_of(c->cf, c->v, key);
	struct ldir_real real;
	struct lvs_server *s;

	if (!v->at.line)
		return;
	if (!ldir_real_parse(c->im, v->at, v->text, c->v->v6, true, &real))
		return;
	if (real.lost) {
		note(c->im, v->at, NOTE_UNSAID, "fallback of %s: %s", service_text(c->im, svc),
		     real.lost);
		return;
	}
	s = real_add(c->im, &real, svc, 0);
	s->weight = 1;
	s->sorry = true;
}

static void command_note(struct importer *im, const struct ldir_value *v)
{
	if (v->at.line)
		note(im, v->at, NOTE_UNSAID,
		     "fallbackcommand: ran as COMMAND start|stop VIP:PORT PROTOCOL by a shell when "
		     "the last "
		     "server went; node.notify.health gets quorum events as JSON on standard "
		     "input, so a "
		     "wrapper is needed: the command is not taken over");
}

static void service_of(struct ldir_context *c)
{
	const struct ldir_value *said = &c->v->v[K_SERVICE];

	c->vport = c->svc->listeners ? c->svc->listeners->port : 0;
	c->service = said->at.line ? said->text : ldir_service_of_port(c->vport);
	if (!ldir_service_find(c->service, &c->service_port))
		note(c->im, said->at, NOTE_ERROR, "service: \"%.32s\" is no service of ldirectord",
		     c->service);
}

static void virtual_map(struct importer *im, const struct ldir *cf, const struct ldir_virtual *v)
{
	struct ldir_context c = {.im = im, .cf = cf, .v = v};
	const struct ldir_value *type = &v->v[K_CHECKTYPE];
	struct lvs_service *svc = arena_alloc(im, sizeof(*svc)), *listed;

	if (!virtual_address(im, v, svc))
		return;
	listed = service_new(im, v->at);
	listed->protocol = svc->protocol;
	listed->mark = svc->mark;
	listed->v6 = svc->mark && v->v6;
	listed->listeners = svc->listeners;
	listed->n_listeners = svc->n_listeners;
	svc = listed;
	svc->name = v->v[K_SERVICENAME].text;
	svc->quiesce = number_of(cf, v, K_QUIESCENT, 0) ? SWITCH_ON : SWITCH_OFF;
	if (svc->mark)
		note(im, v->at, NOTE_UNSAID,
		     "mark %u: the netfilter rules that set it are in no such file: shared.marks "
		     "is to be "
		     "written by hand",
		     svc->mark);
	scheduling_of(im, v, svc);
	c.svc = svc;
	c.fall = number_of(cf, v, K_FAILURECOUNT, FAILURES_DEFAULT);
	timeouts_of(&c);
	interval_of(&c);
	service_of(&c);
	if (type->at.line && strcmp(type->text, "off") == 0) {
		note(im, type->at, NOTE_DIFFERS,
		     "checktype off: no real server and no fallback is ever added: the service is "
		     "imported "
		     "without servers and refuses everything");
	} else {
		reals_map(&c, svc);
		fallback_map(&c, svc);
	}
	command_note(im, &v->v[K_FALLBACKCOMMAND]);
}

/* ---- what is said once ---- */

static void globals_note(struct importer *im, const struct ldir *cf)
{
	const struct ldir_value *g = cf->v;
	struct origin whole = {cf->virtuals->at.file, 0};

	command_note(im, &g[K_FALLBACKCOMMAND]);
	if (g[K_EXECUTE].at.line)
		note(im, g[K_EXECUTE].at, NOTE_DIFFERS,
		     "execute: a second file, %.128s, is to be imported as well",
		     g[K_EXECUTE].text);
	if (g[K_FORK].at.line)
		note(im, g[K_FORK].at, NOTE_DROPPED,
		     "fork: in plvs no check waits for another, whatever this says");
	if (g[K_CHECKCOUNT].at.line)
		note(im, g[K_CHECKCOUNT].at, NOTE_NOTICE, "checkcount: counts for pings only");
	if (g[K_QUIESCENT].at.line && g[K_QUIESCENT].number)
		note(im, g[K_QUIESCENT].at, NOTE_DIFFERS,
		     "quiescent: IPVS goes on sending persistent clients to a dead server, plvs "
		     "chooses "
		     "another for them");
	if (g[K_FALLBACK].at.line)
		note(im, g[K_FALLBACK].at, NOTE_NOTICE,
		     "fallback: a sorry server of every service without its own, with the "
		     "service's port "
		     "where none is written");
	if (!g[K_QUIESCENT].at.line)
		note(im, whole, NOTE_NOTICE,
		     "quiescent is not said: no, as the code of ldirectord has it (its manual says "
		     "yes)");
	note(im, whole, NOTE_NOTICE,
	     "a server gets connections after its first good check, as with ldirectord; prefix "
	     "length and "
	     "link of the VIPs are in no such file");
}

void ldir_map(struct importer *im, const struct ldir *cf)
{
	if (!cf->virtuals)
		return;
	for (const struct ldir_virtual *v = cf->virtuals; v; v = v->next)
		virtual_map(im, cf, v);
	globals_note(im, cf);
}
