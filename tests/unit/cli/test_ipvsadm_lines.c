/* SPDX-License-Identifier: BSD-3-Clause */
/* Command lines of ipvsadm that are at fault: message and exit code of ipvsadm 1.31 of Debian 12,
 * which were recorded. Texts of popt and of the parser come before any question to the router. */
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

/* clang-format off: a line is a recording */
static const struct {
	const char *line;
	int code;
	const char *fault;
} recorded[] = {
	{"-A=5 -t 10.1.0.100:80", 255,
	 "Try `ipvsadm -h' or 'ipvsadm --help' for more information.\n"},
	{"-L=", 255, "Try `ipvsadm -h' or 'ipvsadm --help' for more information.\n"},
	{"-Ln=5", 255, "-Ln=5: option does not take an argument\n"},
	{"-A -t 10.1.0.100:80 -o=5", 255, "-o=5: option does not take an argument\n"},
	{"-L --numeric=5", 255, "--numeric=5: option does not take an argument\n"},
	{"-A -t 10.1.0.100:80 -p=", 2, "invalid timeout value `' specified\n"},
	{"-A -p==7 -t 10.1.0.100:80", 2, "invalid timeout value `=7' specified\n"},
	{"-A -t 10.1.0.100:80 --persistent rr", 2, "invalid timeout value `rr' specified\n"},
	{"-A -f= -s rr", 2, "invalid fwmark value `' specified\n"},
	{"-A -v", 2, "invalid option `-v'\n"},
	{"-Av", 2, "invalid option `-Av'\n"},
	{"-v=3", 255, "Try `ipvsadm -h' or 'ipvsadm --help' for more information.\n"},
	{"-L --timeout --stats", 2, "options conflicts in the list command\n"},
	{"-L --daemon --persistent-conn", 2, "options conflicts in the list command\n"},
	{"-Lc --rate", 2, "options conflicts in the list command\n"},
	{"-L -c --thresholds --stats", 2, "options conflicts in the list command\n"},
	{"-L --daemon --timeout -c", 2,
	 "The option 'timeout' conflicts with the 'connection' option in the 'list' command\n"},
	{"-L --syncid 256", 2, "illegal syncid specified\n"},
	{"-Z --syncid 3", 2, "Illegal 'syncid' option with the 'zero' command\n"},
	{"--start-daemon nosuch", 2, "illegal start-daemon parameter specified\n"},
	{"--start-daemon=", 2, "illegal start-daemon parameter specified\n"},
	{"--stop-daemon nosuch", 2, "illegal start_daemon specified\n"},
	{"--stop-daemon master --mcast-interface eth0", 2,
	 "Illegal 'mcast-interface' option with the 'stop-daemon' command\n"},
	{"--start-daemon master --mcast-group 224.1", 2, "invalid IPv4 mcast-group `224.1'\n"},
	{"--start-daemon master --mcast-group 10.0.0.1", 2,
	 "invalid IPv4 mcast-group `10.0.0.1'\n"},
	{"--start-daemon master --mcast-group 224.0.0.1:5", 2,
	 "invalid IPv6 mcast-group `224.0.0.1:5'\n"},
	{"--start-daemon master --mcast-group 2001:db8::1", 2,
	 "invalid IPv6 mcast-group `2001:db8::1'\n"},
	{"--start-daemon master --mcast-group [ff02::81]", 2,
	 "invalid IPv6 mcast-group `[ff02::81]'\n"},
	{"--start-daemon master --sync-maxlen 0", 2, "illegal sync-maxlen specified\n"},
	{"--start-daemon master --sync-maxlen 65508", 2, "illegal sync-maxlen specified\n"},
	{"--start-daemon master --mcast-port http", 2, "illegal mcast-port specified\n"},
	{"--start-daemon master --mcast-ttl 0", 2, "illegal mcast-ttl specified\n"},
	{"--start-daemon master --syncid -1", 2, "illegal syncid specified\n"},
	{"--set 5s 6 7", 2, "invalid timeout value `5s' specified\n"},
	{"--set 1 2", 2, "--set option requires 3 timeout values\n"},
	{"--set 2678401 1 1", 2, "invalid timeout value `2678401' specified\n"},
	{"-A -t 10.1.0.100:80 -6", 2, "-6 used before -f\n\n"},
	{"-A -6 -f 7", 2, "-6 used before -f\n\n"},
	{"-A -t [10.1.0.100]:80", 2, "Zero port specified for non-persistent service\n"},
	{"-A -t [2001:db8::1]", 2, "illegal virtual server address[:port] specified\n"},
	{"-A -t [localhost]:80", 2, "Zero port specified for non-persistent service\n"},
	{"-A -t 10.1.0.100:80:90", 2, "illegal virtual server address[:port] specified\n"},
	{"-A -t 10.1.0.100.5:80", 2, "illegal virtual server address[:port] specified\n"},
	{"-A -f 0x10", 2, "invalid fwmark value `0x10' specified\n"},
	{"-A -f 5x", 2, "invalid fwmark value `5x' specified\n"},
	{"-A -s -t 10.1.0.100:80", 2, "unexpected argument 10.1.0.100:80\n"},
	{"-A -t 10.1.0.100:80 -s rr -zq", 255, "-zq: unknown option\n"},
	{"-a -t 10.1.0.100:80 -r 10.10.0.2 -w0x10", 2, "illegal weight specified\n"},
	{"-a -t 10.1.0.100:80 -r 10.10.0.2 -w 2147483648", 2, "illegal weight specified\n"},
	{"-a -t 10.1.0.100:80 -r 10.10.0.2 -m -x -1", 2, "illegal u_threshold specified\n"},
	{"-a -t 10.1.0.100:80 -r 10.10.0.2 -i --tun-type gue --tun-port 0", 2,
	 "illegal tunnel port specified\n"},
	{"-a -t 10.1.0.100:80 -r 10.10.0.2 -i --tun-csum", 2,
	 "Illegal 'tun-csum' option with the 'ipip' tunnel type\n"},
	{"-a -t 10.1.0.100:80 -r 10.10.0.2 -g --tun-type ipip", 2,
	 "Tunnel options conflict with forward method\n"},
	{"-a -t 10.1.0.100:80 -r 10.10.0.2 -i --tun-type gre --tun-remcsum", 2,
	 "Illegal 'tun-remcsum' option with the 'gre' tunnel type\n"},
	{"-S --sort extra", 2, "unexpected argument extra\n"},
	{"-C -n", 2, "Illegal 'numeric' option with the 'flush' command\n"},
	{"-A -t 7", 2, "illegal virtual server address[:port] specified\n"},
	{"-a -t 10.1.0.1:80 -r 7 -m", 2, "illegal real server address[:port] specified\n"},
	{"-S -b sh-port", 2, "incompatible scheduler flag `sh-port'\n"},
	{"-S -b nosuch extra", 2, "unexpected argument extra\n"},
	{"--set 1 2 3 -b nosuch", 2, "invalid scheduler flag `nosuch'\n"},
	{"-A -t 10.1.0.1:0 -b nosuch", 2, "invalid scheduler flag `nosuch'\n"},
};
/* clang-format on */

static int parse(const char *line, struct adm_command *cmd, char **faults)
{
	char *words[32] = {(char *)(uintptr_t) "ipvsadm"}, *copy = strdup(line), *save = NULL;
	struct adm a = {0};
	size_t len;
	int n = 1, code;
	bool fatal;

	a.errors = open_memstream(faults, &len);
	for (char *w = strtok_r(copy, " ", &save); w && n < 32; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	code = adm_parse(&a, n, words, cmd, &fatal);
	fclose(a.errors);
	free(copy);
	return code;
}

static void faults_are_those_that_were_recorded(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) {
		struct adm_command cmd;
		char *faults;
		int code = parse(recorded[i].line, &cmd, &faults);

		if (code != recorded[i].code || strcmp(faults, recorded[i].fault) != 0)
			fail_msg("ipvsadm %s: %d, \"%s\"", recorded[i].line, code, faults);
		free(faults);
	}
}

/* Options that do nothing beside these commands are no fault. */
static void idle_options_are_taken(void **state)
{
	static const char *const lines[] = {
		"-L --syncid 3",
		"-Lnc --exact --tun-info",
		"-Lnc --persistent-conn",
		"-L --timeout -n --exact",
		"--stop-daemon backup --syncid 3",
		"-L --sort --nosort",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct adm_command cmd;
		char *faults;

		if (parse(lines[i], &cmd, &faults) != 0)
			fail_msg("ipvsadm %s: \"%s\"", lines[i], faults);
		free(faults);
	}
}

/* The output of a program of that name without a router. */
static int run(const char *line, char **said, char **faults)
{
	char *words[8], *copy = strdup(line), *save = NULL;
	size_t n_said, n_faults;
	FILE *out = open_memstream(said, &n_said), *errors = open_memstream(faults, &n_faults);
	int n = 0, code;

	for (char *w = strtok_r(copy, " ", &save); w && n < 8; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	code = ipvsadm_main(n, words, "/nowhere/plvs.sock", 1000, stdin, out, errors);
	fclose(out);
	fclose(errors);
	free(copy);
	return code;
}

static void the_version_and_the_use_of_save_need_no_router(void **state)
{
	char *said, *faults;

	(void)state;
	assert_int_equal(run("ipvsadm --version", &said, &faults), 0);
	assert_string_equal(said,
			    "ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)\n");
	free(said);
	free(faults);
	assert_int_equal(run("ipvsadm-save -x", &said, &faults), 1);
	assert_string_equal(faults,
			    "ipvsadm-save: Script to save the IPVS table to stdout.\n"
			    "   With the -n option, prints out the table in numeric format.\n");
	free(said);
	free(faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_are_those_that_were_recorded),
		cmocka_unit_test(idle_options_are_taken),
		cmocka_unit_test(the_version_and_the_use_of_save_need_no_router),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
