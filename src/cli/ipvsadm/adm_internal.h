/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_ADM_INTERNAL_H
#define PLVS_CLI_ADM_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "cli/rpc_call.h"

/* Exit codes of ipvsadm. */
#define ADM_OK	    0
#define ADM_MISSING 1	/* a listing of a service that does not exist */
#define ADM_USAGE   2	/* the command line is wrong */
#define ADM_REFUSED 255 /* the kernel (here: the router) refused; an option is unknown */

enum adm_verb {
	ADM_ADD_SERVICE,
	ADM_EDIT_SERVICE,
	ADM_DELETE_SERVICE,
	ADM_CLEAR,
	ADM_LIST,
	ADM_ADD_SERVER,
	ADM_DELETE_SERVER,
	ADM_EDIT_SERVER,
	ADM_SET,
	ADM_START_DAEMON,
	ADM_STOP_DAEMON,
	ADM_RESTORE,
	ADM_SAVE,
	ADM_ZERO,
	ADM_HELP,
	ADM_VERSION,
	ADM_VERBS,
};

/* In the order in which ipvsadm checks options: the message names the first wrong one. */
#define ADM_OPTIONS(X)                                                                             \
	X(NUMERIC, "numeric")                                                                      \
	X(CONNECTION, "connection")                                                                \
	X(SERVICE, "service-address")                                                              \
	X(SCHEDULER, "scheduler")                                                                  \
	X(PERSISTENT, "persistent")                                                                \
	X(NETMASK, "netmask")                                                                      \
	X(SERVER, "real-server")                                                                   \
	X(FORWARD, "forwarding-method")                                                            \
	X(WEIGHT, "weight")                                                                        \
	X(UPPER, "u-threshold")                                                                    \
	X(LOWER, "l-threshold")                                                                    \
	X(INTERFACE, "mcast-interface")                                                            \
	X(TIMEOUT, "timeout")                                                                      \
	X(DAEMON, "daemon")                                                                        \
	X(STATS, "stats")                                                                          \
	X(RATE, "rate")                                                                            \
	X(THRESHOLDS, "thresholds")                                                                \
	X(PERSISTENT_CONN, "persistent-conn")                                                      \
	X(NOSORT, "nosort")                                                                        \
	X(SYNCID, "syncid")                                                                        \
	X(EXACT, "exact")                                                                          \
	X(OPS, "ops")                                                                              \
	X(PE, "pe")                                                                                \
	X(SCHED_FLAGS, "sched-flags")                                                              \
	X(MAXLEN, "sync-maxlen")                                                                   \
	X(GROUP, "mcast-group")                                                                    \
	X(PORT, "mcast-port")                                                                      \
	X(TTL, "mcast-ttl")                                                                        \
	X(TUN_INFO, "tun-info")                                                                    \
	X(TUN_TYPE, "tun-type")                                                                    \
	X(TUN_PORT, "tun-port")                                                                    \
	X(TUN_NOCSUM, "tun-nocsum")                                                                \
	X(TUN_CSUM, "tun-csum")                                                                    \
	X(TUN_REMCSUM, "tun-remcsum")

enum adm_option {
#define X(name, text) ADM_OPT_##name,
	ADM_OPTIONS(X)
#undef X
		ADM_N_OPTIONS,
};
#define ADM_HAS(cmd, name) ((cmd)->given >> ADM_OPT_##name & 1)

enum adm_tunnel { ADM_IPIP, ADM_GUE, ADM_GRE, ADM_TUNNELS };

/* "ipip", "gue", "gre": words of ipvsadm, and of plvs's `tunnel_type`. */
extern const char *const adm_tunnel_names[ADM_TUNNELS];

/* A virtual service as ipvsadm names it: a mark, or a protocol with address and port. */
struct adm_service {
	uint32_t mark;
	int proto;	    /* IPPROTO_*; 0 = none was given yet */
	struct endpoint ep; /* of a mark: only its family */
};

static inline bool adm_is_ipv6(const struct adm_service *s)
{
	return s->ep.addr.family == ADDR_V6;
}

struct adm_daemon {
	bool master; /* else backup */
	char interface[16];
	uint32_t syncid, maxlen, port, ttl; /* maxlen 0: none was given */
	char group[ADDR_STRLEN];
};

struct adm_command {
	enum adm_verb verb;
	uint64_t given; /* bit per enum adm_option */
	struct adm_service service;
	const char *scheduler;
	const char *flags_text;
	uint32_t flags; /* 1 fallback, 2 port, 4 flag-3 */
	const char *pe;
	uint32_t persist_s; /* 0: not persistent */
	be32 netmask;	    /* all ones: none given */
	uint32_t prefix;    /* the same of an IPv6 service: 128: none given */
	struct endpoint server;
	const char *forward; /* plvs's word: dr, tunnel, nat */
	uint32_t weight, upper, lower;
	enum adm_tunnel tunnel;
	uint32_t tunnel_port;  /* 0: none given */
	uint32_t timeout_s[3]; /* of --set: tcp, tcpfin, udp; 0 leaves */
	struct adm_daemon daemon;
};

/* State of a run of the program: streams, connection to the router, document. */
struct adm {
	struct rpc *rpc;
	FILE *in, *out, *errors;
	json_t *doc;	   /* the configuration, changed by commands; owned */
	json_t *live;	   /* of service.list, fetched when a listing needs it; or NULL */
	json_t *templates; /* persistence templates by "key server"; or NULL */
	bool restoring;
};

/* Writes a line to errors and returns code. */
__attribute__((format(printf, 3, 4))) int adm_fail(struct adm *a, int code, const char *fmt, ...);

/* --- adm_words.c: words of a command line as popt reads them --- */

enum adm_value {
	ADM_NONE,
	ADM_REQUIRED,
	ADM_OPTIONAL, /* the next word unless it begins with '-' */
};

struct adm_word {
	const char *name; /* or NULL */
	char letter;	  /* or 0 */
	enum adm_value value;
	int id;
};

struct adm_words {
	const struct adm_word *table; /* ends with id 0 */
	char **argv;
	int argc, next;
	const char *cluster; /* rest of "-abc", or NULL */
	bool rest;	     /* "--" was seen */
	char **left;	     /* words that are not options; [argc] */
	int n_left, taken;
};

#define ADM_END	     (-1)
#define ADM_BAD	     (-2) /* "unknown option" */
#define ADM_NO_VALUE (-3) /* "missing argument" */
#define ADM_UNWANTED (-4) /* "option does not take an argument" */

/* The next option's id with *value (or NULL), or one of the codes above. */
int adm_words_next(struct adm_words *w, const char **value);
/* The word of the last option or fault. */
const char *adm_words_last(const struct adm_words *w);
const char *adm_words_fault(int code);
/* The next word that is not an option, or NULL. */
const char *adm_words_left(struct adm_words *w);

/* --- adm_args.c --- */

/* 0 with *cmd; texts in it are argv's. Else the exit code, after a message. *fatal: ipvsadm ends
 * at once, also in a restore. */
int adm_parse(struct adm *a, int argc, char **argv, struct adm_command *cmd, bool *fatal);
/* adm_check.c: checks the combination of options. 0 or an exit code. */
int adm_check(struct adm *a, struct adm_command *cmd);
extern const char *const adm_option_names[ADM_N_OPTIONS];
/* Prints the help text, or only its first line, which is the version. */
void adm_usage(FILE *out, bool whole);

/* --- adm_names.c --- */

/* strtol() of the whole text, base 10, within the bounds; else -1. */
int64_t adm_number(const char *text, int64_t min, int64_t max);
/* HOST[:PORT], [IPV6]:PORT or IPV6; *with_port tells whether a port was given. 0 or -1. */
int adm_endpoint_parse(const char *text, int proto, struct endpoint *ep, bool *with_port);
/* "192.0.2.1:80", or with names when these are wanted and known; port 0 as ":0". */
const char *adm_endpoint_text(const struct endpoint *ep, int proto, bool numeric, char *buf,
			      size_t len);
#define ADM_NAME_LEN 1100
#define ADM_MASK_LEN 16

/* --- adm_model.c: services in the document --- */

json_t *adm_services(const struct adm *a);
/* The value of a policy key on the service, or else in `defaults`. Borrowed or NULL. */
const json_t *adm_policy(const struct adm *a, const json_t *service, const char *key,
			 const char *member);
/* The service with that listener or mark, or NULL. */
json_t *adm_service_find(const struct adm *a, const struct adm_service *s, size_t *place);
/* The service's identity in requests: "tcp:10.1.0.100:80", "fwmark:7", "fwmark:7/ipv6". */
const char *adm_service_key(const struct adm_service *s, char buf[ENDPOINT_STRLEN + 16]);
/* Reads the service's listener of that index, or its mark, as ipvsadm names it. False: no address
 * that ipvsadm can name. */
bool adm_service_read(const json_t *service, size_t listener, struct adm_service *s);
size_t adm_service_listeners(const json_t *service);
json_t *adm_server_find(const json_t *service, const struct endpoint *ep, size_t *place);
bool adm_server_endpoint(const json_t *server, struct endpoint *ep);
uint32_t adm_seconds(const json_t *value);
const char *adm_scheduler(const struct adm *a, const json_t *service);
uint32_t adm_flags(const struct adm *a, const json_t *service);
const char *adm_flags_text(const char *scheduler, uint32_t flags, char buf[64]);
/* Seconds, or 0. mask: "255.255.255.0", or of an IPv6 service "64"; "" is the whole address. */
uint32_t adm_persist(const struct adm *a, const struct adm_service *s, const json_t *service,
		     char mask[ADM_MASK_LEN]);
/* The persistence engine as ipvsadm names it; NULL: none. */
#define ADM_ENGINE_SIP	"sip"
#define ADM_ENGINE_NONE "address" /* in the configuration */
const char *adm_engine(const struct adm *a, const json_t *service);
bool adm_ops(const struct adm *a, const json_t *service);
const char *adm_forward(const struct adm *a, const json_t *service, const json_t *server);
json_int_t adm_member(const json_t *object, const char *key, json_int_t otherwise);

/* --- adm_change.c --- */

/* Carries cmd out on the document. 0 with the request that makes the same change in the router
 * (*method NULL: no request), or an exit code after a message like the kernel's. *params is the
 * caller's. */
int adm_change(struct adm *a, const struct adm_command *cmd, const char **method, json_t **params);
/* Prints the message of ipvsadm, if it has one, for a refusal of the router. Returns
 * ADM_REFUSED. */
int adm_refused(struct adm *a, enum adm_verb verb, const struct rpc_failure *f);

struct adm_entry {
	const json_t *service, *server;
	struct adm_service s; /* of the service */
	struct endpoint ep;   /* of the server */
};

/* --- adm_list.c, adm_save.c, adm_show.c, adm_proc.c --- */

/* Fetches counters of the router into a->live. 0 or an exit code. */
int adm_live_ask(struct adm *a);
/* The router's answer about the server; NULL: none. */
const json_t *adm_live_server(const struct adm *a, const struct adm_entry *e);
const char *adm_forward_text(const char *word); /* "Masq" */
/* Prints "ip_vs", "ip_vs_conn" or "ip_vs_stats" as the kernel's file has it. */
int adm_proc(struct adm *a, const char *file);
int adm_list(struct adm *a, const struct adm_command *cmd);
int adm_save(struct adm *a, const struct adm_command *cmd);
int adm_list_connections(struct adm *a, const struct adm_command *cmd);
int adm_list_timeouts(struct adm *a);
int adm_list_daemons(struct adm *a);
int adm_daemon_change(struct adm *a, const struct adm_command *cmd);
/* Prints that the router cannot be reached, as an ipvsadm without IPVS does. */
int adm_no_router(struct adm *a, const struct rpc_failure *f);
int adm_ask(struct adm *a, const char *method, json_t *params, rpc_rows *rows, void *arg,
	    json_t **result);

/* In the order of a listing. free() it; NULL: no memory. */
struct adm_entry *adm_sorted_services(const struct adm *a, bool sort, size_t *n);
struct adm_entry *adm_sorted_servers(const struct adm_entry *of, bool sort, size_t *n);

/* --- adm_restore.c --- */

int adm_restore(struct adm *a, bool clear_first);
/* Runs one command line, not a restore. *fatal: see adm_parse(). */
int adm_run(struct adm *a, const struct adm_command *cmd, bool *fatal);

#endif
