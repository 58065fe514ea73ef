/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of a check's parameters that need more than one key, by the type of the check. */
#include "config/config_internal.h"

#include <errno.h>
#include <stdio.h>

#include "health/dns.h"

static void wrong(struct config_context *ctx, const char *key, const char *text)
{
	context_push_key(ctx, key);
	config_report(ctx, -EINVAL, NULL, "%s", text);
	context_pop(ctx);
}

static void steps_check(struct config_context *ctx, const struct check_spec *c)
{
	uint32_t n_send = 0;

	if (c->n_steps == 0 && c->type == CHECK_SCRIPT)
		wrong(ctx, "steps", "missing: expected at least one, or type tcp");
	context_push_key(ctx, "steps");
	for (uint32_t i = 0; i < c->n_steps; i++) {
		context_push_index(ctx, i);
		if (c->steps[i].kind == MATCH_NONE)
			config_report(ctx, -EINVAL, NULL,
				      "expected one of send, expect, expect_prefix, "
				      "expect_pattern");
		if (c->steps[i].timeout_ms &&
		    (c->type != CHECK_SCRIPT || c->steps[i].kind == MATCH_SEND))
			wrong(ctx, "timeout", "is of steps of script that expect");
		context_pop(ctx);
		n_send += c->steps[i].kind == MATCH_SEND;
	}
	context_pop(ctx);
	if (c->type == CHECK_AGENT && (n_send > 1 || c->n_steps > n_send))
		wrong(ctx, "steps", "of agent: expected at most one to send; the answer is a line");
	if (c->type == CHECK_UDP &&
	    (n_send != 1 || c->n_steps > 2 || c->steps[0].kind != MATCH_SEND))
		wrong(ctx, "steps", "of udp: expected one to send, then perhaps one to expect");
}

static void http_check(struct config_context *ctx, const struct check_spec *c)
{
	context_push_key(ctx, "http");
	if (c->http.body_not && c->http.body.kind == MATCH_NONE)
		wrong(ctx, "body_not",
		      "says nothing without one of body, body_prefix, body_pattern, body_md5");
	context_pop(ctx);
}

static void dns_check(struct config_context *ctx, const struct check_spec *c)
{
	context_push_key(ctx, "dns");
	if (c->dns.expect.family == ADDR_V4 && c->dns.qtype != DNS_A)
		wrong(ctx, "expect", "is an IPv4 address: needs \"qtype\": \"a\"");
	if (c->dns.expect.family == ADDR_V6 && c->dns.qtype != DNS_AAAA)
		wrong(ctx, "expect", "is an IPv6 address: needs \"qtype\": \"aaaa\"");
	context_pop(ctx);
}

static void exec_check(struct config_context *ctx, const struct check_spec *c)
{
	context_push_key(ctx, "exec");
	if (c->exec.n_argv == 0)
		wrong(ctx, "argv", "missing: expected a program and its arguments");
	else if (c->exec.argv[0] && c->exec.argv[0][0] != '/')
		wrong(ctx, "argv", "[0] is no absolute path: expected the program as \"/usr/...\"");
	if (c->exec.code_weight &&
	    (c->exec.any_code || c->exec.load || c->exec.output.kind != MATCH_NONE))
		wrong(ctx, "code_weight",
		      "is alone: neither the output nor any_code counts with it");
	if (c->exec.any_code && c->exec.output.kind == MATCH_NONE && !c->exec.load)
		wrong(ctx, "any_code", "without an output that is expected nothing can fail");
	context_pop(ctx);
}

static void tls_check(struct config_context *ctx, const struct check_spec *c)
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
	context_pop(ctx);
}

static void timing_check(struct config_context *ctx, const struct check_spec *c)
{
	uint32_t timeout = c->timeout_ms ? c->timeout_ms : c->interval_ms;
	char text[128];

	if (timeout > 10ULL * c->interval_ms) {
		snprintf(text, sizeof(text), "%u ms is more than ten intervals of %u ms", timeout,
			 c->interval_ms);
		wrong(ctx, "timeout", text);
	}
	if (c->type == CHECK_PASSIVE && c->passive.window_ms < c->interval_ms) {
		context_push_key(ctx, "passive");
		wrong(ctx, "window", "is shorter than \"interval\"");
		context_pop(ctx);
	}
}

void config_check_by_type(struct config_context *ctx, const void *object)
{
	const struct check_spec *c = object;

	timing_check(ctx, c);
	if (c->via_vip && c->source_port)
		wrong(ctx, "source_port",
		      "workers know the replies to checks by the VIP by their own "
		      "ports: leave it out with via_vip");
	tls_check(ctx, c);
	switch ((enum check_type)c->type) {
	case CHECK_SCRIPT:
	case CHECK_UDP:
	case CHECK_AGENT:
		steps_check(ctx, c);
		break;
	case CHECK_HTTP:
		http_check(ctx, c);
		break;
	case CHECK_EXEC:
		exec_check(ctx, c);
		break;
	case CHECK_DNS:
		dns_check(ctx, c);
		break;
	default:
		break;
	}
}
