/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_CHECK_H
#define PLVS_HEALTH_CHECK_H

/*
 * A check is a question to a real server; a probe is one attempt. A checker is the code for one
 * type of check, behind struct checker_ops, in a file of its own.
 *
 * Checkers run on the control loop: a checker never blocks, and bounds its reading, memory and
 * computing. The thread is in the namespace of the TAPs (linux.netns), so plain sockets leave by
 * the router's own addresses.
 *
 * Context: control.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "model/check_ports.h"
#include "model/client_address.h"

#define CHECK_REASON_LEN  192	      /* "HTTP 503 from 10.0.0.12:80/health" */
#define CHECK_MAX_STEPS	  32	      /* of a script */
#define CHECK_MAX_BODY	  65536	      /* bytes looked at, at most, of one answer */
#define CHECK_MAX_HASHED  (16U << 20) /* bytes of a body whose digest counts */
#define CHECK_MAX_PATTERN 512	      /* bytes of a pattern's text */
#define CHECK_MAX_HEADERS 32
#define CHECK_MAX_ARGV	  64

/* X(NAME, name): the file of each is check_NAME.c, with check_NAME_ops. */
#define CHECK_TYPES(X)                                                                             \
	X(TCP, tcp)	  /* connect */                                                            \
	X(SCRIPT, script) /* TCP, perhaps TLS: send and expect, several steps */                   \
	X(HTTP, http)	  /* or HTTPS with tls */                                                  \
	X(UDP, udp)	  /* send, perhaps expect; refused by ICMP is a failure */                 \
	X(DNS, dns)                                                                                \
	X(ICMP, icmp)	/* echo */                                                                 \
	X(EXEC, exec)	/* an external program, by the spawner */                                  \
	X(AGENT, agent) /* HAProxy's agent protocol: weight and state in words */

enum check_type {
#define X(NAME, name) CHECK_##NAME,
	CHECK_TYPES(X)
#undef X
		CHECK_PASSIVE, /* judges traffic: health/passive.h; sends no probe */
	CHECK_TYPE_MAX
};

/* Types that ask a server over the network, on a port. */
#define CHECK_NETWORK                                                                              \
	(1U << CHECK_TCP | 1U << CHECK_SCRIPT | 1U << CHECK_HTTP | 1U << CHECK_UDP |               \
	 1U << CHECK_DNS | 1U << CHECK_AGENT)

extern const char *const check_type_names[CHECK_TYPE_MAX]; /* "tcp", "script", ... */

/* The use of a text. */
enum match_kind {
	MATCH_NONE,    /* any text, also an empty one */
	MATCH_LITERAL, /* these bytes appear */
	MATCH_PREFIX,  /* the text begins with these bytes */
	MATCH_PATTERN, /* a regular expression; POSIX syntax as in pattern.h */
	MATCH_SEND,    /* of a step: these bytes are sent */
	MATCH_MD5,     /* of a body: its MD5 digest, in hexadecimal digits */
};

struct match {
	uint8_t kind; /* enum match_kind */
	uint32_t len;
	char *bytes; /* escapes are resolved; of a pattern its text; ends with a NUL beyond len */
	char *text;  /* as written in the configuration; NULL: not from there */
	uint32_t timeout_ms; /* of a step that expects, from its beginning; 0 = the probe's alone */
};

struct check_tls {
	bool on;
	bool verify;   /* the certificate must be valid for server_name, or the address */
	char *ca_file; /* NULL = the system's directory of certificates */
	char *sni;     /* NULL = none; also what verify compares with */
	char *cert_file, *key_file; /* of the client, or NULL */
};

struct check_status_range {
	uint16_t first, last; /* 200-299 */
};

/*
 * A check as configured: values only, immutable. The rows of the configuration's schema write a
 * spec, and copy and compare specs (struct check_spec_ops). Zero means the default that the
 * comment gives.
 */
struct check_spec {
	char *name;   /* label, unique in the configuration */
	uint8_t type; /* enum check_type */
	/* --- timing, of all --- */
	uint32_t interval_ms; /* between starts in a steady state; 0 = 1000 */
	uint32_t fast_ms;     /* while the state changes or is unknown; 0 = interval_ms */
	uint32_t down_ms;     /* while down; 0 = interval_ms */
	uint32_t timeout_ms;  /* of one probe, all in all; 0 = interval_ms */
	uint32_t rise, fall;  /* probes in a row; 0 = 1 */
	uint32_t reentry_ms;  /* the wait of a server that succeeds again */
	/* --- target, of all types that use the network --- */
	struct addr address;  /* ADDR_NONE = the real server's */
	uint32_t port;	      /* host order; 0 = the real server's, then the service's */
	bool via_vip;	      /* DR, tunnel: address the VIP at the real server; else ignored */
	struct addr source;   /* of connections and datagrams; ADDR_NONE = as routes say */
	uint32_t source_port; /* host order; 0 = one of those that checks have */
	uint8_t header;	      /* SCRIPT, HTTP, AGENT: enum client_address: sent first */
	/* --- by type --- */
	struct check_tls tls; /* SCRIPT, HTTP */
	struct match *steps;  /* SCRIPT; UDP: at most one to send and one to expect */
	uint32_t n_steps;
	struct {
		char *method, *path, *host; /* "GET", "/", the target's address */
		char **headers;		    /* "Name: value" */
		uint32_t n_headers;
		struct check_status_range *statuses; /* none = 200-399 */
		uint32_t n_statuses;
		struct match body;
		bool body_not; /* body must not match in its first CHECK_MAX_BODY bytes */
	} http;
	struct {
		char *name; /* "." if NULL */
		uint8_t qtype;
		bool any_rcode;	    /* an answer is enough; else NOERROR */
		struct addr expect; /* an A record that must be among the answers; or ADDR_NONE */
	} dns;
	struct {
		char **argv; /* %h %p %v are replaced in arguments */
		uint32_t n_argv;
		char *user;	     /* NULL = nobody */
		struct match output; /* of standard output; MATCH_NONE = exit code only */
		bool any_code;	     /* only the output counts, whatever the exit code */
		bool load;	     /* standard output is a load number (Piranha) */
		bool code_weight;    /* exit codes from 2 on are good, and set the weight */
	} exec;
	struct {
		uint32_t window_ms; /* the time between two judgements */
		uint32_t min_syns;  /* no judgement on fewer SYNs in a window */
		uint32_t no_answer_percent,
			refused_percent; /* of SYNs; from here on the check fails */
		uint32_t max_answer_ms;	 /* mean time from SYN to SYN-ACK; 0 = not looked at */
	} passive;
	bool weight; /* AGENT, EXEC: the advice on weight counts */
};

/* The verdict of a probe. */
enum probe_verdict {
	PROBE_OK,
	PROBE_FAIL,  /* the server's fault: refused, wrong answer, too late */
	PROBE_ERROR, /* the router's fault (no descriptor, no program): counts neither way */
};

/* Advice of an agent, or of a program that prints a load, beyond the verdict. */
#define ADVICE_WEIGHT 0x01U /* percent of the configured weight */
#define ADVICE_LOAD   0x02U /* a load number */
#define ADVICE_DRAIN  0x04U
#define ADVICE_MAINT  0x08U
#define ADVICE_READY  0x10U /* ends drain and maint */
#define ADVICE_UP     0x20U
#define ADVICE_DOWN   0x40U /* down, stopped, fail */
#define ADVICE_UNITS  0x80U /* a weight in units, not a percentage */

struct probe_result {
	uint8_t verdict; /* enum probe_verdict */
	bool timeout;	 /* with PROBE_FAIL: no answer in time */
	uint32_t duration_us;
	uint32_t advice; /* ADVICE_* */
	uint32_t weight_percent, weight_units;
	double load;
	/* Plain words, also of success, without the time, which the core adds:
	 * "HTTP 200 from 10.0.0.12:80/health". */
	char reason[CHECK_REASON_LEN];
};

/* The environment that all checkers share; one per process. */
struct checker_env {
	struct event_base *base;
	struct spawn_client *spawn;	/* NULL: no programs can be run */
	struct ssl_cache *ssl;		/* health/tls.h */
	struct pattern_cache *patterns; /* health/pattern.h */
	const char *program_user;	/* of programs that name none; NULL: nobody */
	struct check_ports *ports;	/* health/source.h; NULL: any source port */
	struct echo_socket *echo;	/* health/echo.h */
};

/* How a probe reaches its target. */
enum probe_via {
	VIA_NONE,   /* by its own address */
	VIA_DR,	    /* by the VIP */
	VIA_TUNNEL, /* by the VIP, in IPIP */
};

/*
 * A probe under way. The core allocates the probe with room for the checker's state, arms the
 * time limit and calls start. The checker calls probe_end() exactly once, perhaps before start
 * returns, never after cancel was called. After probe_end() neither the probe nor its state may
 * be touched: both are freed.
 */
struct probe {
	const struct check_spec *spec;
	const struct checker_env *env;
	struct endpoint target; /* address and port to ask: spec, server and service merged */
	struct endpoint server; /* the real server, for words and %h %p */
	struct endpoint vip;	/* the service's first listener: %v, via_vip; family NONE: mark */
	uint8_t via;		/* enum probe_via */
	/* source.c: the port that is bound, host order, or 0; and its peer. */
	uint16_t source_port;
	struct check_peer source_peer;
	uint64_t start_us; /* CLOCK_MONOTONIC, as the loop saw it */
	void (*ended)(struct probe *p, const struct probe_result *result);
	void *arg;
	void *state; /* [ops->state_size], zeroed, freed by the core after the end */
};

struct checker_ops {
	enum check_type type;
	size_t state_size;
	/* The checker itself ends the probe inquiry_timeout_ms() after its begin, and the core arms
	 * no limit. For checkers that may wait for a slot first. */
	bool own_limit;
	void (*start)(struct probe *p);
	/* Ends a probe whose time is up or whose answer is not needed any more: closes descriptors
	 * and deletes events, and does not call probe_end(). phase gets the step under way ("no
	 * SYN-ACK", "no answer to the request"), from which the core makes the sentence of a
	 * time-out: "no SYN-ACK from 10.0.0.12:80 within 2s". */
	void (*cancel)(struct probe *p, char *phase, size_t len);
};

/* In enum order; NULL for PASSIVE, which sends no probes. */
extern const struct checker_ops *const checkers[CHECK_TYPE_MAX];

/* For checkers: ends a probe. fmt: the reason. The result's duration is the core's to fill in. */
void probe_end(struct probe *p, enum probe_verdict verdict, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with advice; r->reason is set. */
void probe_end_result(struct probe *p, const struct probe_result *r);

/* Functions on specs, which the owner of the schema gives. */
struct check_spec_ops {
	/* A deep copy. 0, or -ENOMEM with *to zeroed. */
	int (*copy)(const struct check_spec *from, struct check_spec *to);
	/* Frees the members of the spec, not the spec. */
	void (*fini)(struct check_spec *spec);
	/* True: all keys but the name are equal. */
	bool (*equal)(const struct check_spec *a, const struct check_spec *b);
	/* True: request, target and time limit of the probes are equal. Names, intervals and the
	 * counting of answers may differ. */
	bool (*same_question)(const struct check_spec *a, const struct check_spec *b);
};

/* True: the probe depends on the service, not only on the server, since it goes to the VIP or names
 * it. */
bool check_spec_names_vip(const struct check_spec *spec);

#endif
