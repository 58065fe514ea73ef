/* SPDX-License-Identifier: BSD-3-Clause */
/* ipvsadm's listings against a router that says what a test tells it to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/ipvsadm/adm_internal.h"
#include "cli/ipvsadm/ipvsadm.h"
#include "fake_router.h"

static char *said, *faults;

/* Runs words, split at blanks; what it printed is in said and faults. */
static int run(const char *path, const char *line)
{
	char *words[32], *copy = strdup(line), *save = NULL;
	size_t n_said, n_faults;
	FILE *out, *errors;
	int n = 0, code;

	free(said);
	free(faults);
	out = open_memstream(&said, &n_said);
	errors = open_memstream(&faults, &n_faults);
	for (char *w = strtok_r(copy, " ", &save); w && n < 32; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	code = ipvsadm_main(n, words, path, 5000, stdin, out, errors);
	fclose(out);
	fclose(errors);
	free(copy);
	return code;
}

/* A single answer serves config.get and service.list: each takes its member. */
#define ROUTER(counters)                                                                           \
	"{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{\"config\":{\"shared\":{\"services\":["       \
	"{\"protocol\":\"udp\",\"listen\":[\"192.0.2.5:69\"],\"scheduler\":\"rr\"}]}},"            \
	"\"services\":[{\"key\":\"udp:192.0.2.5:69\",\"counters\":" counters                       \
	",\"rates\":{\"conns\":0.5,\"in_pkts\":0.4,\"out_pkts\":1.6,\"in_bytes\":2,"               \
	"\"out_bytes\":99999999.4}}]}}\n"

static void counts_of(const char *answer, const char *line, const char *expected)
{
	struct fake_router *r = fake_router_start(answer, 0);

	assert_int_equal(run(fake_router_path(r), line), 0);
	assert_non_null(strstr(said, expected));
	fake_router_stop(r);
}

static void numbers_of_nine_digits_are_shortened(void **state)
{
	(void)state;
	counts_of(
		ROUTER("{\"conns\":99999999,\"in_pkts\":100000000,\"out_pkts\":999999999,"
		       "\"in_bytes\":1000000000,\"out_bytes\":99999999999}"),
		"ipvsadm -Ln --stats",
		"UDP  192.0.2.5:69                 99999999  100000K  999999K    1000M   99999M\n");
	counts_of(
		ROUTER("{\"conns\":0,\"in_pkts\":1,\"out_pkts\":100000000000,"
		       "\"in_bytes\":99999999999999,\"out_bytes\":100000000000000}"),
		"ipvsadm -Ln --stats",
		"UDP  192.0.2.5:69                        0        1     100G   99999G     100T\n");
}

static void exact_numbers_take_the_room_they_need(void **state)
{
	(void)state;
	counts_of(ROUTER("{\"conns\":1,\"in_pkts\":100000000,\"out_pkts\":2,"
			 "\"in_bytes\":1234567890123,\"out_bytes\":3}"),
		  "ipvsadm -Ln --stats --exact",
		  "UDP  192.0.2.5:69                        1 100000000        2 1234567890123     "
		  "   "
		  "3\n");
}

static void rates_are_whole_numbers(void **state)
{
	(void)state;
	counts_of(
		ROUTER("{}"), "ipvsadm -Ln --rate",
		"UDP  192.0.2.5:69                        1        0        2        2 99999999\n");
}

/* A single answer for config.get, service.list and connection.list. */
#define PROC                                                                                       \
	"{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{\"config\":{\"shared\":{\"services\":["       \
	"{\"protocol\":\"tcp\",\"listen\":[\"[2001:db8:1::100]:80\"],\"scheduler\":\"rr\","        \
	"\"persistence\":{\"timeout\":300,\"netmask\":64},\"servers\":["                           \
	"{\"address\":\"10.10.0.2:80\",\"forward\":\"tunnel\"},"                                   \
	"{\"address\":\"[2001:db8:10::1]:8080\",\"forward\":\"nat\",\"weight\":3}]},"              \
	"{\"mark\":12,\"family\":\"ipv6\",\"scheduler\":\"wlc\"},"                                 \
	"{\"protocol\":\"udp\",\"listen\":[\"10.1.0.100:53\"],\"scheduler\":\"wrr\","              \
	"\"one_packet\":true,\"persistence\":{\"timeout\":360,\"netmask\":\"255.255.255.0\"}}]}}," \
	"\"services\":[{\"key\":\"tcp:[2001:db8:1::100]:80\",\"counters\":{\"conns\":2,"           \
	"\"in_pkts\":2,\"in_bytes\":126},\"rates\":{\"in_bytes\":12.2},\"servers\":["              \
	"{\"address\":\"[2001:db8:10::1]:8080\",\"active\":1,\"inactive\":2}]}],"                  \
	"\"connections\":[]}}\n"

/* As a kernel with the same services was recorded. */
static void files_of_proc_are_printed(void **state)
{
	(void)state;
	counts_of(
		PROC, "proc ip_vs",
		"IP Virtual Server version 1.2.1 (size=4096)\n"
		"Prot LocalAddress:Port Scheduler Flags\n"
		"  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
		"TCP  [2001:0db8:0001:0000:0000:0000:0000:0100]:0050 rr persistent 30000 40000000\n"
		"  -> [2001:0db8:0010:0000:0000:0000:0000:0001]:1F90      Masq    3      1         "
		" "
		"2         \n"
		"  -> 0A0A0002:0050      Tunnel  1      0          0         \n"
		"FWM  0000000C wlc \n"
		"UDP  0A010064:0035 wrr ops  persistent 36000 FFFFFF00\n");
	counts_of(PROC, "proc /proc/net/ip_vs_stats",
		  "   Total Incoming Outgoing         Incoming         Outgoing\n"
		  "   Conns  Packets  Packets            Bytes            Bytes\n"
		  "       2        2        0               7E                0\n"
		  "\n"
		  " Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n"
		  "       0        0        0                C                0\n");
	assert_int_equal(run("/none", "proc ip_vs"), 2);
}

/* A row as a router streams it for connection.list; config.get before takes the same answer. */
#define ROW(protocol, state, client, to, server, left)                                             \
	"{\"protocol\":\"" protocol "\",\"state\":\"" state "\",\"client\":\"" client              \
	"\",\"virtual\":\"" to "\",\"server\":\"" server "\",\"expires_s\":" left "}"
#define ROWS(rows)                                                                                 \
	"{\"jsonrpc\":\"2.0\",\"method\":\"rows\",\"params\":{\"id\":$ID,\"rows\":[" rows "]}}\n"
#define ROWS_END                                                                                   \
	"{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{\"config\":{},\"count\":4,\"truncated\":"     \
	"false}}\n"
#define TCP_ROW                                                                                    \
	ROW("tcp", "ESTABLISHED", "198.51.100.7:1021", "10.1.0.100:80", "10.10.0.2:8080", "899.9")
#define UDP_ROW                                                                                    \
	ROW("udp", "UDP", "[2001:db8:c:9:1:2:3:4]:1022", "[2001:db8:1::100]:99",                   \
	    "[2001:db8:10::2]:99", "297")
#define MARK6_ROW ROW("ip", "NONE", "[2001:db8:c::]:0", "[0:9::]:0", "[2001:db8:10::2]:0", "57.2")
#define MARK4_ROW ROW("ip", "NONE", "198.51.100.0:0", "0.0.0.9:0", "10.10.0.3:0", "-1")
#define CONNECTIONS_HEAD                                                                           \
	"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"

/* The rows of IPv6 as a kernel was recorded: tests/golden/recorded/behaviours6.md. */
static void connections_are_printed_as_the_kernel_file_has_them(void **state)
{
	(void)state;
	counts_of(ROWS(TCP_ROW) ROWS(UDP_ROW "," MARK6_ROW "," MARK4_ROW) ROWS_END,
		  "proc ip_vs_conn",
		  CONNECTIONS_HEAD
		  "TCP C6336407 03FD 0A010064 0050 0A0A0002 1F90 ESTABLISHED     899\n"
		  "UDP 2001:0db8:000c:0009:0001:0002:0003:0004 03FE "
		  "2001:0db8:0001:0000:0000:0000:0000:0100 0063 "
		  "2001:0db8:0010:0000:0000:0000:0000:0002 0063 UDP             297\n"
		  "IP  2001:0db8:000c:0000:0000:0000:0000:0000 0000 "
		  "0000:0009:0000:0000:0000:0000:0000:0000 0000 "
		  "2001:0db8:0010:0000:0000:0000:0000:0002 0000 NONE             57\n"
		  "IP  C6336400 0000 00000009 0000 0A0A0003 0000 NONE              0\n");
}

static void without_connections_the_kernel_file_is_its_head(void **state)
{
	(void)state;
	counts_of(ROWS_END, "proc /proc/net/ip_vs_conn", CONNECTIONS_HEAD);
	assert_string_equal(said, CONNECTIONS_HEAD);
	assert_int_equal(run("/none", "proc ip_vs_conn"), 2);
}

static void an_unreachable_router_is_a_kernel_without_ipvs(void **state)
{
	(void)state;
	assert_int_equal(run("/nonexistent/plvs.sock", "ipvsadm -Ln"), 2);
	assert_ptr_equal(strstr(faults, "Can't initialize ipvs: Protocol not available\n"
					"Are you sure that IP Virtual Server is built in the "
					"kernel or as module?\n"),
			 faults);
	assert_string_equal(said, "");
	assert_int_equal(run("/nonexistent/plvs.sock", "ipvsadm -h"), 0);
	assert_ptr_equal(strstr(said, "ipvsadm v1.31 "), said);
}

static void a_router_that_answers_nonsense_ends_the_program(void **state)
{
	struct fake_router *r = fake_router_start("{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{"
						  "\"config\":[7],\"services\":{\"a\":1}}}"
						  "\n",
						  0);

	(void)state;
	assert_int_not_equal(run(fake_router_path(r), "ipvsadm -Ln"), 0);
	assert_int_not_equal(run(fake_router_path(r), "ipvsadm -A -t 192.0.2.1:80"), 0);
	fake_router_stop(r);
}

static void words_are_read_as_popt_does(void **state)
{
	static const struct adm_word table[] = {
		{"all", 'a', ADM_NONE, 1},
		{"value", 'v', ADM_REQUIRED, 2},
		{"maybe", 'm', ADM_OPTIONAL, 3},
		{NULL, 0, ADM_NONE, 0},
	};
	char name[] = "p", cluster[] = "-am", given[] = "5", bare[] = "-m", equals[] = "-v=x",
	     last[] = "-av", *argv[] = {name, cluster, given, bare, equals, last}, *left[6];
	struct adm_words w = {.table = table, .argv = argv, .argc = 6, .next = 1, .left = left};
	const char *value;

	(void)state;
	assert_int_equal(adm_words_next(&w, &value), 1);
	assert_int_equal(adm_words_next(&w, &value), 3);
	assert_string_equal(value, "5");
	assert_int_equal(adm_words_next(&w, &value), 3);
	assert_null(value);
	assert_int_equal(adm_words_next(&w, &value), 2);
	assert_string_equal(value, "x");
	assert_int_equal(adm_words_next(&w, &value), 1);
	assert_int_equal(adm_words_next(&w, &value), ADM_NO_VALUE);
	assert_string_equal(adm_words_last(&w), "-av");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_nine_digits_are_shortened),
		cmocka_unit_test(exact_numbers_take_the_room_they_need),
		cmocka_unit_test(rates_are_whole_numbers),
		cmocka_unit_test(files_of_proc_are_printed),
		cmocka_unit_test(connections_are_printed_as_the_kernel_file_has_them),
		cmocka_unit_test(without_connections_the_kernel_file_is_its_head),
		cmocka_unit_test(an_unreachable_router_is_a_kernel_without_ipvs),
		cmocka_unit_test(a_router_that_answers_nonsense_ends_the_program),
		cmocka_unit_test(words_are_read_as_popt_does),
	};
	int ret = cmocka_run_group_tests(tests, NULL, NULL);

	free(said);
	free(faults);
	return ret;
}
