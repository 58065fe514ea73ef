/* SPDX-License-Identifier: BSD-3-Clause */
/* Options, tests and results of the generator. */
#include "generator.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>

#define WARM_UP_S 3.0
#define GAP	  20U /* bytes of preamble and gap that a frame has on the wire */

static const struct option options[] = {{"vip", required_argument, NULL, 'v'},
					{"method", required_argument, NULL, 'm'},
					{"gateway", required_argument, NULL, 'g'},
					{"address", required_argument, NULL, 'a'},
					{"client", required_argument, NULL, 'c'},
					{"sizes", required_argument, NULL, 's'},
					{"connections", required_argument, NULL, 'n'},
					{"rate", required_argument, NULL, 'r'},
					{"seconds", required_argument, NULL, 't'},
					{"loss", required_argument, NULL, 'l'},
					{"resolution", required_argument, NULL, 'e'},
					{"csv", required_argument, NULL, 'o'},
					{"help", no_argument, NULL, 'h'},
					{NULL, 0, NULL, 0}};

static void usage(FILE *f)
{
	fputs("usage: plvs-generator EAL-ARGUMENTS -- [OPTIONS] TEST...\n\n"
	      "The clients (first DPDK port) and the real servers (second port) of one virtual "
	      "service.\n\n"
	      "  throughput   highest rate of datagrams without loss, by size and connections\n"
	      "  connections  highest rate of whole TCP connections without loss\n"
	      "  latency      times at 10, 50 and 90 % of the highest rate of datagrams\n\n"
	      "  --vip ADDRESS:PORT  the service, for TCP and UDP\n"
	      "  --method dr|nat     how the router forwards (dr)\n"
	      "  --gateway ADDRESS   the router on the clients' link\n"
	      "  --address ADDRESS   the generator there: the router's route to the clients\n"
	      "  --client ADDRESS    the first client (10.64.0.1 or 2001:db8:64::1)\n"
	      "  --sizes LIST        of frames, with FCS (64,512,1518; IPv6: 84,...)\n"
	      "  --connections LIST  numbers of connections (1,1000,100000)\n"
	      "  --rate N            a second, at most (0: as fast as the generator can)\n"
	      "  --seconds N         of a trial (10)\n"
	      "  --loss PERCENT      that a good trial may lose (0). A trial that loses more is\n"
	      "                      repeated if a CPU was away meanwhile, 4 times at most\n"
	      "  --resolution N      of the search, per cent (2)\n"
	      "  --csv FILE          the rows, for tools/pktgen-scripts/plot\n\n"
	      "Ends with 1 if a test found no rate, or if a frame was not as it should be.\n",
	      f);
}

static _Noreturn void wrong_option(const char *text, const char *value)
{
	fprintf(stderr, "plvs-generator: %s: %s\n", text, value);
	exit(2);
}

static uint32_t list_parse(const char *text, uint32_t v[16], uint32_t min, uint32_t max)
{
	uint32_t n = 0;
	char *end;

	for (const char *at = text; *at; at = *end ? end + 1 : end) {
		const unsigned long long one = strtoull(at, &end, 10);

		if (end == at || (*end && *end != ',') || one < min || one > max || n == 16)
			wrong_option("expected up to 16 numbers, separated by commas", text);
		v[n++] = (uint32_t)one;
	}
	if (n == 0)
		wrong_option("expected numbers", text);
	return n;
}

static double number_parse(const char *text)
{
	char *end;
	const double v = strtod(text, &end);

	if (end == text || *end || !(v >= 0))
		wrong_option("expected a number", text);
	return v;
}

static void address_parse(const char *text, struct addr *out)
{
	if (addr_parse(text, out) < 0)
		wrong_option("expected an address", text);
}

static void defaults_fill(struct gen_options *o)
{
	const bool v6 = o->vip.addr.family == ADDR_V6;

	if (o->vip.addr.family == ADDR_NONE || o->gateway.family != o->vip.addr.family ||
	    o->address.family != o->vip.addr.family)
		wrong_option("--vip, --gateway and --address are needed", "of one family");
	if (o->client.family == ADDR_NONE)
		address_parse(v6 ? "2001:db8:64::1" : "10.64.0.1", &o->client);
	if (o->client.family != o->vip.addr.family)
		wrong_option("--client", "expected an address of the family of --vip");
	if (o->n_sizes == 0)
		o->n_sizes = list_parse(v6 ? "84,512,1518" : "64,512,1518", o->sizes, 64, 1518);
	if (o->n_connections == 0)
		o->n_connections = list_parse("1,1000,100000", o->connections, 1, 10000000);
	for (uint32_t i = 0; i < o->n_sizes; i++)
		if (o->sizes[i] < gen_size_min(o->vip.addr.family))
			wrong_option("--sizes", "a frame of 64 bytes (IPv6: 84) is the least");
}

static const char *options_parse(int argc, char **argv, struct gen_options *o)
{
	const char *csv = NULL;
	int c;

	*o = (struct gen_options){.seconds = 10, .resolution = 2};
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'v':
			if (endpoint_parse(optarg, &o->vip) < 0)
				wrong_option("expected ADDRESS:PORT", optarg);
			break;
		case 'm':
			o->nat = strcmp(optarg, "nat") == 0;
			if (!o->nat && strcmp(optarg, "dr") != 0)
				wrong_option("expected dr or nat", optarg);
			break;
		case 'g':
			address_parse(optarg, &o->gateway);
			break;
		case 'a':
			address_parse(optarg, &o->address);
			break;
		case 'c':
			address_parse(optarg, &o->client);
			break;
		case 's':
			o->n_sizes = list_parse(optarg, o->sizes, 64, GEN_FRAME_MAX);
			break;
		case 'n':
			o->n_connections = list_parse(optarg, o->connections, 1, 10000000);
			break;
		case 'r':
			o->rate = number_parse(optarg);
			break;
		case 't':
			o->seconds = number_parse(optarg);
			break;
		case 'l':
			o->loss = number_parse(optarg);
			break;
		case 'e':
			o->resolution = number_parse(optarg);
			break;
		case 'o':
			csv = optarg;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
	defaults_fill(o);
	return csv;
}

/* --- tests --- */

static void datagram_trial(struct gen *g, const struct gen_row *row, double rate,
			   struct gen_result *r)
{
	gen_datagrams(g, row->connections, row->size, rate, g->o.seconds, r);
}

static void life_trial(struct gen *g, const struct gen_row *row, double rate, struct gen_result *r)
{
	(void)row;
	gen_tcp_lives(g, rate, g->o.seconds, r);
}

/* Makes the connections, and resolves next hops. */
static void warm_up(struct gen *g, const struct gen_row *row)
{
	const double seconds = row->connections < 100000 ? 1 : WARM_UP_S;
	struct gen_result r;

	gen_datagrams(g, row->connections, row->size, row->connections / seconds + 100, seconds,
		      &r);
}

static void row_print(const struct gen *g, FILE *csv, const struct gen_row *row)
{
	FILE *const to[] = {stdout, csv};

	for (unsigned int i = 0; i < 2 && to[i]; i++) {
		fprintf(to[i], "%s,%s,%u,%u,%.0f,%.3f,%.3f,%.4f,%.1f,%.1f,%.1f,%s\n", row->test,
			g->o.nat ? "nat" : "dr", row->size, row->connections, row->rate,
			row->size ? row->rate / 1e6 : 0, row->rate * (row->size + GAP) * 8 / 1e9,
			gen_lost(&row->best), gen_time(g, &row->best, 500),
			gen_time(g, &row->best, 990), gen_time(g, &row->best, 999),
			row->rate <= 0 ? "no rate"
			: row->limited ? "generator"
			: row->asked   ? "asked"
				       : "router");
		fflush(to[i]);
	}
}

/* The highest rate for a size and a number of connections, searched once in a run. */
static const struct gen_row *highest_find(struct gen *g, uint32_t n, uint32_t s)
{
	static struct gen_row rows[16][16];
	struct gen_row *row = &rows[n][s];

	if (row->rate > 0)
		return row;
	*row = (struct gen_row){
		.test = "throughput", .size = g->o.sizes[s], .connections = g->o.connections[n]};
	gen_search(g, datagram_trial, row);
	return row;
}

static bool throughput(struct gen *g, FILE *csv, bool latency)
{
	bool found = true;

	for (uint32_t n = 0; n < g->o.n_connections; n++) {
		for (uint32_t s = 0; s < g->o.n_sizes; s++) {
			struct gen_row row = {.test = "throughput",
					      .size = g->o.sizes[s],
					      .connections = g->o.connections[n]};
			static const struct {
				const char *test;
				double share;
			} loads[] = {{"latency-10", 0.1}, {"latency-50", 0.5}, {"latency-90", 0.9}};
			double highest;

			warm_up(g, &row);
			row = *highest_find(g, n, s);
			found = found && row.rate > 0;
			if (!latency) {
				row_print(g, csv, &row);
				continue;
			}
			highest = row.rate;
			for (unsigned int i = 0; i < 3 && highest > 0; i++) {
				row.test = loads[i].test;
				row.rate = highest * loads[i].share;
				gen_trial_run(g, datagram_trial, &row, row.rate, &row.best);
				row_print(g, csv, &row);
			}
		}
	}
	return found;
}

static bool connections(struct gen *g, FILE *csv)
{
	struct gen_row row = {.test = "connections"}, first = {.size = 100, .connections = 1};

	if (first.size < gen_size_min(g->o.vip.addr.family))
		first.size = gen_size_min(g->o.vip.addr.family);
	warm_up(g, &first);
	gen_search(g, life_trial, &row);
	row_print(g, csv, &row);
	return row.rate > 0;
}

static bool test_run(struct gen *g, const char *name, FILE *csv)
{
	if (strcmp(name, "throughput") == 0)
		return throughput(g, csv, false);
	if (strcmp(name, "latency") == 0)
		return throughput(g, csv, true);
	if (strcmp(name, "connections") == 0)
		return connections(g, csv);
	wrong_option("there is no such test", name);
}

int main(int argc, char **argv)
{
	static struct gen g;
	bool found = true;
	FILE *csv = NULL;
	const char *path;
	int n = 1;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return 0;
	}
	n = rte_eal_init(argc, argv);
	if (n < 0)
		return 2;
	path = options_parse(argc - n, argv + n, &g.o);
	argv += n + optind;
	if (!*argv)
		wrong_option("expected a test", "throughput, connections or latency");
	if (path) {
		csv = fopen(path, "we");
		if (!csv)
			wrong_option(path, strerror(errno));
	}
	g.hz = rte_get_tsc_hz();
	gen_ports_start(&g);
	gen_router_find(&g);
	for (unsigned int i = 0; i < 2; i++) {
		FILE *to = i ? csv : stdout;

		if (to)
			fputs("test,method,size,connections,per_second,mpps,gbit_per_s,"
			      "lost_percent,p50_us,p99_us,p999_us,limit\n",
			      to);
	}
	for (; *argv; argv++)
		found = test_run(&g, *argv, csv) && found;
	printf("(%u of %u trials were repeated, since the CPU of the generator or of the router "
	       "was away for a millisecond or more)\n",
	       g.again, g.trials);
	if (csv)
		fclose(csv);
	gen_ports_stop(&g);
	rte_eal_cleanup();
	if (g.wrong > 0)
		fprintf(stderr,
			"plvs-generator: %lu frames were not as they should be; the first: %s\n",
			(unsigned long)g.wrong, g.wrong_text);
	return found && g.wrong == 0 ? 0 : 1;
}
