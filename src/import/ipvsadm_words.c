/* SPDX-License-Identifier: BSD-3-Clause */
/* The words of a line of ipvsadm: options by letter or name, values glued, behind = or next. */
#include "import/ipvsadm_words.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "model/limits.h"

#define WORDS_MAX 64U

enum takes {
	TAKES_NOTHING,
	TAKES_VALUE,
	TAKES_PERHAPS, /* the next word, unless that begins with - */
};

/* key: what the option is to the parser below; letters stand for themselves. */
enum key {
	KEY_SET = 256,
	KEY_START,
	KEY_STOP,
	KEY_SCTP,
	KEY_PE,
	KEY_TUN_TYPE,
	KEY_TUN_PORT,
	KEY_TUN_NOCSUM,
	KEY_TUN_CSUM,
	KEY_TUN_REMCSUM,
	KEY_IGNORED,
};

static const struct option_row {
	const char *name;
	char letter;
	uint8_t takes;
	int key;
} options[] = {
	{"add-service", 'A', TAKES_NOTHING, 'A'},
	{"edit-service", 'E', TAKES_NOTHING, 'E'},
	{"delete-service", 'D', TAKES_NOTHING, 'D'},
	{"clear", 'C', TAKES_NOTHING, 'C'},
	{"restore", 'R', TAKES_NOTHING, 'L'},
	{"save", 'S', TAKES_NOTHING, 'L'},
	{"add-server", 'a', TAKES_NOTHING, 'a'},
	{"edit-server", 'e', TAKES_NOTHING, 'e'},
	{"delete-server", 'd', TAKES_NOTHING, 'd'},
	{"list", 'L', TAKES_NOTHING, 'L'},
	{"list", 'l', TAKES_NOTHING, 'L'},
	{"zero", 'Z', TAKES_NOTHING, 'L'},
	{"set", 0, TAKES_VALUE, KEY_SET},
	{"start-daemon", 0, TAKES_VALUE, KEY_START},
	{"stop-daemon", 0, TAKES_VALUE, KEY_STOP},
	{"tcp-service", 't', TAKES_VALUE, 't'},
	{"udp-service", 'u', TAKES_VALUE, 'u'},
	{"sctp-service", 0, TAKES_VALUE, KEY_SCTP},
	{"fwmark-service", 'f', TAKES_VALUE, 'f'},
	{"ipv6", '6', TAKES_NOTHING, '6'},
	{"scheduler", 's', TAKES_VALUE, 's'},
	{"persistent", 'p', TAKES_PERHAPS, 'p'},
	{"netmask", 'M', TAKES_VALUE, 'M'},
	{"pe", 0, TAKES_VALUE, KEY_PE},
	{"ops", 'o', TAKES_NOTHING, 'o'},
	{"sched-flags", 'b', TAKES_VALUE, 'b'},
	{"real-server", 'r', TAKES_VALUE, 'r'},
	{"gatewaying", 'g', TAKES_NOTHING, 'g'},
	{"ipip", 'i', TAKES_NOTHING, 'i'},
	{"masquerading", 'm', TAKES_NOTHING, 'm'},
	{"weight", 'w', TAKES_VALUE, 'w'},
	{"u-threshold", 'x', TAKES_VALUE, 'x'},
	{"l-threshold", 'y', TAKES_VALUE, 'y'},
	{"tun-type", 0, TAKES_VALUE, KEY_TUN_TYPE},
	{"tun-port", 0, TAKES_VALUE, KEY_TUN_PORT},
	{"tun-nocsum", 0, TAKES_NOTHING, KEY_TUN_NOCSUM},
	{"tun-csum", 0, TAKES_NOTHING, KEY_TUN_CSUM},
	{"tun-remcsum", 0, TAKES_NOTHING, KEY_TUN_REMCSUM},
	{"mcast-interface", 0, TAKES_VALUE, KEY_IGNORED},
	{"syncid", 0, TAKES_VALUE, KEY_IGNORED},
	{"sync-maxlen", 0, TAKES_VALUE, KEY_IGNORED},
	{"mcast-group", 0, TAKES_VALUE, KEY_IGNORED},
	{"mcast-port", 0, TAKES_VALUE, KEY_IGNORED},
	{"mcast-ttl", 0, TAKES_VALUE, KEY_IGNORED},
	{"numeric", 'n', TAKES_NOTHING, KEY_IGNORED},
	{"exact", 0, TAKES_NOTHING, KEY_IGNORED},
	{"nosort", 0, TAKES_NOTHING, KEY_IGNORED},
	{"sort", 0, TAKES_NOTHING, KEY_IGNORED},
};

struct parser {
	struct importer *im;
	struct origin at;
	char *words[WORDS_MAX + 1];
	size_t n, i;
	struct ipvsadm_command *c;
	const char *service; /* as written, and its option */
	int service_key;
	const char *server, *netmask;
	bool failed;
};

static void fault(struct parser *p, const char *what, const char *value, const char *expected)
{
	note(p->im, p->at, NOTE_ERROR, "%s \"%.64s\": expected %s", what, value, expected);
	p->failed = true;
}

/* ---- endpoints ---- */

/* "HOST", "HOST:PORT", "[V6]:PORT". false: noted. */
static bool endpoint_take(struct parser *p, const char *text, const char *protocol,
			  struct addr *addr, const char **host, uint32_t *port, bool *said)
{
	char *copy = arena_copy(p->im, text, strlen(text)), *name = copy, *colon;
	const char *why;

	*said = false;
	if (*copy == '[') {
		name = copy + 1;
		colon = strchr(name, ']');
		if (!colon) {
			fault(p, "address", text, "[ADDRESS]:PORT");
			return false;
		}
		*colon++ = '\0';
		colon = *colon == ':' ? colon : NULL;
	} else {
		colon = strchr(copy, ':');
		if (colon && strchr(colon + 1, ':'))
			colon = NULL; /* IPv6 without brackets */
	}
	if (colon) {
		*colon = '\0';
		*said = true;
		if (port_lookup(colon + 1, protocol, port) < 0) {
			fault(p, "port", colon + 1,
			      "a number from 0 to 65535, or a service's name");
			return false;
		}
	}
	if (host_lookup(p->im, name, *text == '[', addr, host, &why) == 0)
		return true;
	note(p->im, p->at, NOTE_ERROR, "%s", why);
	p->failed = true;
	return false;
}

static const char *protocol_of(int key)
{
	return key == 'u' ? "udp" : key == KEY_SCTP ? "sctp" : "tcp";
}

static void service_take(struct parser *p)
{
	struct ipvsadm_command *c = p->c;
	const char *host;
	uint64_t mark;
	bool said;

	if (!p->service) {
		fault(p, "service", "", "one of -t, -u, --sctp-service, -f");
		return;
	}
	if (p->service_key == 'f') {
		if (!number_parse(p->service, UINT32_MAX, &mark) || !mark)
			fault(p, "mark", p->service, "a number from 1 to 4294967295");
		else
			c->mark = (uint32_t)mark;
		return;
	}
	c->protocol = p->service_key == 'u'	   ? IPPROTO_UDP
		      : p->service_key == KEY_SCTP ? IPPROTO_SCTP
						   : IPPROTO_TCP;
	if (!endpoint_take(p, p->service, protocol_of(p->service_key), &c->vip, &host, &c->vip_port,
			   &said))
		return;
	c->v6 = c->vip.family == ADDR_V6;
	if (host)
		note(p->im, p->at, NOTE_NOTICE, "the name %s was resolved once", host);
}

static void netmask_take(struct parser *p)
{
	uint64_t len;

	if (!p->netmask)
		return;
	if (p->c->v6 ? number_parse(p->netmask, 128, &len) && len
		     : netmask_parse(p->netmask, &p->c->netmask)) {
		if (p->c->v6)
			p->c->netmask = (uint32_t)len;
		return;
	}
	fault(p, "netmask", p->netmask, p->c->v6 ? "a prefix length" : "a dotted netmask");
}

/* ---- options ---- */

static void number_take(struct parser *p, const char *what, const char *value, uint32_t max,
			uint32_t *out)
{
	uint64_t n;

	if (number_parse(value, max, &n))
		*out = (uint32_t)n;
	else
		fault(p, what, value, arena_printf(p->im, "a number from 0 to %u", max));
}

static void flags_take(struct parser *p, const char *value)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} names[] = {
		{"sh-fallback", LVS_FALLBACK}, {"mh-fallback", LVS_FALLBACK},
		{"flag-1", LVS_FALLBACK},      {"sh-port", LVS_PORT},
		{"mh-port", LVS_PORT},	       {"flag-2", LVS_PORT},
		{"flag-3", IPVSADM_FLAG_3},
	};
	char *copy = arena_copy(p->im, value, strlen(value)), *save = NULL;

	for (char *w = strtok_r(copy, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		size_t i = 0;

		while (i < sizeof(names) / sizeof(names[0]) && strcmp(names[i].name, w) != 0)
			i++;
		if (i == sizeof(names) / sizeof(names[0]))
			fault(p, "--sched-flags", w,
			      "sh-fallback, sh-port, mh-fallback or mh-port");
		else
			p->c->flags |= names[i].flag;
	}
}

static void set_take(struct parser *p, const char *value)
{
	number_take(p, "--set", value, 31 * 86400, &p->c->set[0]);
	for (int k = 1; k < 3; k++) {
		if (p->i == p->n) {
			fault(p, "--set", value, "three numbers");
			return;
		}
		number_take(p, "--set", p->words[p->i++], 31 * 86400, &p->c->set[k]);
	}
}

static void verb_take(struct parser *p, char verb, const char *word)
{
	if (p->c->verb && p->c->verb != verb) {
		fault(p, "option", word, "one command a line");
		return;
	}
	p->c->verb = verb;
	p->c->verb_text = word;
}

static void tunnel_option(struct parser *p, int key, const char *value)
{
	struct encap *tunnel = &p->c->tunnel;
	uint32_t port = 0;

	if (key == KEY_TUN_TYPE) {
		if (!lvs_tunnel_type(value, &tunnel->type))
			fault(p, "--tun-type", value, "ipip, gue or gre");
	} else if (key == KEY_TUN_PORT) {
		number_take(p, "--tun-port", value, UINT16_MAX, &port);
		tunnel->port = be16_from((uint16_t)port);
	} else {
		tunnel->checksum = key == KEY_TUN_CSUM	    ? ENCAP_CHECKSUM
				   : key == KEY_TUN_REMCSUM ? ENCAP_REMOTE_CHECKSUM
							    : ENCAP_NO_CHECKSUM;
	}
}

static void server_option(struct parser *p, int key, const char *value)
{
	struct ipvsadm_command *c = p->c;

	if (key == 'r')
		p->server = value;
	else if (key == 'w')
		number_take(p, "weight", value, MAX_WEIGHT, &c->weight);
	else if (key == 'x')
		number_take(p, "upper threshold", value, UINT32_MAX, &c->upper);
	else if (key == 'y')
		number_take(p, "lower threshold", value, UINT32_MAX, &c->lower);
	else if (key == 'g' || key == 'i' || key == 'm')
		c->method = key == 'g' ? METHOD_DR : key == 'i' ? METHOD_TUNNEL : METHOD_NAT;
}

static void option_do(struct parser *p, int key, const char *word, const char *value)
{
	struct ipvsadm_command *c = p->c;

	switch (key) {
	case KEY_SET:
		verb_take(p, 'S', word);
		set_take(p, value);
		break;
	case KEY_START:
	case KEY_STOP:
		verb_take(p, 'Y', word);
		break;
	case 't':
	case 'u':
	case KEY_SCTP:
	case 'f':
		p->service = value;
		p->service_key = key;
		break;
	case '6':
		c->v6 = true;
		break;
	case 's':
		c->scheduler = value;
		break;
	case 'p':
		c->persistent = 300;
		if (value)
			number_take(p, "persistence", value, 31 * 86400, &c->persistent);
		break;
	case 'M':
		p->netmask = value;
		break;
	case KEY_PE:
		c->pe = value;
		break;
	case 'o':
		c->ops = true;
		break;
	case 'b':
		flags_take(p, value);
		break;
	case KEY_TUN_TYPE:
	case KEY_TUN_PORT:
	case KEY_TUN_NOCSUM:
	case KEY_TUN_CSUM:
	case KEY_TUN_REMCSUM:
		tunnel_option(p, key, value);
		break;
	case KEY_IGNORED:
		break;
	default:
		if (strchr("AEDCaedL", key))
			verb_take(p, (char)key, word);
		else
			server_option(p, key, value);
		break;
	}
}

static const struct option_row *option_find(const char *word, const char **value)
{
	size_t len = strcspn(word + 2, "=");

	*value = NULL;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const struct option_row *o = &options[i];

		if (word[1] == '-' && strlen(o->name) == len &&
		    strncmp(o->name, word + 2, len) == 0) {
			*value = word[2 + len] ? word + 3 + len : NULL;
			return o;
		}
		if (word[1] != '-' && o->letter == word[1]) {
			*value = word[2] ? word + 2 : NULL;
			return o;
		}
	}
	return NULL;
}

/* Letters without a value may stand together: -An. */
static void letters_split(struct parser *p, char *word, const struct option_row *o)
{
	option_do(p, o->key, word, NULL);
	memmove(word + 1, word + 2, strlen(word + 1));
	p->i--;
}

static void word_take(struct parser *p)
{
	char *word = p->words[p->i++];
	const struct option_row *o = NULL;
	const char *value;

	if (word[0] == '-' && word[1])
		o = option_find(word, &value);
	if (!o) {
		fault(p, "word", word, "an option of ipvsadm");
		return;
	}
	if (o->takes == TAKES_NOTHING && value && word[1] != '-') {
		letters_split(p, word, o);
		return;
	}
	if (!value && o->takes != TAKES_NOTHING && p->i < p->n &&
	    (o->takes == TAKES_VALUE || p->words[p->i][0] != '-'))
		value = p->words[p->i++];
	if (o->takes == TAKES_VALUE && !value)
		fault(p, "option", word, "a value behind it");
	else
		option_do(p, o->key, word, value);
}

/* ---- a line ---- */

static bool line_split(struct parser *p, const char *line, size_t len)
{
	const char *hash = memchr(line, '#', len);
	char *copy = arena_copy(p->im, line, hash ? (size_t)(hash - line) : len), *save = NULL;

	for (char *w = strtok_r(copy, " \t\v\f", &save); w; w = strtok_r(NULL, " \t\v\f", &save)) {
		if (p->n == WORDS_MAX) {
			fault(p, "line", w, "at most 64 words");
			return false;
		}
		p->words[p->n++] = w;
	}
	/* Scripts have the program's name in front, which ipvsadm-restore does not take. */
	if (p->n && (strcmp(p->words[0], "ipvsadm") == 0 || strstr(p->words[0], "/ipvsadm")))
		p->i = 1;
	return p->n > p->i;
}

static void objects_take(struct parser *p)
{
	struct ipvsadm_command *c = p->c;

	if (!c->verb) {
		fault(p, "line", p->words[0], "a command: -A, -E, -D, -a, -e, -d, -C or --set");
		return;
	}
	if (!strchr("AEDaed", c->verb))
		return;
	service_take(p);
	netmask_take(p);
	if (!strchr("aed", c->verb) || p->failed)
		return;
	if (!p->server) {
		fault(p, "real server", "", "-r HOST[:PORT]");
		return;
	}
	if (endpoint_take(p, p->server, protocol_of(p->service_key), &c->server, &c->server_host,
			  &c->server_port, &c->server_port_said) &&
	    c->server_host)
		note(p->im, p->at, NOTE_NOTICE, "the name %s was resolved once", c->server_host);
}

bool ipvsadm_line_parse(struct importer *im, struct origin at, const char *line, size_t len,
			struct ipvsadm_command *out)
{
	struct parser p = {.im = im, .at = at, .c = out};

	*out = (struct ipvsadm_command){.scheduler = "wlc", .weight = 1, .method = METHOD_DR};
	if (!line_split(&p, line, len))
		return false;
	while (p.i < p.n && !p.failed)
		word_take(&p);
	if (!p.failed)
		objects_take(&p);
	return !p.failed;
}
