/* SPDX-License-Identifier: BSD-3-Clause */
#include "telnet/telnet_shell.h"

#include <errno.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include "base/clock.h"

#define WINDOW_MAX 1000
#define END_MS	   2000
#define MONITOR_FD 3 /* the descriptor of the socket to the monitor, in plvsctl */

void telnet_shell_resize(const struct telnet_shell *shell, const struct telnet_stream *s)
{
	struct winsize ws = {.ws_row = s->rows ? s->rows : 24,
			     .ws_col = s->columns ? s->columns : 80};

	if (ws.ws_col > WINDOW_MAX)
		ws.ws_col = WINDOW_MAX;
	if (ws.ws_row > WINDOW_MAX)
		ws.ws_row = WINDOW_MAX;
	(void)ioctl(shell->pty, TIOCSWINSZ, &ws);
}

/* A type that this machine does not know would be no help. */
static const char *term_known(const struct telnet_stream *s)
{
	static const char *const dirs[] = {"/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo"};
	char path[96];

	if (!s->speaks)
		return "dumb";
	for (size_t i = 0; s->term[0] && i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%c/%s", dirs[i], s->term[0], s->term);
		if (access(path, R_OK) == 0)
			return s->term;
	}
	return s->columns ? "vt100" : "dumb";
}

static void shell_exec(const char *program, const struct telnet_stream *s, int monitor)
{
	char term[64], socket[16];
	char *env[] = {term, (char[]){"PATH=/usr/bin:/bin"}, (char[]){"LC_CTYPE=C.UTF-8"}, NULL};
	char *argv[] = {(char[]){"plvsctl"}, (char[]){"--restricted"}, (char[]){"--socket"}, socket,
			NULL};

	snprintf(term, sizeof(term), "TERM=%s", term_known(s));
	snprintf(socket, sizeof(socket), "monitor:%d", MONITOR_FD);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	/* The copy stays open in the program. */
	monitor = dup(monitor);
	if (monitor < 0 || dup2(monitor, MONITOR_FD) < 0)
		_exit(127);
	for (int fd = MONITOR_FD + 1; fd < 64; fd++)
		close(fd);
	execve(program, argv, env);
	fprintf(stderr, "%s cannot be run: %s\r\n", program, strerror(errno));
	_exit(127);
}

/* A terminal of the client's size. A client that speaks no telnet shows what it sends by itself.
 * 0 or -1. */
static int terminal_open(struct telnet_shell *shell, struct telnet_stream *s, int *slave)
{
	struct termios t;

	if (openpty(&shell->pty, slave, NULL, NULL, NULL) < 0)
		return -1;
	if (tcgetattr(*slave, &t) == 0) {
		t.c_iflag |= IUTF8;
		if (!s->speaks)
			t.c_lflag &= (tcflag_t) ~(ECHO | ECHOE | ECHOK | ECHOCTL);
		tcsetattr(*slave, TCSANOW, &t);
	}
	telnet_shell_resize(shell, s);
	s->resized = false;
	return 0;
}

const char *telnet_shell_start(const char *program, struct telnet_stream *s, int monitor,
			       struct telnet_shell *out)
{
	int slave;

	if (terminal_open(out, s, &slave) < 0) {
		out->pty = -1;
		return "no terminal can be opened\r\n";
	}
	out->pid = fork();
	if (out->pid == 0) {
		if (login_tty(slave) == 0)
			shell_exec(program, s, monitor);
		_exit(127);
	}
	close(slave);
	if (out->pid > 0)
		return NULL;
	close(out->pty);
	out->pty = -1;
	return "no process can be made\r\n";
}

void telnet_shell_end(struct telnet_shell *shell)
{
	uint64_t until = clock_ms() + END_MS;

	if (shell->pty < 0)
		return;
	/* The shell gets SIGHUP. */
	close(shell->pty);
	shell->pty = -1;
	while (waitpid(shell->pid, NULL, WNOHANG) == 0) {
		if (clock_ms() >= until) {
			kill(shell->pid, SIGKILL);
			waitpid(shell->pid, NULL, 0);
			return;
		}
		usleep(10000);
	}
}
