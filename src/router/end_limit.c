/* SPDX-License-Identifier: BSD-3-Clause */
#include "router/end_limit.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static const char *volatile step;

static void say(const char *text)
{
	(void)!write(STDERR_FILENO, text, strlen(text));
}

/* Calls only what a handler may call. */
static void on_limit(int sig)
{
	(void)sig;
	say("plvs: error: main: the end takes too long at this step: ");
	say(step);
	say("; the process ends without the rest\n");
	_exit(1);
}

void end_limit_step(const char *what, unsigned int limit_s)
{
	struct sigaction act = {.sa_handler = on_limit};

	step = what;
	sigemptyset(&act.sa_mask);
	sigaction(SIGALRM, &act, NULL);
	alarm(limit_s);
}

void end_limit_clear(void)
{
	alarm(0);
}
