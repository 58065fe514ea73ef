/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_IMPORT_IMPORT_H
#define PLVS_IMPORT_IMPORT_H

/*
 * Configurations of other LVS programs, read and written again as a configuration of plvs.
 *
 * A format's reader turns a file into LVS objects (lvs.h), each with the line it came from.
 * The writer (document.c) turns the objects into a document. The configuration's own parser then
 * checks the document, and its errors are reported with the line of the origin. A statement of the
 * file that has no counterpart in plvs becomes a note with the line and the reason.
 *
 * Context: a short-lived program, one thread. Reads files and uses the resolver; both are bounded.
 * All memory is one arena.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum import_result {
	IMPORT_OK = 0,	    /* the whole file was imported; there may be warnings */
	IMPORT_REFUSED = 1, /* no document was written, or objects were left out */
};

struct import_host {
	const char *name, *address;
};

struct import_options {
	const char *path;   /* name for messages, too; NULL or "-": standard input */
	const char *format; /* of import_formats, or NULL: recognised by the contents */
	const char *id;	    /* keepalived's -i; NULL: the host name up to its first dot */
	const char *role;   /* of this router in a pair, "primary" or "backup"; NULL: not given */
	bool force;	    /* losses and opened services are warnings */
	bool closed;	    /* only the text, no other files and no resolver: for tests */
	const struct import_host *hosts; /* names that are not looked up by the resolver */
	size_t n_hosts;
};

/* "lvs.cf", "ipvsadm-save", "keepalived", "ldirectord"; ends with NULL. */
extern const char *const import_formats[];

/* The document goes to out, the report to report. Returns enum import_result. */
int import_file(const struct import_options *options, FILE *out, FILE *report);
/* The same for a text; options->path names it. */
int import_text(const struct import_options *options, const char *text, size_t len, FILE *out,
		FILE *report);

#endif
