/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/persistence/persist.h"
#include "dataplane/stages/pipeline.h"

void persist_receive(struct worker *w, struct rte_mbuf **frames, uint16_t n)
{
	struct burst4 b4;
	struct burst6 b6;

	stage_parse(w, frames, n, &b4, &b6);
	persist4_receive(w, &b4);
	persist6_receive(w, &b6);
}

void persist_return(struct worker *w, struct rte_mbuf **frames, uint16_t n)
{
	struct burst4 b4;
	struct burst6 b6;

	stage_parse(w, frames, n, &b4, &b6);
	persist4_back(w, &b4);
	persist6_back(w, &b6);
}
