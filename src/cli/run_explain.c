/* SPDX-License-Identifier: BSD-3-Clause */
/* plvsctl explain: asks the router about a packet that is described, or one of a capture file. */
#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <stdlib.h>
#include <string.h>

#include "cli/session.h"
#include "cli/view.h"

#define PACKET_MAX 2048 /* bytes; the most that the router takes */

static int ask(struct session *s, const struct invocation *inv, json_t *params)
{
	struct rpc_failure f;
	json_t *result = NULL;

	if (rpc_call(&s->rpc, "explain", params, NULL, NULL, &result, &f) != RPC_OK)
		return session_fail(s, inv, &f);
	if (s->out.json)
		view_json(&s->out, result);
	else
		view_explain(&s->out, result, inv);
	json_decref(result);
	return CLI_OK;
}

int run_explain_flow(struct session *s, const struct invocation *inv)
{
	json_t *params = json_copy(inv->params);
	int code;

	json_object_set_new(params, "protocol", json_string(strrchr(inv->command->words, ' ') + 1));
	code = ask(s, inv, params);
	json_decref(params);
	return code;
}

/* Where the IP packet begins in a frame of this link type; 0 with *ethernet: at its Ethernet
 * header. -1: a link type that is not known. */
static int packet_at(int linktype, bool *ethernet)
{
	*ethernet = linktype == DLT_EN10MB;
	switch (linktype) {
	case DLT_EN10MB:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		return 0;
	case DLT_LINUX_SLL:
		return SLL_HDR_LEN;
	case DLT_LINUX_SLL2:
		return SLL2_HDR_LEN;
	case DLT_NULL:
	case DLT_LOOP:
		return 4;
	default:
		return -1;
	}
}

static char *hex_of(const uint8_t *bytes, size_t len, size_t copied)
{
	char *text = malloc(len * 2 + 1);

	for (size_t i = 0; text && i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", i < copied ? bytes[i] : 0);
	return text;
}

/* The packet with this number of an open file. Returns its text, or NULL: *code is the exit code.
 */
static char *packet_read(struct session *s, pcap_t *file, const char *path, unsigned long number,
			 bool *ethernet, int *code)
{
	const int at = packet_at(pcap_datalink(file), ethernet);
	struct pcap_pkthdr *head = NULL;
	const u_char *bytes = NULL;
	size_t copied, len;

	*code = CLI_USAGE;
	if (at < 0) {
		session_error(s, CLI_USAGE, "%s: packets of the link type %s cannot be explained",
			      path, pcap_datalink_val_to_name(pcap_datalink(file)));
		return NULL;
	}
	for (unsigned long i = 0; i < number; i++) {
		const int ret = pcap_next_ex(file, &head, &bytes);

		if (ret == PCAP_ERROR) {
			session_error(s, CLI_USAGE, "%s: %s", path, pcap_geterr(file));
			return NULL;
		}
		if (ret != 1) {
			session_error(s, CLI_USAGE, "%s: it has %lu packets, and no packet %lu",
				      path, i, number);
			return NULL;
		}
	}
	if (head->caplen <= (size_t)at) {
		session_error(s, CLI_USAGE, "%s: packet %lu is empty", path, number);
		return NULL;
	}
	copied = head->caplen - (size_t)at;
	len = head->len > head->caplen ? head->len - (size_t)at : copied;
	if (len > PACKET_MAX) {
		session_error(s, CLI_USAGE, "%s: packet %lu has %zu bytes; the router takes %d",
			      path, number, len, PACKET_MAX);
		return NULL;
	}
	if (len > copied)
		fprintf(s->out.errors,
			"%s%s: packet %lu was captured in part; the rest is taken as zeros\n",
			s->prefix, path, number);
	return hex_of(bytes + at, len, copied);
}

int run_explain_pcap(struct session *s, const struct invocation *inv)
{
	const char *path = view_text(inv->local, "file");
	const double number = view_number(inv->local, "packet");
	char error[PCAP_ERRBUF_SIZE], *hex;
	pcap_t *file = pcap_open_offline(path, error);
	bool ethernet = false;
	json_t *params;
	int code;

	if (!file)
		return session_error(s, CLI_USAGE, "%s", error);
	hex = packet_read(s, file, path, number > 0 ? (unsigned long)number : 1, &ethernet, &code);
	pcap_close(file);
	if (!hex)
		return code;
	params = json_copy(inv->params);
	json_object_set_new(params, "bytes", json_string(hex));
	json_object_set_new(params, "ethernet", json_boolean(ethernet));
	free(hex);
	code = ask(s, inv, params);
	json_decref(params);
	return code;
}
