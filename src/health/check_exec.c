/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An external program. The server is well when the exit code is 0 and the output matches. A
 * program that cannot be started, or finds no slot, is a probe that could not be made. The time
 * limit begins when the program starts: waiting for a slot is no fault of the server.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "health/advice.h"
#include "health/checkers.h"
#include "health/pattern.h"
#include "health/inquiry.h"
#include "spawn/spawn.h"

#define USER	 "nobody"
#define MAX_TEXT 4096 /* bytes of arguments with what was put in */

struct exec_state {
	uint64_t id; /* of the spawner's client; 0: none */
};

/* ---- arguments and environment ---- */

/* The values of %h, %p, %v and of the environment. */
struct values {
	char host[ADDR_STRLEN], port[8], vip[ADDR_STRLEN], vip_port[8];
};

static void values_of(const struct probe *p, struct values *v)
{
	be16 port = p->server.port ? p->server.port : p->target.port;

	memset(v, 0, sizeof(*v));
	addr_format(&p->server.addr, v->host, sizeof(v->host));
	snprintf(v->port, sizeof(v->port), "%u", be16_to(port));
	if (p->vip.addr.family == ADDR_NONE)
		return; /* a mark */
	addr_format(&p->vip.addr, v->vip, sizeof(v->vip));
	snprintf(v->vip_port, sizeof(v->vip_port), "%u", be16_to(p->vip.port));
}

static const char *value_of(const struct values *v, char letter)
{
	switch (letter) {
	case 'h':
		return v->host;
	case 'p':
		return v->port;
	case 'v':
		return v->vip;
	case '%':
		return "%";
	default:
		return NULL; /* stays as it is */
	}
}

/* Appends arg with its NUL, values put in. False: no room. */
static bool arg_put(const char *arg, const struct values *v, char **at, const char *end)
{
	for (;; arg++) {
		const char *value = *arg == '%' ? value_of(v, arg[1]) : NULL;
		size_t len = value ? strlen(value) : 1;

		if ((size_t)(end - *at) < len)
			return false;
		memcpy(*at, value ? value : arg, len);
		*at += len;
		if (value)
			arg++;
		else if (!*arg)
			return true;
	}
}

/* ---- what came of it ---- */

/* The last part of a path is what people call a program. */
static const char *program_name(const struct check_spec *spec)
{
	const char *path = spec->exec.n_argv ? spec->exec.argv[0] : "";
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* The first line of what was printed, of the output or else of the errors: ": \"text\"". */
static const char *quote(const struct spawn_result *r, char *buf, size_t len)
{
	const char *text = r->output_len ? r->output : r->error;
	int n = (int)strcspn(text, "\r\n");

	buf[0] = '\0';
	if (n > 0)
		snprintf(buf, len, ": \"%.*s\"", n < 80 ? n : 80, text);
	return buf;
}

/* Sets the verdict and the reason unless it matches. */
static bool output_matches(const struct probe *p, const struct spawn_result *r,
			   struct probe_result *out)
{
	const char *name = program_name(p->spec);
	enum match_result found;
	char text[96];
	size_t end;

	found = match_find_all(p->env->patterns, &p->spec->exec.output, r->output, r->output_len, 0,
			       &end);
	if (found == MATCH_FOUND)
		return true;
	out->verdict = found == MATCH_GAVE_UP ? PROBE_ERROR : PROBE_FAIL;
	snprintf(out->reason, sizeof(out->reason), "the output of %.64s %s%s", name,
		 found == MATCH_GAVE_UP ? "takes the pattern over its limits" : "does not match",
		 quote(r, text, sizeof(text)));
	return false;
}

static void advice_take(const struct check_spec *spec, const struct spawn_result *r,
			struct probe_result *out)
{
	char why[80];

	if (spec->exec.load) {
		if (load_parse(r->output, r->output_len, &out->load) == 0) {
			out->advice |= ADVICE_LOAD;
			return;
		}
		out->verdict = PROBE_ERROR;
		snprintf(out->reason, sizeof(out->reason), "no load number in the output of %.64s",
			 program_name(spec));
	} else if (spec->weight && advice_parse(r->output, r->output_len, out, why, sizeof(why))) {
		if (!(out->advice & ADVICE_DOWN))
			return;
		out->verdict = PROBE_FAIL;
		snprintf(out->reason, sizeof(out->reason), "%.64s says down%s%s",
			 program_name(spec), why[0] ? ": " : "", why);
	}
}

/* As keepalived's misc_dynamic: 0 is good, 1 is bad, and each other code is good and sets the
 * weight to code - 2. */
static void code_judge(const struct probe *p, const struct spawn_result *r,
		       struct probe_result *out)
{
	if (r->code == 1) {
		out->verdict = PROBE_FAIL;
	} else if (r->code >= 2) {
		out->advice |= ADVICE_UNITS;
		out->weight_units = (uint32_t)r->code - 2;
	}
	snprintf(out->reason, sizeof(out->reason), "exit code %d of %.64s", r->code,
		 program_name(p->spec));
	if (out->advice & ADVICE_UNITS)
		snprintf(out->reason + strlen(out->reason),
			 sizeof(out->reason) - strlen(out->reason), ": weight %u",
			 out->weight_units);
}

static void exit_judge(const struct probe *p, const struct spawn_result *r,
		       struct probe_result *out)
{
	const struct check_spec *spec = p->spec;
	char text[96];

	if (r->code != 0 && !spec->exec.any_code)
		out->verdict = PROBE_FAIL;
	else if (!output_matches(p, r, out))
		return;
	snprintf(out->reason, sizeof(out->reason), "exit code %d of %.64s%s", r->code,
		 program_name(spec), quote(r, text, sizeof(text)));
	if (out->verdict == PROBE_OK)
		advice_take(spec, r, out);
}

static void judge(const struct probe *p, const struct spawn_result *r, struct probe_result *out)
{
	const struct check_spec *spec = p->spec;
	const char *name = program_name(spec), *abbrev;
	char text[32];

	switch (r->outcome) {
	case SPAWN_EXITED:
		if (spec->exec.code_weight)
			code_judge(p, r, out);
		else
			exit_judge(p, r, out);
		break;
	case SPAWN_SIGNALLED:
		abbrev = sigabbrev_np(r->code);
		out->verdict = PROBE_FAIL;
		snprintf(out->reason, sizeof(out->reason), "%.64s was ended by signal %d%s%s", name,
			 r->code, abbrev ? ", SIG" : "", abbrev ? abbrev : "");
		break;
	case SPAWN_TIMED_OUT:
		out->verdict = PROBE_FAIL;
		out->timeout = true;
		snprintf(out->reason, sizeof(out->reason), "%.64s was not done within %s", name,
			 duration_format(inquiry_timeout_ms(spec), text, sizeof(text)));
		break;
	default:
		out->verdict = PROBE_ERROR;
		spawn_result_format(r, name, out->reason, sizeof(out->reason));
		break;
	}
}

static void done(void *arg, const struct spawn_result *r)
{
	struct probe *p = arg;
	struct probe_result result = {.verdict = PROBE_OK};

	/* By exec_cancel(), or the end of it all: nobody wants to know. */
	if (r->outcome == SPAWN_CANCELLED)
		return;
	judge(p, r, &result);
	probe_end_result(p, &result);
}

/* ---- the checker ---- */

static int run(struct probe *p, const struct values *v)
{
	static const char *const names[] = {"PLVS_SERVER_ADDRESS", "PLVS_SERVER_PORT",
					    "PLVS_VIP_ADDRESS", "PLVS_VIP_PORT"};
	const char *const texts[] = {v->host, v->port, v->vip, v->vip_port};
	const struct check_spec *spec = p->spec;
	const char *argv[CHECK_MAX_ARGV + 1] = {NULL}, *env[5] = {NULL};
	char text[MAX_TEXT], lines[4][ADDR_STRLEN + 24], *at = text;
	struct exec_state *s = p->state;
	struct spawn_request r = {
		.argv = argv,
		.env = env,
		.user = spec->exec.user	       ? spec->exec.user
			: p->env->program_user ? p->env->program_user
					       : USER,
		.time_limit_ms = inquiry_timeout_ms(spec),
		.output_max = SPAWN_MAX_OUTPUT,
	};

	if (spec->exec.n_argv > CHECK_MAX_ARGV)
		return -E2BIG;
	for (uint32_t i = 0; i < spec->exec.n_argv; i++) {
		argv[i] = at;
		if (!arg_put(spec->exec.argv[i], v, &at, text + sizeof(text)))
			return -E2BIG;
	}
	for (int i = 0; i < 4; i++) {
		snprintf(lines[i], sizeof(lines[i]), "%s=%s", names[i], texts[i]);
		env[i] = lines[i];
	}
	return spawn_run(p->env->spawn, &r, done, p, &s->id);
}

static void exec_start(struct probe *p)
{
	struct values v;
	int rc = -EPIPE;

	values_of(p, &v);
	if (p->spec->exec.n_argv == 0)
		rc = -EINVAL;
	else if (p->env->spawn)
		rc = run(p, &v);
	if (rc == -EPIPE)
		probe_end(p, PROBE_ERROR, "no programs can be run: the spawner has ended");
	else if (rc == -ENOBUFS)
		probe_end(p, PROBE_ERROR, "too many programs run or wait already");
	else if (rc != 0)
		probe_end(p, PROBE_ERROR, "%.64s cannot be run: %s", program_name(p->spec),
			  strerror(-rc));
}

static void exec_cancel(struct probe *p, char *phase, size_t len)
{
	struct exec_state *s = p->state;

	snprintf(phase, len, "no end of %.64s", program_name(p->spec));
	spawn_cancel(p->env->spawn, s->id);
}

const struct checker_ops check_exec_ops = {
	.type = CHECK_EXEC,
	.state_size = sizeof(struct exec_state),
	.own_limit = true,
	.start = exec_start,
	.cancel = exec_cancel,
};
