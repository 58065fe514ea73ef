/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_RTE_LOG_SINK_H
#define PLVS_ROUTER_RTE_LOG_SINK_H

/* Registers a log type for each folder and takes lines there. To be called after EAL has started
 * and before threads start; log_set_sink(NULL) ends it. */
void rte_log_start(void);

#endif
