/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The words of health for the page: of real servers that are not up, or get no new connections.
 * Words are in no metric, where each would be a series.
 */
#include <string.h>

#include "base/json_write.h"
#include "health/member.h"
#include "metrics/metrics_internal.h"

#define LOOK_MAX 8192 /* servers: more than are in a document that the page reads */
#define ROWS_MAX 500

static int piece_add(const char *text, size_t n, void *arg)
{
	return evbuffer_add(arg, text, n);
}

static void put(struct json_writer *w, const char *text)
{
	json_writer_put(w, text, strlen(text));
}

static void member_put(struct json_writer *w, const char *key, const char *value)
{
	put(w, key);
	json_writer_string(w, value, strlen(value));
}

/* True: the server has a row. */
static bool row_put(struct json_writer *w, const struct router_parts *p, const char *key,
		    const struct endpoint *ep, bool first)
{
	char text[ENDPOINT_STRLEN];
	struct health_view v;

	if (!p->health || health_get_now(p->health, key, ep, &v) < 0 ||
	    (v.standing == STANDING_IN && !v.effect.down))
		return false;
	member_put(w, first ? "{\"service\":" : ",{\"service\":", key);
	member_put(w, ",\"server\":", endpoint_format(ep, text, sizeof(text)));
	member_put(w, ",\"reason\":", v.reason);
	put(w, "}");
	return true;
}

bool reasons_write(void *arg, struct evbuffer *out)
{
	const struct metrics *m = arg;
	uint32_t looked = 0, n = 0;
	char key[CONFIG_KEY_STRLEN];
	struct router_parts p;
	struct json_writer w;

	m->options.parts(m->options.arg, &p);
	json_writer_init(&w, piece_add, out);
	put(&w, "{\"reasons\":[");
	for (uint32_t i = 0; i < p.config->shared.n_services && looked < LOOK_MAX; i++) {
		const struct config_service *svc = p.config->shared.services[i];

		config_service_key(svc, key, sizeof(key));
		looked += svc->n_servers;
		for (uint32_t k = 0; k < svc->n_servers && n < ROWS_MAX; k++)
			n += row_put(&w, &p, key, &svc->servers[k].ep, n == 0);
	}
	put(&w, "]}");
	return json_writer_end(&w) == 0;
}
