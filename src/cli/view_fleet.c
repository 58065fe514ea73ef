/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/view.h"

/* A member of a fleet: its state, then the VIPs that it announces. */

static const struct list_view list_announced = {"routes", "nothing is announced", NULL,
						&shown_vip_route};

void view_fleet(const struct out *out, const json_t *r, const struct invocation *inv)
{
	(void)inv;
	fputs("member ", out->file);
	text_put(out->file, view_text(r, "member"));
	fprintf(out->file, ", %s",
		json_is_true(view_at(r, "fleet")) ? "of a fleet" : "of no fleet");
	if (strcmp(view_text(r, "state"), "none") == 0) {
		fputs(": announces nothing (node.announce.table is not set)\n", out->file);
		return;
	}
	fprintf(out->file, ": %s, ", view_text(r, "state"));
	text_put(out->file, view_text(r, "reason"));
	fprintf(out->file, "\nVIPs: %.0f have what they need, %.0f announced\n",
		view_number(r, "wanted"), view_number(r, "announced"));
	if (view_text(r, "fault")[0]) {
		fputs(style_on(out, STYLE_WARN), out->file);
		text_put(out->file, view_text(r, "fault"));
		fprintf(out->file, "%s\n", style_off(out, STYLE_WARN));
	}
	fputs("routing daemon: ", out->file);
	text_put(out->file, view_text(r, "daemon"));
	if (view_number(r, "sessions") > 0)
		fprintf(out->file, ", BGP connections: %.0f", view_number(r, "sessions"));
	fprintf(out->file, "\ndigest %.16s\n\n", view_text(r, "digest"));
	view_list(out, &list_announced, r);
}
