/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "health/dns.h"
#include "health/pattern.h"

/*
 * From checks as written to specs, by their type. A spec is put together of borrowed parts;
 * who wants to keep it copies it.
 */

static void wrong(struct config_context *ctx, const char *key, const char *text)
{
	context_push_key(ctx, key);
	config_report(ctx, -EINVAL, NULL, "%s", text);
	context_pop(ctx);
}

/* ---- texts ---- */

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0'
	       : c >= 'a' && c <= 'f'	 ? c - 'a' + 10
	       : c >= 'A' && c <= 'F'	 ? c - 'A' + 10
					 : -1;
}

/* Of a text without escapes as many bytes as it has, else fewer. NULL, *at: not an escape. */
static char *unescape(const char *text, uint32_t *len, size_t *at)
{
	static const char names[] = "rnt0\\", bytes[] = {'\r', '\n', '\t', '\0', '\\'};
	char *out = malloc(strlen(text) + 1);
	uint32_t n = 0;

	for (const char *p = text; out && *p; p++) {
		const char *name;

		if (*p != '\\') {
			out[n++] = *p;
			continue;
		}
		*at = (size_t)(p - text);
		p++;
		if (*p == 'x' && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
			out[n++] = (char)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
			p += 2;
		} else if (*p && (name = strchr(names, *p)) != NULL) {
			out[n++] = bytes[name - names];
		} else {
			free(out);
			return NULL;
		}
	}
	*at = SIZE_MAX;
	if (out)
		out[n] = '\0';
	*len = n;
	return out;
}

/* Into a match that owns its bytes. */
static void match_bytes(struct config_context *ctx, const char *key, const char *text,
			enum match_kind kind, struct match *out)
{
	char why[160];
	size_t at = 0;

	context_push_key(ctx, key);
	if (kind == MATCH_PATTERN) {
		/* Escapes are the pattern's own. */
		if (pattern_check(text, strlen(text), why, sizeof(why)) < 0)
			config_report(ctx, -EINVAL, NULL, "not a pattern: %s", why);
		out->bytes = strdup(text);
		out->len = (uint32_t)strlen(text);
	} else {
		out->bytes = unescape(text, &out->len, &at);
		if (!out->bytes && at != SIZE_MAX)
			config_report(ctx, -EINVAL, NULL,
				      "character %zu: expected \\r, \\n, \\t, \\0, \\\\ or \\xHH "
				      "after the backslash",
				      at + 1);
		else if (out->bytes && out->len == 0)
			config_report(ctx, -EINVAL, NULL, "is empty");
	}
	if (!out->bytes && at == SIZE_MAX)
		config_report_memory(ctx);
	out->kind = (uint8_t)kind;
	context_pop(ctx);
}

/* keys: of literal, prefix, pattern. At most one of them is given. */
static void match_make(struct config_context *ctx, const struct config_match *from,
		       const char *const keys[3], struct match *out)
{
	const char *texts[] = {from->literal, from->prefix, from->pattern};
	static const uint8_t kinds[] = {MATCH_LITERAL, MATCH_PREFIX, MATCH_PATTERN};
	char text[64];

	for (size_t i = 0; i < 3; i++) {
		if (!texts[i])
			continue;
		if (out->kind != MATCH_NONE) {
			snprintf(text, sizeof(text), "expected one of %s, %s, %s", keys[0], keys[1],
				 keys[2]);
			wrong(ctx, keys[i], text);
			return;
		}
		match_bytes(ctx, keys[i], texts[i], (enum match_kind)kinds[i], out);
	}
}

/* ---- by type ---- */

static void step_make(struct config_context *ctx, const struct config_step *from,
		      struct check_step *out)
{
	static const char *const keys[] = {"expect", "expect_prefix", "expect_pattern"};
	const struct config_match m = {from->expect, from->expect_prefix, from->expect_pattern};
	bool expects = m.literal || m.prefix || m.pattern;

	out->expect = expects;
	if (!expects == !from->send)
		config_report(ctx, -EINVAL, NULL,
			      "expected one of send, expect, expect_prefix, expect_pattern");
	else if (from->send)
		match_bytes(ctx, "send", from->send, MATCH_LITERAL, &out->what);
	else
		match_make(ctx, &m, keys, &out->what);
}

static void steps_make(struct config_context *ctx, const struct config_check *c,
		       struct check_spec *spec)
{
	uint32_t n_send = 0;

	if (c->n_steps == 0 && c->type == CHECK_SCRIPT)
		wrong(ctx, "steps", "missing: expected at least one, or type tcp");
	spec->steps = calloc(c->n_steps + 1, sizeof(*spec->steps));
	if (!spec->steps) {
		config_report_memory(ctx);
		return;
	}
	spec->n_steps = c->n_steps;
	context_push_key(ctx, "steps");
	for (uint32_t i = 0; i < c->n_steps; i++) {
		context_push_index(ctx, i);
		step_make(ctx, &c->steps[i], &spec->steps[i]);
		context_pop(ctx);
		n_send += !spec->steps[i].expect;
	}
	context_pop(ctx);
	if (c->type == CHECK_AGENT && (n_send > 1 || c->n_steps > n_send))
		wrong(ctx, "steps", "of agent: expected at most one to send; the answer is a line");
	if (c->type == CHECK_UDP && (n_send != 1 || c->n_steps > 2 || spec->steps[0].expect))
		wrong(ctx, "steps", "of udp: expected one to send, then perhaps one to expect");
}

static void header_make(struct config_context *ctx, const char *text, struct check_header *out)
{
	const char *colon = strchr(text, ':'), *value = colon ? colon + 1 : "";
	static const char bad[] = " \t()<>@,;:\\\"/[]?={}";
	size_t n = colon ? (size_t)(colon - text) : 0;

	value += strspn(value, " ");
	if (n == 0 || strcspn(text, bad) != n) {
		config_report(ctx, -EINVAL, NULL, "expected a header as \"Accept: text/html\"");
		return;
	}
	out->name = strndup(text, n);
	out->value = strdup(value);
	if (!out->name || !out->value)
		config_report_memory(ctx);
}

static void http_make(struct config_context *ctx, const struct config_check *c,
		      struct check_spec *spec)
{
	static const char *const keys[] = {"body", "body_prefix", "body_pattern"};

	spec->http.method = c->http.method;
	spec->http.path = c->http.path;
	spec->http.host = c->http.host;
	spec->http.statuses = c->http.statuses;
	spec->http.n_statuses = c->http.n_statuses;
	spec->http.headers = calloc(c->http.n_headers + 1, sizeof(*spec->http.headers));
	if (!spec->http.headers) {
		config_report_memory(ctx);
		return;
	}
	context_push_key(ctx, "http");
	if (c->http.path && (c->http.path[0] != '/' || strchr(c->http.path, ' ')))
		wrong(ctx, "path", "expected a path that begins with / and has no blanks");
	if (c->http.host && strpbrk(c->http.host, " /"))
		wrong(ctx, "host", "expected a host name, perhaps with :port");
	if (c->http.n_headers > CHECK_MAX_HEADERS)
		wrong(ctx, "headers", "more than the limit of 32 (CHECK_MAX_HEADERS)");
	else
		spec->http.n_headers = c->http.n_headers;
	context_push_key(ctx, "headers");
	for (uint32_t i = 0; i < spec->http.n_headers; i++) {
		context_push_index(ctx, i);
		header_make(ctx, c->http.headers[i], &spec->http.headers[i]);
		context_pop(ctx);
	}
	context_pop(ctx);
	match_make(ctx, &c->http.body, keys, &spec->http.body);
	spec->http.body_not = c->http.body_not;
	if (c->http.body_not && !c->http.body.literal && !c->http.body.prefix &&
	    !c->http.body.pattern)
		wrong(ctx, "body_not",
		      "says nothing without one of body, body_prefix, body_pattern");
	context_pop(ctx);
}

static void dns_make(struct config_context *ctx, const struct config_check *c,
		     struct check_spec *spec)
{
	spec->dns.name = c->dns.name;
	spec->dns.qtype = c->dns.qtype;
	spec->dns.any_rcode = c->dns.any_rcode;
	spec->dns.expect = c->dns.expect.addr;
	context_push_key(ctx, "dns");
	if (c->dns.expect.addr.family == ADDR_V4 && c->dns.qtype != DNS_A)
		wrong(ctx, "expect", "is an IPv4 address: needs \"qtype\": \"a\"");
	if (c->dns.expect.addr.family == ADDR_V6 && c->dns.qtype != DNS_AAAA)
		wrong(ctx, "expect", "is an IPv6 address: needs \"qtype\": \"aaaa\"");
	context_pop(ctx);
}

static void exec_make(struct config_context *ctx, const struct config_check *c,
		      struct check_spec *spec)
{
	static const char *const keys[] = {"output", "output_prefix", "output_pattern"};

	spec->exec.argv = c->exec.argv;
	spec->exec.n_argv = c->exec.n_argv;
	spec->exec.user = c->exec.user;
	spec->exec.any_code = c->exec.any_code;
	spec->exec.load = c->exec.load;
	context_push_key(ctx, "exec");
	if (c->exec.n_argv == 0)
		wrong(ctx, "argv", "missing: expected a program and its arguments");
	else if (c->exec.argv[0][0] != '/')
		wrong(ctx, "argv", "[0] is no absolute path: expected the program as \"/usr/...\"");
	match_make(ctx, &c->exec.output, keys, &spec->exec.output);
	if (c->exec.any_code && spec->exec.output.kind == MATCH_NONE && !c->exec.load)
		wrong(ctx, "any_code", "without an output that is expected nothing can fail");
	context_pop(ctx);
}

/* A file that TLS needs, readable now; that it makes sense shows with the first probe. */
static void file_check(struct config_context *ctx, const char *key, const char *path)
{
	char text[320];
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	struct stat st;

	if (!path)
		return;
	if (fd < 0)
		snprintf(text, sizeof(text), "cannot read %.200s: %s", path, strerror(errno));
	else if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		snprintf(text, sizeof(text), "%.200s is no file", path);
	else
		text[0] = '\0';
	if (fd >= 0)
		close(fd);
	if (text[0])
		wrong(ctx, key, text);
}

static void tls_check(struct config_context *ctx, const struct config_check *c)
{
	const struct check_tls *t = &c->tls;

	context_push_key(ctx, "tls");
	if (!t->on && (t->verify || t->ca_file || t->sni || t->cert_file || t->key_file))
		wrong(ctx, "on", "missing: expected true, or none of the other keys");
	if (!t->verify && t->ca_file)
		wrong(ctx, "ca_file", "means nothing without \"verify\": true");
	if (!t->cert_file != !t->key_file)
		wrong(ctx, t->cert_file ? "key_file" : "cert_file",
		      "missing: a certificate and its key belong together");
	file_check(ctx, "ca_file", t->ca_file);
	file_check(ctx, "cert_file", t->cert_file);
	file_check(ctx, "key_file", t->key_file);
	context_pop(ctx);
}

void config_spec_fini(struct check_spec *spec)
{
	for (uint32_t i = 0; i < spec->n_steps; i++)
		free(spec->steps[i].what.bytes);
	free(spec->steps);
	for (uint32_t i = 0; i < spec->http.n_headers; i++) {
		free(spec->http.headers[i].name);
		free(spec->http.headers[i].value);
	}
	free(spec->http.headers);
	free(spec->http.body.bytes);
	free(spec->exec.output.bytes);
}

void config_spec_make(struct config_context *ctx, const struct config_check *c,
		      struct check_spec *spec)
{
	tls_check(ctx, c);
	spec->numbers = c->numbers;
	switch ((enum check_type)c->type) {
	case CHECK_SCRIPT:
	case CHECK_UDP:
	case CHECK_AGENT:
		steps_make(ctx, c, spec);
		break;
	case CHECK_HTTP:
		http_make(ctx, c, spec);
		break;
	case CHECK_EXEC:
		exec_make(ctx, c, spec);
		break;
	case CHECK_DNS:
		dns_make(ctx, c, spec);
		break;
	default:
		break;
	}
}
