/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks by UDP, DNS and ICMP echo against peers on the loopback of a network namespace of
 * its own, where replies of the kernel can be switched off and forged ones sent instead.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <event2/event.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/csum.h"
#include "base/sockaddr.h"
#include "health/dial.h"
#include "health/dns.h"
#include "health/echo.h"
#include "health/pattern.h"
#include "health/source.h"
#include "descriptors.h"
#include "fake_probe.h"

#define SHORT_MS 300U	/* where silence is waited for */
#define LONG_MS	 20000U /* where it is not: the machine may be busy */

static const char *target = "127.0.0.1"; /* of ask(), and where peers are */

static void begin(const struct check_spec *spec, const char *addr, uint16_t port)
{
	asked = (struct probe){.target.port = be16_from(port)};
	assert_int_equal(addr_parse(addr, &asked.target.addr), 0);
	probe_begin(spec);
}

static void await_end(void)
{
	probe_await(asked.spec->timeout_ms);
}

static void ask(const struct check_spec *spec, uint16_t port)
{
	begin(spec, target, port);
	await_end();
}

/* A datagram that is there already is seen. */
static void look(void)
{
	for (int i = 0; i < 10; i++)
		event_base_loop(env.base, EVLOOP_NONBLOCK);
}

/* ---- a peer ---- */

struct peer;
typedef void peer_answer(struct peer *p, uint8_t *data, size_t len);

struct peer {
	peer_answer *answer; /* NULL: silent */
	int fd;
	uint16_t port;
	uint32_t came;
	uint8_t last[600];
	size_t last_len;
	struct sockaddr_storage from;
	socklen_t from_len;
	struct event *ev;
};

static void peer_send(struct peer *p, const void *data, size_t len)
{
	sendto(p->fd, data, len, 0, (struct sockaddr *)&p->from, p->from_len);
}

static void on_peer(evutil_socket_t fd, short what, void *arg)
{
	struct peer *p = arg;
	ssize_t n;

	(void)what;
	p->from_len = sizeof(p->from);
	n = recvfrom(fd, p->last, sizeof(p->last), 0, (struct sockaddr *)&p->from, &p->from_len);
	if (n < 0)
		return;
	p->came++;
	p->last_len = (size_t)n;
	if (p->answer)
		p->answer(p, p->last, (size_t)n);
}

static void peer_start(struct peer *p, peer_answer *answer)
{
	struct endpoint ep = {0};
	struct sockaddr_storage in;
	socklen_t len;

	assert_int_equal(addr_parse(target, &ep.addr), 0);
	len = endpoint_sockaddr(&ep, &in);
	*p = (struct peer){.answer = answer};
	p->fd = socket(in.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&in, len), 0);
	getsockname(p->fd, (struct sockaddr *)&in, &len);
	/* The port is at the same place in both families. */
	p->port = ntohs(((struct sockaddr_in *)&in)->sin_port);
	p->ev = event_new(env.base, p->fd, EV_READ | EV_PERSIST, on_peer, p);
	event_add(p->ev, NULL);
}

static void peer_stop(struct peer *p)
{
	event_free(p->ev);
	close(p->fd);
}

/* ---- UDP ---- */

static struct match bytes(enum match_kind kind, const char *text)
{
	return (struct match){
		.kind = (uint8_t)kind, .len = (uint32_t)strlen(text), .bytes = (char *)text};
}

static void echo(struct peer *p, uint8_t *data, size_t len)
{
	peer_send(p, data, len);
}

static void other_then_echo(struct peer *p, uint8_t *data, size_t len)
{
	peer_send(p, "other", 5);
	peer_send(p, "", 0);
	peer_send(p, data, len);
}

/* More than anybody should look at. */
static void babble(struct peer *p, uint8_t *data, size_t len)
{
	(void)data;
	(void)len;
	for (int i = 0; i < 200; i++)
		peer_send(p, "babble", 6);
}

static void one_other(struct peer *p, uint8_t *data, size_t len)
{
	(void)data;
	(void)len;
	peer_send(p, "other", 5);
}

static void udp_waits_for_the_expected_answer(void **state)
{
	struct match steps[] = {bytes(MATCH_SEND, "ping"), bytes(MATCH_PREFIX, "pin")};
	struct check_spec spec = {
		.type = CHECK_UDP, .timeout_ms = LONG_MS, .steps = steps, .n_steps = 2};
	struct peer p;

	(void)state;
	peer_start(&p, echo);
	ask(&spec, p.port);
	assert_said(PROBE_OK, "4 bytes as expected from 127.0.0.1:");
	p.answer = other_then_echo;
	ask(&spec, p.port);
	assert_said(PROBE_OK, "4 bytes as expected");
	p.answer = babble;
	ask(&spec, p.port);
	assert_said(PROBE_FAIL, "16 answers, none as expected, from 127.0.0.1:");
	spec.timeout_ms = SHORT_MS;
	p.answer = one_other;
	ask(&spec, p.port);
	assert_said(PROBE_FAIL, "another answer than expected, 1 times, from 127.0.0.1:");
	assert_true(last.timeout);
	p.answer = NULL;
	ask(&spec, p.port);
	assert_said(PROBE_FAIL, "no answer to the datagram from 127.0.0.1:");
	assert_non_null(strstr(last.reason, "within 300ms"));
	assert_true(last.timeout);
	peer_stop(&p);
}

static void udp_without_expect_takes_silence_for_good_and_icmp_for_bad(void **state)
{
	struct match step = bytes(MATCH_SEND, "x");
	struct check_spec spec = {
		.type = CHECK_UDP, .timeout_ms = SHORT_MS, .steps = &step, .n_steps = 1};
	struct check_spec nothing = {.type = CHECK_UDP, .timeout_ms = SHORT_MS};
	struct peer p;

	(void)state;
	peer_start(&p, NULL);
	ask(&spec, p.port);
	assert_said(PROBE_OK, "did not refuse the datagram");
	assert_int_equal(p.last_len, 1);
	ask(&nothing, p.port);
	assert_said(PROBE_OK, "did not refuse the datagram");
	assert_int_equal(p.came, 2);
	assert_int_equal(p.last_len, 0);
	p.answer = echo;
	spec.timeout_ms = nothing.timeout_ms = LONG_MS;
	ask(&spec, p.port);
	assert_said(PROBE_OK, "1 bytes of an answer");
	peer_stop(&p);
	ask(&spec, p.port);
	assert_said(PROBE_FAIL, "is closed: refused by ICMP");
	ask(&nothing, p.port);
	assert_said(PROBE_FAIL, "is closed: refused by ICMP");
}

/* ---- DNS: names and answers as bytes ---- */

static size_t dns_reply(const uint8_t *query, size_t len, uint8_t flags, uint8_t rcode, uint16_t n,
			const void *records, size_t records_len, uint8_t *out)
{
	memcpy(out, query, len);
	out[2] = (uint8_t)(0x80 | flags);
	out[3] = rcode;
	out[6] = (uint8_t)(n >> 8);
	out[7] = (uint8_t)n;
	if (records_len)
		memcpy(out + len, records, records_len);
	return len + records_len;
}

/* A name by pointer, type, class IN, TTL 1, length, data. */
#define RECORD(type, len) "\xc0\x0c\x00" type "\x00\x01\x00\x00\x00\x01\x00" len
#define A_10_0_0_1	  RECORD("\x01", "\x04") "\x0a\x00\x00\x01"
#define CNAME_W		  RECORD("\x05", "\x04") "\x01w\xc0\x0c"
#define NO_RECORD	  ""

static const struct dns_row {
	const char *what;
	uint8_t flags, rcode;
	uint16_t n;
	const char *records;
	size_t len;
	enum dns_kind kind;
	bool found;
	const char *fault;
} dns_rows[] = {
#define RECORDS(r) (r), sizeof(r) - 1
	{"an address", 0, 0, 1, RECORDS(A_10_0_0_1), DNS_ANSWER, true, NULL},
	{"behind a CNAME", 0, 0, 2, RECORDS(CNAME_W A_10_0_0_1), DNS_ANSWER, true, NULL},
	{"another address", 0, 0, 1, RECORDS(RECORD("\x01", "\x04") "\x0a\x00\x00\x02"), DNS_ANSWER,
	 false, NULL},
	{"a text of four bytes", 0, 0, 1, RECORDS(RECORD("\x10", "\x04") "\x0a\x00\x00\x01"),
	 DNS_ANSWER, false, NULL},
	{"nothing", 0, 0, 0, RECORDS(NO_RECORD), DNS_ANSWER, false, NULL},
	{"an error", 0, 3, 0, RECORDS(NO_RECORD), DNS_ANSWER, false, NULL},
	{"more than there is", 0, 0, 2, RECORDS(A_10_0_0_1), DNS_BROKEN, false, "cut off"},
	{"more, and it says so", 2, 0, 65535, RECORDS(A_10_0_0_1), DNS_ANSWER, true, NULL},
	{"a record without end", 0, 0, 1, RECORDS("\xc0\x0c\x00\x01\x00\x01"), DNS_BROKEN, false,
	 "cut off"},
	{"data without end", 0, 0, 1, RECORDS(RECORD("\x01", "\x04") "\x0a"), DNS_BROKEN, false,
	 "cut off"},
	{"a name without end", 0, 0, 1, RECORDS("\x3fxx"), DNS_BROKEN, false, "cut off"},
	{"half a pointer", 0, 0, 1, RECORDS("\xc0"), DNS_BROKEN, false, "cut off"},
	{"a pointer to itself", 0, 0, 1, RECORDS("\xc0\x1d\x00\x01"), DNS_BROKEN, false, "circle"},
	{"a pointer ahead", 0, 0, 1, RECORDS("\xc0\x80\x00\x01"), DNS_BROKEN, false, "circle"},
	{"a pointer into the header", 0, 0, 1, RECORDS("\xc0\x00\x00\x01"), DNS_BROKEN, false,
	 "circle"},
	{"a circle of two", 0, 0, 1, RECORDS("\x01x\xc0\x1d\x00\x01"), DNS_BROKEN, false, "circle"},
	{"a label of another kind", 0, 0, 1, RECORDS("\x80x"), DNS_BROKEN, false, "kind"},
	{"a status request", 0x10, 0, 0, RECORDS(NO_RECORD), DNS_FOREIGN, false, NULL},
};

static void dns_answers_are_read_within_bounds(void **state)
{
	struct addr want;
	struct dns_query q;

	(void)state;
	addr_parse("10.0.0.1", &want);
	assert_int_equal(dns_query_make("example.org", DNS_A, 0x1234, &q), 0);
	assert_int_equal(q.len, 0x1d); /* where the records of the rows begin */
	for (size_t i = 0; i < sizeof(dns_rows) / sizeof(dns_rows[0]); i++) {
		const struct dns_row *row = &dns_rows[i];
		uint8_t out[600], *exact;
		size_t len = dns_reply(q.bytes, q.len, row->flags, row->rcode, row->n, row->records,
				       row->len, out);
		struct dns_answer a = {0};
		enum dns_kind kind;

		/* On the heap, so that a byte too far is seen by tools. */
		exact = malloc(len);
		memcpy(exact, out, len);
		kind = dns_answer_parse(&q, exact, len, &want, &a);
		if (kind != row->kind || (row->fault && !strstr(a.fault, row->fault)))
			print_error("%s: %d %s\n", row->what, kind, a.fault ? a.fault : "");
		assert_int_equal(kind, row->kind);
		assert_true(kind != DNS_ANSWER || a.found == row->found);
		assert_true(!row->fault || strstr(a.fault, row->fault));
		free(exact);
		/* However it is cut: an answer, broken or foreign, but no byte too far. */
		for (size_t cut = 0; cut < len; cut++) {
			exact = malloc(cut + 1);
			memcpy(exact, out, cut);
			kind = dns_answer_parse(&q, exact, cut, &want, &a);
			assert_true(cut >= q.len || kind == DNS_FOREIGN);
			free(exact);
		}
	}
}

static void dns_answers_to_other_questions_are_foreign(void **state)
{
	struct addr none = {0};
	struct dns_query q, other;
	struct dns_answer a;
	uint8_t out[600];
	size_t len;

	(void)state;
	dns_query_make("Example.org", DNS_A, 0x1234, &q);
	dns_query_make("eXAMPLE.ORG.", DNS_A, 0x1234, &other);
	len = dns_reply(other.bytes, other.len, 0, 0, 0, NULL, 0, out);
	assert_int_equal(dns_answer_parse(&q, out, len, &none, &a), DNS_ANSWER);
	out[0] ^= 1;
	assert_int_equal(dns_answer_parse(&q, out, len, &none, &a), DNS_FOREIGN);
	out[0] ^= 1;
	out[2] = 0; /* the question itself */
	assert_int_equal(dns_answer_parse(&q, out, len, &none, &a), DNS_FOREIGN);
	dns_query_make("example.net", DNS_A, 0x1234, &other);
	len = dns_reply(other.bytes, other.len, 0, 0, 0, NULL, 0, out);
	assert_int_equal(dns_answer_parse(&q, out, len, &none, &a), DNS_FOREIGN);
	dns_query_make("example.org", DNS_AAAA, 0x1234, &other);
	len = dns_reply(other.bytes, other.len, 0, 0, 0, NULL, 0, out);
	assert_int_equal(dns_answer_parse(&q, out, len, &none, &a), DNS_FOREIGN);
	/* Without a question only an error is one. */
	memset(out + 4, 0, 8);
	assert_int_equal(dns_answer_parse(&q, out, 12, &none, &a), DNS_FOREIGN);
	out[3] = 1;
	assert_int_equal(dns_answer_parse(&q, out, 12, &none, &a), DNS_ANSWER);
	assert_int_equal(a.rcode, 1);
}

static void dns_names_are_checked(void **state)
{
	char label64[70], long_name[300] = "";
	struct dns_query q;

	(void)state;
	memset(label64, 'x', 64);
	label64[64] = '\0';
	for (int i = 0; i < 4; i++)
		strcat(long_name,
		       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.");
	assert_int_equal(dns_query_make("a..b", DNS_A, 1, &q), -EINVAL);
	assert_int_equal(dns_query_make("..", DNS_A, 1, &q), -EINVAL);
	assert_int_equal(dns_query_make(".a", DNS_A, 1, &q), -EINVAL);
	assert_int_equal(dns_query_make(label64, DNS_A, 1, &q), -EINVAL);
	assert_int_equal(dns_query_make(label64 + 1, DNS_A, 1, &q), 0);
	assert_int_equal(dns_query_make(long_name, DNS_A, 1, &q), -EINVAL);
	assert_int_equal(dns_query_make(long_name + 2, DNS_A, 1, &q), 0);
	assert_int_equal(q.len, 12 + 255 + 4);
	assert_int_equal(dns_query_make(".", DNS_A, 1, &q), 0);
	assert_int_equal(q.len, 12 + 1 + 4);
	assert_int_equal(dns_query_make(NULL, DNS_A, 1, &q), 0);
}

/* ---- DNS: the check ---- */

static const struct dns_row *reply_row;

static void dns_server(struct peer *p, uint8_t *data, size_t len)
{
	const struct dns_row *row = reply_row;
	uint8_t out[600];

	peer_send(
		p, out,
		dns_reply(data, len, row->flags, row->rcode, row->n, row->records, row->len, out));
}

/* All that must not pass; it knows neither the id nor, at last, the question. */
static void dns_forger(struct peer *p, uint8_t *data, size_t len)
{
	uint8_t out[600];
	size_t n = dns_reply(data, len, 0, 0, 1, RECORDS(A_10_0_0_1), out);

	for (int i = 1; i < 100; i++) {
		out[0] = (uint8_t)(data[0] + i);
		peer_send(p, out, n);
	}
	out[0] = data[0];
	out[13] ^= 1; /* a letter of the name */
	peer_send(p, out, n);
	peer_send(p, out, 0);
	peer_send(p, out, 5);
	peer_send(p, data, len);
}

static const struct dns_row *row_named(const char *what)
{
	for (size_t i = 0; i < sizeof(dns_rows) / sizeof(dns_rows[0]); i++)
		if (strcmp(dns_rows[i].what, what) == 0)
			return &dns_rows[i];
	fail();
	return NULL;
}

static void dns_judges_code_and_address(void **state)
{
	struct check_spec spec = {.type = CHECK_DNS, .timeout_ms = LONG_MS};
	uint8_t id[2];
	struct peer p;
	bool differs = false;

	(void)state;
	spec.dns.name = (char *)"example.org";
	peer_start(&p, dns_server);
	reply_row = row_named("an address");
	ask(&spec, p.port);
	assert_said(PROBE_OK, "DNS NOERROR for example.org with 1 record from 127.0.0.1:");
	memcpy(id, p.last, 2);
	addr_parse("10.0.0.1", &spec.dns.expect);
	for (int i = 0; i < 5; i++) {
		ask(&spec, p.port);
		assert_said(PROBE_OK, "with 1 record");
		differs |= memcmp(id, p.last, 2) != 0;
	}
	assert_true(differs);
	addr_parse("10.0.0.9", &spec.dns.expect);
	ask(&spec, p.port);
	assert_said(PROBE_FAIL, "DNS NOERROR for example.org without 10.0.0.9 from");
	reply_row = row_named("more, and it says so");
	ask(&spec, p.port);
	assert_said(PROBE_FAIL, "without 10.0.0.9, cut short, from");
	spec.dns.expect = (struct addr){0};
	ask(&spec, p.port);
	assert_said(PROBE_OK, "DNS NOERROR");
	reply_row = row_named("an error");
	ask(&spec, p.port);
	assert_said(PROBE_FAIL, "DNS NXDOMAIN for example.org from");
	spec.dns.any_rcode = true;
	ask(&spec, p.port);
	assert_said(PROBE_OK, "DNS NXDOMAIN for example.org");
	reply_row = row_named("a circle of two");
	ask(&spec, p.port);
	assert_said(PROBE_FAIL, "broken DNS answer: a name points in a circle, from 127.0.0.1:");
	spec.dns.name = (char *)"a..b";
	ask(&spec, p.port);
	assert_said(PROBE_ERROR, "\"a..b\" is not a DNS name");
	peer_stop(&p);
	spec.dns.name = NULL;
	ask(&spec, p.port);
	assert_said(PROBE_FAIL, "is closed: refused by ICMP");
}

static void datagrams_go_to_ipv6_addresses(void **state)
{
	struct match steps[] = {bytes(MATCH_SEND, "ping"), bytes(MATCH_PREFIX, "pin")};
	struct check_spec udp = {
		.type = CHECK_UDP, .timeout_ms = LONG_MS, .steps = steps, .n_steps = 2};
	struct check_spec dns = {.type = CHECK_DNS, .timeout_ms = SHORT_MS};
	struct peer p;

	(void)state;
	target = "::1";
	peer_start(&p, echo);
	ask(&udp, p.port);
	assert_said(PROBE_OK, "4 bytes as expected from [::1]:");
	dns.dns.name = (char *)"example.org";
	ask(&dns, p.port);
	assert_said(PROBE_FAIL, "no DNS answer, but 1 other datagrams");
	peer_stop(&p);
	ask(&udp, p.port);
	assert_said(PROBE_FAIL, "is closed: refused by ICMP");
	target = "127.0.0.1";
}

static void forged_dns_answers_do_not_pass(void **state)
{
	struct check_spec spec = {.type = CHECK_DNS, .timeout_ms = SHORT_MS};
	struct peer p;

	(void)state;
	spec.dns.name = (char *)"example.org";
	spec.dns.any_rcode = true;
	peer_start(&p, dns_forger);
	ask(&spec, p.port);
	assert_said(PROBE_FAIL, "no DNS answer, but 103 other datagrams");
	assert_true(last.timeout);
	p.answer = NULL;
	ask(&spec, p.port);
	assert_said(PROBE_FAIL, "no DNS answer");
	peer_stop(&p);
}

/* ---- ICMP ---- */

static bool sysctl_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

static void kernel_answers(bool on)
{
	assert_true(sysctl_write("/proc/sys/net/ipv4/icmp_echo_ignore_all", on ? "0" : "1"));
	assert_true(sysctl_write("/proc/sys/net/ipv6/icmp/echo_ignore_all", on ? "0" : "1"));
}

/* The target, another address that replies may come from, and one without a route. */
struct echo_family {
	const char *target, *other, *nowhere;
	uint8_t request, reply; /* types */
	bool v6;
};
static const struct echo_family echo4 = {"127.0.0.1", "127.0.0.2",    "198.51.100.1",
					 ICMP_ECHO,   ICMP_ECHOREPLY, false};
static const struct echo_family echo6 = {
	"::1", "fd00::2", "2001:db8::1", ICMP6_ECHO_REQUEST, ICMP6_ECHO_REPLY, true};

static struct echo_wire {
	struct icmphdr h;
	uint8_t token[ECHO_TOKEN];
} request;

/* The next echo request, off the wire. */
static void request_catch(int fd, const struct echo_family *f)
{
	const ssize_t header = f->v6 ? 0 : 20;
	struct pollfd pfd = {fd, POLLIN, 0};
	uint8_t data[128];

	for (;;) {
		ssize_t n;

		assert_int_equal(poll(&pfd, 1, 10000), 1);
		n = recv(fd, data, sizeof(data), 0);
		assert_true(n >= header + (ssize_t)sizeof(request));
		memcpy(&request, data + header, sizeof(request));
		if (request.h.type == f->request)
			return;
	}
}

static int raw_open_at(const char *addr)
{
	struct endpoint ep = {0};
	struct sockaddr_storage sa;
	socklen_t len;
	int fd;

	assert_int_equal(addr_parse(addr, &ep.addr), 0);
	len = endpoint_sockaddr(&ep, &sa);
	fd = socket(sa.ss_family, SOCK_RAW,
		    sa.ss_family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	return fd;
}

/* To the target of the family. */
static void reply_send(int fd, const struct echo_family *f, struct echo_wire m)
{
	struct endpoint ep = {0};
	struct sockaddr_storage to;
	socklen_t len;

	assert_int_equal(addr_parse(f->target, &ep.addr), 0);
	len = endpoint_sockaddr(&ep, &to);
	m.h.checksum = 0;
	m.h.checksum = csum_of(&m, sizeof(m));
	assert_int_equal(sendto(fd, &m, sizeof(m), 0, (const struct sockaddr *)&to, len),
			 sizeof(m));
}

/* One's own raw sockets that have something to read, but for the given. */
static uint32_t raw_sockets_readable(const int *but, uint32_t n_but)
{
	uint32_t n = 0;

	for (int fd = 3; fd < 64; fd++) {
		struct pollfd pfd = {fd, POLLIN, 0};
		int type = 0;
		socklen_t len = sizeof(type);
		bool own = false;

		for (uint32_t i = 0; i < n_but; i++)
			own |= but[i] == fd;
		if (!own && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
		    type == SOCK_RAW && poll(&pfd, 1, 0) == 1)
			n++;
	}
	return n;
}

static void assert_echoed(const struct echo_family *f)
{
	char text[64];

	snprintf(text, sizeof(text), "echo reply from %s", f->target);
	assert_said(PROBE_OK, text);
}

static void forged_replies_do_not_pass(const struct check_spec *spec, const struct echo_family *f)
{
	int from_target = raw_open_at(f->target), from_other = raw_open_at(f->other);
	const int mine[] = {from_target, from_other};
	struct echo_wire reply, m;

	kernel_answers(false);
	begin(spec, f->target, 0);
	assert_false(ended);
	request_catch(from_target, f);
	reply = request;
	reply.h.type = f->reply;
	/* A flood of strangers' replies stays outside. */
	for (int i = 0; i < 500; i++) {
		m = reply;
		m.h.un.echo.id ^= (uint16_t)(i + 1);
		m.token[i % 4] ^= (uint8_t)(i % 3);
		reply_send(from_target, f, m);
	}
	assert_int_equal(raw_sockets_readable(mine, 2), 0);
	/* So does whoever knows the id and not the rest. */
	m = reply;
	m.token[ECHO_TOKEN - 1] ^= 1;
	reply_send(from_target, f, m);
	m = reply;
	m.h.un.echo.sequence ^= htons(256);
	reply_send(from_target, f, m);
	m = reply;
	m.h.code = 1;
	reply_send(from_target, f, m);
	reply_send(from_other, f, reply);
	look();
	assert_false(ended);
	reply_send(from_target, f, reply);
	await_end();
	assert_echoed(f);
	close(from_target);
	close(from_other);
	kernel_answers(true);
}

static void an_echo_is_told_from_silence(const struct check_spec *spec, const struct echo_family *f)
{
	struct check_spec brief = *spec;
	uint32_t before = count_descriptors();

	begin(spec, f->target, 0);
	await_end();
	assert_echoed(f);
	brief.timeout_ms = SHORT_MS;
	kernel_answers(false);
	begin(&brief, f->target, 0);
	await_end();
	assert_said(PROBE_FAIL, "no echo reply");
	kernel_answers(true);
	begin(spec, f->nowhere, 0); /* no route leads there */
	assert_true(ended);
	assert_said(PROBE_FAIL, "cannot be reached");
	free(asked.state);
	assert_int_equal(count_descriptors(), before);
}

static void echo_works_by_a_raw_socket_and_nothing_forged_passes(void **state)
{
	const struct check_spec spec = {.type = CHECK_ICMP, .timeout_ms = LONG_MS};

	(void)state;
	echo_use_raw(env.echo);
	an_echo_is_told_from_silence(&spec, &echo4);
	an_echo_is_told_from_silence(&spec, &echo6);
	forged_replies_do_not_pass(&spec, &echo4);
	forged_replies_do_not_pass(&spec, &echo6);
}

static void echo_works_by_a_ping_socket_and_nothing_forged_passes(void **state)
{
	const struct check_spec spec = {.type = CHECK_ICMP, .timeout_ms = LONG_MS};
	struct echo_socket *raw = env.echo;

	(void)state;
	assert_int_equal(echo_create(env.base, &env.echo), 0);
	if (!sysctl_write("/proc/sys/net/ipv4/ping_group_range", "0 0")) {
		echo_destroy(env.echo);
		env.echo = raw;
		skip();
	}
	an_echo_is_told_from_silence(&spec, &echo4);
	an_echo_is_told_from_silence(&spec, &echo6);
	forged_replies_do_not_pass(&spec, &echo4);
	forged_replies_do_not_pass(&spec, &echo6);
	echo_destroy(env.echo);
	env.echo = raw;
}

static void many_probes_share_one_raw_socket(void **state)
{
	enum { N = 300 };
	const struct check_spec spec = {.type = CHECK_ICMP, .timeout_ms = LONG_MS};
	static struct probe probes[N];
	uint32_t before = count_descriptors(), ended_early = 0;
	char phase[CHECK_REASON_LEN];

	(void)state;
	echo_use_raw(env.echo);
	kernel_answers(false);
	for (uint32_t i = 0; i < N; i++) {
		begin(&spec, "127.0.0.1", 0);
		probes[i] = asked;
		ended_early += ended;
	}
	assert_int_equal(ended_early, 0);
	assert_int_equal(count_descriptors(), before + 1);
	for (uint32_t i = 0; i < N; i++) {
		/* The checker's state points back at the probe. */
		asked = probes[i];
		check_icmp_ops.cancel(&asked, phase, sizeof(phase));
		free(asked.state);
	}
	assert_int_equal(count_descriptors(), before);
	kernel_answers(true);
}

/* By these workers know replies to checks; env.echo is a new one. */
static void an_echo_bears_an_identifier_of_checks(bool raw, const struct echo_family *f)
{
	const struct check_spec spec = {.type = CHECK_ICMP, .timeout_ms = LONG_MS};
	struct echo_socket *before = env.echo;
	int from_target = raw_open_at(f->target);

	assert_int_equal(check_ports_create(61000, 61005, &env.ports), 0);
	assert_int_equal(echo_create(env.base, &env.echo), 0);
	echo_set_ids(env.echo, 61000, 61005);
	if (raw)
		echo_use_raw(env.echo);
	kernel_answers(false);
	for (uint16_t i = 0; i < 6; i++) {
		begin(&spec, f->target, 0);
		assert_false(ended);
		assert_int_equal(check_ports_bound(env.ports), 1);
		request_catch(from_target, f);
		assert_int_equal(be16_to(request.h.un.echo.id), asked.source_port);
		assert_in_range(asked.source_port, 61000, 61005);
		/* A reply with another one of them is for another. */
		request.h.type = f->reply;
		request.h.un.echo.id ^= htons(1);
		reply_send(from_target, f, request);
		look();
		assert_false(ended);
		request.h.un.echo.id ^= htons(1);
		reply_send(from_target, f, request);
		await_end();
		assert_echoed(f);
		source_release(&asked, 1000000ULL * i);
	}
	kernel_answers(true);
	close(from_target);
	echo_destroy(env.echo);
	env.echo = before;
	check_ports_destroy(env.ports);
	env.ports = NULL;
}

static void echo_identifiers_are_those_of_checks_by_a_raw_socket(void **state)
{
	(void)state;
	an_echo_bears_an_identifier_of_checks(true, &echo4);
	an_echo_bears_an_identifier_of_checks(true, &echo6);
}

static void echo_identifiers_are_those_of_checks_by_a_ping_socket(void **state)
{
	(void)state;
	if (!sysctl_write("/proc/sys/net/ipv4/ping_group_range", "0 0"))
		skip();
	an_echo_bears_an_identifier_of_checks(false, &echo4);
	an_echo_bears_an_identifier_of_checks(false, &echo6);
}

/* ---- all ---- */

static void cancelling_leaves_no_descriptor(void **state)
{
	struct match step = bytes(MATCH_LITERAL, "x");
	struct check_spec specs[] = {
		{.type = CHECK_UDP, .timeout_ms = LONG_MS, .steps = &step, .n_steps = 1},
		{.type = CHECK_DNS, .timeout_ms = LONG_MS},
	};
	uint32_t before;
	struct peer p;

	(void)state;
	peer_start(&p, NULL);
	before = count_descriptors();
	for (int i = 0; i < 100; i++) {
		begin(&specs[i % 2], "127.0.0.1", p.port);
		if (i % 3)
			look();
		assert_false(ended);
		probe_give_up();
		free(asked.state);
	}
	assert_int_equal(count_descriptors(), before);
	assert_int_equal(event_base_get_num_events(env.base, EVENT_BASE_COUNT_ADDED), 1);
	peer_stop(&p);
}

static bool namespace_enter(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd;
	bool ok;

	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ok = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
	close(fd);
	/* For fd00::2, which no interface has. */
	return ok && sysctl_write("/proc/sys/net/ipv6/ip_nonlocal_bind", "1");
}

static int setup(void **state)
{
	(void)state;
	env.base = event_base_new();
	return !env.base || pattern_cache_create(&env.patterns) || echo_create(env.base, &env.echo);
}

static int teardown(void **state)
{
	(void)state;
	pattern_cache_destroy(env.patterns);
	echo_destroy(env.echo);
	event_base_free(env.base);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(udp_waits_for_the_expected_answer),
		cmocka_unit_test(udp_without_expect_takes_silence_for_good_and_icmp_for_bad),
		cmocka_unit_test(dns_answers_are_read_within_bounds),
		cmocka_unit_test(dns_answers_to_other_questions_are_foreign),
		cmocka_unit_test(dns_names_are_checked),
		cmocka_unit_test(dns_judges_code_and_address),
		cmocka_unit_test(datagrams_go_to_ipv6_addresses),
		cmocka_unit_test(forged_dns_answers_do_not_pass),
		cmocka_unit_test(cancelling_leaves_no_descriptor),
	};
	const struct CMUnitTest icmp[] = {
		cmocka_unit_test(echo_works_by_a_raw_socket_and_nothing_forged_passes),
		cmocka_unit_test(echo_works_by_a_ping_socket_and_nothing_forged_passes),
		cmocka_unit_test(many_probes_share_one_raw_socket),
		cmocka_unit_test(echo_identifiers_are_those_of_checks_by_a_raw_socket),
		cmocka_unit_test(echo_identifiers_are_those_of_checks_by_a_ping_socket),
	};
	bool own = namespace_enter();
	int failed = cmocka_run_group_tests(tests, setup, teardown);

	/* Without a namespace the host's ICMP would be switched off. */
	if (own)
		failed += cmocka_run_group_tests(icmp, setup, teardown);
	return failed;
}
