/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_IMPORT_IMPORTER_H
#define PLVS_IMPORT_IMPORTER_H

/*
 * An import under way: its arena, its notes and its objects, for readers of formats.
 *
 * Memory and give_up(): functions that return new memory never return NULL. When the arena is
 * used up, or a bound is crossed, give_up() notes an error and leaves by longjmp() to
 * import_text(), which frees the arena. So a reader keeps all its objects in the arena.
 */

#include <setjmp.h>

#include "import/import.h"
#include "import/lvs.h"

#define MAX_FILE_BYTES	       (16U << 20) /* of one file */
#define MAX_INPUT_BYTES	       (64U << 20) /* of all files of an import */
#define MAX_ARENA_BYTES	       (512U << 20)
#define MAX_NOTES	       10000U
#define MAX_SERVICES_IN	       65535U
#define MAX_SERVERS_IN	       262143U
#define MAX_LISTENERS_IN       256U /* of one service */
#define MAX_SERVICE_SERVERS_IN 4096U
#define MAX_SERVER_CHECKS_IN   64U
#define MAX_ADDRESSES_IN       16384U
#define MAX_WORDS_IN	       1024U
#define MAX_PORTS_IN	       16U

/* In the order of their weight. From NOTE_OPENS on the exit code is 1. */
enum note_kind {
	NOTE_IMPORTED, /* an object was taken over */
	NOTE_DROPPED,  /* a directive without effect in plvs */
	NOTE_NOTICE,   /* of the import as a whole, or an answer that is needed */
	NOTE_DIFFERS,  /* plvs behaves otherwise */
	NOTE_UNSAID,   /* plvs has no counterpart */
	NOTE_OPENS,    /* left out: the service would be open to more clients than before */
	NOTE_LOST,     /* an object that serves clients was left out */
	NOTE_ERROR,    /* no document is written */
	NOTE_MAX
};

struct note {
	struct note *next;
	struct origin at;
	enum note_kind kind;
	uint32_t order;
	const char *text;
};

struct arena_block;

struct importer {
	const struct import_options *options;
	struct arena_block *blocks;
	size_t used;
	size_t input_bytes;
	struct note *notes, **notes_end;
	uint32_t n_notes, n_more, n_kind[NOTE_MAX];
	const char *format;
	struct lvs lvs;
	uint32_t n_services, n_servers, n_addresses, n_ports;
	struct name_cache *names;
	uint32_t n_lookups_failed, n_names_failed;
	FILE *stream; /* into stream_data, which arena_free() frees */
	char *stream_data;
	size_t stream_len;
	jmp_buf out;
};

/* ---- arena.c ---- */

void *arena_alloc(struct importer *im, size_t size); /* zeroed */
void arena_free(struct importer *im);
char *arena_copy(struct importer *im, const char *text, size_t len);
char *arena_printf(struct importer *im, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A text that grows. data has a NUL behind len bytes. */
struct text_buf {
	char *data;
	size_t len, size;
};
void buf_put(struct importer *im, struct text_buf *b, const char *text, size_t len);
void buf_puts(struct importer *im, struct text_buf *b, const char *text);
void buf_printf(struct importer *im, struct text_buf *b, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- note.c ---- */

void note(struct importer *im, struct origin at, enum note_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Notes an error and leaves the import. */
void give_up(struct importer *im, struct origin at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));
/* All notes by place, then the sum. */
void notes_put(struct importer *im, FILE *report);
/* True: a note keeps the import from being whole. */
bool notes_refuse(const struct importer *im);

/* ---- input.c ---- */

/* Reads a regular file, or standard input for NULL. NULL: it cannot be read; *why is the reason. */
char *input_read(struct importer *im, const char *path, size_t *len, const char **why);
/* Notes NUL bytes, which no text has. */
void input_check(struct importer *im, const char *file, const char *text, size_t len);

/* A file by lines. */
struct lines {
	const char *at, *end;
	struct origin here; /* of the line that line_next() gave last */
	bool cr;	    /* that line ended with CR */
};
void lines_init(struct lines *l, const char *file, const char *text, size_t len);
/* The next line without its LF, CR LF or CR; false at the end. */
bool line_next(struct lines *l, const char **line, size_t *len);

/* ---- name_lookup.c ---- */

/* An address, or a host name that is resolved; host: the name then, else NULL. 0, or -ENOENT
 * with an error's text. */
int host_lookup(struct importer *im, const char *text, bool v6, struct addr *addr,
		const char **host, const char **why);
/* A port number or a service's name; protocol "tcp" or "udp". 0 or -ENOENT. */
int port_lookup(const char *text, const char *protocol, uint32_t *port);
/* A decimal number, the whole text. */
bool number_parse(const char *text, uint64_t max, uint64_t *out);
/* Seconds with a fraction, as milliseconds. */
bool seconds_ms_parse(const char *text, uint32_t *ms);
/* A dotted netmask, as lvs_service has it. */
bool netmask_parse(const char *text, uint32_t *netmask);
/* plvs's own spelling of a scheduler, or NULL. */
const char *scheduler_find(const char *name);
bool yes_parse(const char *text, bool *out);
const char *protocol_name(uint8_t protocol);

/* ---- lvs.c ---- */

struct lvs_service *service_new(struct importer *im, struct origin at);
struct lvs_server *server_new(struct importer *im, struct lvs_service *svc, struct origin at);
/* "ipip", "gue", "gre". false: the word is none of them. */
bool lvs_tunnel_type(const char *word, uint8_t *type);
/* Notes contradicting options and removes them. */
void lvs_tunnel_finish(struct importer *im, struct origin at, struct encap *t);
/* True: a word (of option or keyword `what`) is the persistence engine that plvs has. Notes
 * differences. persistent: the service has a time-out. */
bool lvs_engine_take(struct importer *im, struct origin at, const char *what, const char *name,
		     bool persistent);
struct lvs_listener *listener_new(struct importer *im, struct lvs_service *svc, struct origin at,
				  const struct addr *addr, uint32_t port);
struct lvs_check *check_new(struct importer *im, struct lvs_server *server, struct origin at,
			    const char *type);
/* A check that belongs to no server yet. */
struct lvs_check *check_make(struct importer *im, struct origin at, const char *type);
void check_add(struct importer *im, struct lvs_server *server, struct lvs_check *check);
void step_add(struct importer *im, struct lvs_check *check, const char *key, const char *text);
void word_add(struct importer *im, struct lvs_word **list, const char *text);
void address_add(struct importer *im, struct origin at, const struct addr *addr, uint8_t len,
		 enum lvs_address_kind kind, const char *device);
void mark_add(struct importer *im, struct origin at, const struct lvs_mark *rule);
/* The port of a Linux interface "eth0" or "eth0.12", and its VLAN. */
struct lvs_port *port_of(struct importer *im, struct origin at, const char *device,
			 struct lvs_vlan **vlan);
void path_add(struct importer *im, struct origin at, const char *name, const struct addr *local,
	      const struct addr *peer);
/* "tcp:192.0.2.1:80 (shop)", for messages. */
const char *service_text(struct importer *im, const struct lvs_service *svc);
const char *server_text(struct importer *im, const struct lvs_server *server);

/* ---- escape.c: texts in the notations of plvs's keys ---- */

/* Bytes as send, expect and the like have them. */
const char *text_bytes(struct importer *im, const char *bytes, size_t len);
/* A regular expression: bytes above ASCII and control characters as \xHH. */
const char *pattern_bytes(struct importer *im, const char *bytes, size_t len);
/* A pattern that matches exactly these bytes. */
const char *pattern_quote(struct importer *im, const char *bytes, size_t len);
/* True: a text may be a key's value unchanged: UTF-8 without control characters. */
bool text_is_plain(const char *text);

/* ---- finish.c, document.c, verify.c ---- */

void lvs_finish(struct importer *im);
/* The document, with the origin of each of its lines for verify.c. */
struct document {
	char *text;
	size_t len;
	struct origin *origins; /* of lines 1 .. n_lines */
	uint32_t n_lines;
};
void document_make(struct importer *im, struct document *doc);
void checks_name(struct importer *im);
const char *check_body(struct importer *im, const struct lvs_check *c);
/* Notes errors of the configuration's parser. False: the document is not valid. */
bool document_verify(struct importer *im, const struct document *doc);
extern const char *const import_schedulers[]; /* the names of sched_names() */

/* ---- readers ---- */

void lvscf_read(struct importer *im, const char *file, const char *text, size_t len);
void ipvsadm_read(struct importer *im, const char *file, const char *text, size_t len);
void keepalived_read(struct importer *im, const char *file, const char *text, size_t len);
void ldirectord_read(struct importer *im, const char *file, const char *text, size_t len);

#endif
