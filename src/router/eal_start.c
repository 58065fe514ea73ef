/* SPDX-License-Identifier: BSD-3-Clause */
#include "router/eal_start.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_pdump.h>

#include "base/log.h"
#include "dataplane/sieve/sieve.h"
#include "router/eal_fault.h"
#include "router/packet_fanout.h"

/* EAL leaves its run-time directory behind, and empty only when its own handlers of
 * atexit() have run: registered before EAL starts, ours runs after them. */
static char runtime_dir[512];

/* The arguments that EAL was started with. */
static int eal_argc;
static char **eal_argv;

static void runtime_dir_remove(void)
{
	if (runtime_dir[0])
		(void)rmdir(runtime_dir);
}

static void explain(int argc, char **argv, char error[EAL_ERROR_LEN])
{
	char why[EAL_ERROR_LEN];
	int n = snprintf(error, EAL_ERROR_LEN, "EAL does not start: ");

	/* EAL refuses arguments before it looks at the host. Its usage text has scrolled the name
	 * of the bad one away. */
	if (rte_errno == EINVAL) {
		n = snprintf(error, EAL_ERROR_LEN, "EAL does not take one of its arguments:");
		for (int i = 1; i < argc && n < EAL_ERROR_LEN - 64; i++)
			n += snprintf(error + n, EAL_ERROR_LEN - (size_t)n, " %.40s", argv[i]);
		snprintf(error + n, EAL_ERROR_LEN - (size_t)n,
			 "; those of plvs stand behind \"--\"");
	} else if (eal_fault_find("", argc, argv, why, sizeof(why)))
		snprintf(error + n, EAL_ERROR_LEN - (size_t)n, "%.*s", EAL_ERROR_LEN - n - 1, why);
	else
		snprintf(error + n, EAL_ERROR_LEN - (size_t)n, "%s; its own lines say more",
			 rte_strerror(rte_errno));
}

/* Of the arguments of a device. */
static bool device_is_read(const char *vdev, char interface[IF_NAMESIZE])
{
	const char *at = strstr(vdev, ",iface="), *queue = strstr(vdev, ",start_queue=");

	if (strncmp(vdev, "net_af_xdp", 10) != 0 || !at)
		return false;
	snprintf(interface, IF_NAMESIZE, "%.*s", (int)strcspn(at + 7, ","), at + 7);
	return sieve_interface_is_read(interface,
				       queue ? (uint32_t)strtoul(queue + 13, NULL, 10) : 0);
}

static int interfaces_check(int argc, char **argv, char error[EAL_ERROR_LEN])
{
	char interface[IF_NAMESIZE];

	for (int i = 1; i < argc; i++) {
		const char *vdev = strncmp(argv[i], "--vdev=", 7) == 0 ? argv[i] + 7 : argv[i];

		if (!device_is_read(vdev, interface))
			continue;
		snprintf(error, EAL_ERROR_LEN,
			 "another program reads %s by AF_XDP: plvs was started twice (\"plvsctl "
			 "status\"), or the device needs another interface",
			 interface);
		return -EBUSY;
	}
	return 0;
}

/* The arguments of the command line, or of node.eal if there are none. */
static int arguments_take(const struct config_node *node, int argc, char **argv,
			  char error[EAL_ERROR_LEN])
{
	/* EAL keeps pointers to the words and permutes the array. */
	static char *from_file[CONFIG_MAX_EAL + 2];

	if (argc <= 1 && node->n_eal > 0) {
		from_file[0] = argv[0];
		for (argc = 1; argc <= (int)node->n_eal; argc++) {
			from_file[argc] = strdup(node->eal[argc - 1]);
			if (!from_file[argc]) {
				snprintf(error, EAL_ERROR_LEN, "no memory");
				return -EINVAL;
			}
		}
		argv = from_file;
	}
	eal_argc = argc;
	eal_argv = argv;
	return 0;
}

int eal_check(const struct config_node *node, int argc, char **argv, char error[EAL_ERROR_LEN],
	      char lacks[EAL_ERROR_LEN])
{
	char why[EAL_ERROR_LEN / 2];

	lacks[0] = '\0';
	if (arguments_take(node, argc, argv, error) != 0)
		return -EINVAL;
	if (eal_argc <= 1)
		return 0;
	for (uint32_t i = 0; i < node->n_ports; i++) {
		if (!eal_fault_unmade(eal_argc, eal_argv, node->ports[i].device, why, sizeof(why)))
			continue;
		snprintf(error, EAL_ERROR_LEN, "port %.40s: %s", node->ports[i].name, why);
		return -EINVAL;
	}
	if (!eal_fault_running("", eal_argc, eal_argv, why, sizeof(why)) &&
	    eal_fault_find("", eal_argc, eal_argv, why, sizeof(why)))
		snprintf(lacks, EAL_ERROR_LEN, "%s", why);
	return 0;
}

int eal_start(const struct config_node *node, int argc, char **argv, char error[EAL_ERROR_LEN])
{
	if (arguments_take(node, argc, argv, error) != 0)
		return -EINVAL;
	argc = eal_argc;
	argv = eal_argv;
	if (interfaces_check(argc, argv, error) != 0)
		return -EBUSY;
	atexit(runtime_dir_remove);
	packet_fanout_start(argc, argv);
	if (rte_eal_init(argc, argv) < 0) {
		/* Its usage text, before the sentence that says what is amiss: both may go into a
		 * pipe. */
		fflush(stdout);
		explain(argc, argv, error);
		return -EINVAL;
	}
	snprintf(runtime_dir, sizeof(runtime_dir), "%s", rte_eal_get_runtime_dir());
	/* dpdk-dumpcap asks by EAL's socket. Without shared memory there is no such socket, and
	 * nothing else is amiss. */
	if (rte_pdump_init() < 0)
		log_notice("eal", "dpdk-dumpcap will see no packets: %s", rte_strerror(rte_errno));
	return 0;
}

void eal_explain_devices(const struct config_node *node, char error[EAL_ERROR_LEN])
{
	const size_t n = strlen(error);
	char why[EAL_ERROR_LEN];
	bool known = false;

	if (strncmp(error, "port ", 5) != 0)
		return;
	for (uint32_t i = 0; i < node->n_ports && !known; i++)
		known = eal_fault_device("", node->ports[i].device, why, sizeof(why));
	if (known || eal_fault_devices("", eal_argc, eal_argv, why, sizeof(why)))
		snprintf(error + n, EAL_ERROR_LEN - n, ": %.*s", (int)(EAL_ERROR_LEN - n - 3), why);
}
