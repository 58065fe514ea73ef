/* SPDX-License-Identifier: BSD-3-Clause */
#include <locale.h>
#include <signal.h>
#include <string.h>

#include "cli/ipvsadm/ipvsadm.h"
#include "cli/session.h"

static void interrupt(int sig)
{
	(void)sig;
	cli_interrupted = 1;
}

int main(int argc, char **argv)
{
	struct sigaction sa;

	setlocale(LC_CTYPE, "");
	memset(&sa, 0, sizeof(sa));
	/* Without SA_RESTART: a wait ends, the terminal is put back, then the program ends. */
	sa.sa_handler = interrupt;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	if (argc > 0 && ipvsadm_is_name(argv[0]))
		return ipvsadm_main(argc, argv, NULL, CLI_DEFAULT_TIMEOUT_MS, stdin, stdout,
				    stderr);
	return cli_main(argc, argv, stdin, stdout, stderr);
}
