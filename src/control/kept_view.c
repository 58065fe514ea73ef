/* SPDX-License-Identifier: BSD-3-Clause */
/* The connections that the start took up from the process before, and the ledger, for status. */
#include "control/kept_view.h"

#include "dataplane/sync/ledger.h"

static json_t *text_or_null(const char *text)
{
	return text && text[0] ? json_string(text) : json_null();
}

static json_t *ledger_json(struct dataplane *dp)
{
	struct ledger_view v;

	if (!ledger_view(dp, &v))
		return json_pack("{s:n, s:i, s:i, s:o}", "path", "bytes", 0, "missed", 0, "fault",
				 text_or_null(dp->ledger_fault));
	return json_pack("{s:s, s:I, s:I, s:o}", "path", v.path, "bytes", (json_int_t)v.bytes,
			 "missed", (json_int_t)v.missed, "fault", text_or_null(v.fault));
}

json_t *kept_json(struct dataplane *dp)
{
	static const char *const sources[] = {
		[KEPT_NOTHING] = NULL, [KEPT_FILE] = "file", [KEPT_LEDGER] = "ledger"};
	const struct kept_report *k = &dp->kept;

	return json_pack("{s:s?, s:I, s:{s:I, s:I, s:I, s:I, s:I}, s:I, s:I, s:o, s:o}", "from",
			 sources[k->source], "connections", (json_int_t)k->taken, "dropped",
			 "unknown_server", (json_int_t)k->unknown, "half_written",
			 (json_int_t)k->half, "damaged", (json_int_t)k->damaged, "no_room",
			 (json_int_t)k->no_room, "refused", (json_int_t)k->refused, "age_ms",
			 (json_int_t)k->age_ms, "took_ms", (json_int_t)k->took_ms, "fault",
			 text_or_null(k->why), "ledger", ledger_json(dp));
}

void kept_warn(struct dataplane *dp, json_t *list)
{
	struct ledger_view v;

	if (ledger_view(dp, &v) && v.fault[0])
		json_array_append_new(list, json_string(v.fault));
	else if (!dp->ledger && dp->ledger_fault[0] && !dp->ledger_off)
		json_array_append_new(
			list, json_sprintf("node.ledger: %s: connections do not outlive a kill",
					   dp->ledger_fault));
}
