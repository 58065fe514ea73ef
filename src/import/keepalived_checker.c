/* SPDX-License-Identifier: BSD-3-Clause */
/* The checkers of a real server: keywords that all of them take, then the probe. */
#include <string.h>

#include "import/keepalived.h"

static bool source_take(struct ka_check *c, const struct kw *k)
{
	if (kw_is(k, "bindto"))
		c->bindto = k;
	else if (kw_is(k, "bind_port"))
		c->bind_port = k;
	else if (kw_is(k, "bind_if") || kw_is(k, "fwmark"))
		note(c->ka->im, k->at, NOTE_DROPPED, "%s: a check goes by the routes of Linux",
		     k->raw[0]);
	else
		return false;
	return true;
}

static bool common_take(struct ka_check *c, const struct kw *k)
{
	bool web = kw_is(c->kw, "HTTP_GET") || kw_is(c->kw, "SSL_GET");

	if (ka_timing_take(c->ka->im, k, &c->timing) || source_take(c, k))
		return true;
	if (kw_is(k, "connect_ip"))
		c->connect_ip = k;
	else if (kw_is(k, "connect_port"))
		c->connect_port = k;
	else if (kw_is(k, "nb_get_retry") && web)
		c->timing.has_retry = kw_number(c->ka->im, k, 1, 1000, &c->timing.retry);
	else if (kw_is(k, "warmup") || kw_is(k, "log_all_failures") || kw_is(k, "alpha"))
		note(c->ka->im, k->at, NOTE_DROPPED, "%s: plvs has its own way", k->raw[0]);
	else
		return false;
	return true;
}

/* Whether k is a keyword of this kind of checker and not of all. keepalived_probe.c reads such
 * keywords. */
static bool own_keyword(const struct kw *checker, const struct kw *k)
{
	static const struct {
		const char *checker, *keywords;
	} rows[] = {
		{"HTTP_GET", " url http_protocol fast_recovery "},
		{"SSL_GET", " url http_protocol fast_recovery enable_sni sni_name ssl_method "
			    "tls_compliant "},
		{"SMTP_CHECK", " host helo_name "},
		{"DNS_CHECK", " type name "},
		{"UDP_CHECK", " payload require_reply min_reply_length max_reply_length "},
		{"MISC_CHECK", " misc_path misc_timeout misc_dynamic user "},
		{"BFD_CHECK", " name "},
		{"FILE_CHECK", " track_file weight dynamic "},
	};
	const char *word = k->raw[0], *at;
	size_t len = strlen(word);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!kw_is(checker, rows[i].checker))
			continue;
		at = strstr(rows[i].keywords, word);
		return at && len && at[-1] == ' ' && at[len] == ' ';
	}
	return false;
}

static void checker_take(struct ka_check *c)
{
	for (const struct kw *k = c->kw->children; k; k = k->next) {
		if (own_keyword(c->kw, k) || common_take(c, k)) {
			if (!kw_is(k, "url") && !kw_is(k, "host"))
				kw_no_block(c->ka->im, k);
			continue;
		}
		if (kw_is(k, "nb_get_retry") || kw_is(k, "nb_sock_retry"))
			note(c->ka->im, k->at, NOTE_DIFFERS,
			     "%s is no keyword of %s: passed over, as keepalived does; retry is "
			     "likely meant",
			     k->raw[0], c->kw->raw[0]);
		else
			note(c->ka->im, k->at, k->block ? NOTE_ERROR : NOTE_DIFFERS,
			     "\"%.48s\" is no keyword of %s: %s", k->raw[0], c->kw->raw[0],
			     k->block ? "keepalived passes its block over, an import does not"
				      : "passed over, as keepalived does");
	}
}

void ka_checks_make(struct keepalived *ka, const struct ka_virtual *v, const struct ka_server *s,
		    const struct lvs_service *svc, struct lvs_server *out)
{
	for (const struct kw *k = s->kw->children; k; k = k->next) {
		struct ka_check c = {.ka = ka, .v = v, .s = s, .svc = svc, .out = out, .kw = k};

		if (!ka_is_checker(k))
			continue;
		if (!k->block) {
			note(ka->im, k->at, NOTE_ERROR, "%s without its block", k->raw[0]);
			continue;
		}
		checker_take(&c);
		ka_probe_make(&c);
	}
	if (!out->checks)
		note(ka->im, s->kw->at, NOTE_NOTICE, "a real server without a checker: always up");
}
