/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of plvs by the levels of EAL, and lines of EAL where those of plvs go. */
#include "router/rte_log_sink.h"

#include <stdio.h>
#include <string.h>

#include <rte_log.h>

#include "base/log.h"

/* The log types, one per folder, so that EAL's --log-level plvs.link:debug works, too. */
static struct log_area {
	const char *name;
	int type;
} log_areas[] = {{"main", -1},	  {"dataplane", -1}, {"link", -1}, {"ha", -1},
		 {"control", -1}, {"health", -1},    {"spawn", -1}};

#define N_LOG_AREAS (sizeof(log_areas) / sizeof(log_areas[0]))

/* EAL's levels decide; the line is ours. Any thread but workers. */
static void sink_rte(enum log_level level, const char *area, const char *line)
{
	static const uint32_t levels[] = {
		[LOG_LEVEL_ERROR] = RTE_LOG_ERR,     [LOG_LEVEL_WARNING] = RTE_LOG_WARNING,
		[LOG_LEVEL_NOTICE] = RTE_LOG_NOTICE, [LOG_LEVEL_INFO] = RTE_LOG_INFO,
		[LOG_LEVEL_DEBUG] = RTE_LOG_DEBUG,
	};
	uint32_t type = RTE_LOGTYPE_USER1;

	for (size_t i = 0; i < N_LOG_AREAS; i++)
		if (strcmp(area, log_areas[i].name) == 0 && log_areas[i].type >= 0)
			type = (uint32_t)log_areas[i].type;
	if (rte_log_can_log(type, levels[level]))
		log_to_stderr(level, area, line);
}

/* Before threads start. Our own level decides (log.level changes it), so all pass here. */
void rte_log_start(void)
{
	char name[32];

	for (size_t i = 0; i < N_LOG_AREAS; i++) {
		snprintf(name, sizeof(name), "plvs.%s", log_areas[i].name);
		log_areas[i].type = rte_log_register_type_and_pick_level(name, RTE_LOG_DEBUG);
	}
	log_set_sink(sink_rte);
	/* DPDK's own lines go to standard error alone: EAL would send them to syslog as well, and
	 * under systemd each would be in the journal twice. */
	rte_openlog_stream(stderr);
}
