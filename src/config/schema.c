/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of a whole configuration. The rows of its parts stand in schema_*.c. */
#include "config/config_internal.h"

static const struct config_field root_fields[] = {
	{.name = "node",
	 .type = TYPE_OBJECT,
	 AT(struct config, node),
	 .object = &config_object_node,
	 .help = "the part of one machine; never compared with the peer's"},
	{.name = "shared",
	 .type = TYPE_OBJECT,
	 AT(struct config, shared),
	 .object = &config_object_shared,
	 .help = "the part that the routers of a pair have in common"},
};
const struct config_object config_object_root = {
	.noun = "a configuration", FIELDS(root_fields), .size = sizeof(struct config)};
