/* SPDX-License-Identifier: BSD-3-Clause */
#include "announce/bgp_look.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>

#include "base/netns.h"

#define STATE_ESTABLISHED (1U << 1) /* bits of TCP states, as inet_diag has them */
#define STATE_LISTEN	  (1U << 10)
#define ANSWER_MAX	  32768
#define COUNT_MAX	  100000 /* sockets, after which no more are counted */

const char *const bgp_state_names[BGP_STATE_MAX] = {
#define X(NAME, word, meaning) #word,
	BGP_STATES(X)
#undef X
};
const char *const bgp_state_meanings[BGP_STATE_MAX] = {
#define X(NAME, word, meaning) meaning,
	BGP_STATES(X)
#undef X
};

static int socket_open(struct bgp_look *l)
{
	static const struct timeval limit = {.tv_sec = 1};

	l->sock = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	if (!l->sock || mnl_socket_bind(l->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	/* Linux answers within the call. A kernel that does not gives an error, and no hang. */
	setsockopt(mnl_socket_get_fd(l->sock), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return 0;
}

int bgp_look_open(struct bgp_look *l, const char *netns, char error[ERROR_TEXT])
{
	int home, ret;

	memset(l, 0, sizeof(*l));
	ret = netns_visit(netns, &home, error);
	if (ret < 0)
		return ret;
	ret = socket_open(l);
	if (ret < 0) {
		bgp_look_close(l);
		error_text(error, ret, "netlink: %s", strerror(-ret));
	}
	return netns_return(home, ret, error);
}

void bgp_look_close(struct bgp_look *l)
{
	if (l->sock)
		mnl_socket_close(l->sock);
	l->sock = NULL;
}

/* Counts the sockets of an answer. 1: more answers follow; 0: the last one; or -errno. */
static int answer_count(const struct bgp_look *l, const void *buf, int left, uint32_t *count)
{
	const struct nlmsghdr *nlh = buf;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

		if (nlh->nlmsg_seq != l->seq)
			continue; /* of a question that was given up */
		if (nlh->nlmsg_type == NLMSG_DONE)
			return 0;
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return mnl_nlmsg_get_payload_len(nlh) < sizeof(*err) ? -EBADMSG
			       : err->error < 0				     ? err->error
									     : 0;
		if (nlh->nlmsg_type == SOCK_DIAG_BY_FAMILY && *count < COUNT_MAX)
			*count += 1;
	}
	return 1;
}

/* Adds the TCP sockets of a family with these states and ports, of which 0 is any, to *count. 0 or
 * -errno. */
static int sockets_count(struct bgp_look *l, uint8_t family, uint32_t states, uint16_t sport,
			 uint16_t dport, uint32_t *count)
{
	_Alignas(struct nlmsghdr) uint8_t buf[ANSWER_MAX];
	struct nlmsghdr *nlh;
	struct inet_diag_req_v2 *req;
	ssize_t got;
	int ret;

	memset(buf, 0, MNL_ALIGN(sizeof(*nlh)) + MNL_ALIGN(sizeof(*req)));
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = ++l->seq;
	req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
	req->sdiag_family = family;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_states = states;
	req->id.idiag_sport = htons(sport);
	req->id.idiag_dport = htons(dport);
	req->id.idiag_cookie[0] = req->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	if (mnl_socket_sendto(l->sock, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		got = mnl_socket_recvfrom(l->sock, buf, sizeof(buf));
		if (got < 0 && errno == EINTR) {
			ret = 1;
			continue;
		}
		ret = got < 0 ? -errno : answer_count(l, buf, (int)got, count);
	} while (ret > 0);
	return ret;
}

static int look_family(struct bgp_look *l, uint8_t family, uint16_t port, uint32_t *listeners,
		       uint32_t *sessions)
{
	int ret = sockets_count(l, family, STATE_LISTEN, port, 0, listeners);

	if (ret == 0)
		ret = sockets_count(l, family, STATE_ESTABLISHED, port, 0, sessions);
	if (ret == 0)
		ret = sockets_count(l, family, STATE_ESTABLISHED, 0, port, sessions);
	return ret;
}

enum bgp_state bgp_look_take(struct bgp_look *l, int ret, uint32_t listeners, uint32_t sessions)
{
	const enum bgp_state before = l->state;
	const enum bgp_state seen = ret < 0	? BGP_UNKNOWN
				    : sessions	? BGP_CONNECTED
				    : listeners ? BGP_IDLE
						: BGP_MISSING;
	const uint32_t looks = before == BGP_UNKNOWN ? BGP_LOOKS_FIRST : BGP_LOOKS;

	l->agreed = seen == l->next ? l->agreed + 1 : 1;
	l->next = seen;
	l->error = ret;
	l->listeners = ret < 0 ? 0 : listeners;
	l->sessions = ret < 0 ? 0 : sessions;
	if (seen == BGP_CONNECTED || l->agreed >= looks || (seen > before && before != BGP_UNKNOWN))
		l->state = seen;
	return before;
}

enum bgp_state bgp_look(struct bgp_look *l)
{
	uint32_t listeners = 0, sessions = 0;
	int ret = l->sock && l->port ? 0 : -ENOTCONN;

	if (ret == 0)
		ret = look_family(l, AF_INET, l->port, &listeners, &sessions);
	if (ret == 0) /* a kernel without IPv6 refuses, and has no sockets of it */
		(void)look_family(l, AF_INET6, l->port, &listeners, &sessions);
	return bgp_look_take(l, ret, listeners, sessions);
}
