/* SPDX-License-Identifier: BSD-3-Clause */
#include "router/eal_fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORD_LEN    128
#define PAGES_PATH  "/sys/kernel/mm/hugepages"
#define HOST_SHOW   "\"plvs-host show\" lists the NICs"
#define FILE_PREFIX "rte" /* EAL's default */

struct host {
	const char *root;
	char *text;
	size_t len;
};

/* ---- arguments ---- */

/* The value of argv[i], an option with the given names: "-a X", "-aX", "--allow X", "--allow=X". */
static const char *option_value(int argc, char *const *argv, int i, const char *letter,
				const char *name)
{
	const char *arg = argv[i];
	const size_t n = strlen(name);

	if (letter && strncmp(arg, letter, 2) == 0 && arg[1] != '-') {
		if (arg[2] != '\0')
			return arg + 2;
	} else if (strncmp(arg, name, n) == 0 && arg[n] == '=') {
		return arg + n + 1;
	} else if (strcmp(arg, name) != 0) {
		return NULL;
	}
	return i + 1 < argc ? argv[i + 1] : NULL;
}

static bool option_given(int argc, char *const *argv, const char *name)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return false;
}

/* Up to the comma behind which a device has its arguments. */
static void word_copy(const char *from, char word[WORD_LEN])
{
	snprintf(word, WORD_LEN, "%.*s", (int)strcspn(from, ","), from);
}

/* ---- files ---- */

static void host_path(const struct host *h, char path[PATH_MAX], const char *format,
		      const char *word)
{
	int n = snprintf(path, PATH_MAX, "%s", h->root);

	snprintf(path + n, PATH_MAX - (size_t)n, format, word);
}

static bool host_has(const struct host *h, const char *format, const char *word)
{
	char path[PATH_MAX];

	host_path(h, path, format, word);
	return access(path, F_OK) == 0;
}

/* The last part of what a link points to; "" if it is no link. */
static void host_link(const struct host *h, const char *format, const char *word,
		      char name[WORD_LEN])
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n;

	host_path(h, path, format, word);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	snprintf(name, WORD_LEN, "%.100s", n > 0 ? basename(target) : "");
}

/* The first word of a file; "" if it cannot be read. */
static void host_word(const struct host *h, const char *format, const char *word,
		      char out[WORD_LEN])
{
	char path[PATH_MAX];
	FILE *f;

	out[0] = '\0';
	host_path(h, path, format, word);
	f = fopen(path, "re");
	if (f && fscanf(f, "%100s", out) != 1)
		out[0] = '\0';
	if (f)
		fclose(f);
}

/* The first name in a folder; "" if there is none. */
static void host_first(const struct host *h, const char *format, const char *word,
		       char name[WORD_LEN])
{
	const struct dirent *e;
	char path[PATH_MAX];
	DIR *d;

	name[0] = '\0';
	host_path(h, path, format, word);
	d = opendir(path);
	while (d && !name[0] && (e = readdir(d)))
		if (e->d_name[0] != '.')
			snprintf(name, WORD_LEN, "%.100s", e->d_name);
	if (d)
		closedir(d);
}

/* ---- memory ---- */

/* Sums a counter over all sizes of hugepages. */
static unsigned long pages_count(const struct host *h, const char *format)
{
	const struct dirent *e;
	char path[PATH_MAX], n[WORD_LEN];
	unsigned long sum = 0;
	DIR *d;

	host_path(h, path, PAGES_PATH "%s", "");
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		host_word(h, format, e->d_name, n);
		sum += strtoul(n, NULL, 10);
	}
	if (d)
		closedir(d);
	return sum;
}

static bool hugetlbfs_mounted(const struct host *h)
{
	char path[PATH_MAX], line[1024];
	bool found = false;
	FILE *f;

	host_path(h, path, "/proc/mounts%s", "");
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, " hugetlbfs ") != NULL;
	if (f)
		fclose(f);
	return found;
}

static bool memory_fault(const struct host *h, int argc, char *const *argv)
{
	if (option_given(argc, argv, "--no-huge"))
		return false;
	if (pages_count(h, PAGES_PATH "/%s/nr_hugepages") == 0) {
		snprintf(h->text, h->len,
			 "this host has no hugepages: \"plvs-host apply --hugepages 512\" reserves "
			 "512 MiB; a laboratory runs without by --no-huge -m 512");
		return true;
	}
	if (!option_given(argc, argv, "--in-memory") && !hugetlbfs_mounted(h)) {
		snprintf(
			h->text, h->len,
			"no hugetlbfs is mounted: \"systemctl start dev-hugepages.mount\", or give "
			"--in-memory");
		return true;
	}
	if (pages_count(h, PAGES_PATH "/%s/free_hugepages") == 0) {
		snprintf(h->text, h->len,
			 "all hugepages are in use: another program has them, or files that one "
			 "left "
			 "in /dev/hugepages; \"plvs-host apply --hugepages\" reserves more");
		return true;
	}
	return false;
}

/* ---- devices ---- */

static bool pci_address(const char *device, char address[WORD_LEN])
{
	unsigned int domain, bus, slot, function;
	char end;

	if (sscanf(device, "%x:%x:%x.%x%c", &domain, &bus, &slot, &function, &end) != 4) {
		domain = 0;
		if (sscanf(device, "%x:%x.%x%c", &bus, &slot, &function, &end) != 3)
			return false;
	}
	snprintf(address, WORD_LEN, "%04x:%02x:%02x.%x", domain, bus, slot, function);
	return true;
}

static bool driver_is_dpdk(const char *driver)
{
	static const char *const names[] = {"vfio-pci",	 "uio_pci_generic", "igb_uio",
					    "mlx4_core", "mlx5_core",	    "mana"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(driver, names[i]) == 0)
			return true;
	return false;
}

static bool vfio_fault(const struct host *h, const char *address)
{
	char group[WORD_LEN], mode[WORD_LEN], path[PATH_MAX], file[WORD_LEN + 8];
	int fd, rc;

	host_link(h, "/sys/bus/pci/devices/%s/iommu_group", address, group);
	host_word(h, "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode%s", "", mode);
	if (!group[0] && mode[0] != 'Y') {
		snprintf(h->text, h->len,
			 "%s: vfio-pci needs an IOMMU, and none is on: \"plvs-host apply --iommu\" "
			 "and a reboot, with VT-d or AMD-Vi on in the firmware; without an IOMMU: "
			 "\"plvs-host apply --nic %s --no-iommu\"",
			 address, address);
		return true;
	}
	snprintf(file, sizeof(file), "%s%s",
		 host_has(h, "/dev/vfio/noiommu-%s", group) ? "noiommu-" : "", group);
	host_path(h, path, "/dev/vfio/%s", file);
	fd = open(path, O_RDWR | O_CLOEXEC);
	rc = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	if (rc == EBUSY)
		snprintf(h->text, h->len,
			 "%s is in use by another program: \"fuser -v /dev/vfio/%s\" names it",
			 address, file);
	else if (rc == EACCES || rc == EPERM)
		snprintf(h->text, h->len,
			 "%s: no right to open /dev/vfio/%s: start plvs as root, or \"plvs-host "
			 "apply "
			 "--nic %s --group GROUP\" for the group of its user",
			 address, file, address);
	else
		return false;
	return true;
}

static bool device_fault(const struct host *h, const char *device)
{
	char address[WORD_LEN], driver[WORD_LEN], interface[WORD_LEN];

	if (!pci_address(device, address))
		return false;
	if (!host_has(h, "/sys/bus/pci/devices/%s", address)) {
		snprintf(h->text, h->len, "no PCI device has the address %s; " HOST_SHOW, address);
		return true;
	}
	host_link(h, "/sys/bus/pci/devices/%s/driver", address, driver);
	if (strcmp(driver, "vfio-pci") == 0)
		return vfio_fault(h, address);
	if (driver_is_dpdk(driver))
		return false;
	host_first(h, "/sys/bus/pci/devices/%s/net", address, interface);
	snprintf(h->text, h->len,
		 "%s is not given to DPDK: %s%s%s%s%s; \"plvs-host apply --nic %s\"", address,
		 driver[0] ? "it has Linux's driver " : "it has no driver", driver,
		 interface[0] ? " (interface " : "", interface, interface[0] ? ")" : "", address);
	return true;
}

/* As net_af_xdp counts queues: an interface that tells receive and transmit queues apart, such as
 * veth, has one. */
static unsigned int combined_queues(const char *interface)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request = {.ifr_data = (char *)&channels};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = -1;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%.*s", IFNAMSIZ - 1, interface);
	if (fd >= 0) {
		rc = ioctl(fd, SIOCETHTOOL, &request);
		close(fd);
	}
	return rc < 0 || channels.max_combined == 0 ? 1 : channels.combined_count;
}

static bool queues_fault(const struct host *h, const char *vdev, const char *interface)
{
	const char *at = strstr(vdev, ",queue_count=");
	unsigned int asked, has;

	/* Another root has no interfaces to ask. */
	if (strncmp(vdev, "net_af_xdp", 10) != 0 || !at || h->root[0] ||
	    sscanf(at, ",queue_count=%u", &asked) != 1)
		return false;
	has = combined_queues(interface);
	if (asked <= has)
		return false;
	snprintf(h->text, h->len,
		 "%s has %u combined queue%s, fewer than queue_count=%u asks for: \"ethtool -L %s "
		 "combined %u\"; a veth has one",
		 interface, has, has == 1 ? "" : "s", asked, interface, asked);
	return true;
}

/* "net_af_packet0,iface=eth1,...": the interface is there, in this network namespace. */
static bool vdev_fault(const struct host *h, const char *vdev)
{
	const char *at = strstr(vdev, ",iface=");
	char name[WORD_LEN];

	if (!at || strncmp(vdev, "net_tap", 7) == 0)
		return false;
	word_copy(at + 7, name);
	if (host_has(h, "/sys/class/net/%s", name))
		return queues_fault(h, vdev, name);
	snprintf(h->text, h->len,
		 "there is no interface %s in this network namespace (--vdev %.100s); \"ip link\" "
		 "lists "
		 "them",
		 name, vdev);
	return true;
}

/* ---- another process ---- */

/* EAL's primary process holds a lock on its configuration. */
static bool prefix_fault(const struct host *h, const char *prefix)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[PATH_MAX], part[WORD_LEN];
	int fd, rc;

	word_copy(prefix, part);
	host_path(h, path, "/var/run/dpdk/%s/config", part);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	rc = fcntl(fd, F_GETLK, &lock);
	close(fd);
	if (rc != 0 || lock.l_type == F_UNLCK)
		return false;
	snprintf(h->text, h->len,
		 "process %d runs with the file prefix \"%s\": plvs was started twice (\"plvsctl "
		 "status\"), or a second DPDK program needs --file-prefix NAME",
		 (int)lock.l_pid, part);
	return true;
}

bool eal_fault_devices(const char *root, int argc, char *const *argv, char *text, size_t len)
{
	const struct host h = {.root = root, .text = text, .len = len};
	const char *value;
	char word[WORD_LEN];

	for (int i = 1; i < argc; i++) {
		if ((value = option_value(argc, argv, i, "-a", "--allow"))) {
			word_copy(value, word);
			if (device_fault(&h, word))
				return true;
		} else if ((value = option_value(argc, argv, i, NULL, "--vdev"))) {
			if (vdev_fault(&h, value))
				return true;
		}
	}
	return false;
}

bool eal_fault_running(const char *root, int argc, char *const *argv, char *text, size_t len)
{
	const struct host h = {.root = root, .text = text, .len = len};
	const char *prefix = FILE_PREFIX, *value;

	for (int i = 1; i < argc; i++)
		if ((value = option_value(argc, argv, i, NULL, "--file-prefix")))
			prefix = value;
	return prefix_fault(&h, prefix);
}

bool eal_fault_find(const char *root, int argc, char *const *argv, char *text, size_t len)
{
	const struct host h = {.root = root, .text = text, .len = len};

	return eal_fault_running(root, argc, argv, text, len) || memory_fault(&h, argc, argv) ||
	       eal_fault_devices(root, argc, argv, text, len);
}

/* Is the device among the values of an option? given: the option stands there at all. */
static bool option_names(int argc, char *const *argv, const char *letter, const char *name,
			 const char *device, bool *given)
{
	char word[WORD_LEN], address[WORD_LEN];
	const char *value;

	*given = false;
	for (int i = 1; i < argc; i++) {
		if (!(value = option_value(argc, argv, i, letter, name)))
			continue;
		*given = true;
		word_copy(value, word);
		if (strcmp(word, device) == 0 ||
		    (pci_address(word, address) && strcmp(address, device) == 0))
			return true;
	}
	return false;
}

bool eal_fault_unmade(int argc, char *const *argv, const char *device, char *text, size_t len)
{
	char address[WORD_LEN];
	bool given;

	if (strncmp(device, "net_", 4) == 0 || strncmp(device, "eth_", 4) == 0) {
		if (option_names(argc, argv, NULL, "--vdev", device, &given))
			return false;
		snprintf(text, len, "no --vdev of the EAL arguments makes %.60s", device);
		return true;
	}
	if (!pci_address(device, address))
		return false;
	if (option_given(argc, argv, "--no-pci"))
		snprintf(text, len, "--no-pci of the EAL arguments keeps %s out", address);
	else if (option_names(argc, argv, "-b", "--block", address, &given))
		snprintf(text, len, "-b of the EAL arguments keeps %s out", address);
	else if (!option_names(argc, argv, "-a", "--allow", address, &given) && given)
		snprintf(text, len, "no -a of the EAL arguments gives %s", address);
	else
		return false;
	return true;
}

bool eal_fault_device(const char *root, const char *device, char *text, size_t len)
{
	const struct host h = {.root = root, .text = text, .len = len};

	return device_fault(&h, device);
}
