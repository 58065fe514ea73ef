/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP and HTTPS: one request, one answer. Where only the status counts the probe ends with
 * the header; else with the body, or with the first CHECK_MAX_BODY bytes of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "health/checkers.h"
#include "health/http_answer.h"
#include "health/pattern.h"
#include "health/stream.h"

#define REQUEST_MAX 16384U

struct http {
	struct stream stream;
	struct http_answer answer;
	size_t looked;	    /* bytes of the body that a literal was searched in */
	EVP_MD_CTX *digest; /* of the body so far; NULL: no digest counts */
	size_t hashed;	    /* bytes of the body that went into it */
};

static struct http *http_of(struct stream *s)
{
	return (struct http *)s; /* its first member */
}

/* "10.0.0.12:80/health" */
static const char *where(const struct probe *p, char *buf, size_t len)
{
	char ep[ENDPOINT_STRLEN];

	snprintf(buf, len, "%s%.80s", endpoint_format(&p->target, ep, sizeof(ep)),
		 p->spec->http.path ? p->spec->http.path : "/");
	return buf;
}

/* false always: the probe has ended. */
static bool end(struct http *x, enum probe_verdict verdict, const char *what)
{
	char source[ENDPOINT_STRLEN + 96];

	where(x->stream.p, source, sizeof(source));
	stream_end(&x->stream, verdict, "%s from %s", what, source);
	return false;
}

static bool status_wanted(const struct check_spec *spec, uint16_t status)
{
	if (spec->http.n_statuses == 0)
		return status >= 200 && status <= 399;
	for (uint32_t i = 0; i < spec->http.n_statuses; i++)
		if (status >= spec->http.statuses[i].first && status <= spec->http.statuses[i].last)
			return true;
	return false;
}

static bool has_header(const struct check_spec *spec, const char *name)
{
	const size_t len = strlen(name);

	for (uint32_t i = 0; i < spec->http.n_headers; i++)
		if (strncasecmp(spec->http.headers[i], name, len) == 0 &&
		    spec->http.headers[i][len] == ':')
			return true;
	return false;
}

/* The target's address, with the port unless it is the scheme's. */
static const char *default_host(const struct probe *p, char *buf, size_t len)
{
	uint16_t usual = p->spec->tls.on ? 443 : 80;
	char addr[ADDR_STRLEN];

	if (be16_to(p->target.port) != usual)
		return endpoint_format(&p->target, buf, len);
	addr_format(&p->target.addr, addr, sizeof(addr));
	snprintf(buf, len, p->target.addr.family == ADDR_V6 ? "[%s]" : "%s", addr);
	return buf;
}

/* "Name:value" becomes "Name: value". */
static void header_put(FILE *f, const char *header)
{
	const char *value = strchr(header, ':');

	value = value ? value + 1 : header;
	fprintf(f, "%.*s %s\r\n", (int)(value - header), header, value + strspn(value, " "));
}

/* The length of the request; 0: the request does not fit, or there is no memory. */
static size_t request_build(const struct probe *p, char *buf, size_t len)
{
	const struct check_spec *spec = p->spec;
	char host[ENDPOINT_STRLEN];
	FILE *f = fmemopen(buf, len, "w");
	long n;

	if (!f)
		return 0;
	fprintf(f, "%s %s HTTP/1.1\r\n", spec->http.method ? spec->http.method : "GET",
		spec->http.path ? spec->http.path : "/");
	if (!has_header(spec, "host"))
		fprintf(f, "Host: %s\r\n",
			spec->http.host ? spec->http.host : default_host(p, host, sizeof(host)));
	if (!has_header(spec, "user-agent"))
		fputs("User-Agent: plvs\r\n", f);
	if (!has_header(spec, "connection"))
		fputs("Connection: close\r\n", f);
	for (uint32_t i = 0; i < spec->http.n_headers; i++)
		header_put(f, spec->http.headers[i]);
	fputs("\r\n", f);
	n = fflush(f) ? -1 : ftell(f);
	fclose(f);
	return n > 0 && (size_t)n < len ? (size_t)n : 0;
}

static bool http_opened(struct stream *s)
{
	char *request = malloc(REQUEST_MAX);
	size_t len = request ? request_build(s->p, request, REQUEST_MAX) : 0;
	bool lives;

	if (len == 0) {
		free(request);
		return end(http_of(s), PROBE_ERROR, "no room for the request to get an answer");
	}
	lives = stream_send(s, request, len);
	free(request);
	return lives;
}

/* Takes what came of the body into its digest. False: the probe has ended. */
static bool body_hash(struct http *x)
{
	if (EVP_DigestUpdate(x->digest, x->answer.body, x->answer.body_len) != 1)
		return end(x, PROBE_ERROR, "no digest of the answer");
	x->hashed += x->answer.body_len;
	x->answer.body_len = 0;
	if (x->hashed > CHECK_MAX_HASHED)
		return end(x, PROBE_FAIL, "a body of more than 16 MiB, whose digest is wanted");
	return true;
}

/* false always. */
static bool digest_judge(struct http *x)
{
	const struct match *wanted = &x->stream.p->spec->http.body;
	unsigned char digest[EVP_MAX_MD_SIZE];
	char text[2 * EVP_MAX_MD_SIZE + 1], what[128];
	unsigned int len = 0;
	bool same;

	if (EVP_DigestFinal_ex(x->digest, digest, &len) != 1)
		return end(x, PROBE_ERROR, "no digest of the answer");
	for (unsigned int i = 0; i < len; i++)
		snprintf(text + (size_t)2 * i, 3, "%02x", digest[i]);
	same = wanted->len == 2 * len && strncasecmp(wanted->bytes, text, wanted->len) == 0;
	snprintf(what, sizeof(what), "HTTP %u and %zu bytes with the MD5 digest %.32s",
		 x->answer.status, x->hashed, text);
	if (x->stream.p->spec->http.body_not)
		same = !same;
	return end(x, same ? PROBE_OK : PROBE_FAIL, what);
}

/* The body is complete, or as much of it as counts. */
static bool body_ends(struct http *x)
{
	const struct check_spec *spec = x->stream.p->spec;
	char what[96];
	size_t at;

	switch (match_find_all(x->stream.p->env->patterns, &spec->http.body, x->answer.body,
			       x->answer.body_len, x->looked, &at)) {
	case MATCH_FOUND:
		if (spec->http.body_not) {
			snprintf(what, sizeof(what), "HTTP %u, but a body that must not come",
				 x->answer.status);
			return end(x, PROBE_FAIL, what);
		}
		snprintf(what, sizeof(what), "HTTP %u and the expected body", x->answer.status);
		return end(x, PROBE_OK, what);
	case MATCH_GAVE_UP:
		return end(x, PROBE_FAIL, "the pattern takes too much work on the body");
	default:
		if (spec->http.body_not) {
			snprintf(what, sizeof(what), "HTTP %u without the body that must not come",
				 x->answer.status);
			return end(x, PROBE_OK, what);
		}
		snprintf(what, sizeof(what), "HTTP %u, but %zu bytes of another body",
			 x->answer.status, x->answer.body_len);
		return end(x, PROBE_FAIL, what);
	}
}

/* A literal or prefix may be decided before the end. Whether the probe lives. */
static bool body_grew(struct http *x)
{
	const struct match *m = &x->stream.p->spec->http.body;
	enum match_result r;
	size_t at;

	if (x->digest) {
		if (!body_hash(x))
			return false;
		return x->answer.stage == HTTP_DONE ? digest_judge(x) : true;
	}
	if (x->answer.body_len >= x->answer.body_room || x->answer.stage == HTTP_DONE)
		return body_ends(x);
	if (m->kind == MATCH_PATTERN)
		return true;
	r = match_find(NULL, m, x->answer.body, x->answer.body_len, x->looked, &at);
	if (r != MATCH_NOT_YET)
		return body_ends(x);
	x->looked = x->answer.body_len;
	return true;
}

static bool header_came(struct http *x)
{
	const struct check_spec *spec = x->stream.p->spec;
	char what[64];

	snprintf(what, sizeof(what), "HTTP %u", x->answer.status);
	if (!status_wanted(spec, x->answer.status))
		return end(x, PROBE_FAIL, what);
	if (spec->http.body.kind == MATCH_NONE)
		return end(x, PROBE_OK, what);
	return body_grew(x);
}

/* False: the probe has ended. */
static bool body_begin(struct http *x)
{
	x->answer.body = malloc(CHECK_MAX_BODY);
	if (!x->answer.body)
		return end(x, PROBE_ERROR, "no memory for the answer");
	x->answer.body_room = CHECK_MAX_BODY;
	if (x->stream.p->spec->http.body.kind != MATCH_MD5)
		return true;
	x->digest = EVP_MD_CTX_new();
	/* OpenSSL in the mode of FIPS has none. */
	if (!x->digest || EVP_DigestInit_ex(x->digest, EVP_md5(), NULL) != 1)
		return end(x, PROBE_ERROR, "no MD5 on this host for the answer");
	return true;
}

static bool http_came(struct stream *s)
{
	struct http *x = http_of(s);

	/* The body's room is made with its header: most probes need none. */
	if (s->p->spec->http.body.kind != MATCH_NONE && !x->answer.body && !body_begin(x))
		return false;
	stream_take(s, http_answer_take(&x->answer, s->in, s->in_len));
	if (x->answer.stage == HTTP_BAD)
		return end(x, PROBE_FAIL, x->answer.why);
	if (http_answer_has_header(&x->answer))
		return header_came(x);
	return true;
}

static void http_closed(struct stream *s)
{
	struct http *x = http_of(s);

	http_answer_close(&x->answer);
	if (x->answer.stage == HTTP_BAD)
		end(x, PROBE_FAIL, x->answer.why);
	else
		header_came(x);
}

static void http_cleanup(struct stream *s)
{
	struct http *x = http_of(s);

	free(x->answer.body);
	EVP_MD_CTX_free(x->digest);
}

static const struct stream_user user = {
	.opened = http_opened,
	.came = http_came,
	.closed = http_closed,
	.cleanup = http_cleanup,
};

static void http_start(struct probe *p)
{
	struct http *x = p->state;

	x->answer.head = p->spec->http.method && strcmp(p->spec->http.method, "HEAD") == 0;
	stream_start(&x->stream, p, &user);
}

static void http_cancel(struct probe *p, char *phase, size_t len)
{
	struct http *x = p->state;
	char talking[64] = "no answer to the request";

	if (x->answer.status)
		snprintf(talking, sizeof(talking), "HTTP %u, but no end of the answer",
			 x->answer.status);
	else if (x->stream.in_len)
		snprintf(talking, sizeof(talking), "no end of the answer's header");
	stream_cancel(&x->stream, talking, phase, len);
}

const struct checker_ops check_http_ops = {
	.type = CHECK_HTTP,
	.state_size = sizeof(struct http),
	.start = http_start,
	.cancel = http_cancel,
};
