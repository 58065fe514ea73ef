/* SPDX-License-Identifier: BSD-3-Clause */
/* Template of builder.h: the tables of one family. */
int FAM(builder_addrs)(const struct config *config, const struct publisher *p,
		       struct snapshot *draft);
int FAM(builder_listeners)(struct snapshot *draft);
int FAM(builder_cover)(struct snapshot *draft);
