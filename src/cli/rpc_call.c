/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/rpc_call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

#define READ_CHUNK    65536
#define POLL_SLICE_MS 200

int rpc_init(struct rpc *rpc, const char *path, uint32_t timeout_ms)
{
	memset(rpc, 0, sizeof(*rpc));
	rpc->fd = -1;
	rpc->timeout_ms = timeout_ms;
	rpc->path = strdup(path);
	return rpc->path ? 0 : -ENOMEM;
}

static void rpc_close(struct rpc *rpc)
{
	if (rpc->fd >= 0)
		close(rpc->fd);
	rpc->fd = -1;
	free(rpc->in.v);
	rpc->in = (struct text_buffer){0};
	rpc->scanned = 0;
}

void rpc_fini(struct rpc *rpc)
{
	rpc_close(rpc);
	free(rpc->path);
	rpc->path = NULL;
}

void rpc_failure_clear(struct rpc_failure *failure)
{
	json_decref(failure->error);
	failure->error = NULL;
}

__attribute__((format(printf, 3, 4))) static enum rpc_outcome
fail(struct rpc_failure *f, enum rpc_outcome outcome, const char *fmt, ...)
{
	va_list ap;

	f->outcome = outcome;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	return outcome;
}

/* 0 when the descriptor is ready, else -ETIMEDOUT, -EINTR (interrupted) or -errno. */
static int rpc_wait(const struct rpc *rpc, short events, uint64_t deadline)
{
	for (;;) {
		struct pollfd p = {.fd = rpc->fd, .events = events};
		uint64_t now = clock_ms();
		int n;

		if (rpc->interrupt && *rpc->interrupt)
			return -EINTR;
		if (now >= deadline)
			return -ETIMEDOUT;
		/* In slices: a signal may arrive just before poll(). */
		n = poll(&p, 1,
			 deadline - now < POLL_SLICE_MS ? (int)(deadline - now) : POLL_SLICE_MS);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static const char *connect_advice(int err)
{
	switch (err) {
	case ENOENT:
		return ": is plvs running, and is this its node.control.socket?";
	case ECONNREFUSED:
		return ": the socket is there but plvs does not listen; it may have ended";
	case EACCES:
	case EPERM:
		return ": run as root or as the user that owns the socket";
	case EAGAIN:
		return ": too many clients wait for it";
	default:
		return "";
	}
}

/* Names the session, before anything else is asked. A notification: there is no answer. */
static void session_tell(const struct rpc *rpc)
{
	json_t *doc = json_pack("{s:s, s:s, s:{s:s}}", "jsonrpc", "2.0", "method", "session.name",
				"params", "name", rpc->session);
	char *text = doc ? json_dumps(doc, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL, *line = NULL;

	if (text && asprintf(&line, "%s\n", text) >= 0)
		(void)!send(rpc->fd, line, strlen(line), MSG_NOSIGNAL);
	free(line);
	free(text);
	json_decref(doc);
}

/* A front end that may connect hands a connection over by a descriptor that was inherited; the path
 * is "monitor:" and its number. The descriptor, or -errno. */
static int monitor_ask(int monitor)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	char byte = 'c';
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.room,
			     .msg_controllen = sizeof(control.room)};
	const struct cmsghdr *c;
	int fd;

	if (send(monitor, &byte, 1, MSG_NOSIGNAL) != 1)
		return -errno;
	if (recvmsg(monitor, &msg, MSG_CMSG_CLOEXEC) != 1)
		return -ECONNREFUSED;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return -ECONNREFUSED;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return fd;
}

/* A descriptor, or -errno. */
static int path_connect(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

	if (fd < 0)
		return -errno;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	err = errno;
	close(fd);
	return -err;
}

#define MONITOR "monitor:"

static enum rpc_outcome rpc_open(struct rpc *rpc, struct rpc_failure *f)
{
	const bool by_monitor = strncmp(rpc->path, MONITOR, strlen(MONITOR)) == 0;
	char byte;
	int fd;

	/* A connection that the router has ended since the last call is not used again; what
	 * it sent unasked is no answer to the next question. */
	if (rpc->fd >= 0 && recv(rpc->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN)
		return RPC_OK;
	rpc_close(rpc);
	if (strlen(rpc->path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return fail(f, RPC_UNREACHABLE,
			    "cannot reach the router: %.128s...: path too long (over %zu bytes)",
			    rpc->path, sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
	fd = by_monitor ? monitor_ask(atoi(rpc->path + strlen(MONITOR))) : path_connect(rpc->path);
	if (fd < 0)
		return fail(f, RPC_UNREACHABLE, "cannot reach the router at %s: %s%s", rpc->path,
			    strerror(-fd), connect_advice(-fd));
	rpc->fd = fd;
	if (rpc->session)
		session_tell(rpc);
	return RPC_OK;
}

static enum rpc_outcome wait_failed(const struct rpc *rpc, struct rpc_failure *f, int ret)
{
	if (ret == -EINTR)
		return fail(f, RPC_STOPPED, "interrupted");
	if (ret == -ETIMEDOUT)
		return fail(f, RPC_UNREACHABLE, "the router at %s does not answer (waited %g s)",
			    rpc->path, rpc->timeout_ms / 1000.0);
	return fail(f, RPC_UNREACHABLE, "lost the router at %s: %s", rpc->path, strerror(-ret));
}

static enum rpc_outcome rpc_send(struct rpc *rpc, const char *text, size_t len,
				 struct rpc_failure *f)
{
	uint64_t deadline = clock_ms() + rpc->timeout_ms;
	size_t done = 0;

	while (done < len) {
		ssize_t n = send(rpc->fd, text + done, len - done, MSG_NOSIGNAL);
		int ret;

		if (n >= 0) {
			done += (size_t)n;
			deadline = clock_ms() + rpc->timeout_ms;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return fail(f, RPC_UNREACHABLE, "lost the router at %s while asking: %s",
				    rpc->path, strerror(errno));
		ret = rpc_wait(rpc, POLLOUT, deadline);
		if (ret < 0)
			return wait_failed(rpc, f, ret);
	}
	return RPC_OK;
}

/* Makes room for one more read. */
static enum rpc_outcome buffer_grow(struct rpc *rpc, struct rpc_failure *f)
{
	if (rpc->in.n > RPC_LINE_MAX)
		return fail(f, RPC_GARBLED, "the router's answer has a line of more than %u MiB",
			    RPC_LINE_MAX >> 20);
	if (text_buffer_reserve(&rpc->in, READ_CHUNK) < 0)
		return fail(f, RPC_GARBLED, "no memory for an answer of more than %zu bytes",
			    rpc->in.n);
	return RPC_OK;
}

/* The next line's length (without newline) at the start of buf. */
static enum rpc_outcome rpc_read_line(struct rpc *rpc, size_t *line, struct rpc_failure *f)
{
	uint64_t deadline = clock_ms() + rpc->timeout_ms;

	for (;;) {
		char *nl = rpc->in.n > rpc->scanned ? memchr(rpc->in.v + rpc->scanned, '\n',
							     rpc->in.n - rpc->scanned)
						    : NULL;
		ssize_t n;
		int ret;

		if (nl) {
			*line = (size_t)(nl - rpc->in.v);
			return RPC_OK;
		}
		rpc->scanned = rpc->in.n;
		if (buffer_grow(rpc, f) != RPC_OK)
			return f->outcome;
		ret = rpc_wait(rpc, POLLIN, deadline);
		if (ret < 0)
			return wait_failed(rpc, f, ret);
		n = recv(rpc->fd, rpc->in.v + rpc->in.n, READ_CHUNK, 0);
		if (n == 0)
			return fail(f, RPC_UNREACHABLE, "the router at %s closed the connection %s",
				    rpc->path,
				    rpc->in.n ? "in the middle of its answer"
					      : "without an answer");
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail(f, RPC_UNREACHABLE, "lost the router at %s: %s", rpc->path,
				    strerror(errno));
		if (n > 0)
			rpc->in.n += (size_t)n;
	}
}

static void line_drop(struct rpc *rpc, size_t line)
{
	rpc->in.n -= line + 1;
	memmove(rpc->in.v, rpc->in.v + line + 1, rpc->in.n);
	rpc->scanned = 0;
}

static enum rpc_outcome refusal_take(json_t *doc, struct rpc_failure *f)
{
	json_t *error = json_object_get(doc, "error");
	const char *text = json_string_value(json_object_get(error, "message"));

	if (!json_is_integer(json_object_get(error, "code")) || !text)
		return fail(f, RPC_GARBLED, "the router's error has no code or no message");
	f->error = json_incref(error);
	return fail(f, RPC_REFUSED, "%s", text);
}

/* Takes a document of the answer. RPC_OK with *done false: a notification, more follows. */
static enum rpc_outcome document_take(json_t *doc, uint32_t id, rpc_rows *rows, void *arg,
				      json_t **result, bool *done, struct rpc_failure *f)
{
	json_t *doc_id = json_object_get(doc, "id"), *params, *list;
	const char *method = json_string_value(json_object_get(doc, "method"));

	if (!json_is_object(doc))
		return fail(f, RPC_GARBLED, "the router's answer is no JSON-RPC object");
	if (method) {
		params = json_object_get(doc, "params");
		list = json_object_get(params, "rows");
		/* Notifications that this client does not know are not its business. */
		if (strcmp(method, "rows") != 0 ||
		    json_integer_value(json_object_get(params, "id")) != id)
			return RPC_OK;
		if (!json_is_array(list))
			return fail(f, RPC_GARBLED, "the router's rows are no array");
		if (rows && rows(arg, list))
			return fail(f, RPC_STOPPED, "stopped");
		return RPC_OK;
	}
	/* An error without id is about what this client sent last. */
	if (json_object_get(doc, "error") &&
	    (json_is_null(doc_id) || json_integer_value(doc_id) == id)) {
		*done = true;
		return refusal_take(doc, f);
	}
	if (!json_is_integer(doc_id) || json_integer_value(doc_id) != id)
		return fail(f, RPC_GARBLED, "the router answered another question");
	if (!json_object_get(doc, "result"))
		return fail(f, RPC_GARBLED, "the router's answer has neither result nor error");
	*done = true;
	*result = json_incref(json_object_get(doc, "result"));
	return RPC_OK;
}

static enum rpc_outcome rpc_receive(struct rpc *rpc, uint32_t id, rpc_rows *rows, void *arg,
				    json_t **result, struct rpc_failure *f)
{
	enum rpc_outcome ret = RPC_OK;
	bool done = false;

	while (ret == RPC_OK && !done) {
		json_error_t error;
		json_t *doc;
		size_t line = 0;

		ret = rpc_read_line(rpc, &line, f);
		if (ret != RPC_OK)
			break;
		doc = json_loadb(rpc->in.v, line, JSON_DECODE_ANY, &error);
		line_drop(rpc, line);
		if (!doc)
			return fail(f, RPC_GARBLED,
				    "the router's answer is not JSON: %s (column %d)", error.text,
				    error.column);
		ret = document_take(doc, id, rows, arg, result, &done, f);
		json_decref(doc);
	}
	return ret;
}

enum rpc_outcome rpc_call(struct rpc *rpc, const char *method, json_t *params, rpc_rows *rows,
			  void *arg, json_t **result, struct rpc_failure *f)
{
	uint32_t id = ++rpc->next_id;
	enum rpc_outcome ret;
	json_t *request;
	char *text, *line = NULL;
	int len;

	memset(f, 0, sizeof(*f));
	request = json_pack("{s:s, s:I, s:s}", "jsonrpc", "2.0", "id", (json_int_t)id, "method",
			    method);
	if (request && params && json_object_size(params))
		json_object_set(request, "params", params);
	text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	json_decref(request);
	len = text ? asprintf(&line, "%s\n", text) : -1;
	free(text);
	if (len < 0)
		return fail(f, RPC_GARBLED, "no memory for the request");

	ret = rpc_open(rpc, f);
	if (ret == RPC_OK)
		ret = rpc_send(rpc, line, (size_t)len, f);
	if (ret == RPC_OK)
		ret = rpc_receive(rpc, id, rows, arg, result, f);
	free(line);
	if (ret != RPC_OK && ret != RPC_REFUSED)
		rpc_close(rpc);
	return ret;
}
