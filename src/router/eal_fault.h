/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_EAL_FAULT_H
#define PLVS_ROUTER_EAL_FAULT_H

/*
 * The reason why EAL or a device does not start, in a sentence that names the remedy. EAL's own
 * error is little more than an errno ("Permission denied" where there are no hugepages), so these
 * functions look at the host: hugepages, hugetlbfs, PCI devices and their drivers, VFIO, interfaces
 * under virtual devices, another process with the same file prefix.
 *
 * Context: main, before threads start.
 */

#include <stdbool.h>
#include <stddef.h>

/* argv[1..argc-1]: EAL's arguments. root stands before every path of the host: "" but in tests.
 * False: no reason was found. */
bool eal_fault_find(const char *root, int argc, char *const *argv, char *text, size_t len);

/* The same for the devices of the arguments only, for a process that runs and has its memory. */
bool eal_fault_devices(const char *root, int argc, char *const *argv, char *text, size_t len);

/* True: another process runs with the file prefix of the arguments. */
bool eal_fault_running(const char *root, int argc, char *const *argv, char *text, size_t len);

/* The arguments make no device of this name: a virtual one that no --vdev makes, or a PCI address
 * that --no-pci, -a or -b keeps out. The function does not look at the host. */
bool eal_fault_unmade(int argc, char *const *argv, const char *device, char *text, size_t len);

/* The same as eal_fault_devices() for one device of the configuration: a PCI address; false for
 * other names. */
bool eal_fault_device(const char *root, const char *device, char *text, size_t len);

#endif
