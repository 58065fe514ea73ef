/* SPDX-License-Identifier: BSD-3-Clause */
#include "router/service_manager.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

/* "/path", or "@name" for an abstract socket. */
static int address_of(const char *path, struct sockaddr_un *out, socklen_t *len)
{
	const size_t n = strlen(path);

	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	if ((path[0] != '/' && path[0] != '@') || n < 2 || n >= sizeof(out->sun_path))
		return -EINVAL;
	memcpy(out->sun_path, path, n);
	if (path[0] == '@')
		out->sun_path[0] = '\0';
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	return 0;
}

/* Of this process: the variable may be inherited from one that the manager started. */
static uint64_t watchdog_of_environment(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	char *end;
	unsigned long long v;

	if (!us || (pid && strtoll(pid, NULL, 10) != (long long)getpid()))
		return 0;
	v = strtoull(us, &end, 10);
	return *end == '\0' ? v : 0;
}

int service_manager_open(struct service_manager *sm)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr;
	socklen_t len = 0;
	int ret = 0;

	memset(sm, 0, sizeof(*sm));
	sm->fd = -1;
	if (path) {
		sm->watchdog_us = watchdog_of_environment();
		ret = address_of(path, &addr, &len);
		if (ret == 0)
			sm->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (sm->fd >= 0 && connect(sm->fd, (struct sockaddr *)&addr, len) < 0) {
			ret = -errno;
			service_manager_close(sm);
		}
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return ret;
}

void service_manager_close(struct service_manager *sm)
{
	if (sm->fd >= 0)
		close(sm->fd);
	sm->fd = -1;
}

void service_manager_say(struct service_manager *sm, const char *lines)
{
	if (sm->fd >= 0)
		(void)!send(sm->fd, lines, strlen(lines), MSG_NOSIGNAL);
}

void service_manager_reloading(struct service_manager *sm, uint64_t now_us)
{
	char text[64];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)now_us);
	service_manager_say(sm, text);
}

void service_manager_status(struct service_manager *sm, const char *words)
{
	char text[sizeof(sm->status) + 8];

	if (strncmp(sm->status, words, sizeof(sm->status) - 1) == 0)
		return;
	snprintf(sm->status, sizeof(sm->status), "%s", words);
	snprintf(text, sizeof(text), "STATUS=%s", sm->status);
	service_manager_say(sm, text);
}

void service_manager_add(struct service_manager *sm, const uint64_t *progress)
{
	if (sm->n == SERVICE_MANAGER_LOOPS)
		return;
	if (sm->n == 0)
		sm->fed_us = clock_us();
	sm->progress[sm->n] = progress;
	sm->seen[sm->n++] = __atomic_load_n(progress, __ATOMIC_RELAXED);
}

bool service_manager_feed(struct service_manager *sm, uint64_t now_us)
{
	uint64_t now[SERVICE_MANAGER_LOOPS];

	if (sm->watchdog_us == 0 || now_us - sm->fed_us < sm->watchdog_us / 4)
		return true;
	for (uint16_t i = 0; i < sm->n; i++) {
		now[i] = __atomic_load_n(sm->progress[i], __ATOMIC_RELAXED);
		if (now[i] == sm->seen[i])
			return now_us - sm->fed_us < sm->watchdog_us / 2;
	}
	memcpy(sm->seen, now, sm->n * sizeof(now[0]));
	sm->fed_us = now_us;
	service_manager_say(sm, "WATCHDOG=1");
	return true;
}
