/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "router/eal_fault.h"

#define PCI   "/sys/bus/pci/devices/0000:02:00.0"
#define PAGES "/sys/kernel/mm/hugepages/hugepages-2048kB"

static char root[64];

static const char *at(const char *path)
{
	static char full[512];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return full;
}

/* A file of the host with the folders above it. */
static void host_file(const char *path, const char *text)
{
	char full[512];
	FILE *f;

	snprintf(full, sizeof(full), "%s", at(path));
	for (char *c = full + strlen(root) + 1; (c = strchr(c, '/')); *c++ = '/') {
		*c = '\0';
		(void)mkdir(full, 0755);
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void host_link(const char *target, const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "%s", at(path));
	(void)unlink(full);
	assert_int_equal(symlink(target, full), 0);
}

/* A host that lacks nothing: hugepages, an IOMMU, one NIC that vfio-pci has. */
static int host_make(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/eal_fault.XXXXXX");
	assert_non_null(mkdtemp(root));
	host_file(PAGES "/nr_hugepages", "512\n");
	host_file(PAGES "/free_hugepages", "500\n");
	host_file("/proc/mounts", "hugetlbfs /dev/hugepages hugetlbfs rw 0 0\n");
	host_file(PCI "/net/eth1/mtu", "1500\n");
	host_link("../../drivers/vfio-pci", PCI "/driver");
	host_link("../../iommu_groups/7", PCI "/iommu_group");
	host_file("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N\n");
	host_file("/dev/vfio/7", "");
	host_file("/sys/class/net/eth5/mtu", "1500\n");
	return 0;
}

static int host_remove(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

/* The sentence about arguments in one string; "" for nothing. */
static const char *said(const char *words)
{
	static char text[512];
	char copy[256], program[] = "plvs", *argv[16] = {program}, *save = NULL;
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	text[0] = '\0';
	if (!eal_fault_find(root, argc, argv, text, sizeof(text)))
		assert_string_equal(text, "");
	return text;
}

#define assert_says(words, part) assert_non_null(strstr(said(words), part))

static void a_host_that_lacks_nothing_is_not_complained_of(void **state)
{
	(void)state;
	assert_string_equal(said("-l 0-2 -a 0000:02:00.0"), "");
	assert_string_equal(said("-l 0-2 -a02:00.0,arg=1 --file-prefix=x"), "");
	assert_string_equal(said("--allow=0000:02:00.0"), "");
	assert_string_equal(said("--vdev net_af_xdp0,iface=eth5"), "");
	assert_string_equal(said("--vdev net_tap0,iface=new0"), "");
	assert_string_equal(said("-a class=net -a"), "");
}

static void memory_that_lacks_is_named_with_its_remedy(void **state)
{
	(void)state;
	host_file(PAGES "/free_hugepages", "0\n");
	assert_says("-l 0", "all hugepages are in use");
	host_file("/proc/mounts", "proc /proc proc rw 0 0\n");
	assert_says("-l 0", "systemctl start dev-hugepages.mount");
	assert_says("-l 0 --in-memory", "all hugepages are in use");
	host_file(PAGES "/nr_hugepages", "0\n");
	assert_says("-l 0", "plvs-host apply --hugepages 512");
	assert_string_equal(said("-l 0 --no-huge -m 512"), "");
}

static void devices_that_cannot_be_opened_are_named(void **state)
{
	char text[256];

	(void)state;
	assert_says("-a 0000:02:00.7", "no PCI device has the address 0000:02:00.7");
	assert_says("-l 0 -a 2:0.7", "no PCI device has the address 0000:02:00.7");
	host_link("../../drivers/e1000e", PCI "/driver");
	assert_says(
		"-a 0000:02:00.0",
		"Linux's driver e1000e (interface eth1); \"plvs-host apply --nic 0000:02:00.0\"");
	assert_true(eal_fault_device(root, "0000:02:00.0", text, sizeof(text)));
	assert_false(eal_fault_device(root, "net_af_packet0", text, sizeof(text)));
	host_link("../../drivers/mlx5_core", PCI "/driver");
	assert_string_equal(said("-a 0000:02:00.0"), "");
	assert_int_equal(unlink(at(PCI "/driver")), 0);
	assert_says("-a 0000:02:00.0", "it has no driver");
	assert_says("--vdev net_af_packet0,iface=eth6,framesz=2048", "no interface eth6");
}

/* Sentences about a device and arguments in one string; "" for none. */
static const char *unmade(const char *words, const char *device)
{
	static char text[512];
	char copy[256], program[] = "plvs", *argv[16] = {program}, *save = NULL;
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	text[0] = '\0';
	(void)eal_fault_unmade(argc, argv, device, text, sizeof(text));
	return text;
}

static void a_device_that_the_arguments_do_not_make_is_named(void **state)
{
	static const char xdp[] = "-l 0 --no-pci --vdev net_af_xdp0,iface=eth1";

	(void)state;
	assert_string_equal(unmade(xdp, "net_af_xdp0"), "");
	assert_string_equal(unmade("--vdev=net_tap0", "net_tap0"), "");
	assert_non_null(strstr(unmade(xdp, "net_af_xdp1"), "makes net_af_xdp1"));
	assert_non_null(strstr(unmade("-l 0", "net_af_xdp"), "makes net_af_xdp"));
	assert_non_null(strstr(unmade(xdp, "0000:02:00.0"), "--no-pci"));
	assert_string_equal(unmade("-l 0", "0000:02:00.0"), "");
	assert_string_equal(unmade("-a 02:00.0,arg=1 -a 03:00.0", "0000:02:00.0"), "");
	assert_string_equal(unmade("-a 0000:02:00.0", "02:00.0"), "");
	assert_non_null(strstr(unmade("-a 02:00.1", "0000:02:00.0"), "no -a"));
	assert_non_null(strstr(unmade("-b 02:00.0", "0000:02:00.0"), "-b of"));
	assert_string_equal(unmade("-b 02:00.1", "0000:02:00.0"), "");
	assert_string_equal(unmade("-a 02:00.1", "some_other_bus"), "");
}

static void vfio_without_iommu_or_right_is_named(void **state)
{
	(void)state;
	assert_int_equal(unlink(at(PCI "/iommu_group")), 0);
	assert_says("-a 0000:02:00.0", "needs an IOMMU");
	host_file("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
	assert_string_equal(said("-a 0000:02:00.0"), "");
	host_link("../../iommu_groups/7", PCI "/iommu_group");
	assert_int_equal(chmod(at("/dev/vfio/7"), 0), 0);
	/* Root may open everything: the right is looked for as another user. */
	assert_int_equal(chmod(root, 0755), 0);
	(void)!seteuid(65534);
	assert_says("-a 0000:02:00.0", "no right to open /dev/vfio/7");
	(void)!seteuid(0);
}

static void a_second_process_of_a_prefix_is_named(void **state)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd, ready[2];
	pid_t pid;
	char c;

	(void)state;
	host_file("/var/run/dpdk/rte/config", "");
	assert_string_equal(said("-l 0"), "");
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		fd = open(at("/var/run/dpdk/rte/config"), O_RDWR);
		_exit(fcntl(fd, F_SETLK, &lock) == 0 && write(ready[1], "x", 1) == 1 ? pause() : 1);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_says("-l 0", "was started twice");
	assert_string_equal(said("-l 0 --file-prefix other"), "");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, host_make, host_remove)
	const struct CMUnitTest tests[] = {
		TEST(a_host_that_lacks_nothing_is_not_complained_of),
		TEST(memory_that_lacks_is_named_with_its_remedy),
		TEST(devices_that_cannot_be_opened_are_named),
		TEST(a_device_that_the_arguments_do_not_make_is_named),
		TEST(vfio_without_iommu_or_right_is_named),
		TEST(a_second_process_of_a_prefix_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
