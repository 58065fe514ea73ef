/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "sim.h"

/*
 * Configurations and their versions. What a configuration says is the set of edits that made it;
 * the set is the truth, which the routers do not know: they have ids, digests and ancestors.
 *
 * Must hold: whoever takes another configuration loses no edit by it, unless a person said
 * `push force`; whoever gives the active role away gives it to a router that has its edits; after a
 * long calm both say the same, or both raise the alarm.
 */

#define FORWARD_MS  300
#define DECISION_MS (3 * FORWARD_MS) /* until both have it */

static void edits_join(struct edits *to, const struct edits *from)
{
	for (uint32_t i = 0; i < SIM_EDIT_WORDS; i++)
		to->word[i] |= from->word[i];
}

/* Not in have, though nobody decided so, and not a trial that nobody confirmed. */
static bool edits_lost(const struct sim *s, const struct edits *want, const struct sim_config *have)
{
	for (uint32_t i = 0; i < SIM_EDIT_WORDS; i++)
		if (want->word[i] & ~have->edits.word[i] & ~have->overruled.word[i] &
		    ~(have->withdrawn.word[i] & ~s->confirmed.word[i]))
			return true;
	return false;
}

static struct version_id id_draw(struct sim *s)
{
	struct version_id id;

	for (size_t i = 0; i < sizeof(id.byte); i++)
		id.byte[i] = (uint8_t)(1 + draw(s, 255));
	return id;
}

static void digest_of(const struct edits *e, uint8_t digest[VERSION_DIGEST_BYTES])
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (uint32_t i = 0; i < SIM_EDIT_WORDS; i++)
		sum = (sum ^ e->word[i]) * UINT64_C(0x100000001b3) + (sum >> 29);
	memset(digest, 0, VERSION_DIGEST_BYTES);
	memcpy(digest, &sum, sizeof(sum));
}

static void child_make(struct sim *s, struct sim_config *c, const struct version_id *also)
{
	const struct version_id id = id_draw(s);
	uint8_t digest[VERSION_DIGEST_BYTES];

	digest_of(&c->edits, digest);
	version_child(&c->version, &id, digest, also, &c->version);
}

void config_child(struct sim *s, struct sim_config *c)
{
	child_make(s, c, NULL);
}

static void edit(struct sim *s, struct sim_config *c)
{
	const uint32_t n = s->n_edits++ % (SIM_EDIT_WORDS * 64);

	c->edits.word[n / 64] |= UINT64_C(1) << n % 64;
	child_make(s, c, NULL);
}

/* The store survives the process; a disk is restored, cloned, lost or edited while it is down. */
void config_start(struct sim *s, struct node *n)
{
	struct sim_config *c = &n->config;

	if (version_id_is_none(&c->version.id)) {
		child_make(s, c, NULL);
		c->version.n_ancestors = 0;
		n->last_week = *c;
	} else if (trial_start(s, n)) {
		return;
	} else if (chance(s, 30)) {
		sim_trace(s, "router %u: its disk is restored", n->id);
		*c = n->last_week;
	} else if (chance(s, 30)) {
		sim_trace(s, "router %u: its disk is a clone of the other one's", n->id);
		*c = s->node[n->id ^ 1].config;
	} else if (chance(s, 20)) {
		sim_trace(s, "router %u: its store is lost", n->id);
		c->version.n_ancestors = 0;
		c->version.id = id_draw(s);
	} else if (chance(s, 50)) {
		sim_trace(s, "router %u: its file was edited", n->id);
		edit(s, c);
	}
	if (version_id_is_none(&c->version.id)) /* a clone of nothing */
		config_start(s, n);
}

bool config_moves(const struct node *n)
{
	return n->role.state == HA_HANDOVER || (role_peer_alive(&n->role, n->role.last_tick_ms) &&
						n->role.peer.state == HA_HANDOVER);
}

void config_edit_here(struct sim *s, struct node *n)
{
	if (n->trial.on) /* other changes are refused */
		return;
	if (chance(s, 100))
		n->last_week = n->config;
	edit(s, &n->config);
	sim_trace(s, "router %u: its configuration is edited, version %02x%02x", n->id,
		  n->config.version.id.byte[0], n->config.version.id.byte[1]);
	node_sync_tell(s, n);
}

static bool way_up(const struct sim *s, uint32_t from)
{
	for (uint32_t p = 0; p < s->n_paths; p++)
		if (s->way[p][from].up && s->way[p][from].loss < 900)
			return true;
	return false;
}

/* The active router, whose configuration is the same, carries out what is asked for here. */
static bool asks_active(const struct sim *s, const struct node *n)
{
	const struct role_peer *p = &n->role.peer;

	return !ha_state_serves(n->role.state) && role_peer_alive(&n->role, node_now(s, n)) &&
	       ha_state_serves(p->state) && p->takes_requests &&
	       version_relate(&n->config.version, &p->version) == VERSION_EQUAL;
}

static void edit_or_try(struct sim *s, struct node *n, bool trial)
{
	if (trial)
		trial_begin(s, n);
	else
		config_edit_here(s, n);
}

void config_edit(struct sim *s, struct node *n)
{
	struct sim_event ev = {.type = SIM_ASKED, .node = n->id ^ 1, .flight = -1};

	if (!n->running || n->paused || n->quit || config_moves(n))
		return;
	if (n->trial.on) {
		trial_command(s, n);
		return;
	}
	ev.value = chance(s, 300);
	if (!asks_active(s, n)) {
		edit_or_try(s, n, ev.value);
		return;
	}
	ev.token = s->node[n->id ^ 1].life;
	if (way_up(s, n->id))
		schedule(s, 1 + draw(s, FORWARD_MS), &ev, NULL);
}

void config_asked(struct sim *s, struct node *n, const struct sim_event *e)
{
	if (n->running && !n->paused && !n->quit && !config_moves(n) && e->token == n->life &&
	    ha_state_serves(n->role.state))
		edit_or_try(s, n, e->value);
}

static void forward(struct sim *s, struct node *n)
{
	struct sim_event ev = {.type = SIM_FORWARD, .node = n->id ^ 1, .flight = -1};

	ev.value = s->n_forwards++ % SIM_FORWARDS;
	ev.token = s->node[n->id ^ 1].life;
	s->forward[ev.value].config = n->config;
	s->forward[ev.value].trial = n->trial;
	if (way_up(s, n->id))
		schedule(s, 1 + draw(s, FORWARD_MS), &ev, NULL);
}

/* Every keepalive, as control does ten times a second. */
void config_probe(struct sim *s, struct node *n)
{
	const struct version_word *word = &n->role.peer.version;
	struct version *mine = &n->config.version;

	trial_look(s, n);
	if (!n->role.peer.known || !role_peer_alive(&n->role, node_now(s, n)))
		return;
	switch (version_relate(mine, word)) {
	case VERSION_PEER_OLDER:
		forward(s, n);
		break;
	case VERSION_EQUAL:
		if (!trial_hears(s, n) && version_add_ancestor(mine, &word->id))
			node_sync_tell(s, n);
		break;
	case VERSION_DIVERGED:
		if (n->trial.on || !chance(s, 3) || config_moves(n))
			break;
		/* A person decides. What the other one has is overruled, with a word. */
		sim_trace(s, "router %u: config push force", n->id);
		s->forced_ms = s->now;
		edits_join(&n->config.overruled, &s->node[n->id ^ 1].config.edits);
		child_make(s, &n->config, &word->id);
		node_sync_tell(s, n);
		break;
	default:
		break;
	}
}

void config_forwarded(struct sim *s, struct node *n, const struct sim_event *e)
{
	const struct sim_config *peers = &s->forward[e->value].config;
	const struct sim_config mine = n->config;

	if (!n->running || n->paused || n->quit || e->token != n->life || config_moves(n) ||
	    !version_may_replace(&mine.version, &peers->version))
		return;
	if (edits_lost(s, &mine.edits, peers))
		sim_violate(s, "router %u loses an edit to the peer's configuration", n->id);
	n->config = *peers;
	version_add_ancestor(&n->config.version, &mine.version.id);
	trial_taken(s, n, &s->forward[e->value].trial);
	sim_trace(s, "router %u: takes the peer's version %02x%02x", n->id,
		  peers->version.id.byte[0], peers->version.id.byte[1]);
	node_sync_tell(s, n);
}

/* n begins to give the active role away; the peer has it. */
void check_config_given(struct sim *s, struct node *n)
{
	s->given = n->config.edits;
	s->given_forced = n->role.give.forced;
}

void check_config_taken(struct sim *s, const struct node *n)
{
	if (!s->given_forced && edits_lost(s, &s->given, &n->config))
		sim_violate(s, "router %u is handed the active role and lacks an edit", n->id);
}

void check_config_calm(struct sim *s)
{
	const struct node *a = &s->node[0], *b = &s->node[1];
	char text[ROLE_ALARM_LEN];
	bool alarm = true;

	check_trials(s);
	/* A decision of a person or of a deadline is still under way. */
	if (!a->running || !b->running || a->trial.on || b->trial.on ||
	    s->now - s->forced_ms < DECISION_MS)
		return;
	for (uint32_t i = 0; i < 2; i++) {
		const struct node *n = &s->node[i];

		role_alarm(&n->role, node_now(s, n), text, sizeof(text));
		alarm &= strstr(text, "diverged") != NULL;
	}
	if (memcmp(&a->config.edits, &b->config.edits, sizeof(a->config.edits)) != 0 && !alarm)
		sim_violate(s, "after a long calm the two configurations differ without an alarm");
	if (alarm && (!edits_lost(s, &a->config.edits, &b->config) ||
		      !edits_lost(s, &b->config.edits, &a->config)))
		s->needless_alarms++;
}
