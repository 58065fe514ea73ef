/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/nft_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/netns.h"
#include "base/text_buffer.h"

#define NFT	  "/usr/sbin/nft"
#define BYTES_MAX (64U << 20)
#define PIECE	  (1U << 20)
#define TIME_MS	  5000U

/* The child: never returns. */
static void nft_run(const char *netns, int out)
{
	static const char *const argv[] = {"nft", "-j", "list", "ruleset", NULL};
	static char *const env[] = {NULL};
	char error[ERROR_TEXT];
	int null = open("/dev/null", O_RDWR);

	if (netns_enter(netns, error) < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(1);
	execve(NFT, (char *const *)(uintptr_t)argv, env);
	_exit(1);
}

/* All that comes before the end or the time limit, as JSON; or NULL. */
static json_t *answer_read(int fd)
{
	const uint64_t end_ms = clock_ms() + TIME_MS;
	struct text_buffer text = {0};
	json_t *doc = NULL;
	ssize_t n = 1;

	while (n > 0 && clock_ms() < end_ms) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (text.n > BYTES_MAX || text_buffer_reserve(&text, PIECE) < 0)
			break;
		if (poll(&p, 1, (int)(end_ms - clock_ms())) == 1)
			n = read(fd, text.v + text.n, PIECE);
		text.n += n > 0 ? (size_t)n : 0;
	}
	if (n == 0)
		doc = json_loadb(text.v, text.n, 0, NULL);
	free(text.v);
	return doc;
}

json_t *nft_rules_read(const char *netns)
{
	int ends[2], status;
	json_t *doc;
	pid_t pid;

	if (geteuid() != 0 || access(NFT, X_OK) < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return NULL;
	pid = fork();
	if (pid == 0)
		nft_run(netns, ends[1]);
	close(ends[1]);
	doc = pid > 0 ? answer_read(ends[0]) : NULL;
	close(ends[0]);
	if (pid > 0) {
		if (!doc)
			kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	return doc;
}
