/* SPDX-License-Identifier: BSD-3-Clause */
/* The checkers of keepalived, by kind. */
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "import/keepalived.h"

/* ---- HTTP_GET, SSL_GET ---- */

static const char *virtualhost_of(const struct ka_check *c, const struct kw *url)
{
	const struct kw *own = kw_find(url, "virtualhost");

	if (own)
		return kw_word(c->ka->im, own, 1);
	return c->timing.virtualhost	  ? c->timing.virtualhost
	       : c->s->timing.virtualhost ? c->s->timing.virtualhost
					  : c->v->timing.virtualhost;
}

static void tls_set(struct ka_check *c, struct lvs_check *check)
{
	const struct kw *sni = kw_find(c->kw, "sni_name");

	check->tls = true;
	check->cert_file = c->ka->ssl_cert;
	check->key_file = c->ka->ssl_key;
	if (sni)
		check->sni = kw_word(c->ka->im, sni, 1);
	else if (kw_find(c->kw, "enable_sni"))
		check->sni = check->host;
}

/* Flags of regex_options in front of the pattern. */
static const char *options_of(struct ka_check *c, const struct kw *k)
{
	static const struct {
		const char *name, *letter;
	} options[] = {{"caseless", "i"},
		       {"multiline", "m"},
		       {"dotall", "s"},
		       {"extended", "x"},
		       {"ungreedy", "U"}};
	struct text_buf b = {0};

	buf_puts(c->ka->im, &b, "");
	for (uint32_t i = 1; i < k->n; i++) {
		size_t o = 0;

		while (o < 5 && strcmp(options[o].name, k->raw[i]) != 0)
			o++;
		if (o < 5)
			buf_puts(c->ka->im, &b, options[o].letter);
		else
			note(c->ka->im, k->at, NOTE_UNSAID, "regex_options %.32s has no equal",
			     k->raw[i]);
	}
	return b.len ? arena_printf(c->ka->im, "(?%s)", b.data) : "";
}

static void regex_set(struct ka_check *c, const struct kw *url, struct lvs_check *check)
{
	const struct kw *k = kw_find(url, "regex"), *options = kw_find(url, "regex_options");
	struct importer *im = c->ka->im;
	const char *pattern;

	if (!k)
		return;
	if (check->body_md5) {
		note(im, k->at, NOTE_DROPPED, "regex: the digest says what the whole body is");
		return;
	}
	if (k->n < 2) {
		note(im, k->at, NOTE_ERROR, "regex: expected a pattern");
		return;
	}
	check->body_not = kw_find(url, "regex_no_match") != NULL;
	pattern = kw_value(im, k, 1);
	if (strchr(k->raw[1], '\\'))
		note(im, k->at, NOTE_DIFFERS,
		     "regex: keepalived takes every backslash away and compiles \"%.200s\", and so "
		     "does the "
		     "import; where one was meant it must be doubled",
		     pattern);
	check->body_pattern = arena_printf(im, "%s%s", options ? options_of(c, options) : "",
					   pattern_bytes(im, pattern, strlen(pattern)));
}

static void digest_set(struct ka_check *c, const struct kw *url, struct lvs_check *check)
{
	const struct kw *k = kw_find(url, "digest");
	const char *digest = k ? kw_word(c->ka->im, k, 1) : "";

	if (!k)
		return;
	if (strlen(digest) == 32 && strspn(digest, "0123456789abcdefABCDEF") == 32)
		check->body_md5 = digest;
	else
		note(c->ka->im, k->at, NOTE_ERROR,
		     "digest \"%.40s\": expected the 32 hexadecimal digits of an MD5 digest",
		     digest);
}

static void url_note(struct ka_check *c, const struct kw *url)
{
	struct importer *im = c->ka->im;

	for (const struct kw *k = url->children; k; k = k->next) {
		if (kw_is(k, "regex_min_offset") || kw_is(k, "regex_max_offset"))
			note(im, k->at, NOTE_UNSAID,
			     "%s: plvs looks for the pattern in the whole body", k->raw[0]);
		else if (kw_is(k, "regex_stack"))
			note(im, k->at, NOTE_DROPPED, "regex_stack: patterns have bounds of plvs");
		else if (!kw_is(k, "path") && !kw_is(k, "status_code") &&
			 !kw_is(k, "virtualhost") && !kw_is(k, "regex") && !kw_is(k, "digest") &&
			 !kw_is(k, "regex_no_match") && !kw_is(k, "regex_options") &&
			 !kw_is(k, "tls_compliant"))
			note(im, k->at, NOTE_DIFFERS,
			     "\"%.48s\" is no keyword of url: passed over, as keepalived does",
			     k->raw[0]);
	}
}

static void url_make(struct ka_check *c, const struct kw *url, uint32_t n_urls)
{
	struct importer *im = c->ka->im;
	struct lvs_check *check = ka_check_begin(c, "http", n_urls);
	const struct kw *path = kw_find(url, "path"), *status = kw_find(url, "status_code");

	check->at = url->at;
	if (!path)
		note(im, url->at, NOTE_ERROR,
		     "url without a path: keepalived loses the whole checker");
	check->path = path ? kw_value(im, path, 1) : "/";
	if (*check->path != '/')
		check->path = arena_printf(im, "/%s", check->path);
	check->host = virtualhost_of(c, url);
	for (uint32_t i = 1; status && i < status->n; i++)
		word_add(im, &check->status, kw_word(im, status, i));
	if (!status)
		word_add(im, &check->status, "200-299");
	digest_set(c, url, check);
	regex_set(c, url, check);
	url_note(c, url);
	if (kw_is(c->kw, "SSL_GET"))
		tls_set(c, check);
}

static void web_make(struct ka_check *c)
{
	uint32_t n = 0;

	for (const struct kw *k = c->kw->children; k; k = k->next) {
		n += kw_is(k, "url");
		if (kw_is(k, "http_protocol") || kw_is(k, "fast_recovery") ||
		    kw_is(k, "ssl_method") || kw_is(k, "tls_compliant"))
			note(c->ka->im, k->at, NOTE_DROPPED, "%s: plvs has its own way", k->raw[0]);
	}
	if (n == 0) {
		note(c->ka->im, c->kw->at, NOTE_ERROR, "%s without a url", c->kw->raw[0]);
		return;
	}
	if (n > 1)
		note(c->ka->im, c->kw->at, NOTE_DIFFERS,
		     "%u urls: keepalived asks one of them each delay_loop, round and round: %u "
		     "checks of %u "
		     "times the interval are written, all must be good",
		     n, n, n);
	for (const struct kw *k = c->kw->children; k; k = k->next)
		if (kw_is(k, "url"))
			url_make(c, k, n);
}

/* ---- SMTP_CHECK ---- */

static void smtp_one(struct ka_check *c)
{
	const struct kw *helo = kw_find(c->kw, "helo_name");
	struct importer *im = c->ka->im;
	struct lvs_check *check = ka_check_begin(c, "script", 1);
	const char *name = helo ? kw_word(im, helo, 1) : "smtpchecker.keepalived.org";
	const char *line = arena_printf(im, "HELO %s\r\n", name);

	step_add(im, check, "expect_prefix", "220");
	step_add(im, check, "send", text_bytes(im, line, strlen(line)));
	step_add(im, check, "expect_prefix", "250");
	step_add(im, check, "send", "QUIT\\r\\n");
}

static void smtp_host_keyword(struct ka_check *host, const struct kw *k)
{
	struct importer *im = host->ka->im;

	kw_no_block(im, k);
	if (k == host->connect_ip || k == host->connect_port || k == host->bindto ||
	    k == host->bind_port)
		return;
	if (kw_is(k, "connect_timeout"))
		host->timing.has_connect = kw_ms(im, k, &host->timing.connect);
	else if (kw_is(k, "bind_if") || kw_is(k, "fwmark"))
		note(im, k->at, NOTE_DROPPED, "%.48s: a check goes by the routes of Linux",
		     k->raw[0]);
	else
		note(im, k->at, NOTE_DIFFERS,
		     "\"%.48s\" is no keyword of host: passed over, as keepalived does", k->raw[0]);
}

static void smtp_make(struct ka_check *c)
{
	bool any = false;

	for (const struct kw *k = c->kw->children; k; k = k->next) {
		struct ka_check host = *c;

		if (!kw_is(k, "host"))
			continue;
		any = true;
		host.connect_ip = kw_find(k, "connect_ip");
		host.connect_port = kw_find(k, "connect_port");
		host.bindto = kw_find(k, "bindto");
		host.bind_port = kw_find(k, "bind_port");
		for (const struct kw *h = k->children; h; h = h->next)
			smtp_host_keyword(&host, h);
		smtp_one(&host);
	}
	if (!any)
		smtp_one(c);
	else if (kw_find(c->kw, "host")->next && kw_is(kw_find(c->kw, "host")->next, "host"))
		note(c->ka->im, c->kw->at, NOTE_NOTICE,
		     "several hosts: a check for each, all must be good; keepalived asks one after "
		     "the "
		     "other");
}

/* ---- DNS_CHECK ---- */

static void dns_make(struct ka_check *c)
{
	static const char *const known[] = {"a",  "ns",	 "cname", "soa", "ptr",
					    "mx", "txt", "aaaa",  "srv", NULL};
	const struct kw *type = kw_find(c->kw, "type"), *name = kw_find(c->kw, "name");
	struct importer *im = c->ka->im;
	struct lvs_check *check = ka_check_begin(c, "dns", 1);
	char *text = arena_printf(im, "%s", name ? kw_word(im, name, 1) : ".");
	size_t len = strlen(text);

	if (len > 1 && text[len - 1] == '.')
		text[len - 1] = '\0';
	check->dns_name = *text ? text : ".";
	check->dns_qtype = "soa";
	for (size_t i = 0; type && known[i]; i++)
		if (strcasecmp(kw_word(im, type, 1), known[i]) == 0)
			check->dns_qtype = known[i];
	if (type && strcasecmp(kw_word(im, type, 1), check->dns_qtype) != 0)
		note(im, type->at, NOTE_UNSAID, "type %.16s has no equal: soa is asked for",
		     kw_word(im, type, 1));
}

/* ---- UDP_CHECK ---- */

static int nibble(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* The two digits of the next byte in "0001 8X 8": a lone digit is a byte. false: the end. */
static bool byte_next(const char **p, char pair[2])
{
	*p += strspn(*p, " ");
	if (!**p)
		return false;
	pair[0] = *(*p)++;
	pair[1] = **p && **p != ' ' ? *(*p)++ : '\0';
	if (!pair[1]) {
		pair[1] = pair[0];
		pair[0] = '0';
	}
	return true;
}

static const char *words_join(struct importer *im, const struct kw *k)
{
	struct text_buf b = {0};

	buf_puts(im, &b, "");
	for (uint32_t i = 1; i < k->n; i++)
		buf_printf(im, &b, "%s%s", i > 1 ? " " : "", kw_word(im, k, i));
	return b.data;
}

static const char *payload_of(struct ka_check *c, const struct kw *k)
{
	const char *p = words_join(c->ka->im, k);
	struct text_buf b = {0};
	char pair[2], byte;

	buf_puts(c->ka->im, &b, "");
	while (byte_next(&p, pair)) {
		if (nibble(pair[0]) < 0 || nibble(pair[1]) < 0) {
			note(c->ka->im, k->at, NOTE_ERROR, "%s: expected hexadecimal digits",
			     k->raw[0]);
			return "\\x00";
		}
		byte = (char)(nibble(pair[0]) << 4 | nibble(pair[1]));
		buf_put(c->ka->im, &b, &byte, 1);
	}
	return text_bytes(c->ka->im, b.data, b.len);
}

/* X is a digit that may be any. */
static const char *reply_of(struct ka_check *c, const struct kw *k)
{
	const char *p = words_join(c->ka->im, k);
	struct importer *im = c->ka->im;
	struct text_buf b = {0};
	char pair[2];

	buf_puts(im, &b, "(?s)^");
	while (byte_next(&p, pair)) {
		bool any0 = pair[0] == 'X' || pair[0] == 'x',
		     any1 = pair[1] == 'X' || pair[1] == 'x';
		int hi = nibble(pair[0]), lo = nibble(pair[1]);

		if ((hi < 0 && !any0) || (lo < 0 && !any1)) {
			note(im, k->at, NOTE_ERROR, "%s: expected hexadecimal digits and X",
			     k->raw[0]);
			return "(?s).";
		}
		if (any0 && any1)
			buf_puts(im, &b, ".");
		else if (any1)
			buf_printf(im, &b, "[\\x%x0-\\x%xf]", (unsigned int)hi, (unsigned int)hi);
		else if (any0)
			buf_printf(im, &b,
				   "[\\x0%x\\x1%x\\x2%x\\x3%x\\x4%x\\x5%x\\x6%x\\x7%x\\x8%x\\x9%"
				   "x\\xa%x"
				   "\\xb%x\\xc%x\\xd%x\\xe%x\\xf%x]",
				   lo, lo, lo, lo, lo, lo, lo, lo, lo, lo, lo, lo, lo, lo, lo, lo);
		else
			buf_printf(im, &b, "\\x%x%x", (unsigned int)hi, (unsigned int)lo);
	}
	return b.len > 5 ? b.data : "(?s).";
}

static void udp_make(struct ka_check *c)
{
	const struct kw *payload = kw_find(c->kw, "payload");
	const struct kw *reply = kw_find(c->kw, "require_reply"), *k;
	struct importer *im = c->ka->im;
	struct lvs_check *check = ka_check_begin(c, "udp", 1);

	step_add(im, check, "send", payload ? payload_of(c, payload) : "\\x00");
	if (!payload)
		note(im, c->kw->at, NOTE_NOTICE,
		     "no payload: keepalived sends random bytes, the import one zero byte; good "
		     "unless ICMP "
		     "refuses it, as there");
	if (reply)
		step_add(im, check, "expect_pattern", reply_of(c, reply));
	for (k = c->kw->children; k; k = k->next)
		if (kw_is(k, "min_reply_length") || kw_is(k, "max_reply_length"))
			note(im, k->at, NOTE_UNSAID, "%s: the length of an answer has no equal",
			     k->raw[0]);
}

/* ---- MISC_CHECK ---- */

/* A program without a path: where this machine has it, else in /usr/bin. */
static const char *program_path(struct ka_check *c, const struct kw *k, const char *name)
{
	static const char *const dirs[] = {"/usr/local/bin", "/usr/bin", "/bin",
					   "/usr/sbin",	     "/sbin",	 NULL};
	struct importer *im = c->ka->im;
	const char *path = arena_printf(im, "/usr/bin/%s", name);

	for (size_t i = 0; dirs[i] && !im->options->closed; i++) {
		const char *p = arena_printf(im, "%s/%s", dirs[i], name);

		if (access(p, X_OK) == 0) {
			path = p;
			break;
		}
	}
	note(im, k->at, NOTE_DIFFERS,
	     "misc_path: \"%.64s\" has no absolute path: %s is proposed, which is to be checked; "
	     "also "
	     "whether the program's exit code says what is meant",
	     name, path);
	return path;
}

static void misc_user(struct ka_check *c, struct lvs_check *check)
{
	const struct kw *user = kw_find(c->kw, "user"), *common = c->ka->script_user;
	struct importer *im = c->ka->im;

	if (user)
		check->user = kw_word(im, user, 1);
	if (user && user->n > 2)
		note(im, user->at, NOTE_DROPPED,
		     "%.32s: the group of a program is that of its user", user->raw[2]);
	if (!user)
		note(im, c->kw->at, NOTE_DIFFERS,
		     "keepalived runs the program as %.32s; plvs as nobody unless exec.user says "
		     "otherwise",
		     common ? kw_word(im, common, 1) : "keepalived_script, or root");
}

static void misc_make(struct ka_check *c)
{
	const struct kw *path = kw_find(c->kw, "misc_path"),
			*limit = kw_find(c->kw, "misc_timeout");
	const struct kw *dynamic = kw_find(c->kw, "misc_dynamic");
	struct importer *im = c->ka->im;
	struct lvs_check *check;

	if (!path) {
		note(im, c->kw->at, NOTE_ERROR, "MISC_CHECK without misc_path");
		return;
	}
	check = ka_check_begin(c, "exec", 1);
	check->port = 0;
	check->address = (struct addr){0};
	check->via_vip = false;
	/* Without misc_timeout the virtual server's delay_loop, whatever the real server says. */
	check->timeout_ms = c->v->timing.has_delay_loop ? c->v->timing.delay_loop : 60000;
	if (limit)
		kw_ms(im, limit, &check->timeout_ms);
	check->argv = kw_argv(im, kw_value(im, path, 1));
	if (path->n > 2)
		note(im, path->at, NOTE_DIFFERS,
		     "misc_path: the words behind the first one are ignored, as keepalived does: "
		     "it takes "
		     "one quoted text");
	if (!check->argv) {
		note(im, path->at, NOTE_ERROR, "misc_path: expected a program");
		return;
	}
	if (check->argv->text[0] != '/')
		check->argv->text = program_path(c, path, check->argv->text);
	misc_user(c, check);
	check->code_weight = dynamic && kw_flag(im, dynamic);
	if (check->code_weight)
		note(im, dynamic->at, NOTE_NOTICE,
		     "misc_dynamic: \"code_weight\": exit codes 2 to 255 set the weight (code - "
		     "2)");
}

/* ---- the others ---- */

static void lesser_make(struct ka_check *c)
{
	bool tcp = c->svc->protocol == IPPROTO_TCP;

	note(c->ka->im, c->kw->at, NOTE_UNSAID, "%s has no equal: imported as a %s", c->kw->raw[0],
	     tcp ? "connection (tcp)" : "ping (icmp)");
	ka_check_begin(c, tcp ? "tcp" : "icmp", 1)->address = (struct addr){0};
}

void ka_probe_make(struct ka_check *c)
{
	if (kw_is(c->kw, "HTTP_GET") || kw_is(c->kw, "SSL_GET"))
		web_make(c);
	else if (kw_is(c->kw, "TCP_CHECK"))
		ka_check_begin(c, "tcp", 1);
	else if (kw_is(c->kw, "SMTP_CHECK"))
		smtp_make(c);
	else if (kw_is(c->kw, "DNS_CHECK"))
		dns_make(c);
	else if (kw_is(c->kw, "UDP_CHECK"))
		udp_make(c);
	else if (kw_is(c->kw, "PING_CHECK"))
		ka_check_begin(c, "icmp", 1)->port = 0;
	else if (kw_is(c->kw, "MISC_CHECK"))
		misc_make(c);
	else
		lesser_make(c);
}
