/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "health/check.h"

static bool str_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* false: no memory. */
static bool str_copy(const char *from, char **to)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

static bool match_equal(const struct match *a, const struct match *b)
{
	return a->kind == b->kind && a->len == b->len &&
	       (a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

static bool match_copy(const struct match *from, struct match *to)
{
	*to = *from;
	to->bytes = NULL;
	if (!from->bytes)
		return true;
	to->bytes = malloc((size_t)from->len + 1);
	if (!to->bytes)
		return false;
	memcpy(to->bytes, from->bytes, from->len);
	to->bytes[from->len] = '\0';
	return true;
}

static bool steps_copy(const struct check_spec *from, struct check_spec *to)
{
	bool ok = true;

	to->steps = calloc(from->n_steps ? from->n_steps : 1, sizeof(*to->steps));
	if (!to->steps)
		return false;
	to->n_steps = from->n_steps;
	for (uint32_t i = 0; i < from->n_steps; i++) {
		to->steps[i].expect = from->steps[i].expect;
		ok &= match_copy(&from->steps[i].what, &to->steps[i].what);
	}
	return ok;
}

static bool http_copy(const struct check_spec *from, struct check_spec *to)
{
	bool ok = true;

	ok &= str_copy(from->http.method, &to->http.method);
	ok &= str_copy(from->http.path, &to->http.path);
	ok &= str_copy(from->http.host, &to->http.host);
	ok &= match_copy(&from->http.body, &to->http.body);
	to->http.headers =
		calloc(from->http.n_headers ? from->http.n_headers : 1, sizeof(*to->http.headers));
	to->http.statuses = calloc(from->http.n_statuses ? from->http.n_statuses : 1,
				   sizeof(*to->http.statuses));
	if (!to->http.headers || !to->http.statuses)
		return false;
	to->http.n_headers = from->http.n_headers;
	for (uint32_t i = 0; i < from->http.n_headers; i++) {
		ok &= str_copy(from->http.headers[i].name, &to->http.headers[i].name);
		ok &= str_copy(from->http.headers[i].value, &to->http.headers[i].value);
	}
	to->http.n_statuses = from->http.n_statuses;
	for (uint32_t i = 0; i < from->http.n_statuses; i++)
		to->http.statuses[i] = from->http.statuses[i];
	return ok;
}

static bool exec_copy(const struct check_spec *from, struct check_spec *to)
{
	bool ok = true;

	ok &= str_copy(from->exec.user, &to->exec.user);
	ok &= match_copy(&from->exec.output, &to->exec.output);
	/* One more: the array may be handed to exec as it is. */
	to->exec.argv = calloc((size_t)from->exec.n_argv + 1, sizeof(*to->exec.argv));
	if (!to->exec.argv)
		return false;
	to->exec.n_argv = from->exec.n_argv;
	for (uint32_t i = 0; i < from->exec.n_argv; i++)
		ok &= str_copy(from->exec.argv[i], &to->exec.argv[i]);
	return ok;
}

int check_spec_copy(const struct check_spec *from, struct check_spec *to)
{
	struct check_spec s = *from;
	bool ok = true;

	/* Nothing of from may be freed when a copy fails half way. */
	s.n_steps = s.http.n_headers = s.http.n_statuses = s.exec.n_argv = 0;
	s.steps = NULL;
	s.http.headers = NULL;
	s.http.statuses = NULL;
	s.exec.argv = NULL;
	ok &= str_copy(from->name, &s.name);
	ok &= str_copy(from->tls.ca_file, &s.tls.ca_file);
	ok &= str_copy(from->tls.sni, &s.tls.sni);
	ok &= str_copy(from->tls.cert_file, &s.tls.cert_file);
	ok &= str_copy(from->tls.key_file, &s.tls.key_file);
	ok &= str_copy(from->dns.name, &s.dns.name);
	ok &= steps_copy(from, &s);
	ok &= http_copy(from, &s);
	ok &= exec_copy(from, &s);
	if (!ok) {
		check_spec_fini(&s);
		return -ENOMEM;
	}
	*to = s;
	return 0;
}

void check_spec_fini(struct check_spec *spec)
{
	free(spec->name);
	free(spec->tls.ca_file);
	free(spec->tls.sni);
	free(spec->tls.cert_file);
	free(spec->tls.key_file);
	for (uint32_t i = 0; i < spec->n_steps; i++)
		free(spec->steps[i].what.bytes);
	free(spec->steps);
	free(spec->http.method);
	free(spec->http.path);
	free(spec->http.host);
	for (uint32_t i = 0; i < spec->http.n_headers; i++) {
		free(spec->http.headers[i].name);
		free(spec->http.headers[i].value);
	}
	free(spec->http.headers);
	free(spec->http.statuses);
	free(spec->http.body.bytes);
	free(spec->dns.name);
	for (uint32_t i = 0; i < spec->exec.n_argv; i++)
		free(spec->exec.argv[i]);
	free(spec->exec.argv);
	free(spec->exec.user);
	free(spec->exec.output.bytes);
	memset(spec, 0, sizeof(*spec));
}

static bool tls_equal(const struct check_tls *a, const struct check_tls *b)
{
	return a->on == b->on && a->verify == b->verify && str_equal(a->ca_file, b->ca_file) &&
	       str_equal(a->sni, b->sni) && str_equal(a->cert_file, b->cert_file) &&
	       str_equal(a->key_file, b->key_file);
}

static bool steps_equal(const struct check_spec *a, const struct check_spec *b)
{
	if (a->n_steps != b->n_steps)
		return false;
	for (uint32_t i = 0; i < a->n_steps; i++)
		if (a->steps[i].expect != b->steps[i].expect ||
		    !match_equal(&a->steps[i].what, &b->steps[i].what))
			return false;
	return true;
}

static bool http_equal(const struct check_spec *a, const struct check_spec *b)
{
	if (!str_equal(a->http.method, b->http.method) || !str_equal(a->http.path, b->http.path) ||
	    !str_equal(a->http.host, b->http.host) || a->http.n_headers != b->http.n_headers ||
	    a->http.n_statuses != b->http.n_statuses ||
	    !match_equal(&a->http.body, &b->http.body) || a->http.body_not != b->http.body_not)
		return false;
	for (uint32_t i = 0; i < a->http.n_headers; i++)
		if (!str_equal(a->http.headers[i].name, b->http.headers[i].name) ||
		    !str_equal(a->http.headers[i].value, b->http.headers[i].value))
			return false;
	for (uint32_t i = 0; i < a->http.n_statuses; i++)
		if (a->http.statuses[i].first != b->http.statuses[i].first ||
		    a->http.statuses[i].last != b->http.statuses[i].last)
			return false;
	return true;
}

static bool dns_equal(const struct check_spec *a, const struct check_spec *b)
{
	return str_equal(a->dns.name, b->dns.name) && a->dns.qtype == b->dns.qtype &&
	       a->dns.any_rcode == b->dns.any_rcode && addr_equal(&a->dns.expect, &b->dns.expect);
}

static bool exec_equal(const struct check_spec *a, const struct check_spec *b)
{
	if (a->exec.n_argv != b->exec.n_argv || a->exec.load != b->exec.load ||
	    a->exec.any_code != b->exec.any_code || !str_equal(a->exec.user, b->exec.user) ||
	    !match_equal(&a->exec.output, &b->exec.output))
		return false;
	for (uint32_t i = 0; i < a->exec.n_argv; i++)
		if (!str_equal(a->exec.argv[i], b->exec.argv[i]))
			return false;
	return true;
}

static bool passive_equal(const struct check_spec *a, const struct check_spec *b)
{
	return memcmp(&a->numbers, &b->numbers, sizeof(a->numbers)) == 0;
}

bool check_spec_same_question(const struct check_spec *a, const struct check_spec *b)
{
	return a->type == b->type && a->timeout_ms == b->timeout_ms &&
	       addr_equal(&a->address, &b->address) && a->port == b->port &&
	       a->via_vip == b->via_vip && a->weight == b->weight && tls_equal(&a->tls, &b->tls) &&
	       steps_equal(a, b) && http_equal(a, b) && dns_equal(a, b) && exec_equal(a, b) &&
	       passive_equal(a, b);
}

bool check_spec_equal(const struct check_spec *a, const struct check_spec *b)
{
	return a->interval_ms == b->interval_ms && a->fast_ms == b->fast_ms &&
	       a->down_ms == b->down_ms && a->rise == b->rise && a->fall == b->fall &&
	       a->reentry_ms == b->reentry_ms && check_spec_same_question(a, b);
}

bool check_spec_names_vip(const struct check_spec *spec)
{
	return spec->via_vip || spec->type == CHECK_EXEC || spec->type == CHECK_PASSIVE;
}
