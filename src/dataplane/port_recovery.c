/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port_recovery.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/error_text.h"
#include "base/clock.h"
#include "base/log.h"
#include "dataplane/port.h"
#include "dataplane/port_device.h"
#include "dataplane/port_internal.h"
#include "dataplane/port_pulse.h"

#define AREA	       "dataplane"
#define RESTARTS       3      /* in a row */
#define RESTART_MS     500    /* before the first; the peer takes over meanwhile */
#define RESTART_SLOWER 4      /* times the pause before, each */
#define FORGET_MS      600000 /* without a stall; or until a failed port is tried again */
#define RETRY_MS       1000   /* of an interface that came back and cannot be opened */
#define GRACE_PAUSE_US 50

struct recovered_port {
	struct port_pulse pulse;
	uint64_t progress[MAX_WORKERS]; /* of workers with a receive queue, at the last pulse */
	uint64_t due_ms;		/* of the next opening */
	uint64_t restarted_ms;
	unsigned int restarts; /* in a row */
	bool told;	       /* that it cannot be opened */
};

struct port_recovery {
	struct dataplane *dp;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool stop;
	struct recovered_port ports[MAX_PORTS];
};

/* The link thread looks at once. */
static void state_set(struct port *p, enum port_state state)
{
	uint64_t one = 1;

	__atomic_store_n(&p->device.since_us, clock_us(), __ATOMIC_RELAXED);
	__atomic_store_n(&p->device.state, state, __ATOMIC_RELEASE);
	if (p->link_eventfd >= 0 && write(p->link_eventfd, &one, sizeof(one)) < 0)
		return; /* full: the link thread wakes anyhow */
}

/* ---- openings ---- */

static bool stopping(const struct dataplane *dp)
{
	return __atomic_load_n(&dp->stop, __ATOMIC_RELAXED);
}

/* No worker is in the port's driver, and none will be. False: the data plane ends. */
static bool workers_leave(struct port_recovery *recovery, uint32_t bit)
{
	struct dataplane *dp = recovery->dp;
	const struct timespec pause = {.tv_nsec = GRACE_PAUSE_US * 1000};
	uint64_t token;

	__atomic_fetch_or(&dp->ports_closed, bit, __ATOMIC_SEQ_CST);
	token = dp->pub.grace.start(dp->pub.grace.arg);
	while (!dp->pub.grace.passed(dp->pub.grace.arg, token)) {
		if (stopping(dp))
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* The bit stays set while the port is closed. */
static int reopen(struct port_recovery *recovery, struct port *p, char error[ERROR_TEXT])
{
	uint32_t bit = 1U << (p - recovery->dp->ports);
	int rc = -ECANCELED;

	if (!workers_leave(recovery, bit))
		return rc;
	rc = port_device_reopen(recovery->dp, p, error);
	if (rc == 0) {
		__atomic_fetch_and(&recovery->dp->ports_closed, ~bit, __ATOMIC_RELEASE);
		dataplane_wake(
			recovery->dp); /* a sleeper does not wait for this port's frames yet */
		__atomic_fetch_add(&p->device.restarts, 1, __ATOMIC_RELAXED);
	}
	return rc;
}

static void open_again(struct port_recovery *recovery, struct port *p, struct recovered_port *w,
		       uint64_t now)
{
	char error[ERROR_TEXT] = "";
	int rc = reopen(recovery, p, error);

	port_pulse_reset(&w->pulse);
	if (rc == 0) {
		log_notice(AREA, "port %s: device %s is open again", p->config.name,
			   p->config.device);
		w->told = false;
		state_set(p, PORT_WORKS);
		return;
	}
	w->due_ms = now + RETRY_MS;
	if (port_device_state(p) == PORT_WORKS && rc != -ECANCELED)
		state_set(p, PORT_FAILED);
	if (!w->told && rc != -ECANCELED)
		log_error(AREA, "port %s: %s; tried again every second", p->config.name, error);
	w->told = true;
}

/* A stall: when the port is opened again, and what is said. */
static void stalls(struct port *p, struct recovered_port *w, enum port_verdict verdict,
		   uint64_t now)
{
	const char *what = verdict == PULSE_RX_STALLS ? "receives" : "sends";
	uint64_t pause = RESTART_MS;

	__atomic_fetch_add(&p->device.stalls, 1, __ATOMIC_RELAXED);
	if (now - w->restarted_ms > FORGET_MS)
		w->restarts = 0;
	if (w->restarts >= RESTARTS) {
		w->due_ms = now + FORGET_MS;
		log_error(
			AREA,
			"port %s: %s nothing while its device %s counts drops, after %u restarts, "
			"too: its link is down; tried again in %u minutes",
			p->config.name, what, p->config.device, w->restarts, FORGET_MS / 60000);
		state_set(p, PORT_FAILED);
		return;
	}
	for (unsigned int i = 0; i < w->restarts; i++)
		pause *= RESTART_SLOWER;
	w->restarts++;
	w->due_ms = now + pause;
	log_warning(AREA,
		    "port %s: %s nothing while its device %s counts drops: its link is down, and "
		    "the device is opened again in %" PRIu64 " ms (%u of %u)",
		    p->config.name, what, p->config.device, pause, w->restarts, RESTARTS);
	state_set(p, PORT_STALLED);
}

/* ---- pulses ---- */

/* Workers went through their loops since the last pulse. */
static bool polled(const struct dataplane *dp, const struct port *p, struct recovered_port *w)
{
	bool all = true;

	for (uint16_t i = 0; i < dp->n_workers && i < p->n_rx; i++) {
		uint64_t now = __atomic_load_n(&dp->workers[i]->progress, __ATOMIC_RELAXED);

		all = all && now != w->progress[i];
		w->progress[i] = now;
	}
	return all;
}

static struct port_sample sample(const struct dataplane *dp, const struct port *p)
{
	const struct device_counters *d = &p->device.counters;
	struct port_counters c;
	struct port_sample s;

	dataplane_port_counters(dp, (uint16_t)(p - dp->ports), &c);
	s = (struct port_sample){.rx = c.rx_pkts,
				 .rx_lost = d->rx_missed + d->rx_no_buffer + d->socket_rx_dropped,
				 .tx = c.tx_pkts,
				 .tx_full = c.tx_full,
				 .tx_refused = d->xdp_tx_invalid};
	/* The kernel drops frames that are too long as well: only those count that find the fill
	 * ring empty. */
	if (port_has_umem(p))
		s.rx_lost = d->xdp_rx_ring_full + RTE_MIN(d->xdp_rx_dropped, d->xdp_rx_fill_empty);
	return s;
}

static void pulse(struct port_recovery *recovery, struct port *p, struct recovered_port *w,
		  uint64_t now)
{
	bool went = polled(recovery->dp, p, w);
	enum port_verdict verdict;
	struct port_sample s;

	port_device_count(p);
	if (port_device_gone(p)) {
		log_warning(AREA,
			    "port %s: interface %s is gone: the link is down until it is back",
			    p->config.name, p->device.interface);
		w->due_ms = now;
		state_set(p, PORT_GONE);
		return;
	}
	if (!__atomic_load_n(&p->carrier, __ATOMIC_RELAXED)) {
		port_pulse_reset(&w->pulse);
		return;
	}
	s = sample(recovery->dp, p);
	verdict = port_pulse_judge(&w->pulse, &s, went);
	/* The other end of a device between processes may have stopped to take frames. */
	if (verdict == PULSE_TX_STALLS && p->device.args && !p->device.interface[0])
		return;
	if (verdict != PULSE_FINE)
		stalls(p, w, verdict, now);
}

static void look(struct port_recovery *recovery, struct port *p, struct recovered_port *w)
{
	uint64_t now = clock_ms();

	switch (port_device_state(p)) {
	case PORT_WORKS:
		if (port_mtu_is_wanted(p)) {
			open_again(recovery, p, w, now);
			break;
		}
		pulse(recovery, p, w, now);
		break;
	case PORT_STALLED:
	case PORT_FAILED:
		if (now >= w->due_ms && port_device_back(p)) {
			w->restarted_ms = now;
			open_again(recovery, p, w, now);
		}
		break;
	default:
		if (now >= w->due_ms && port_device_back(p))
			open_again(recovery, p, w, now);
		break;
	}
}

static bool wait_pulse(struct port_recovery *recovery)
{
	const struct timespec until = clock_after_ms(PULSE_MS);
	bool stop;

	pthread_mutex_lock(&recovery->lock);
	while (!recovery->stop &&
	       pthread_cond_timedwait(&recovery->cond, &recovery->lock, &until) == 0)
		;
	stop = recovery->stop;
	pthread_mutex_unlock(&recovery->lock);
	return !stop;
}

static void *recovery_main(void *arg)
{
	struct port_recovery *recovery = arg;

	prctl(PR_SET_NAME, "plvs-ports");
	while (wait_pulse(recovery))
		for (uint16_t i = 0; i < recovery->dp->n_ports && !stopping(recovery->dp); i++)
			look(recovery, &recovery->dp->ports[i], &recovery->ports[i]);
	return NULL;
}

int port_recovery_start(struct dataplane *dp)
{
	struct port_recovery *recovery = calloc(1, sizeof(*recovery));
	pthread_condattr_t attr;
	int rc;

	if (!recovery)
		return -ENOMEM;
	recovery->dp = dp;
	pthread_mutex_init(&recovery->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&recovery->cond, &attr);
	pthread_condattr_destroy(&attr);
	rc = pthread_create(&recovery->thread, NULL, recovery_main, recovery);
	if (rc != 0) {
		pthread_cond_destroy(&recovery->cond);
		pthread_mutex_destroy(&recovery->lock);
		free(recovery);
		return -rc;
	}
	dp->recovery = recovery;
	return 0;
}

void port_recovery_stop(struct dataplane *dp)
{
	struct port_recovery *recovery = dp->recovery;

	if (!recovery)
		return;
	dp->recovery = NULL;
	pthread_mutex_lock(&recovery->lock);
	recovery->stop = true;
	pthread_cond_broadcast(&recovery->cond);
	pthread_mutex_unlock(&recovery->lock);
	pthread_join(recovery->thread, NULL);
	pthread_cond_destroy(&recovery->cond);
	pthread_mutex_destroy(&recovery->lock);
	free(recovery);
}
