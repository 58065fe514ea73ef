#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Breaks the role machine and the freshness check, one rule at a time, and sees who notices.

usage: mutations.py [--steps N] [--units-first] [WORD...]

Builds the simulation of each broken machine in a temporary directory and runs it; where it
holds, the unit tests of both are run, or with --units-first the other way round, which is
quicker. WORD: only mutations with one of these in their name.
Ends with 1 if one is noticed by nobody, or does not fit the sources any more.
"""

import argparse
import glob
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
UNIT_TESTS = ("ha/test_ha_role", "ha/test_ha_conflict", "ha/test_ha_return", "ha/test_ha_handover",
              "ha/test_ha_message", "ha/test_ha_freshness", "ha/test_ha_versions", "ha/test_ha_frames",
              "ha/test_ha_timers", "model/test_version")

# The rule that is broken, in which file, the text as it is, the text as it is then.
MUTATIONS = [
    ("a lease of two deadtimes", "src/ha/role/role.h",
     "return cfg->lease_base_ms - 2 * cfg->keepalive_ms;",
     "return 2 * cfg->lease_base_ms;"),
    ("a lease that is a keepalive too long", "src/ha/role/role.h",
     "return cfg->lease_base_ms - 2 * cfg->keepalive_ms;",
     "return cfg->lease_base_ms - cfg->keepalive_ms;"),
    ("no lease though the peer is in reach", "src/ha/role/role_action.c",
     "\tif (role_peer_in_reach(r, t->now)) {",
     "\tif (0) {"),
    ("a lapsed lease is renewed at once", "src/ha/role/role_action.c",
     " || t->now < r->lease_hold_ms)",
     ")"),
    ("a lease goes on in a conflict", "src/ha/role/role_action.c",
     "\t\tif (r->conflict_ms != 0 && until >",
     "\t\tif (0 && until >"),
    ("who fences keeps the VIPs", "src/ha/role/role_action.c",
     "\trole_add(t, ROLE_DO_FENCE);",
     "\t"),
    ("who fences goes on refusing connections", "src/ha/role/role_action.c",
     "\trole_add(t, ROLE_DO_FENCE);\n\tif (r->give.frozen)\n\t\trole_add(t, ROLE_DO_UNFREEZE);",
     "\trole_add(t, ROLE_DO_FENCE);"),
    ("a STOP of an old term is obeyed", "src/ha/role/role_stop.c",
     "\tif (msg->term <= r->term) {\n\t\tstop_refuse",
     "\tif (0) {\n\t\tstop_refuse"),
    ("a lost conflict is not obeyed", "src/ha/role/role_message.c",
     "\tif (role_conflict_order(r, msg, r->term) > 0) {",
     "\tif (0) {"),
    ("a conflict that the peer does not hear never ends", "src/ha/role/role.c",
     "\tif (r->conflict_ms != 0 &&\n\t    t->now - r->conflict_ms >=",
     "\tif (0 && r->conflict_ms != 0 &&\n\t    t->now - r->conflict_ms >="),
    ("a takeover serves under the old term", "src/ha/role/role_action.c",
     "\tr->takeover_term = r->term + 1;",
     "\tr->takeover_term = r->term;"),
    ("a message that names another session is fresh", "src/ha/role/freshness.c",
     "\tif (!ha_session_equal(&msg->heard, &f->mine) || msg->heard_sequence > f->sent)\n\t\treturn HA_STALE;",
     ""),
    ("a second session is accepted while the first one speaks", "src/ha/role/freshness.c",
     "\t\tif (f->speaks && !ha_session_is_none(&f->peer))",
     "\t\tif (0)"),
    ("a session is accepted again with its recordings", "src/ha/role/freshness.c",
     "\tmemset(&f->window, 0xff, sizeof(f->window));",
     "\tmemset(&f->window, 0, sizeof(f->window));"),
    ("a link that is silent at both makes the active router give up", "src/ha/role/role_witness.c",
     "\t\t    p->links_answer & link_bit(r, i))",
     "\t\t    1)"),
    ("a question that was not asked counts as unanswered", "src/ha/role/role_witness.c",
     "\tif (r->fast_ms == 0 || now - r->fast_ms < (asked > deadtime ? asked : deadtime) ||",
     "\tif ("),
    ("an old word makes the active router give up", "src/ha/role/role_witness.c",
     "\tif (now - p->sent_after_ms > deadtime)",
     "\tif (0)"),
    ("any term is believed", "src/ha/role/role_message.c",
     "\t\tif (term_is_absurd(t, ev->message.msg))",
     "\t\tif (0)"),
    ("a sequence counts twice", "src/ha/role/freshness.c",
     "\treturn ha_window_take(&f->window, msg->sequence) ? HA_FRESH : HA_COPY;",
     "\tha_window_take(&f->window, msg->sequence);\n\treturn HA_FRESH;"),
    ("what is thrown back is believed", "src/ha/role/freshness.c",
     "\tif (ha_session_equal(&msg->session, &f->mine))\n\t\treturn HA_REFLECTED;",
     ""),
    ("a message that is not fresh shows life", "src/ha/role/role_message.c",
     "\tcase HA_STALE:\n\t\tstale_message",
     "\tcase HA_STALE:\n\t\tr->peer.fresh_ms = t->now;\n\t\tstale_message"),
    ("stale messages delay for ever", "src/ha/role/role_message.c",
     "\tr->stale_until_ms = until < limit ? until : limit;",
     "\tr->stale_until_ms = until;\n\t(void)limit;"),
    ("a takeover asks no witness", "src/ha/role/role.c",
     "\t} else if (!role_witnesses_answer(r, t->now)) {\n\t\trole_deaf_text",
     "\t} else if (0) {\n\t\trole_deaf_text"),
    ("answers of before the silence count", "src/ha/role/role.c",
     "\t} else if (role_witnesses_since(r, since)) {\n",
     "\t} else {\n"),
    ("time without listening counts as silence", "src/ha/role/role.c",
     "\tr->no_active_ms = r->listening_ms = t->now;\n\tr->stale_until_ms = r->deaf_ms = 0;",
     "\tr->listening_ms = t->now;\n\tr->stale_until_ms = r->deaf_ms = 0;"),
    ("a takeover goes on after a standstill", "src/ha/role/role.c",
     "\tif (r->state == HA_TAKEOVER && !r->takeover_forced) {",
     "\tif (0) {"),
    ("an active router that hears nothing goes on", "src/ha/role/role.c",
     "\tif (role_hears_nothing(r, t->now)) {",
     "\tif (0) {"),
    ("after a standstill it is deaf at once", "src/ha/role/role_witness.c",
     " &&\n\t       now - r->listening_ms >= deadtime;",
     ";"),
    ("a lost peer alone makes it deaf", "src/ha/role/role_witness.c",
     "all_witnesses(r, now > deadtime ? now - deadtime : 1) == 0 &&",
     "1 &&"),
    ("lost witnesses alone make it deaf", "src/ha/role/role_witness.c",
     "role_peer_in_reach(r, now) && !role_peer_alive(r, now) &&",
     "role_peer_in_reach(r, now) &&"),
    ("deaf on one link it gives up at once", "src/ha/role/role_message.c",
     "#define DEAF_DEADTIMES UINT64_C(3)",
     "#define DEAF_DEADTIMES UINT64_C(0)"),
    ("a start waits for the better one for ever", "src/ha/role/role.c",
     "\t    t->now - r->good_since_ms < UINT64_C(2) * r->cfg.start_delay_ms)\n\t\treturn;",
     "\t    1)\n\t\treturn;"),
    ("two that start wait for each other", "src/ha/role/role_judge.c",
     "\t       (p->witnesses > 0 || !role_asks_witnesses(r)) && peer_is_better(r);",
     "\t       (p->witnesses > 0 || !role_asks_witnesses(r));"),
    ("start_delay is skipped", "src/ha/role/role.c",
     "\tif (t->now - r->good_since_ms < r->cfg.start_delay_ms)\n\t\treturn;",
     ""),
    ("both think that they rank lower", "src/ha/role/role_judge.c",
     "\t\treturn priority > mine->priority ? 1 : -1;",
     "\t\treturn 1;"),
    ("relaying never ends", "src/ha/role/role.c",
     "\tif (t->now - t->r->since_ms >= ROLE_RELAY_LIMIT_MS)",
     "\tif (0)"),
    ("a restart is taken without the connections", "src/ha/role/role_message.c",
     "\tif (restarted && r->synchronised)",
     "\tif (restarted)"),
    ("a lapsed lease is renewed by what waited", "src/ha/role/role_action.c",
     "\tif (role_is_late(r, t->now) || t->now < r->lease_hold_ms)",
     "\tif (t->now < r->lease_hold_ms)"),
    ("a missed heartbeat makes nobody ask", "src/ha/role/role_witness.c",
     "role_misses(r, now) ||",
     ""),
    ("a lost answer makes nobody ask", "src/ha/role/role_witness.c",
     "answers_overdue(r, now)",
     "false"),
    ("old answers are young again when the questions slow down", "src/ha/role/role_witness.c",
     "\t\tfrom = r->calm_ms - deadtime;",
     "\t\tfrom = 1;"),
    ("a STOP is held against old answers", "src/ha/role/role_witness.c",
     "\tif (r->fast_ms == 0 || now - r->fast_ms < UINT64_C(2) * r->cfg.keepalive_ms)",
     "\tif (1)"),
    ("frames never go to a silent peer", "src/ha/role/role_hears.c",
     "\tif (!role_paths_silent(r, now))\n\t\treturn 0;",
     "\treturn 0;"),
    ("frames answer no router that asks for them", "src/ha/role/role_hears.c",
     "p->asks_frames || role_paths_silent",
     "role_paths_silent"),
    ("frames claim nothing", "src/ha/role/role_text.c",
     "\tif (role_is_split(r, now_ms))",
     "\tif (0)"),
    ("a longer lease is used before the peer waits longer", "src/ha/role/role_timers.c",
     "says ? smaller(agreed, said->agreed_ms) : agreed;",
     "agreed;"),
    ("a shorter deadtime is used before the peer agrees", "src/ha/role/role_timers.c",
     "(!says || said->echo == m->number)",
     "1"),
    ("a router goes by its own wish alone", "src/ha/role/role_timers.c",
     "\t\tagreed = larger(agreed, said->wish_ms);",
     "\t\t;"),
    ("any configuration is taken", "src/model/version.c",
     "\treturn version_id_is_none(&mine->id) || version_id_equal",
     "\treturn 1 || version_id_equal"),
    ("a version on trial replaces its confirmation", "src/model/version.c",
     " &&\n\t\t!version_has(mine, &other->id));",
     ");"),
    ("whatever the peer has is older", "src/model/version.c",
     "\tif (version_has(mine, &word->id))",
     "\tif (1)"),
    ("what was never judged has diverged", "src/model/version.c",
     "\tif (!version_id_equal(&word->judged, &mine->id) || word->judgement == VERSION_NOT_JUDGED)\n\t\treturn VERSION_PENDING;",
     ""),
    ("a child forgets its parent", "src/model/version.c",
     "\tversion_add_ancestor(child, &before);",
     "\t(void)before;"),
    ("a forced version is a child of one", "src/model/version.c",
     "\tif (also)",
     "\tif (0)"),
    ("the active role goes to another configuration", "src/ha/role/role_judge.c",
     "\treturn r->peer.relation != VERSION_NONE && r->peer.relation != VERSION_EQUAL;",
     "\treturn false;"),
    ("a change is not said to the peer", "src/ha/role/role_text.c",
     "\tmsg->version.id = r->version->id;",
     ""),
    ("diverged is no alarm", "src/ha/role/role_text.c",
     "\tif (r->peer.diverged && r->peer.relation == VERSION_DIVERGED)",
     "\tif (0)"),
    ("a hand-over asks for no synchronisation", "src/ha/role/role_give.c",
     "\tif ((!(r->peer.flags & HA_FLAG_SYNCHRONISED) || r->peer.unbound > 0) && !forced)",
     "\tif (0)"),
    ("services that the peer lacks hinder no hand-over", "src/ha/role/role_give.c",
     " || r->peer.unbound > 0) && !forced)",
     ") && !forced)"),
    ("an offer is taken without the connections", "src/ha/role/role_message.c",
     "\telse if ((!r->synchronised || r->unbound > 0) && !(msg->flags & HA_FLAG_FORCED))",
     "\telse if (0)"),
    ("an offer is taken under another configuration", "src/ha/role/role_message.c",
     "\telse if (role_versions_hinder(r) && !(msg->flags & HA_FLAG_FORCED))",
     "\telse if (0)"),
    ("an aborted hand-over goes on refusing connections", "src/ha/role/role_give.c",
     "\tif (r->give.frozen)\n\t\trole_add(t, ROLE_DO_UNFREEZE);\n\tr->give.frozen = false;\n\trole_go(t, ROLE_ROW_ABORTED",
     "\tr->give.frozen = false;\n\trole_go(t, ROLE_ROW_ABORTED"),
    ("no step of a hand-over ends by itself", "src/ha/role/role_give.c",
     "\tif (t->now >= r->give.deadline_ms)",
     "\tif (0)"),
    ("a hand-over keeps the term", "src/ha/role/role_give.c",
     "\tr->give.term = r->term + 1;",
     "\tr->give.term = r->term;"),
    ("failback does not wait", "src/ha/role/role_give.c",
     "\t    t->now - r->failback_since_ms >= (uint64_t)r->cfg.failback_delay_ms << failures)",
     "\t    failures < 255)"),
    ("a failback that failed is tried again at once", "src/ha/role/role_give.c",
     "r->cfg.failback_delay_ms << failures)",
     "r->cfg.failback_delay_ms << (failures & 0))"),
    ("failback is tried for ever", "src/ha/role/role_judge.c",
     " role_failback_failures(r) >= ROLE_FAILBACK_TRIES ||",
     ""),
    ("a timer moves back what a person moved", "src/ha/role/role_give.c",
     "\tr->failback_held = !r->give.failback && r->give.then == ROLE_THEN_BACKUP;",
     "\tr->failback_held = false;"),
    ("failback without the connections", "src/ha/role/role_judge.c",
     "\tif (!r->synchronised)\n\t\treturn \"all",
     "\tif (0)\n\t\treturn \"all"),
    ("failback though services are unknown", "src/ha/role/role_judge.c",
     "\tif (r->unbound > 0)\n\t\treturn \"services",
     "\tif (0)\n\t\treturn \"services"),
    ("the router that goes first is not waited for", "src/ha/role/role_judge.c",
     "\tif (role_peer_goes_first(r, now))",
     "\tif (0)"),
    ("any STOP is obeyed", "src/ha/role/role_stop.c",
     "\tif (msg->witnesses < mine && !(msg->flags & HA_FLAG_FORCED)) {",
     "\tif (0) {"),
    ("who has worse ports keeps the role", "src/ha/role/role_message.c",
     "\t    role_ports_compare(p->ports, p->n_ports, r->ports, r->n_ports) > 0)",
     "\t    0)"),
    ("worse ports are given up for nobody", "src/ha/role/role_message.c",
     "\tif (r->state != HA_ACTIVE || p->state != HA_BACKUP || !(p->flags & HA_FLAG_READY))",
     "\tif (r->state != HA_ACTIVE)"),
    ("a refused takeover goes on", "src/ha/role/role_message.c",
     "\t} else if (msg->type == HA_MSG_REFUSED) {",
     "\t} else if (0) {"),
    ("two sessions are no alarm", "src/ha/role/role_message.c",
     "\tp->second_ms = t->now;",
     "\t;"),
    ("a router that starts goes by the shortest deadtime", "src/ha/role/role_timers.c",
     "\trole_timers_configure(r, cfg, larger(cfg->deadtime_ms, first), now);",
     "\trole_timers_configure(r, cfg, 0, now);\n\t(void)first;"),
    ("an outage counts as jitter", "src/ha/role/role_timers.c",
     "\tif (ms <= ROLE_DEADTIME_AUTO_MAX_MS && ms > *worst)",
     "\tif (ms > *worst)"),
    ("the start of a process counts as jitter", "src/ha/role/role_timers.c",
     "\treturn now - r->timers.began_ms < ROLE_MEASURE_MS / 2;",
     "\treturn false;"),
    ("a lease that began longer goes on", "src/ha/role/role_message.c",
     "\trole_lease_bound(t);",
     "\t;"),
    ("a shorter keepalive makes the loop late", "src/ha/role/role_timers.c",
     "\tif (r->next_send_ms > now + r->cfg.keepalive_ms)",
     "\tif (0)"),
    ("stalls that are rare are forgotten", "src/ha/role/role_timers.c",
     " || r->timers.stalled)",
     ")"),
    ("a lease outlives the peer's patience", "src/ha/role/role_timers.c",
     "\t\tr->cfg.deadtime_ms = larger(r->cfg.deadtime_ms, said->lease_base_ms);",
     "\t\t;"),
]


def compiled(tree, source, folder):
    """The object of a source of the tree, in the folder."""
    out = os.path.join(folder, os.path.relpath(source, tree).replace("/", "_") + ".o")
    subprocess.run(["gcc", "-O2", "-w", "-D_GNU_SOURCE", "-I", tree + "/src", "-c", "-o", out, source],
                   check=True)
    return out


def sources_of(tree):
    """What each program is made of."""
    machine = glob.glob(tree + "/src/ha/role/role*.c") + [
        tree + "/src/ha/role/freshness.c", tree + "/src/model/version.c",
        tree + "/src/base/error_text.c"]
    programs = {"simulation": glob.glob(tree + "/tests/ha-sim/*.c")}
    for name in UNIT_TESTS:
        programs[name] = [tree + "/tests/unit/" + name + ".c"]
    return machine, programs


class Objects:
    """Those of the whole machine, which a mutation of one source takes over but for that source."""

    def __init__(self, folder):
        self.folder = folder
        self.of = {}

    def get(self, tree, source, broken):
        name = os.path.relpath(source, tree)
        if broken == name or broken.endswith(".h"):
            return compiled(tree, source, tree)
        if name not in self.of:
            self.of[name] = compiled(tree, source, self.folder)
        return self.of[name]


def noticed(tree, broken, args, objects):
    """By whom, or None."""
    machine, programs = sources_of(tree)
    if args.units_first:
        programs["simulation"] = programs.pop("simulation")
    of_machine = [objects.get(tree, source, broken) for source in machine]
    for name, sources in programs.items():
        own = [objects.get(tree, source, broken) for source in sources]
        subprocess.run(["gcc", "-o", tree + "/program"] + own + of_machine + ["-lcmocka"], check=True)
        simulation = name == "simulation"
        run = subprocess.run([tree + "/program"] + (["--steps", str(args.steps)] if simulation else []),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if run.returncode == 0:
            continue
        if simulation:
            lines = [line for line in run.stdout.splitlines()
                     if line.startswith("seed ") or "never taken" in line]
        else:
            lines = [line.split("] ")[1].split(",")[0] for line in run.stderr.splitlines()
                     if line.startswith("[  FAILED  ]") and "test(s)" not in line]
        return name + ": " + (lines[0] if lines else "status %d" % run.returncode)
    return None


def attempt(mutation, args, objects):
    name, path, old, new = mutation
    with tempfile.TemporaryDirectory() as tree:
        for part in ("src", "tests/ha-sim", "tests/unit"):
            shutil.copytree(os.path.join(TOP, part), os.path.join(tree, part))
        with open(os.path.join(tree, path), encoding="utf-8") as f:
            text = f.read()
        if text.count(old) != 1:
            print("STALE    %s: the text is %d times in %s" % (name, text.count(old), path))
            return False
        with open(os.path.join(tree, path), "w", encoding="utf-8") as f:
            f.write(text.replace(old, new))
        by = noticed(tree, path, args, objects)
    print("%s %s%s" % ("noticed " if by else "UNNOTICED", name, " (" + by + ")" if by else ""),
          flush=True)
    return by is not None


def main():
    parser = argparse.ArgumentParser(usage="mutations.py [--steps N] [--units-first] [WORD...]")
    parser.add_argument("--steps", type=int, default=10000000)
    parser.add_argument("--units-first", action="store_true")
    parser.add_argument("word", nargs="*")
    args = parser.parse_args()
    chosen = [m for m in MUTATIONS if not args.word or any(w in m[0] for w in args.word)]
    with tempfile.TemporaryDirectory() as folder:
        objects = Objects(folder)
        results = [attempt(m, args, objects) for m in chosen]
    print("%d of %d are noticed" % (sum(results), len(results)))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
