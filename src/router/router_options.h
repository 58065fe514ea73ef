/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_ROUTER_OPTIONS_H
#define PLVS_ROUTER_ROUTER_OPTIONS_H

/* The command line of plvs. */

#include <stdbool.h>

struct options {
	const char *config_path;
	const char *log_level;
	const char *user; /* the user of plvs after its start, or NULL */
	bool unconfined;
	bool check;
	bool version;
	bool withdraw; /* only remove the routes that a killed process left */
};

extern const char options_usage[];

/* The index of "--": EAL's arguments stand before it, those of plvs behind it. 0: there is no "--",
 * and all arguments are those of plvs. */
int options_own(int argc, char **argv);
/* 0, or -EINVAL after a line on standard error. */
int options_parse(int argc, char **argv, struct options *o);

#endif
