/* SPDX-License-Identifier: BSD-3-Clause */
/* The ledger's fault, for the operator. */
#include "control/kept_view.h"

#include "dataplane/sync/ledger.h"

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
