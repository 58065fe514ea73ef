/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_IMPORT_LDIRECTORD_H
#define PLVS_IMPORT_LDIRECTORD_H

/* A ldirectord.cf as values. */

#include "import/importer.h"

enum ldir_key {
	K_CHECKTIMEOUT,
	K_NEGOTIATETIMEOUT,
	K_CHECKINTERVAL,
	K_CHECKCOUNT,
	K_FAILURECOUNT,
	K_QUIESCENT,
	K_FALLBACK,
	K_FALLBACK6,
	K_FALLBACKCOMMAND,
	K_FORK,
	K_EXECUTE,
	K_REQUEST,
	K_RECEIVE,
	K_CHECKTYPE,
	K_CHECKCOMMAND,
	K_CHECKPORT,
	K_SCHEDULER,
	K_SCHEDFLAGS,
	K_PERSISTENT,
	K_NETMASK,
	K_PROTOCOL,
	K_SERVICE,
	K_HTTPMETHOD,
	K_VIRTUALHOST,
	K_LOGIN,
	K_PASSWD,
	K_DATABASE,
	K_SECRET,
	K_SERVICENAME,
	K_OPS,
	K_DROPPED, /* the row has the reason */
	K_ERROR,   /* an error in ldirectord, too */
	K_MAX
};

struct ldir_value {
	struct origin at; /* line 0: not said */
	const char *text;
	uint32_t number;
};

struct ldir_real {
	struct ldir_real *next;
	struct origin at;
	struct addr first, last; /* a range of IPv4 */
	const char *host, *lost; /* lost: reason why the name has no address */
	const char *port_text;	 /* or NULL */
	enum lvs_method method;
	uint32_t weight, upper, lower;
	const char *request, *receive; /* of this server only */
};

struct ldir_virtual {
	struct ldir_virtual *next;
	struct origin at;
	const char *text; /* behind virtual= */
	bool v6;
	struct ldir_real *reals, **reals_end;
	struct ldir_value v[K_MAX];
};

struct ldir {
	struct ldir_value v[K_MAX]; /* global */
	struct ldir_virtual *virtuals, **virtuals_end;
};

/* ldirectord_real.c: the text behind real= and fallback=. False: an error was noted. */
bool ldir_real_parse(struct importer *im, struct origin at, const char *text, bool v6,
		     bool fallback, struct ldir_real *out);

/* ldirectord_map.c */
void ldir_map(struct importer *im, const struct ldir *cf);

/* The values of a virtual that the checks of its real servers need. */
struct ldir_context {
	struct importer *im;
	const struct ldir *cf;
	const struct ldir_virtual *v;
	const struct lvs_service *svc;
	const char *service; /* "http"; "none" */
	uint32_t vport;	     /* 0: a mark */
	uint32_t service_port;
	uint32_t check_ms, negotiate_ms, interval_ms, fall;
};

/* ldirectord_check.c */
void ldir_checks(const struct ldir_context *c, const struct ldir_real *real, struct lvs_server *s);
/* The service that a port stands for, or "none"; and its port. */
const char *ldir_service_of_port(uint32_t port);
bool ldir_service_find(const char *name, uint32_t *port);
/* ldirectord_negotiate.c: False: no check, the server is always up. */
bool ldir_negotiate(const struct ldir_context *c, const struct ldir_real *real,
		    const struct lvs_server *s, struct lvs_check *check);

#endif
