/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_IMPORT_LVSCF_H
#define PLVS_IMPORT_LVSCF_H

/* A lvs.cf of Piranha as values: the directives of each block, before they are interpreted. */

#include "import/importer.h"

/* Each directive has a row: id, name, level, type, and the reason why the directive is dropped;
 * NULL: the mapping uses the directive. */
#define LEVEL_GLOBAL  1U
#define LEVEL_VIRTUAL 2U
#define LEVEL_SERVER  4U

enum lvscf_type {
	TYPE_TEXT,
	TYPE_FLAG,	     /* 0 or 1 */
	TYPE_NUMBER,	     /* by strtol() with base 0: 010 is 8 */
	TYPE_PORT,	     /* a number or a service's name */
	TYPE_HOST,	     /* an address or a name */
	TYPE_MASK,	     /* dotted */
	TYPE_ADDRESS_DEVICE, /* address and device */
	TYPE_WORD,	     /* of a list in the mapping */
};

enum lvscf_directive {
	D_SERIAL_NO,
	D_PRIMARY,
	D_PRIMARY_PRIVATE,
	D_PRIMARY_SHARED,
	D_BACKUP,
	D_BACKUP_PRIVATE,
	D_BACKUP_SHARED,
	D_BACKUP_ACTIVE,
	D_SERVICE,
	D_HEARTBEAT,
	D_HEARTBEAT_PORT,
	D_KEEPALIVE,
	D_DEADTIME,
	D_RSH_COMMAND,
	D_NETWORK,
	D_NAT_ROUTER,
	D_NAT_NMASK,
	D_RESERVATION,
	D_DEBUG_LEVEL,
	D_MONITOR_LINKS,
	D_HARD_SHUTDOWN,
	D_SYNCDAEMON,
	D_SYNCD_IFACE,
	D_SYNCD_ID,
	D_TCP_TIMEOUT,
	D_TCPFIN_TIMEOUT,
	D_UDP_TIMEOUT,
	D_ACTIVE_CMD,
	D_INACTIVE_CMD,
	D_IPVSADM,
	D_SYNC,
	D_ACTIVE,
	D_ADDRESS,
	D_SERVER_ADDRESS,
	D_VIP_NMASK,
	D_PORT,
	D_SERVER_PORT,
	D_PROTOCOL,
	D_FWMARK,
	D_SCHEDULER,
	D_PERSISTENT,
	D_PMASK,
	D_SEND,
	D_EXPECT,
	D_EXPECT_PROGRAM,
	D_USE_REGEX,
	D_SEND_PROGRAM,
	D_TIMEOUT,
	D_REENTRY,
	D_QUIESCE,
	D_LOAD_MONITOR,
	D_CLIENT_MONITOR,
	D_SORRY_SERVER,
	D_START_CMD,
	D_STOP_CMD,
	D_MASTER,
	D_DIRS,
	D_WEIGHT,
	D_MAX
};

struct lvscf_row {
	enum lvscf_directive id;
	const char *name;
	uint32_t levels;
	enum lvscf_type type;
	const char *dropped;
};
extern const struct lvscf_row lvscf_rows[D_MAX];

struct lvscf_value {
	struct origin at; /* line 0: not given */
	const char *text, *device;
	size_t len; /* of text, which may be quoted */
	uint32_t number;
};

struct lvscf_block {
	struct lvscf_block *next;
	struct origin at;
	const char *name;
	bool failover;
	uint32_t port_so_far; /* of a server: the virtual's port so far; 0: none yet */
	struct lvscf_block *servers, **servers_end;
	struct lvscf_value v[D_MAX];
};

struct lvscf {
	struct lvscf_block globals;
	struct lvscf_block *virtuals, **virtuals_end;
};

/* Splits a line into words without quotes. Returns their number, or -1 with *why. */
#define LVSCF_WORDS 100
struct lvscf_word {
	const char *text;
	size_t len;
	bool quoted;
};
int lvscf_split(struct importer *im, const char *line, size_t len,
		struct lvscf_word words[LVSCF_WORDS], const char **why);

/* lvscf_globals.c */
bool lvscf_said(const struct lvscf_block *b, enum lvscf_directive id);
uint32_t lvscf_number(const struct lvscf_block *b, enum lvscf_directive id, uint32_t otherwise);
bool lvscf_word_is(const struct lvscf_block *b, enum lvscf_directive id, const char *word);
/* Notes that the device of an address is the label of an alias. */
void lvscf_label_note(struct importer *im, const struct lvscf_value *v);
void lvscf_globals_map(struct importer *im, const struct lvscf_block *g);
/* lvscf_map.c */
void lvscf_map(struct importer *im, const struct lvscf *cf);
/* lvscf_check.c: the checks of nanny for a server. method: of the network. */
void lvscf_checks(struct importer *im, const struct lvscf *cf, const struct lvscf_block *virtual,
		  struct lvs_service *svc, struct lvs_server *s, uint32_t port);
/* \n \r \t \\ \' \" as nanny translates them. */
const char *lvscf_unescape(struct importer *im, const struct lvscf_value *v, size_t *len);

#endif
