/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>

#include "base/log.h"
#include "dataplane/owner.h"

#define POOL_MBUFS 4095 /* small pools stay in the cache */
#define POOL_CACHE 256
#define HUGE_FREE  "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"

void fail(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "plvs-bench: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	exit(1);
}

bool wanted(const struct options *o, const char *name)
{
	return !o->only || strncmp(name, o->only, strlen(o->only)) == 0;
}

static void usage(void)
{
	fprintf(stderr,
		"usage: plvs-bench [--quick] [--json FILE] [--only NAME] [--connections N]\n"
		"                  [--blocks N] [--cpu N] [--small-pages] [--instructions]\n"
		"  --only NAME      rows whose names begin so, as pipeline/nat or loop\n"
		"  --connections N  at this number alone\n"
		"  --blocks N       blocks per subject and row\n"
		"  --cpu N          CPU to run on (the last)\n"
		"  --small-pages    tables in 4 KiB pages; rows are named NAME-4k/...\n"
		"  --instructions   counted under callgrind: tools/bench/instructions\n");
	exit(2);
}

static void options_parse(int argc, char **argv, struct options *o, int *cpu)
{
	static const struct option longs[] = {{"quick", no_argument, NULL, 'q'},
					      {"json", required_argument, NULL, 'j'},
					      {"only", required_argument, NULL, 'o'},
					      {"connections", required_argument, NULL, 'n'},
					      {"blocks", required_argument, NULL, 'b'},
					      {"cpu", required_argument, NULL, 'c'},
					      {"small-pages", no_argument, NULL, 's'},
					      {"instructions", no_argument, NULL, 'i'},
					      {0}};
	int opt;

	*cpu = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (opt) {
		case 'q':
			o->quick = true;
			break;
		case 'j':
			o->json = optarg;
			break;
		case 'o':
			o->only = optarg;
			break;
		case 'n':
			o->connections = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'b':
			o->blocks = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'c':
			*cpu = atoi(optarg);
			break;
		case 's':
			o->small_pages = true;
			break;
		case 'i':
			o->instructions = true;
			break;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();
	if (o->blocks == 0)
		o->blocks = o->quick ? 150 : 300;
}

static bool huge_pages_free(void)
{
	unsigned int n = 0;
	FILE *f = fopen(HUGE_FREE, "r");

	if (f) {
		if (fscanf(f, "%u", &n) != 1)
			n = 0;
		fclose(f);
	}
	return n >= 64;
}

static void eal_start(const char *program, const struct options *o, int cpu)
{
	char lcores[32], prefix[48], name[64];
	char *argv[20];
	int argc = 0;

	snprintf(name, sizeof(name), "%s", program);
	snprintf(lcores, sizeof(lcores), "0@%d", cpu);
	snprintf(prefix, sizeof(prefix), "--file-prefix=plvs-bench-%d", (int)getpid());
	argv[argc++] = name;
	argv[argc++] = (char *)"--lcores";
	argv[argc++] = lcores;
	argv[argc++] = prefix;
	argv[argc++] = (char *)"--no-pci";
	argv[argc++] = (char *)"--no-telemetry";
	argv[argc++] = (char *)"--log-level=4";
	if (o->instructions) {
		drivers_leave_out();
		argv[argc++] = (char *)"-dlibrte_mempool_ring.so"; /* of libdpdk-dev */
	} else {
		argv[argc++] = (char *)"--vdev=net_null0";
		argv[argc++] = (char *)"--vdev=net_null1"; /* of a second thread */
	}
	if (huge_pages_free() && !o->instructions) {
		argv[argc++] = (char *)"--in-memory";
	} else {
		argv[argc++] = (char *)"--no-huge";
		argv[argc++] = (char *)"--no-shconf";
		argv[argc++] = (char *)"-m";
		argv[argc++] = (char *)"96";
	}
	argv[argc] = NULL;
	if (rte_eal_init(argc, argv) < 0)
		fail("EAL does not start");
}

/* A port that frees what is sent. */
static uint16_t sink_start(const char *name, struct rte_mempool *pool)
{
	const struct rte_eth_conf conf = {0};
	uint16_t dev;

	if (rte_eth_dev_get_port_by_name(name, &dev) != 0)
		fail("%s is missing (driver net_null)", name);
	if (rte_eth_dev_configure(dev, 1, 1, &conf) < 0 ||
	    rte_eth_rx_queue_setup(dev, 0, 512, SOCKET_ID_ANY, NULL, pool) < 0 ||
	    rte_eth_tx_queue_setup(dev, 0, 512, SOCKET_ID_ANY, NULL) < 0 ||
	    rte_eth_dev_start(dev) < 0)
		fail("%s does not start", name);
	return dev;
}

/* The worth of the tables' huge pages. */
static void run_small_pages(const struct options *o, uint32_t n, uint16_t dev,
			    struct rte_mempool *pool)
{
	struct options small = *o;

	small.small_pages = true;
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	bench_memory(&small, ADDR_V4, ADDR_V4, FWD_DR, n, dev, pool);
	bench_memory(&small, ADDR_V4, ADDR_V4, FWD_NAT, n, dev, pool);
	prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
}

static void run(const struct options *o, const uint16_t devs[2], int cpu, struct rte_mempool *pool)
{
	const uint16_t dev = devs[0];
	static const uint32_t all[] = {1, 1000, 100000, 1000000, 10000000};
	static const uint32_t few[] = {1, 100000, 1000000};
	const uint32_t *sizes = o->quick ? few : all;
	unsigned int n = o->quick ? RTE_DIM(few) : RTE_DIM(all);

	if (o->connections) {
		sizes = &o->connections;
		n = 1;
	}
	for (unsigned int i = 0; i < n; i++)
		bench_memory(o, ADDR_V4, ADDR_V4, FWD_DR, sizes[i], dev, pool);
	for (unsigned int i = 0; i < n; i++)
		bench_memory(o, ADDR_V4, ADDR_V4, FWD_NAT, sizes[i], dev, pool);
	for (unsigned int i = 0; i < n; i++)
		bench_memory(o, ADDR_V6, ADDR_V6, FWD_DR, sizes[i], dev, pool);
	for (unsigned int i = 0; i < n; i++)
		bench_memory(o, ADDR_V6, ADDR_V6, FWD_NAT, sizes[i], dev, pool);
	for (unsigned int i = 0; i < n; i++)
		bench_memory(o, ADDR_V4, ADDR_V4, FWD_FULLNAT, sizes[i], dev, pool);
	for (unsigned int i = 0; i < n; i++)
		bench_memory(o, ADDR_V6, ADDR_V6, FWD_FULLNAT, sizes[i], dev, pool);
	for (unsigned int i = 0; i < n; i++)
		bench_memory(o, ADDR_V6, ADDR_V4, FWD_FULLNAT, sizes[i], dev, pool);
	if (o->small_pages)
		return;
	for (unsigned int i = 0; i < n; i++) {
		if (!o->connections && sizes[i] != 1000000)
			continue;
		bench_families(o, FWD_DR, sizes[i], dev, pool);
		bench_families(o, FWD_NAT, sizes[i], dev, pool);
		bench_fullnat_established(o, sizes[i], dev, pool);
	}
	for (unsigned int i = 0; i < n; i++)
		if (o->connections || sizes[i] == 100000 || sizes[i] == 1000000)
			bench_marks(o, sizes[i], dev, pool);
	for (unsigned int i = 0; i < n; i++)
		if (o->connections || sizes[i] == 1000000)
			bench_listing(o, sizes[i], dev, pool);
	for (unsigned int i = 0; i < n; i++) {
		if (!o->connections && sizes[i] != 100000)
			continue;
		bench_sync(o, FWD_DR, sizes[i], dev, pool);
		bench_sync(o, FWD_NAT, sizes[i], dev, pool);
		bench_health(o, sizes[i], dev, pool);
	}
	if (!o->quick)
		run_small_pages(o, o->connections ? o->connections : 1000000, dev, pool);
	bench_testpmd(o);
	for (unsigned int i = 0; i < n; i++) {
		if (!o->connections && sizes[i] != 1000000 && (o->quick || sizes[i] != 100000))
			continue;
		bench_ports(o, FWD_DR, sizes[i], pool);
		bench_ports(o, FWD_NAT, sizes[i], pool);
	}
	bench_lifecycle(o, dev, pool);
	bench_choose(o, dev, pool);
	bench_handoff(o, dev, pool);
	if (!o->connections)
		bench_attack(o, dev, pool);
	bench_checks(o);
	bench_threads(o, devs, cpu);
	bench_handoff_threads(o, devs, cpu);
	bench_wake(o, cpu);
}

int main(int argc, char **argv)
{
	struct options o = {0};
	struct rte_mempool *pool;
	struct rusage usage_now;
	uint16_t devs[2];
	int cpu, rc;

	options_parse(argc, argv, &o, &cpu);
	if (o.small_pages)
		prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	log_set_level(LOG_LEVEL_WARNING);
	eal_start(argv[0], &o, cpu);
	pool = rte_pktmbuf_pool_create("bench", POOL_MBUFS, POOL_CACHE, 0,
				       RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!pool || pkt_tag_register() < 0)
		fail("no memory for packet buffers");
	owner_init();
	if (o.instructions) {
		bench_instructions(pool);
		return 0;
	}
	printf("CPU %d, TSC %.0f MHz, packet buffers in %s pages, tables in %s pages\n\n", cpu,
	       (double)rte_get_tsc_hz() / 1e6, rte_eal_has_hugepages() ? "huge" : "4 KiB",
	       o.small_pages ? "4 KiB" : "transparent huge");
	rows_print_head();
	devs[0] = sink_start("net_null0", pool);
	devs[1] = sink_start("net_null1", pool);
	run(&o, devs, cpu, pool);
	getrusage(RUSAGE_SELF, &usage_now);
	printf("\n(preempted %ld times; blocks in which that happened were measured again)\n",
	       usage_now.ru_nivcsw);
	rc = o.json ? rows_write_json(o.json) : 0;
	if (rc != 0)
		fail("%s: %s", o.json, strerror(-rc));
	rte_eal_cleanup();
	return rows_failed() > 0;
}
