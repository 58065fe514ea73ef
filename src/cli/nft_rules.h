/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_NFT_RULES_H
#define PLVS_CLI_NFT_RULES_H

#include <jansson.h>

/* The rules of nftables in a network namespace, as `nft -j list ruleset` prints them. netns: a name
 * of `ip netns`, a path, or "" (the own one). New; NULL: no root, no nft, an error, or no answer in
 * 5 s. */
json_t *nft_rules_read(const char *netns);

#endif
