/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static volatile sig_atomic_t stopped, enough, marks;

bool probe_stopped(void)
{
	return stopped;
}

bool probe_enough(void)
{
	return enough;
}

unsigned int probe_marks(void)
{
	return (unsigned int)marks;
}

uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void die(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void on_signal(int signal)
{
	if (signal == SIGUSR1)
		marks = marks + 1;
	else if (signal == SIGUSR2)
		enough = 1;
	else
		stopped = 1;
}

static void usage(void)
{
	fputs("usage: probe udp-echo ADDRESS:PORT\n"
	      "       probe udp-ask ADDRESS:PORT [--count N] [--rate N] [--flows N] [--size "
	      "BYTES]\n"
	      "       probe udp-beat ADDRESS:PORT [--count N] [--rate N] [--urgent]\n"
	      "              the same for udp-echo: SO_PRIORITY 7, as heartbeats\n"
	      "       probe tcp-echo ADDRESS:PORT\n"
	      "       probe tcp-hold ADDRESS:PORT [--count N] [--rate N]\n"
	      "              a line on standard input: one round of questions on every connection\n"
	      "       probe tcp-pour ADDRESS:PORT [--rate N] [--size BYTES]\n"
	      "       probe tcp-drink ADDRESS:PORT\n"
	      "       probe tcp-knock ADDRESS:PORT [--count N] [--rate N]\n"
	      "              SIGUSR1 is a mark: holes before it are told apart (udp-ask, too)\n"
	      "              SIGUSR2: udp-ask sends no more, and waits for the answers\n"
	      "       probe frame-send INTERFACE [--count N] [--rate N] < HEX-LINES\n"
	      "       probe ipip-open INTERFACE [4|6]\n"
	      "       probe vlan-switch TRUNK VLAN:INTERFACE...\n",
	      stderr);
	exit(2);
}

/* "192.0.2.1:80" or "[2001:db8::1]:80". */
static void address_parse(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	const char *colon = strrchr(text, ':');
	bool brackets = text[0] == '[';
	char host[64];
	size_t n = colon ? (size_t)(colon - text) : 0;

	if (n == 0 || n >= sizeof(host) || (brackets && text[n - 1] != ']'))
		usage();
	snprintf(host, sizeof(host), "%.*s", (int)(n - 2 * brackets), text + brackets);
	out->ss_family = brackets ? AF_INET6 : AF_INET;
	in->sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10)); /* at the same place */
	if (inet_pton(out->ss_family, host,
		      brackets ? (void *)&in6->sin6_addr : (void *)&in->sin_addr) != 1)
		usage();
}

static void options_parse(int argc, char **argv, struct probe_options *o)
{
	static const struct option longs[] = {
		{"count", required_argument, NULL, 'c'},
		{"rate", required_argument, NULL, 'r'},
		{"flows", required_argument, NULL, 'f'},
		{"size", required_argument, NULL, 's'},
		{"linger", required_argument, NULL, 'l'},
		{"urgent", no_argument, NULL, 'u'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		unsigned long value = optarg ? strtoul(optarg, NULL, 10) : 0;

		if (c == 'c')
			o->count = value;
		else if (c == 'r' && value)
			o->rate = (unsigned int)value;
		else if (c == 'f' && value)
			o->flows = (unsigned int)value;
		else if (c == 's')
			o->size = (unsigned int)value;
		else if (c == 'u')
			o->urgent = true;
		else if (c == 'l')
			o->linger_ms = (unsigned int)value;
		else
			usage();
	}
}

int main(int argc, char **argv)
{
	struct probe_options o = {
		.count = 1000, .rate = 1000, .flows = 1, .size = 64, .linger_ms = 2000};
	struct sigaction action = {.sa_handler = on_signal};
	struct rlimit files = {65536, 65536};

	if (argc < 3)
		usage();
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_NOFILE, &files);
	setvbuf(stdout, NULL, _IOLBF, 0);

	if (!strcmp(argv[1], "vlan-switch"))
		return vlan_switch(argc - 2, argv + 2);
	options_parse(argc - 2, argv + 2, &o);
	if (!strcmp(argv[1], "frame-send"))
		return frame_send(argv[2], &o);
	if (!strcmp(argv[1], "ipip-open"))
		return ipip_open(argv[2], argc > 3 && !strcmp(argv[3], "6"));
	address_parse(argv[2], &o.address);
	if (!strcmp(argv[1], "udp-echo"))
		return udp_echo(&o);
	if (!strcmp(argv[1], "udp-beat"))
		return udp_beat(&o);
	if (!strcmp(argv[1], "udp-ask"))
		return udp_ask(&o);
	if (!strcmp(argv[1], "tcp-echo"))
		return tcp_echo(&o);
	if (!strcmp(argv[1], "tcp-hold"))
		return tcp_hold(&o);
	if (!strcmp(argv[1], "tcp-pour"))
		return tcp_pour(&o);
	if (!strcmp(argv[1], "tcp-drink"))
		return tcp_drink(&o);
	if (!strcmp(argv[1], "tcp-knock"))
		return tcp_knock(&o);
	usage();
}
