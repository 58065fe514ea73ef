/* SPDX-License-Identifier: BSD-3-Clause */
/* The statements at the top of a keepalived.conf. */
#include "import/keepalived.h"

#include <string.h>
#include <unistd.h>

/* Blocks and lines that say nothing of balancing. */
static const struct {
	const char *keyword, *why;
} dropped[] = {
	{"vrrp_script",
	 "plvs runs no scripts for its role: witnesses (shared.ha.witnesses) are the nearest"},
	{"vrrp_track_process", "plvs monitors its ports, the peer and witnesses, no processes"},
	{"vrrp_track_file", "plvs monitors its ports, the peer and witnesses, no files"},
	{"track_file", "plvs monitors its ports, the peer and witnesses, no files"},
	{"static_rules", "rules of routing are Linux's; plvs does not follow them"},
	{"garp_group", "see shared.ha.announce"},
	{"bfd_instance", "plvs speaks no BFD"},
	{"interface_up_down_delays", "see shared.ha.start_delay"},
	{"linkbeat_use_polling", "plvs monitors its own ports"},
	{"linkbeat_interfaces", "plvs monitors its own ports"},
	{"net_namespace", "see node.linux.netns"},
	{"net_namespace_ipvs", "plvs balances itself, not the kernel"},
	{"namespace_with_ipsets", "plvs uses no ipsets"},
	{"instance", "plvs is one process"},
	{"use_pid_dir", "plvs writes no PID file"},
	{"process_names", "plvs is one process"},
};

static void groups_take(struct keepalived *ka, const struct kw *k)
{
	note(ka->im, k->at, NOTE_DROPPED,
	     "vrrp_sync_group: plvs moves all addresses of the router together");
	for (const struct kw *c = k->children; c; c = c->next) {
		if (strncmp(c->raw[0], "notify", 6) == 0)
			note(ka->im, c->at, NOTE_UNSAID,
			     "%.32s: node.notify.ha is the nearest, one program for all changes of "
			     "role, "
			     "which gets JSON on standard input: a wrapper is needed, the script "
			     "is not taken "
			     "over",
			     c->raw[0]);
		else if (!kw_is(c, "group"))
			note(ka->im, c->at, NOTE_DROPPED, "%.48s: says nothing of balancing",
			     c->raw[0]);
	}
}

static void ssl_take(struct keepalived *ka, const struct kw *k)
{
	struct importer *im = ka->im;

	for (const struct kw *c = k->children; c; c = c->next) {
		const char *path = kw_value(im, c, 1);

		if (kw_is(c, "certificate")) {
			ka->ssl_cert = path;
		} else if (kw_is(c, "key")) {
			ka->ssl_key = path;
		} else if (kw_is(c, "ca")) {
			note(im, c->at, NOTE_DROPPED,
			     "ca: keepalived does not refuse a certificate for it, so tls.verify "
			     "stays off; "
			     "with \"verify\": true it is tls.ca_file, %.200s",
			     path);
		} else if (kw_is(c, "password")) {
			note(im, c->at, NOTE_UNSAID,
			     "password: of a key; plvs cannot ask for one, the key must be "
			     "readable "
			     "without");
		} else {
			note(im, c->at, NOTE_DIFFERS, "SSL: \"%.48s\" is no keyword there",
			     c->raw[0]);
		}
		if (!kw_is(c, "certificate") && !kw_is(c, "key"))
			continue;
		/* A file that is not there would make the configuration invalid. */
		if (im->options->closed || access(path, R_OK) < 0) {
			note(im, c->at, NOTE_UNSAID,
			     "%s: %.200s cannot be read on this machine, so tls.%s is left out of "
			     "the checks: "
			     "add it where the file is",
			     c->raw[0], path, kw_is(c, "key") ? "key_file" : "cert_file");
			ka->ssl_cert = kw_is(c, "certificate") ? NULL : ka->ssl_cert;
			ka->ssl_key = kw_is(c, "key") ? NULL : ka->ssl_key;
		}
	}
	if (!ka->ssl_cert || !ka->ssl_key)
		ka->ssl_cert = ka->ssl_key = NULL;
}

static bool block_needed(struct keepalived *ka, const struct kw *k)
{
	if (k->block)
		return true;
	note(ka->im, k->at, NOTE_ERROR, "%.48s without its block", k->raw[0]);
	return false;
}

static bool dropped_take(struct keepalived *ka, const struct kw *k)
{
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
		if (!kw_is(k, dropped[i].keyword))
			continue;
		note(ka->im, k->at, NOTE_DROPPED, "%s: %s", dropped[i].keyword, dropped[i].why);
		return true;
	}
	return false;
}

static void unknown_take(struct keepalived *ka, const struct kw *k)
{
	if (k->block)
		note(ka->im, k->at, NOTE_ERROR,
		     "\"%.48s\" is no keyword; keepalived passes its block over, an import does "
		     "not",
		     k->raw[0]);
	else
		note(ka->im, k->at, NOTE_DIFFERS,
		     "\"%.48s\" is no keyword: passed over, as keepalived does", k->raw[0]);
}

static void top_take(struct keepalived *ka, const struct kw *k)
{
	if (kw_is(k, "virtual_server")) {
		if (block_needed(ka, k))
			ka_virtual_map(ka, k);
	} else if (kw_is(k, "vrrp_instance")) {
		if (block_needed(ka, k))
			ka_instance_map(ka, k);
	} else if (kw_is(k, "vrrp_sync_group")) {
		groups_take(ka, k);
	} else if (kw_is(k, "global_defs")) {
		ka_globals_map(ka, k);
	} else if (kw_is(k, "static_ipaddress")) {
		ka_static_addresses(ka, k);
	} else if (kw_is(k, "static_routes")) {
		ka_static_routes(ka, k);
	} else if (kw_is(k, "virtual_server_group") || kw_is(k, "SSL")) {
		return; /* read already */
	} else if (!dropped_take(ka, k) && !ka_dpvs_top(ka, k)) {
		unknown_take(ka, k);
	}
}

static void alpha_note(struct keepalived *ka, const char *file)
{
	if (ka->any_without_alpha)
		note(ka->im, (struct origin){file, 0}, NOTE_DIFFERS,
		     "without alpha keepalived sends traffic before the first check; plvs waits "
		     "for the "
		     "first good answer, as with alpha");
}

void keepalived_read(struct importer *im, const char *file, const char *text, size_t len)
{
	struct keepalived *ka = arena_alloc(im, sizeof(*ka));

	ka->im = im;
	kw_tree_init(&ka->tree, im);
	kw_read(im, file, text, len, &ka->tree);
	ka->dpvs = ka_dpvs_recognise(&ka->tree.root);
	if (ka->dpvs)
		note(im, (struct origin){file, 0}, NOTE_NOTICE,
		     "it has keywords of DPVS: read as such");
	for (const struct kw *k = ka->tree.root.children; k; k = k->next)
		if (kw_is(k, "SSL"))
			ssl_take(ka, k);
	for (const struct kw *k = ka->tree.root.children; k; k = k->next)
		top_take(ka, k);
	ka_groups_unused(ka);
	ka_vrrp_end(ka);
	alpha_note(ka, file);
}
