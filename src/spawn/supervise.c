/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn/descendants.h"
#include "base/clock.h"
#include "spawn/program.h"

/*
 *	            time limit              grace              not gone: 1 s
 *	RUNNING ------------------> ASKED ---------> KILLED -----------------+
 *	   |  exit                    | exit           | exit                |
 *	   +--------------------------+----------------+------> report, sweep, exit
 *
 * The end of file on the channel (cancelled, or the spawner is gone) sweeps at once.
 */
enum phase {
	PHASE_RUNNING,
	PHASE_ASKED,  /* SIGTERM was sent */
	PHASE_KILLED, /* SIGKILL was sent */
};

#define UNKILLABLE_US 1000000	 /* a program that even SIGKILL does not end is given up */
#define READ_PASS     65536	 /* bytes read of one pipe in one round */
#define READ_LAST     (1U << 20) /* bytes looked for in a pipe when the program has ended */
#define SWEEP_MS      5

struct stream {
	int fd;
	uint32_t len;
	uint64_t dropped;
	char *text; /* [order->output_max + 1] */
};

struct supervisor {
	struct spawn_order *order;
	int channel, signals, input, failure;
	uint32_t input_at;
	pid_t pid;
	bool exited; /* the program, not what it left */
	enum phase phase;
	uint64_t started_us, next_us; /* when the phase ends */
	struct stream out, err;
	struct spawn_msg_result result;
};

/* ---- pipes ---- */

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Reads so that the program never waits; keeps the beginning and counts the rest. */
static void stream_read(struct stream *s, uint32_t room_max, uint32_t most)
{
	static char buf[READ_PASS];

	for (uint32_t total = 0; s->fd >= 0 && total < most;) {
		ssize_t n = read(s->fd, buf, sizeof(buf));
		uint32_t room = room_max - s->len, take;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			fd_close(&s->fd);
			return;
		}
		take = (size_t)n < room ? (uint32_t)n : room;
		memcpy(s->text + s->len, buf, take);
		s->len += take;
		s->dropped += (uint64_t)n - take;
		total += (uint32_t)n;
	}
}

static void input_write(struct supervisor *s)
{
	const struct spawn_order *o = s->order;
	ssize_t n = write(s->input, o->input + s->input_at, o->input_len - s->input_at);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		s->input_at += (uint32_t)n;
	if (n <= 0 || s->input_at == o->input_len)
		fd_close(&s->input); /* done, or the program does not read */
}

static void failure_read(struct supervisor *s)
{
	struct program_failure f;
	ssize_t n = s->failure >= 0 ? read(s->failure, &f, sizeof(f)) : 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == (ssize_t)sizeof(f)) {
		s->result.outcome = SPAWN_NOT_STARTED;
		s->result.step = (uint32_t)f.step;
		s->result.code = f.code;
	}
	if (s->failure >= 0)
		fd_close(&s->failure);
}

/* ---- start ---- */

static void fail(struct supervisor *s, enum spawn_step step, int code)
{
	s->result.outcome = SPAWN_NOT_STARTED;
	s->result.step = step;
	s->result.code = code;
	s->exited = true;
}

static void pair_close(int pair[2])
{
	fd_close(&pair[0]);
	fd_close(&pair[1]);
}

static void start(struct supervisor *s)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1}, failure[2] = {-1, -1};

	if (s->order->input_len == 0)
		in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	else if (pipe2(in, O_CLOEXEC) != 0)
		in[0] = -1;
	if (in[0] < 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 ||
	    pipe2(failure, O_CLOEXEC) != 0 || (s->pid = fork()) < 0) {
		fail(s, SPAWN_STEP_RESOURCES, errno);
		pair_close(in);
		pair_close(out);
		pair_close(err);
		pair_close(failure);
		return;
	}
	if (s->pid == 0) {
		int tell = failure[1];
		struct program_failure f = program_exec(s->order, in[0], out[1], err[1], &tell);

		_exit(write(tell, &f, sizeof(f)) == (ssize_t)sizeof(f) ? 127 : 126);
	}
	s->started_us = clock_us();
	fd_close(&in[0]);
	fd_close(&out[1]);
	fd_close(&err[1]);
	fd_close(&failure[1]);
	s->input = in[1];
	s->out.fd = out[0];
	s->err.fd = err[0];
	s->failure = failure[0];
	if (s->input >= 0)
		fcntl(s->input, F_SETFL, O_NONBLOCK);
	fcntl(s->out.fd, F_SETFL, O_NONBLOCK);
	fcntl(s->err.fd, F_SETFL, O_NONBLOCK);
	fcntl(s->failure, F_SETFL, O_NONBLOCK);
	s->next_us = s->started_us + 1000 * (uint64_t)s->order->time_limit_ms;
}

/* ---- the end ---- */

/* The group first: in one step for all of it, so that nothing in it forks away. */
static void kill_all(const struct supervisor *s, int sig)
{
	if (s->pid > 0)
		(void)kill(-s->pid, sig);
	(void)descendants_signal(sig, NULL, 0);
}

static void exit_note(struct supervisor *s, const siginfo_t *info)
{
	if (s->result.step != SPAWN_STEP_NONE)
		return;
	s->result.outcome = info->si_code == CLD_EXITED ? SPAWN_EXITED : SPAWN_SIGNALLED;
	s->result.code = info->si_status;
}

/* Reaps; the program's own end is noted. False: no children are left. */
static bool reap(struct supervisor *s)
{
	for (;;) {
		siginfo_t info = {0};

		/* While the program is a zombie its number is its group's: not given out again. */
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
			return errno != ECHILD;
		if (info.si_pid == 0)
			return true;
		if (info.si_pid == s->pid) {
			(void)kill(-s->pid, SIGKILL);
			s->exited = true;
			s->pid = 0;
			exit_note(s, &info);
		}
		(void)waitpid(info.si_pid, NULL, WNOHANG);
	}
}

static void sweep(struct supervisor *s) __attribute__((noreturn));
static void sweep(struct supervisor *s)
{
	uint32_t rounds = 0;

	for (;;) {
		struct pollfd p = {.fd = s->signals, .events = POLLIN};
		struct signalfd_siginfo info[16];

		kill_all(s, SIGKILL);
		if (!reap(s))
			_exit(0);
		/* A process that cannot be killed (a dead disk) is looked after less often. */
		if (poll(&p, 1, rounds++ < 200 ? SWEEP_MS : 100 * SWEEP_MS) > 0 &&
		    read(s->signals, info, sizeof(info)) < 0)
			continue;
	}
}

static void report(struct supervisor *s)
{
	struct spawn_msg_result *m = &s->result;
	struct iovec iov[3] = {{m, sizeof(*m)}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 3};

	failure_read(s);
	stream_read(&s->out, s->order->output_max, READ_LAST);
	stream_read(&s->err, s->order->output_max, READ_LAST);
	if (s->phase != PHASE_RUNNING && m->step == SPAWN_STEP_NONE) {
		m->outcome = SPAWN_TIMED_OUT;
		m->code = 0;
	}
	m->head = (struct spawn_msg_head){SPAWN_MAGIC, SPAWN_MSG_RESULT, s->order->id};
	m->started_us = m->step == SPAWN_STEP_NONE ? s->started_us : 0;
	m->ended_us = clock_us();
	m->output_len = s->out.len;
	m->error_len = s->err.len;
	m->output_dropped = s->out.dropped;
	m->error_dropped = s->err.dropped;
	iov[1] = (struct iovec){s->out.text, s->out.len + 1};
	iov[2] = (struct iovec){s->err.text, s->err.len + 1};
	s->out.text[s->out.len] = '\0';
	s->err.text[s->err.len] = '\0';
	(void)sendmsg(s->channel, &msg, MSG_NOSIGNAL);
}

/* ---- the loop ---- */

static void phase_advance(struct supervisor *s, uint64_t now)
{
	if (now < s->next_us)
		return;
	switch (s->phase) {
	case PHASE_RUNNING:
		kill_all(s, SIGTERM);
		kill_all(s, SIGCONT); /* a stopped one would not hear it */
		s->phase = PHASE_ASKED;
		s->next_us = now + 1000 * (uint64_t)s->order->grace_ms;
		break;
	case PHASE_ASKED:
		kill_all(s, SIGKILL);
		s->phase = PHASE_KILLED;
		s->next_us = now + UNKILLABLE_US;
		break;
	case PHASE_KILLED:
		s->exited = true;
		break;
	}
}

static void supervisor_round(struct supervisor *s)
{
	struct pollfd p[6] = {
		{.fd = s->channel, .events = POLLIN}, {.fd = s->signals, .events = POLLIN},
		{.fd = s->out.fd, .events = POLLIN},  {.fd = s->err.fd, .events = POLLIN},
		{.fd = s->failure, .events = POLLIN}, {.fd = s->input, .events = POLLOUT},
	};
	struct signalfd_siginfo info[16];
	uint64_t now = clock_us();
	int wait = now >= s->next_us ? 0 : (int)((s->next_us - now) / 1000 + 1);

	if (poll(p, 6, wait) < 0)
		return;
	if (p[0].revents)
		sweep(s);
	if (p[2].revents)
		stream_read(&s->out, s->order->output_max, READ_PASS);
	if (p[3].revents)
		stream_read(&s->err, s->order->output_max, READ_PASS);
	if (p[4].revents)
		failure_read(s);
	if (p[5].revents)
		input_write(s);
	if (p[1].revents && read(s->signals, info, sizeof(info)) > 0)
		(void)reap(s);
	if (!s->exited)
		phase_advance(s, clock_us());
}

void supervise(struct spawn_order *order, int channel)
{
	struct supervisor s = {.order = order, .channel = channel, .input = -1, .failure = -1};
	sigset_t child;

	prctl(PR_SET_NAME, "plvs-program");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	s.out.fd = s.err.fd = -1;
	s.signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	s.out.text = malloc(order->output_max + 1);
	s.err.text = malloc(order->output_max + 1);
	if (s.signals < 0 || !s.out.text || !s.err.text)
		_exit(1); /* the spawner says so */
	start(&s);
	while (!s.exited)
		supervisor_round(&s);
	report(&s);
	fd_close(&s.out.fd);
	fd_close(&s.err.fd);
	fd_close(&s.input);
	sweep(&s);
}
