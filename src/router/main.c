/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plvs [EAL arguments] -- -c FILE: the order of start and stop, nothing else.
 *
 * Exit codes: 0 ended by a signal, or -t and --version; 1 it could not start; 2 usage.
 */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_version.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "control/control.h"
#include "control/host_check.h"
#include "control/pair.h"
#include "control/state_dir.h"
#include "dataplane/dataplane.h"
#include "dataplane/sync/conn_sync.h"
#include "dataplane/sync/ledger.h"
#include "ha/ha.h"
#include "link/link.h"
#include "router/announcing.h"
#include "router/eal_start.h"
#include "router/confine.h"
#include "router/cpus_awake.h"
#include "router/end_limit.h"
#include "router/kept_connections.h"
#include "router/router_options.h"
#include "router/rte_log_sink.h"
#include "router/service_manager.h"
#include "router/setup.h"
#include "router/unconfirmed.h"
#include "sched/sched.h"
#include "spawn/spawner.h"

#define AREA	       "main"
#define EXIT_USAGE     2
#define END_STEP_S     30 /* of each step of stop() */
#define LEAVE_STEP_MS  500
#define LEAVE_LIMIT_MS 40000 /* a hand-over, and 30 s of relaying */

/* Everything that was started; NULL or false: not yet. */
struct router {
	struct spawner *spawner;
	struct config *config; /* until control takes it over */
	bool eal;
	struct dataplane *dp;
	struct link *link;
	struct control *control;
	struct ha *ha;
	bool undone; /* the configuration is not that of the file: nobody confirmed it */
	char file_digest[CONFIG_DIGEST_STRLEN];
	struct kept_connections kept;
	bool lacks; /* with -t: the host has not all that the configuration names */
	bool runs;  /* everything did start: there may be something to keep */
	struct setup_host host;
	struct punt_rules punt_rules;
	struct identity_feed identities; /* from control to ha */
	bool lone;			 /* no peer is configured */
	bool dump;			 /* nobody else has the connections */
	uint64_t term;			 /* that they were served under */
	struct privileges privileges;
	struct announcing announcing;
	int awake_fd; /* held for workers.cpus_awake; -1: nothing is */
};

/* ---- start ---- */

static int config_read(const struct options *o, struct router *r)
{
	struct config **out = &r->config;
	struct config_errors errors;
	enum log_level level;
	char line[1024];
	int rc;

	config_errors_init(&errors);
	rc = config_load(o->config_path, sched_names(), out, &errors);
	if (rc == 0 && !o->check)
		r->undone = unconfirmed_take(o->config_path, out, r->file_digest);
	if (rc == 0) {
		host_check(*out, o->check ? HOST_CHECK_TEST : HOST_CHECK_START, NULL, &errors);
		r->lacks = o->check && errors.errors.n;
		rc = errors.errors.n && !o->check ? -EINVAL : 0;
	}
	for (uint32_t i = 0; i < errors.errors.n; i++)
		fprintf(stderr, "plvs: %s\n",
			config_error_format(&errors, &errors.errors.v[i], line, sizeof(line)));
	for (uint32_t i = 0; i < errors.warnings.n; i++)
		fprintf(stderr, "plvs: warning: %s\n",
			config_error_format(&errors, &errors.warnings.v[i], line, sizeof(line)));
	config_errors_fini(&errors);
	if (rc != 0) {
		config_destroy(*out);
		*out = NULL;
		return rc;
	}
	if (!o->log_level || log_level_parse(o->log_level, &level) != 0)
		level = (enum log_level)(*out)->node.log_level;
	log_set_level(level);
	log_set_format((enum log_format)(*out)->node.log_format);
	return 0;
}

/* Programs run where the main lcore does, never on a core that polls. */
static void programs_confine(struct spawner *spawner)
{
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0 || spawner_set_cpus(spawner, &cpus) != 0)
		log_warning(AREA, "programs of checks may run on the workers' CPUs: %s",
			    strerror(errno));
}

static int start_link(struct router *r, char error[EAL_ERROR_LEN])
{
	struct link_config *lc = malloc(sizeof(*lc));
	int rc = lc ? setup_link(r->config, r->dp, lc) : -ENOMEM;

	if (rc != 0)
		snprintf(error, EAL_ERROR_LEN, "no memory");
	else
		rc = link_create(lc, &r->dp->pub, &r->dp->exchange, &r->link, error);
	if (rc == 0)
		rc = link_start(r->link, error);
	if (lc)
		setup_link_fini(lc);
	free(lc);
	return rc;
}

static int start_dataplane(struct router *r, char error[EAL_ERROR_LEN])
{
	struct dataplane_config *dc = malloc(sizeof(*dc));
	int rc;

	if (!dc) {
		snprintf(error, EAL_ERROR_LEN, "no memory");
		return -ENOMEM;
	}
	setup_dataplane(r->config, dc);
	rc = dataplane_create(dc, &r->dp, error);
	free(dc);
	if (rc != 0)
		eal_explain_devices(&r->config->node, error);
	return rc;
}

/* A fault of the directory is no reason not to start; status says it as well. */
static void prepare_state_dir(const char *path)
{
	char text[512];

	(void)state_dir_make(path);
	if (state_dir_fault(path, text))
		log_warning(AREA, "%s", text);
}

/* Prepares for the ha thread: with a peer, synchronisation; the connections of before. An active
 * peer's connections replace those of before as soon as the peer is heard. */
static int prepare_ha(struct router *r, struct ha_options *options, char error[EAL_ERROR_LEN])
{
	if (!r->lone) {
		int rc = dataplane_sync_enable(r->dp);

		if (rc != 0) {
			snprintf(error, EAL_ERROR_LEN, "no memory for synchronisation");
			return rc;
		}
		dataplane_sync_access(r->dp, &options->access);
		options->identities = &r->identities;
	}
	options->kept = kept_connections_load(&r->kept, r->dp, &options->kept_term);
	return 0;
}

/* Before workers: with a peer they begin without a lease. */
static int start_ha(struct router *r, struct ha_options *options, char error[EAL_ERROR_LEN])
{
	int rc = prepare_ha(r, options, error);

	if (rc != 0)
		return rc;
	r->host.control = r->control;
	r->dp->pub.punt_rules = &r->punt_rules;
	options->spawn_fd = spawner_take_fd(r->spawner, SPAWN_FOR_HA);
	rc = ha_start(options, &r->ha, error);
	if (rc == 0)
		control_set_ha(r->control, r->ha);
	return rc;
}

static int start(struct router *r, const struct options *o, int eal_argc, char **eal_argv,
		 char error[EAL_ERROR_LEN])
{
	struct control_options co = {.config_path = o->config_path, .dpdk_version = rte_version()};
	struct ha_options ho;
	int rc;

	if (eal_start(&r->config->node, eal_argc, eal_argv, error) != 0)
		return -EINVAL;
	r->eal = true;
	rte_log_start();
	programs_confine(r->spawner);
	rc = announcing_prepare(&r->announcing, &r->config->node, error);
	if (rc == 0)
		rc = start_dataplane(r, error);
	if (rc == 0)
		rc = start_link(r, error);
	if (rc != 0)
		return rc;
	r->awake_fd =
		cpus_awake_start(cpus_awake_wanted(&r->config->node, dataplane_on_kernel(r->dp)));
	co.dp = r->dp;
	co.pub = &r->dp->pub;
	co.link = r->link;
	co.spawner = r->spawner;
	rc = kept_connections_init(&r->kept, r->config);
	if (rc != 0) {
		snprintf(error, EAL_ERROR_LEN, "no memory");
		return rc;
	}
	prepare_state_dir(r->config->node.state_dir);
	co.state_dir = r->kept.state_dir;
	co.undone = r->undone;
	co.file_digest = r->undone ? r->file_digest : NULL;
	kept_ledger_open(&r->kept, r->dp);
	r->host = (struct setup_host){.dp = r->dp, .link = r->link};
	setup_ha(r->config, &r->host, &ho);
	pair_punt_rules(r->config, &r->punt_rules);
	r->lone = r->config->node.ha.n_paths == 0;
	if (!r->lone)
		co.identities = &r->identities;
	rc = control_create(&co, r->config, &r->control, error);
	r->config = NULL;
	if (rc == 0)
		rc = start_ha(r, &ho, error);
	if (rc == 0)
		rc = dataplane_start(r->dp, error);
	if (rc == 0)
		rc = announcing_start(&r->announcing, r->dp, r->control, error);
	if (rc == 0)
		rc = control_start(r->control, error);
	r->runs = rc == 0;
	if (rc == 0)
		kept_connections_started(&r->kept, r->dp);
	if (rc == 0 && !o->unconfined)
		rc = confine(&r->privileges, r->kept.state_dir, r->dp, error);
	if (rc == 0)
		announcing_ready(&r->announcing);
	return rc;
}

/* ---- run and stop ---- */

static void signals_block(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	/* Before EAL: all threads inherit it, so that only run() sees signals. */
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* An active router gives its addresses away first. Another signal ends the waiting. */
static void leave(struct router *r, const sigset_t *set)
{
	const struct timespec now = {0};
	uint32_t waited = 0;

	if (ha_leave(r->ha) < 0)
		return;
	while (ha_left(r->ha, LEAVE_STEP_MS, &r->dump, &r->term) == -ETIMEDOUT &&
	       waited < LEAVE_LIMIT_MS && sigtimedwait(set, NULL, &now) < 0)
		waited += LEAVE_STEP_MS;
}

static void loops_add(struct router *r, struct service_manager *sm)
{
	for (uint16_t i = 0; i < r->dp->n_workers; i++)
		service_manager_add(sm, &r->dp->workers[i]->progress);
	service_manager_add(sm, &link_counters(r->link)->progress);
	service_manager_add(sm, ha_progress(r->ha));
	service_manager_add(sm, control_progress(r->control));
}

/* Every second: the role in words, and the watchdog. The link thread sleeps while there is
 * nothing to do, so it is asked for a round. */
static void tell_manager(struct router *r, struct service_manager *sm, bool *stuck)
{
	struct ha_status ha;
	char words[sizeof(sm->status)];
	bool fed;

	if (sm->fd < 0)
		return;
	ha_status(r->ha, &ha);
	snprintf(words, sizeof(words), "%s: %.200s", role_state_name(ha.state), ha.reason);
	service_manager_status(sm, words);
	fed = service_manager_feed(sm, clock_us());
	if (!fed && !*stuck)
		log_error(AREA,
			  "a loop or a worker has made no progress: the watchdog of the service "
			  "manager is not fed");
	*stuck = !fed;
	link_poke(r->link);
}

static void run(struct router *r, const sigset_t *set, struct service_manager *sm)
{
	static const struct timespec second = {.tv_sec = 1};
	bool stuck = false, reloading = false;

	log_notice(AREA, "plvs %s runs", PLVS_VERSION);
	loops_add(r, sm);
	service_manager_say(sm, "READY=1");
	for (;;) {
		int sig = sm->fd < 0 ? sigwaitinfo(set, NULL) : sigtimedwait(set, NULL, &second);

		tell_manager(r, sm, &stuck);
		if (reloading && !control_reloading(r->control)) {
			service_manager_say(sm, "READY=1");
			reloading = false;
		}
		if (sig == SIGHUP) {
			log_notice(AREA, "SIGHUP: the configuration is read again");
			service_manager_reloading(sm, clock_us());
			control_reload(r->control);
			reloading = true;
		} else if (sig > 0) {
			log_notice(AREA, "%s: plvs ends", sig == SIGTERM ? "SIGTERM" : "SIGINT");
			service_manager_say(sm, "STOPPING=1");
			announcing_leave(&r->announcing, set);
			leave(r, set);
			return;
		}
	}
}

/* The way back, from wherever start() came to. */
static void stop(struct router *r)
{
	end_limit_step("control requests", END_STEP_S);
	if (r->control)
		control_stop(r->control);
	announcing_stop(&r->announcing);
	end_limit_step("the pair", END_STEP_S);
	ha_stop(r->ha);
	end_limit_step("workers and ports", END_STEP_S);
	if (r->dp)
		dataplane_stop(r->dp);
	end_limit_step("keeping connections", END_STEP_S);
	if (r->runs)
		kept_connections_save(&r->kept, r->dp, r->dump, r->term);
	else if (r->dp)
		ledger_destroy(r->dp, true);
	kept_connections_fini(&r->kept);
	end_limit_step("addresses and TAPs in Linux", END_STEP_S);
	if (r->link) {
		link_stop(r->link);
		link_destroy(r->link);
	}
	end_limit_step("devices and tables", END_STEP_S);
	control_destroy(r->control);
	dataplane_destroy(r->dp);
	identity_feed_fini(&r->identities);
	if (r->config)
		config_destroy(r->config);
	log_set_sink(NULL);
	end_limit_step("DPDK", END_STEP_S);
	if (r->eal)
		rte_eal_cleanup();
	if (r->awake_fd >= 0)
		close(r->awake_fd);
	end_limit_step("programs", END_STEP_S);
	spawner_stop(r->spawner);
	end_limit_clear();
}

/* Ports, TAPs, routes and namespaces need more than a user has. Said before EAL fails at the
 * first of them. */
static bool may_run(void)
{
	unsigned long long effective = 0;
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	bool known = false;

	while (f && !known && fgets(line, sizeof(line), f))
		known = sscanf(line, "CapEff: %llx", &effective) == 1;
	if (f)
		fclose(f);
	if (!known || effective >> CAP_NET_ADMIN & 1)
		return true;
	fprintf(stderr, "plvs: needs root, or at least CAP_NET_ADMIN, to make TAPs and open ports; "
			"\"plvs -t\" checks a configuration without\n");
	return false;
}

/* The exit code of "plvs -t", whose configuration was read. missing: something that the
 * configuration names is not on the host, which was said. */
static int check(const struct options *o, const struct config *c, bool missing, int eal_argc,
		 char **eal_argv)
{
	char error[EAL_ERROR_LEN], lacks[EAL_ERROR_LEN];

	if (eal_check(&c->node, eal_argc, eal_argv, error, lacks) != 0) {
		fprintf(stderr, "plvs: %s\n", error);
		return 1;
	}
	if (lacks[0])
		fprintf(stderr, "plvs: warning: on this host plvs does not start: %s\n", lacks);
	printf("%s: the configuration is valid%s\n", o->config_path,
	       missing ? ", but this host lacks what is named above" : "");
	return missing;
}

int main(int argc, char **argv)
{
	int own = options_own(argc, argv), rc;
	struct options o = {0};
	struct router r = {.awake_fd = -1};
	struct service_manager sm;
	char error[EAL_ERROR_LEN] = "";
	sigset_t set;

	if (own > 0)
		argv[own] = argv[0]; /* getopt's name of the program */
	if (options_parse(argc - own, argv + own, &o) != 0) {
		fputs(options_usage, stderr);
		return EXIT_USAGE;
	}
	if (o.version) {
		printf("plvs %s, %s\n", PLVS_VERSION, rte_version());
		return 0;
	}
	if (o.withdraw)
		return announcing_withdraw(o.config_path);
	if (!o.check && !may_run())
		return 1;
	if (confine_user(&r.privileges, o.user) != 0)
		return 1;
	/* Before the spawner, whose programs are not to speak for plvs. */
	rc = service_manager_open(&sm);
	if (rc != 0)
		fprintf(stderr, "plvs: warning: $NOTIFY_SOCKET cannot be reached: %s\n",
			strerror(-rc));
	/* Before there is anything that a fork would copy: memory, threads, descriptors. */
	if (!o.check && (rc = spawner_start(SPAWN_FOR_MAX, &r.spawner)) != 0) {
		fprintf(stderr, "plvs: the spawner does not start: %s\n", strerror(-rc));
		return 1;
	}
	if (config_read(&o, &r) != 0) {
		spawner_stop(r.spawner);
		return 1;
	}
	if (o.check) {
		rc = check(&o, r.config, r.lacks, own > 0 ? own : 1, argv);
		config_destroy(r.config);
		return rc;
	}
	if (confine_programs(&r.privileges, r.spawner, r.config) != 0) {
		spawner_stop(r.spawner);
		config_destroy(r.config);
		return 1;
	}
	signals_block(&set);
	rc = start(&r, &o, own > 0 ? own : 1, argv, error);
	if (rc == 0)
		run(&r, &set, &sm);
	else
		fprintf(stderr, "plvs: %s\n", error);
	stop(&r);
	service_manager_close(&sm);
	return rc == 0 ? 0 : 1;
}
