/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_CONTROL_H
#define PLVS_CONTROL_CONTROL_H

/*
 * The control thread: configuration, snapshots, the control socket. A libevent base on a thread
 * of its own, for which no other thread waits.
 *
 * Order in main: config_load(), EAL, dataplane_create(), the link side, control_create()
 * (publishes the first snapshot), dataplane_start(), control_start(); then the way back:
 * control_stop(), dataplane_stop(), link side, control_destroy(), dataplane_destroy().
 */

#include "base/error_text.h"
#include "dataplane/dataplane.h"

struct bgp_look;
struct config;
struct identity_feed;
struct control;
struct ha;
struct link;
struct spawner;
struct vip_route;
struct vip_routes;

struct control_options {
	/* The start file: config.apply without a parameter and SIGHUP read it, config.save writes
	 * it. NULL: there is none. Copied. */
	const char *config_path;
	/* NULL in tests: no workers, no connections, no ports; then pub is used. */
	struct dataplane *dp;
	struct published *pub;
	/* node.state_dir, where versions of the configuration are stored. NULL: they are not
	 * stored. */
	const char *state_dir;
	/* The configuration is the one from before a trial that was not confirmed (trial.h). */
	bool undone;
	/* Digest of the file at config_path, if the configuration differs from it; or NULL. */
	const char *file_digest;
	/* The link thread; NULL in tests. */
	struct link *link;
	/* The feed of services and servers to the ha thread; NULL: there is no reader. */
	struct identity_feed *identities;
	/* Runs programs of checks and notifications; NULL: there are none. */
	struct spawner *spawner;
	/* For `version` and `status`, or NULL. */
	const char *dpdk_version;
};

/* Takes config over, also on error. Builds and publishes the first snapshot; opens no sockets. Any
 * thread, before workers start. 0, or -errno with a sentence in error. */
int control_create(const struct control_options *options, struct config *config,
		   struct control **out, char error[ERROR_TEXT]);
/* Between control_create() and control_start(). The ha thread ends after control_stop() and
 * before control_destroy(). */
void control_set_ha(struct control *control, struct ha *ha);
/* Between control_create() and control_start(): keeps the routes of VIPs, and looks for the daemon
 * that exports them, or NULL. Both outlive the thread. */
void control_set_routes(struct control *control, struct vip_routes *routes, struct bgp_look *bgp);
/* Any thread: routes of VIPs were added or removed. Copied. */
void control_announced(struct control *control, const struct vip_route *list, uint32_t n,
		       bool announced);
/* Opens the socket and starts the thread. 0, or -errno with a sentence in error. */
int control_start(struct control *control, char error[ERROR_TEXT]);
/* The ha thread: the peer pushes a configuration. The answer goes back by ha_answer(). */
void control_pushed(struct control *control, uint32_t id, const void *bytes, size_t len);
/* The ha thread: this router's state changed; from and to are of enum ha_state. */
void control_role(struct control *control, int from, int to, const char *text);
/* The ha thread: this router has become active. */
void control_active(struct control *control);
/* A counter that grows every 2 s while the control loop runs. Any thread, relaxed loads. */
const uint64_t *control_progress(const struct control *control);
/* SIGHUP: config.apply of the start file, by the control thread. Errors are logged and
 * change nothing. Async-signal-safe, any thread. */
void control_reload(struct control *control);
/* True from control_reload() until the file is live or refused. Context: any. */
bool control_reloading(const struct control *control);
/* Ends the thread and closes clients and socket; the published snapshot stays. */
void control_stop(struct control *control);
/* Frees everything, the published snapshot included: after workers and the link thread
 * have ended. NULL is allowed. */
void control_destroy(struct control *control);

#endif
