/* SPDX-License-Identifier: BSD-3-Clause */
/* Doctor's rules about the machine: hugepages, IOMMU, driver binding. Files that cannot be read are
 * not judged. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "cli/view.h"

/* A number of a file: behind a key at the start of a line, or the first one. -1: there is none. */
static long value_of(const char *root, const char *path, const char *key)
{
	char name[PATH_MAX], line[256];
	long value = -1;
	FILE *f;

	snprintf(name, sizeof(name), "%s%s", root, path);
	f = fopen(name, "re");
	while (f && value < 0 && fgets(line, sizeof(line), f))
		if (strncmp(line, key, strlen(key)) == 0 &&
		    sscanf(line + strlen(key), "%ld", &value) != 1)
			value = -1;
	if (f)
		fclose(f);
	return value;
}

static bool says_yes(const char *root, const char *path)
{
	char name[PATH_MAX];
	FILE *f;
	int c;

	snprintf(name, sizeof(name), "%s%s", root, path);
	f = fopen(name, "re");
	c = f ? fgetc(f) : EOF;
	if (f)
		fclose(f);
	return c == 'Y' || c == '1';
}

/* "0000:01:00.0" */
static bool is_pci(const char *device)
{
	unsigned int domain, bus, slot, function;
	int n = 0;

	return sscanf(device, "%4x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &n) == 4 &&
	       device[n] == '\0';
}

/* The driver of Linux that a device is bound to, or "". */
static void driver_of(const char *root, const char *device, char *out, size_t len)
{
	char name[PATH_MAX], target[PATH_MAX];
	const char *slash;
	ssize_t n;

	snprintf(name, sizeof(name), "%s/sys/bus/pci/devices/%s/driver", root, device);
	n = readlink(name, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	slash = strrchr(target, '/');
	snprintf(out, len, "%.63s", slash ? slash + 1 : target);
}

static void look_binding(const char *root, const json_t *port, json_t *out)
{
	const char *device = view_text(port, "device"), *name = view_text(port, "name");
	char driver[64];

	driver_of(root, device, driver, sizeof(driver));
	if (strncmp(driver, "uio_", 4) == 0 || strcmp(driver, "igb_uio") == 0 ||
	    (strcmp(driver, "vfio-pci") == 0 &&
	     says_yes(root, "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode")))
		doctor_find(out, FINDING_IOMMU_OFF,
			    "the NIC, and who takes it over, can write to all memory: switch the "
			    "IOMMU on (plvs-host apply --iommu)",
			    "port list", "port %s (%s, driver %s) works without an IOMMU", name,
			    device, driver);
	/* Drivers that share the device with Linux, as mlx5, stay bound to it. */
	if (!driver[0])
		doctor_find(out, FINDING_DEVICE_UNBOUND,
			    "the next start of plvs will not find it: bind it again (plvs-host "
			    "apply --nic)",
			    "port list", "port %s: the device %s has no driver of Linux any more",
			    name, device);
}

void doctor_look_host(const json_t *ports, const char *root, json_t *out)
{
	const long pages = value_of(root, "/proc/meminfo", "HugePages_Total:");
	bool pci = false;
	const json_t *port;
	size_t i;

	json_array_foreach (json_object_get(ports, "ports"), i, port) {
		if (!is_pci(view_text(port, "device")))
			continue;
		pci = true;
		look_binding(root, port, out);
	}
	if (pci && pages == 0)
		doctor_find(out, FINDING_HUGEPAGES_MISSING,
			    "packets and connections are in pages of 4 KiB, and each costs a look "
			    "at the page tables: plvs-host apply --hugepages",
			    "worker list", "this host has no hugepages");
}
