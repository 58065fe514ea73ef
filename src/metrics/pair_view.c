/* SPDX-License-Identifier: BSD-3-Clause */
/* The pair of routers. */
#include <ctype.h>
#include <pthread.h>

#include "metrics/object_view.h"

static char row_texts[ROLE_N_ROWS][32];
static const char *row_names[ROLE_N_ROWS], *state_names[HA_STATE_MAX + 1];
static const char *const verdicts[] = {"fresh", "copy", "stale", "retired", "reflected"};

/* "peer_serves" */
static void names_make(void)
{
	for (unsigned int i = 0; i < ROLE_N_ROWS; i++) {
		for (size_t k = 0; role_rows[i].name[k] && k < sizeof(row_texts[i]) - 1; k++)
			row_texts[i][k] = (char)tolower((unsigned char)role_rows[i].name[k]);
		row_names[i] = row_texts[i];
	}
	for (unsigned int i = 0; i <= HA_STATE_MAX; i++)
		state_names[i] = role_state_name((enum ha_state)i);
}

static const char *role_word(enum ha_role role)
{
	return role == HA_ROLE_PRIMARY ? "primary" : role == HA_ROLE_BACKUP ? "backup" : "unknown";
}

/* Values and names that are too many for a member each. */
static void vectors_fill(struct shown_pair *out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const struct ha_status *s = &out->s;

	pthread_once(&once, names_make);
	out->heard_values[0] = s->heard[HA_FRESH] + s->heard[HA_FRESH_SESSION];
	out->heard_values[1] = s->heard[HA_COPY];
	out->heard_values[2] = s->heard[HA_STALE];
	out->heard_values[3] = s->heard[HA_SECOND];
	out->heard_values[4] = s->heard[HA_REFLECTED];
	for (unsigned int i = 0; i <= HA_STATE_MAX; i++)
		out->states[i] = s->state == (enum ha_state)i;
	out->heard = (struct shown_vector){verdicts, out->heard_values, 0, 5};
	out->state_is = (struct shown_vector){state_names, out->states, 0, HA_STATE_MAX + 1};
	out->transitions = (struct shown_vector){row_names, s->transitions, 0, ROLE_N_ROWS};
	out->sync_refused_as = (struct shown_vector){ha_wire_names, s->sync.refused_as,
						     HA_WIRE_OK + 1, HA_WIRE_MAX};
}

void pair_view(struct shown_pair *out)
{
	const struct ha_status *s = &out->s;

	out->state = role_state_name(s->state);
	out->role = role_word(s->role);
	out->reason = s->reason;
	out->explain = s->explain;
	out->deadtime_reason = s->deadtime_reason;
	out->alarm = s->alarm[0] ? s->alarm : NULL;
	out->alarmed = s->alarm[0] != '\0';
	out->peer_state = role_state_name(s->peer.state);
	out->peer_role = role_word(s->peer.role);
	out->peer_hears = !s->peer.deaf;
	out->peer_heard = s->peer.known && s->peer.heard_ms != UINT64_MAX;
	vectors_fill(out);
}

void path_view(const struct ha_path_status *s, struct path_texts *texts, struct shown_path *out)
{
	out->s = *s;
	out->name = s->name;
	out->local = endpoint_format(&s->local, texts->local, sizeof(texts->local));
	out->peer = endpoint_format(&s->peer, texts->peer, sizeof(texts->peer));
	out->heard = s->heard_ms != UINT64_MAX;
	out->timed = s->rtt_us != 0;
	out->refused =
		(struct shown_vector){ha_wire_names, s->refused, HA_WIRE_OK + 1, HA_WIRE_MAX};
}

void witness_view(const struct ha_witness_status *s, struct shown_witness *out)
{
	*out = (struct shown_witness){s->link,		 s->configured,	     s->answering,
				      s->frames_sent,	 s->frames_received, s->frames_refused,
				      s->frames_heard_ms};
}
