/* SPDX-License-Identifier: BSD-3-Clause */
/* The node part: the facts of this machine that a file of another program has, and keys to be
 * filled in by hand. */
#include <string.h>

#include "import/document.h"
#include "import/json_put.h"

#define PORT_NAME_MAX 15U
#define KEY_FILE      "/etc/plvs/ha.key"

/* A port's name made of an interface's: a letter first, then letters, digits, _ and -. */
static const char *port_name(struct importer *im, const char *device)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] = "0123456789_-";
	char name[PORT_NAME_MAX + 1];
	size_t n = 0;

	for (const char *p = device; *p && n < PORT_NAME_MAX; p++)
		if (strchr(letters, *p) || (n && strchr(others, *p)))
			name[n++] = *p;
	name[n] = '\0';
	return arena_printf(im, "%s", n ? name : "port");
}

void ports_name(struct importer *im)
{
	struct lvs_port *clients = NULL, *servers = NULL;

	for (struct lvs_address *a = im->lvs.addresses; a; a = a->next) {
		struct lvs_port *p = a->device ? port_of(im, a->at, a->device, NULL) : NULL;

		if (p && a->kind != ADDRESS_VIP)
			p->servers = true;
		else if (p)
			p->clients = true;
	}
	for (struct lvs_port *p = im->lvs.ports; p; p = p->next) {
		if (!clients && p->clients)
			clients = p;
		else if (!servers && p->servers && !p->clients)
			servers = p;
	}
	for (struct lvs_port *p = im->lvs.ports; p; p = p->next)
		p->role = p == clients	 ? "public"
			  : p == servers ? "private"
					 : port_name(im, p->device);
}

static void words_put(struct doc *d, const char **sep, const char *key, const struct lvs_word *list)
{
	if (!list)
		return;
	fprintf(d->f, "%s\"%s\": [", *sep, key);
	for (const struct lvs_word *w = list; w; w = w->next) {
		fputs(w == list ? "" : ", ", d->f);
		json_put(d->f, w->text);
	}
	fputc(']', d->f);
	*sep = ", ";
}

static void vlans_put(struct doc *d, const char **sep, const struct lvs_port *p)
{
	const char *before = "";

	for (const struct lvs_vlan *v = p->vlans; v; v = v->next) {
		const char *inner = ", ";

		if (v->id == 0)
			continue;
		if (!*before)
			fprintf(d->f, "%s\"vlans\": [", *sep);
		fprintf(d->f, "%s{ \"id\": %u", before, v->id);
		words_put(d, &inner, "addresses", v->addresses);
		words_put(d, &inner, "routes", v->routes);
		fputs(" }", d->f);
		before = ", ";
	}
	if (*before)
		fputc(']', d->f);
}

static void port_put(struct doc *d, const struct lvs_port *p)
{
	const struct lvs_vlan *own = p->vlans;
	const char *sep = "";

	while (own && own->id)
		own = own->next;
	doc_comment(d, "%s:%u: was %s; its DPDK device is to be filled in", d->file(p->at.file),
		    p->at.line, p->device);
	note(d->im, p->at, NOTE_NOTICE,
	     "interface %s became port \"%s\": name and DPDK device are to be checked in "
	     "node.ports",
	     p->device, p->role);
	doc_item(d, p->at);
	fprintf(d->f, "{ \"name\": \"%s\", \"device\": \"SET-ME-%s\"", p->role,
		port_name(d->im, p->device));
	if (p->vlans && (p->vlans->id || p->vlans->next || own->addresses || own->routes)) {
		fputs(", \"linux\": { ", d->f);
		words_put(d, &sep, "addresses", own ? own->addresses : NULL);
		words_put(d, &sep, "routes", own ? own->routes : NULL);
		vlans_put(d, &sep, p);
		fputs(" }", d->f);
	}
	fputs(" }", d->f);
}

static void ports_put(struct doc *d)
{
	struct origin none = {NULL, 0};

	if (!d->im->lvs.ports) {
		doc_comment(d, "To be written: \"ports\", the DPDK ports of this machine.");
		note(d->im, none, NOTE_NOTICE,
		     "node.ports is to be written by hand: which DPDK ports this machine has is in "
		     "no file of this format");
		return;
	}
	doc_open(d, none, "ports", '[');
	for (const struct lvs_port *p = d->im->lvs.ports; p; p = p->next)
		port_put(d, p);
	doc_close(d, ']');
}

static const char *path_name(struct doc *d, const struct lvs_path *p, uint32_t n)
{
	const char *name = p->port ? p->port->role : "path";

	for (const struct lvs_path *q = d->im->lvs.pair.paths; q != p; q = q->next)
		if (q->name && strcmp(q->name, name) == 0)
			return arena_printf(d->im, "%s-%u", name, n);
	return name;
}

static void paths_put(struct doc *d, const struct lvs_pair *pair)
{
	char a[ADDR_STRLEN], b[ADDR_STRLEN];
	uint32_t n = 0;

	if (!pair->paths)
		return;
	doc_comment(d, "To be made, the same on both routers: number and secret, as `1 $(openssl "
		       "rand -hex 32)`.");
	doc_value(d, pair->at, "key_file", "\"%s\"", KEY_FILE);
	doc_open(d, pair->at, "paths", '[');
	for (struct lvs_path *p = pair->paths; p; p = p->next) {
		if (++n > 4) {
			note(d->im, p->at, NOTE_UNSAID,
			     "a pair has at most 4 paths: this one is left out");
			continue;
		}
		doc_comment(d, "%s:%u", d->file(p->at.file), p->at.line);
		doc_item(d, p->at);
		if (!p->name)
			p->name = path_name(d, p, n);
		fprintf(d->f, "{ \"name\": \"%s\", \"local\": \"%s\", \"peer\": \"%s\" }", p->name,
			addr_format(&p->local, a, sizeof(a)), addr_format(&p->peer, b, sizeof(b)));
	}
	doc_close(d, ']');
	note(d->im, pair->at, NOTE_NOTICE,
	     "a key file is to be made for the pair, %s on both routers: openssl rand -hex 32",
	     KEY_FILE);
}

static void pair_put(struct doc *d)
{
	const struct lvs_pair *pair = &d->im->lvs.pair;

	if (!pair->any)
		return;
	if (!pair->paths)
		doc_comment(
			d,
			"To be written: \"key_file\" and \"paths\" to the peer, whose address is "
			"in no line.");
	doc_open(d, pair->at, "ha", '{');
	if (pair->role_guessed)
		doc_comment(d,
			    "To be checked: one router of the pair is primary, the other backup.");
	if (pair->role)
		doc_value(d, pair->at, "role", "\"%s\"", pair->role);
	if (pair->priority)
		doc_value(d, pair->at, "priority", "%u", pair->priority);
	paths_put(d, pair);
	doc_close(d, '}');
}

void node_section(struct doc *d)
{
	struct origin none = {NULL, 0};

	doc_open(d, none, "node", '{');
	ports_put(d);
	pair_put(d);
	doc_close(d, '}');
}
