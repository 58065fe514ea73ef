/* SPDX-License-Identifier: BSD-3-Clause */
#include "router/router_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define CONFIG_DEFAULT "/etc/plvs/plvs.json"

const char options_usage[] =
	"usage: plvs [EAL arguments] -- [-c FILE] [-t] [--log-level LEVEL]\n"
	"       plvs [-c FILE] --withdraw\n"
	"       plvs --version\n"
	"  -c, --config FILE    the configuration; " CONFIG_DEFAULT " if left out\n"
	"  -t, --test           check the configuration, its key file, programs and users, and\n"
	"                       the EAL arguments, and exit\n"
	"  --withdraw           remove the routes of VIPs that a killed plvs left, and exit\n"
	"  --user USER          become USER after the start; programs run as USER, not as root\n"
	"  --unconfined         keep all privileges and system calls, for laboratories\n"
	"  --log-level LEVEL    error, warning, notice, info or debug; overrides the file\n"
	"EAL arguments (-l, -a, --vdev, ...) are those of every DPDK program.\n";

/* Own arguments stand behind "--", EAL's before. Without "--" all are our own. */
int options_own(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i;
	return 0;
}

int options_parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"test", no_argument, NULL, 't'},
		{"version", no_argument, NULL, 'V'},
		{"withdraw", no_argument, NULL, 'W'},
		{"user", required_argument, NULL, 'u'},
		{"unconfined", no_argument, NULL, 'U'},
		{"log-level", required_argument, NULL, 'L'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	enum log_level level;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "c:th", longs, NULL)) != -1) {
		if (c == 'c')
			o->config_path = optarg;
		else if (c == 't')
			o->check = true;
		else if (c == 'V')
			o->version = true;
		else if (c == 'W')
			o->withdraw = true;
		else if (c == 'u')
			o->user = optarg;
		else if (c == 'U')
			o->unconfined = true;
		else if (c == 'L')
			o->log_level = optarg;
		else
			return -EINVAL;
	}
	if (optind != argc) {
		fprintf(stderr, "plvs: \"%s\" is not expected here\n", argv[optind]);
		return -EINVAL;
	}
	if (o->log_level && log_level_parse(o->log_level, &level) != 0) {
		fprintf(stderr, "plvs: --log-level: \"%s\" is not a level\n", o->log_level);
		return -EINVAL;
	}
	if (!o->config_path)
		o->config_path = CONFIG_DEFAULT;
	return 0;
}
