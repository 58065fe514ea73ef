/* SPDX-License-Identifier: BSD-3-Clause */
#include "link/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>

#include "base/array.h"
#include "base/error_text.h"
#include "base/log.h"

#define AREA "link"

void tap_init(struct tap *t, uint16_t port, uint16_t vlan)
{
	memset(t, 0, sizeof(*t));
	t->port = port;
	t->vlan = vlan;
	t->fd = -1;
	t->urgent_fd = -1;
	t->carrier = -1;
}

static int sysctl_read(const char *path, char *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, len - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

/* Writes only what differs: a write of ip_forward resets every interface. key: under
 * /proc/sys/net, with the interface's name for %s. A kernel without IPv6 has none of its keys. */
static void sysctl_set(const char *key, const char *ifname, const char *value, bool tell)
{
	char path[128], old[32] = "";
	const char *name = strstr(key, "%s");
	int fd, ret;

	snprintf(path, sizeof(path), "/proc/sys/net/%.*s%s%s", (int)(name ? name - key : 99), key,
		 name ? ifname : "", name ? name + 2 : "");
	ret = sysctl_read(path, old, sizeof(old));
	if ((ret == 0 && strcmp(old, value) == 0) ||
	    (ret == -ENOENT && strncmp(key, "ipv6", 4) == 0))
		return;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ret = fd < 0 || write(fd, value, strlen(value)) < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	if (ret)
		log_warning(AREA, "cannot set %s to %s: %s", path, value, strerror(ret));
	else if (tell)
		log_notice(AREA, "set %s from %s to %s", path, old, value);
}

void tap_sysctls(const char *ifname)
{
	sysctl_set("ipv4/conf/%s/arp_announce", ifname, "2", false);
	sysctl_set("ipv4/conf/%s/send_redirects", ifname, "0", false);
	sysctl_set("ipv4/conf/%s/rp_filter", ifname, "0", false);
	sysctl_set("ipv4/conf/%s/forwarding", ifname, "1", false);
	/* accept_ra stays as it is: Linux heeds router advertisements of a forwarding interface
	 * if the administrator says 2. */
	sysctl_set("ipv6/conf/%s/disable_ipv6", ifname, "0", true);
	sysctl_set("ipv6/conf/%s/forwarding", ifname, "1", false);
	/* As for IPv4: "ip link set down" takes no address away. */
	sysctl_set("ipv6/conf/%s/keep_addr_on_down", ifname, "1", false);
}

void tap_sysctls_all(bool own)
{
	/* Linux takes the greater of "all" and the interface's for these two. */
	sysctl_set("ipv4/conf/%s/rp_filter", "all", "0", !own);
	sysctl_set("ipv4/conf/%s/send_redirects", "all", "0", !own);
	/* In a namespace shared with others only the TAPs forward: see tap_sysctls(). Of IPv6
	 * Linux forwards nothing unless "all" says so, and then ignores router advertisements on
	 * every interface: that is the administrator's decision. */
	if (!own)
		return;
	sysctl_set("ipv4/ip_forward", NULL, "1", false);
	sysctl_set("ipv6/conf/%s/forwarding", "all", "1", false);
}

/* Attaches fd as a queue of the TAP; makes the TAP if there is none. 0 or -errno. */
static int queue_attach(int fd, const char *name, unsigned int flags)
{
	struct ifreq ifr = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | flags)};

	memcpy(ifr.ifr_name, name, strnlen(name, sizeof(ifr.ifr_name) - 1));
	return ioctl(fd, TUNSETIFF, &ifr) < 0 ? -errno : 0;
}

/* How many queues of a TAP are attached, by whomever; 1 where the kernel does not say. */
static unsigned int queues_attached(const char *name)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq ifr = {.ifr_data = (char *)&channels};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret;

	memcpy(ifr.ifr_name, name, strnlen(name, sizeof(ifr.ifr_name) - 1));
	ret = fd < 0 ? -1 : ioctl(fd, SIOCETHTOOL, &ifr);
	if (fd >= 0)
		close(fd);
	return ret < 0 ? 1 : channels.combined_count;
}

/* Makes a TAP with room for the urgent queue. One that exists is taken as it is: with a
 * single queue, or with many of which nobody else has one. */
static int tap_attach(const struct tap *t, const char *name, bool *many)
{
	int ret;

	*many = true;
	if (!t->created) {
		*many = false;
		ret = queue_attach(t->fd, name, 0);
		if (ret != -EINVAL)
			return ret;
		*many = true;
	}
	ret = queue_attach(t->fd, name, IFF_MULTI_QUEUE);
	if (ret == 0 && queues_attached(name) > 1)
		return -EBUSY;
	if (ret == -EINVAL && t->created) { /* a kernel without */
		*many = false;
		ret = queue_attach(t->fd, name, 0);
	}
	return ret;
}

/* The queue that Linux takes for a frame: 1 for priority 7, else 0. -1: not possible. */
static int steering_load(void)
{
	static const struct bpf_insn program[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_W,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_REG_1,
		 .off = offsetof(struct __sk_buff, priority)},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = BPF_REG_1, .off = 1, .imm = 7},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (uintptr_t)program;
	attr.insn_cnt = sizeof(program) / sizeof(program[0]);
	attr.license = (uintptr_t) "BSD";
	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* Without it everything works, only behind the bulk of what Linux sends. */
static void urgent_open(struct tap *t, const char *name)
{
	int program = steering_load(), ret = program < 0 ? -errno : 0;

	if (ret == 0) {
		t->urgent_fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
		ret = t->urgent_fd < 0 ? -errno : queue_attach(t->urgent_fd, name, IFF_MULTI_QUEUE);
	}
	if (ret == 0 && ioctl(t->fd, TUNSETSTEERINGEBPF, &program) < 0)
		ret = -errno;
	if (program >= 0)
		close(program);
	if (ret == 0)
		return;
	if (t->urgent_fd >= 0)
		close(t->urgent_fd);
	t->urgent_fd = -1;
	log_info(AREA, "TAP %s: no queue for urgent frames: %s", name, strerror(-ret));
}

static int tap_ioctls(struct tap *t, const char *name, char error[ERROR_TEXT])
{
	bool many;
	int ret;

	t->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->fd < 0) {
		ret = -errno;
		return error_text(error, ret, "/dev/net/tun: %s", strerror(-ret));
	}
	ret = tap_attach(t, name, &many);
	if (ret < 0)
		return error_text(error, ret, "TAP %s: %s", name,
				  ret == -EBUSY ? "another program has it open"
				  : ret == -EINVAL
					  ? "an interface of this name exists and is not a TAP"
				  : ret == -EPERM ? "not permitted: plvs needs CAP_NET_ADMIN"
						  : strerror(-ret));
	/* Linux then completes checksums and cuts segments before it hands frames over. */
	if (ioctl(t->fd, TUNSETOFFLOAD, 0UL) < 0) {
		ret = -errno;
		return error_text(error, ret, "TAP %s: cannot turn offloads off: %s", name,
				  strerror(-ret));
	}
	if (many)
		urgent_open(t, name);
	return 0;
}

static const char *reason(const struct nlreq *r, int ret)
{
	return r->why[0] ? r->why : strerror(-ret);
}

/* Addresses and routes of an interface made here. Routes may wait for one another: a
 * gateway behind another route is no error of order. */
static int apply_linux(struct nlreq *r, int ifindex, const char *ifname,
		       const struct link_linux *ls, char error[ERROR_TEXT])
{
	char text[PREFIX_STRLEN];
	int ret;

	for (uint32_t i = 0; i < ls->n_addrs; i++) {
		const struct net_addr *a = &ls->addrs[i];

		ret = nlreq_addr_add(r, ifindex, &a->addr, a->len, 0);
		if (ret < 0)
			return error_text(error, ret, "%s: address %s/%u: %s", ifname,
					  addr_format(&a->addr, text, sizeof(text)), a->len,
					  reason(r, ret));
	}
	for (uint32_t i = 0; i < ls->n_routes; i++) {
		ret = nlreq_route_add(r, ifindex, &ls->routes[i]);
		if (ret < 0)
			return error_text(error, ret, "%s: route to %s: %s", ifname,
					  prefix_format(&ls->routes[i].dest, text, sizeof(text)),
					  reason(r, ret));
	}
	return 0;
}

int tap_vlan_add(struct tap *t, struct nlreq *r, const struct link_vlan_config *vlan,
		 const char *name, char error[ERROR_TEXT])
{
	struct nl_link l;
	int ret;

	error[0] = '\0';
	ret = nlreq_link_get(r, name, &l);
	if (ret == 0 && l.vlan == 0)
		return -EOPNOTSUPP; /* perhaps a TAP that stands for it: tap_open() will tell */
	if (ret == 0) {
		if (l.parent == t->ifindex && l.vlan == vlan->id)
			return nlreq_link_set_up(r, l.ifindex);
		return error_text(error, -EEXIST,
				  "%s: an interface of this name exists and is another VLAN", name);
	}
	ret = nlreq_vlan_add(r, t->ifindex, vlan->id, name);
	if (ret == -EOPNOTSUPP)
		return ret;
	if (ret == 0)
		ret = nlreq_link_get(r, name, &l);
	if (ret < 0)
		return error_text(error, ret, "%s: cannot make VLAN %u: %s", name, vlan->id,
				  reason(r, ret));
	if (array_room(&t->made_vlans, t->n_made_vlans, &t->max_made_vlans,
		       sizeof(*t->made_vlans)) < 0)
		return -ENOMEM;
	t->made_vlans[t->n_made_vlans++] = l.ifindex;
	tap_sysctls(name);
	ret = nlreq_link_set_up(r, l.ifindex);
	return ret < 0 ? ret : apply_linux(r, l.ifindex, name, &vlan->linux_side, error);
}

/* MAC, MTU, sysctls, up. */
static int tap_set_up(struct tap *t, struct nlreq *r, const struct tap_want *want,
		      const struct nl_link *l)
{
	int ret = 0;

	t->ifindex = l->ifindex;
	if (memcmp(&l->mac, want->mac, sizeof(l->mac)) != 0)
		ret = nlreq_link_set_mac(r, t->ifindex, want->mac);
	if (ret == 0 && t->created && l->mtu != want->mtu)
		ret = nlreq_link_set_mtu(r, t->ifindex, want->mtu);
	tap_sysctls(want->name);
	return ret < 0 ? ret : nlreq_link_set_up(r, t->ifindex);
}

int tap_open(struct tap *t, struct nlreq *r, const struct tap_want *want, char error[ERROR_TEXT])
{
	struct nl_link l;
	int ret;

	error[0] = '\0';
	t->created = nlreq_link_get(r, want->name, &l) < 0;
	ret = tap_ioctls(t, want->name, error);
	if (ret == 0)
		ret = nlreq_link_get(r, want->name, &l);
	if (ret == 0)
		ret = tap_set_up(t, r, want, &l);
	if (ret == 0 && t->created)
		ret = apply_linux(r, t->ifindex, want->name, want->linux_side, error);
	if (ret < 0) {
		if (!error[0])
			error_text(error, 0, "TAP %s: %s", want->name, reason(r, ret));
		tap_close(t, r);
		return ret;
	}
	if (!t->created)
		log_info(AREA,
			 "attached to TAP %s as it is: linux addresses and routes of the "
			 "configuration are not applied",
			 want->name);
	return 0;
}

void tap_close(struct tap *t, struct nlreq *r)
{
	if (r && !t->created)
		for (uint32_t i = 0; i < t->n_made_vlans; i++)
			nlreq_link_del(r, t->made_vlans[i]);
	free(t->made_vlans);
	if (t->urgent_fd >= 0)
		close(t->urgent_fd);
	if (t->fd >= 0)
		close(t->fd);
	tap_init(t, t->port, t->vlan);
}

void tap_set_carrier(struct tap *t, bool up)
{
	int on = up;

	if (t->fd < 0 || t->carrier == on)
		return;
	if (ioctl(t->fd, TUNSETCARRIER, &on) == 0)
		t->carrier = on;
}
