/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_TRANSLATE_IP_FACTS_H
#define PLVS_DATAPLANE_TRANSLATE_IP_FACTS_H

/*
 * The fields of an IP header that both families have, read from the header of one family and
 * written as a header of the other (RFC 7915, 4.1 and 5.1). Options of IPv4, extension headers of
 * IPv6 and the flow label are not translated. Any context; no packet structures.
 */

#include "dataplane/stages/ext6.h"
#include "dataplane/stages/ip.h"
#include "dataplane/translate/header_len.h"

struct ip_facts {
	uint16_t payload; /* bytes behind the IP headers */
	uint16_t offset;  /* of a fragment, in units of 8 bytes */
	uint32_t id;	  /* of a fragment; of IPv4 the lower 16 bits, which both have */
	uint8_t traffic_class, hops, proto;
	bool fragment; /* IPv6: has a fragment header */
	bool more;
	bool whole; /* IPv4: DF. Read from IPv6: longer than the least MTU of IPv6, and no fragment
		     */
};

#define FAM_TEMPLATE "dataplane/translate/ip_facts.fam.h"
#include "base/both_families.h"

#endif
