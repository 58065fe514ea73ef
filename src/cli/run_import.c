/* SPDX-License-Identifier: BSD-3-Clause */
/* plvsctl import: a file of this machine, without a router. */
#include <stdlib.h>
#include <string.h>

#include "import/import.h"

#include "base/addr.h"
#include "cli/session.h"

static const char *local_text(const struct invocation *inv, const char *key)
{
	return json_string_value(json_object_get(inv->local, key));
}

/* NAME=ADDRESS, each; the texts stay the invocation's but for the names. 0 or -1. */
static int hosts_take(struct session *s, const json_t *list, struct import_host *hosts)
{
	const json_t *each;
	struct addr addr;
	size_t i;

	json_array_foreach (list, i, each) {
		const char *text = json_string_value(each), *equals = strchr(text, '=');

		if (!equals || equals == text || addr_parse(equals + 1, &addr) < 0) {
			session_error(s, CLI_USAGE,
				      "host: \"%s\" is not valid; expected NAME=ADDRESS", text);
			return -1;
		}
		hosts[i].name = strndup(text, (size_t)(equals - text));
		hosts[i].address = equals + 1;
	}
	return 0;
}

int run_import(struct session *s, const struct invocation *inv)
{
	const json_t *list = json_object_get(inv->local, "host");
	size_t n = json_array_size(list);
	struct import_host *hosts = calloc(n + 1, sizeof(*hosts));
	struct import_options options = {
		.path = local_text(inv, "file"),
		.format = local_text(inv, "from"),
		.id = local_text(inv, "id"),
		.role = local_text(inv, "role"),
		.force = json_is_true(json_object_get(inv->local, "force")),
		.hosts = hosts,
		.n_hosts = n,
	};
	int code = CLI_USAGE;

	if (!hosts)
		return session_error(s, CLI_GARBLED, "no memory");
	if (!options.path)
		session_error(s, CLI_USAGE,
			      "import: FILE is missing: expected a path, or - for standard input");
	else if (hosts_take(s, list, hosts) == 0)
		code = import_file(&options, s->out.file, s->out.errors) == IMPORT_OK ? CLI_OK
										      : CLI_REFUSED;
	for (size_t i = 0; i < n; i++)
		free((char *)(uintptr_t)hosts[i].name);
	free(hosts);
	return code;
}
