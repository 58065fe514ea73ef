/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SHOWN_SHOWN_H
#define PLVS_SHOWN_SHOWN_H

/*
 * Objects as people and programs see them: one table for each kind. A row of a table is a fact of
 * the object: name, kind, unit, meaning, and the place of the fact in the object's struct
 * (objects.h). JSON of the control socket, metrics, columns of plvsctl and the reference pages walk
 * the rows.
 *
 * plvsctl links the tables too, without the objects, so a table refers to no symbol of another
 * room. Context: any.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum shown_kind {
	SHOWN_COUNTER, /* grows; an unsigned member of `size` bytes, as of the next two */
	SHOWN_GAUGE,
	SHOWN_YES,    /* bool */
	SHOWN_ID,     /* int64_t, never shortened; below 0: none */
	SHOWN_REAL,   /* double that grows */
	SHOWN_SHARE,  /* double, 0 to 1 */
	SHOWN_AGO,    /* uint64_t; UINT64_MAX: never, null */
	SHOWN_TEXT,   /* const char *; NULL: null */
	SHOWN_VECTOR, /* struct shown_vector: counters with names */
	SHOWN_LEVELS, /* struct shown_vector: gauges with names */
	SHOWN_INFO,   /* const char *: labels of an info metric */
	SHOWN_MADE,   /* a list or an object that the method makes, or null; no member */
	SHOWN_KEY,    /* a key of the object's configuration, a text; no member */
};

struct shown_vector {
	const char *const *names;
	const uint64_t *values;
	uint16_t first, n; /* names[first] to names[n - 1] */
};

/* The listings that have a key. */
#define SHOWN_LIST   0x01U /* in the object's own listing */
#define SHOWN_COUNTS 0x02U /* in counter.list */
#define SHOWN_HEALTH 0x04U /* in health.list */
#define SHOWN_ONE    0x08U /* where the object is asked for alone: connection.find, health.show */

struct shown {
	const char *name;
	enum shown_kind kind;
	uint16_t at, size; /* of the member */
	uint8_t in;	   /* SHOWN_LIST, ...; 0: in no JSON */
	uint8_t rate_in;   /* the same of its change per second */
	const char *help;
	const char *group;  /* the object within the object that has the key; NULL: the object */
	const char *unit;   /* "s", "ms", "us", "bytes", or NULL */
	const char *metric; /* behind the table's prefix; NULL: none */
	const char *label;  /* of the names of SHOWN_VECTOR and SHOWN_LEVELS */
	uint16_t if_at;	    /* offset of a bool that JSON depends on; 0: none */
	uint16_t metric_if; /* the same of the metric */
	/* SHOWN_MADE: the table of the objects of the list, or of the object; NULL: of none. */
	const struct shown_table *of;
};

/* The form of a value in a column, where the kind of the row does not decide it. */
enum shown_form {
	SHOWN_PLAIN,
	SHOWN_COLOURED, /* a word with a colour */
	SHOWN_AS_MS,	/* microseconds as "0.9 ms" */
	SHOWN_OPEN,	/* a text that may be empty */
	SHOWN_NAMED,	/* "VALUE (WITH)"; with a bool WITH its key */
	SHOWN_OF,	/* "VALUE of WITH", or WITH alone where both are equal */
	SHOWN_RATE,	/* a counter's change per second */
	SHOWN_BITS,	/* the same of bytes, in bits */
	SHOWN_OUTER,	/* the value, or that of the object around this one */
	/* The state in words, derived from several rows: of a service or server in service.list, of
	 * a server in health.list. */
	SHOWN_CONDITION,
	SHOWN_STANDING,
};

struct shown_column {
	const char *name;  /* of a row; "GROUP.NAME" */
	const char *title; /* NULL: the name in capitals */
	enum shown_form form;
	const char *with; /* another row: SHOWN_NAMED, SHOWN_OF */
	uint16_t width;	  /* a terminal with fewer columns does not show this one; 0: each does */
};

struct shown_table {
	const char *title;  /* of its part of a page */
	const char *prefix; /* of metrics: "plvs_server_"; or NULL */
	bool configured;    /* in a listing the object also has the keys of its configuration */
	const char *labels; /* of metrics, in words; or NULL */
	const struct shown *rows;
	uint16_t n;
	/* A counter at counters_at + 8 * i has its change per second, a double, at
	 * rates_at + 8 * i. */
	uint16_t counters_at, rates_at;
	const struct shown_column *columns;	/* of a listing; ends with name NULL; or NULL */
	const struct shown_column *of_counters; /* of `counters` and `rates`; the same */
	const struct shown_column *of_health;	/* of health.list; the same */
};

extern const struct shown_table shown_process, shown_service, shown_server, shown_connection,
	shown_worker, shown_port, shown_health, shown_check, shown_pair, shown_path, shown_witness,
	shown_fleet, shown_ledger, shown_nexthop, shown_route, shown_vip_route, shown_claim,
	shown_transition, shown_quorum, shown_queue, shown_reason, shown_address, shown_mark,
	shown_version, shown_trial, shown_agreement, shown_removed_server, shown_figure;
/* All of them in the order of pages; ends with NULL. */
extern const struct shown_table *const shown_tables[];

/* NULL: no such row. */
const struct shown *shown_find(const struct shown_table *t, const char *name);
/* Sets the keys of the listing `in`: SHOWN_LIST and so on. */
void shown_json(json_t *o, const struct shown_table *t, const void *object, unsigned int in);
/* The same keys as text, for long listings: *first: no key stands before them. Rows of a group
 * that stand in one listing are neighbours there. */
struct json_writer;
void shown_write(struct json_writer *w, bool *first, const struct shown_table *t,
		 const void *object, unsigned int in);
/* The value of a row, not of kind SHOWN_MADE or SHOWN_KEY (a new reference), and its change per
 * second. */
json_t *shown_value(const struct shown *row, const void *object);
double shown_rate(const struct shown_table *t, const struct shown *row, const void *object);
/* A new object with the keys of the listing `in`. SHOWN_LEVELS have all names, SHOWN_VECTOR those
 * that are not 0. */
json_t *shown_object(const struct shown_table *t, const void *object, unsigned int in);
/* An unsigned member's value. */
uint64_t shown_count(const struct shown *row, const void *object);
/* To one decimal, as rates are shown. */
double shown_round(double rate);

/* The keys of an object as a table in markdown. */
void shown_keys_markdown(FILE *f, const struct shown_table *t);

#endif
