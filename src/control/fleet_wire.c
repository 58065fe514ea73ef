/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/fleet_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>

#include "base/log.h"
#include "base/netns.h"
#include "control/control_internal.h"
#include "control/fleet_keys.h"
#include "rpc/listen_tcp.h"

#define AREA	     "fleet"
#define BACKLOG	     16
#define BRIDGES_MAX  32
#define HANDSHAKE_S  5
#define SILENCE_S    120
#define BUFFERED_MAX (4UL << 20) /* bytes on their way to one end */

/* A client by TLS, and the socket by which the server of JSON-RPC knows the client. */
struct bridge {
	TAILQ_ENTRY(bridge) entry;
	struct fleet_wire *wire;
	struct bufferevent *tls, *plain;
	int theirs; /* until the handshake is over */
	bool ending;
};
TAILQ_HEAD(bridge_list, bridge);

struct fleet_wire {
	struct control *control;
	struct fleet_keys *keys;
	struct rpc_server *server; /* without a socket of its own */
	struct evconnlistener *listener;
	struct bridge_list bridges;
	uint32_t n_bridges;
};

static void bridge_free(struct bridge *b)
{
	TAILQ_REMOVE(&b->wire->bridges, b, entry);
	b->wire->n_bridges--;
	if (b->tls)
		bufferevent_free(b->tls);
	if (b->plain)
		bufferevent_free(b->plain);
	if (b->theirs >= 0)
		close(b->theirs);
	free(b);
}

/* Strangers who open connections and do not prove the key shut no member out: the oldest of their
 * connections makes room. False: all belong to members. */
static bool room_make(struct fleet_wire *w)
{
	struct bridge *b;

	if (w->n_bridges < BRIDGES_MAX)
		return true;
	TAILQ_FOREACH(b, &w->bridges, entry)
	{
		if (b->theirs < 0)
			continue;
		bridge_free(b);
		return true;
	}
	return false;
}

static struct bufferevent *other(const struct bridge *b, const struct bufferevent *bev)
{
	return bev == b->tls ? b->plain : b->tls;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct bridge *b = arg;
	struct bufferevent *to = other(b, bev);
	struct evbuffer *out = bufferevent_get_output(to);

	evbuffer_add_buffer(out, bufferevent_get_input(bev));
	if (evbuffer_get_length(out) > BUFFERED_MAX)
		bufferevent_disable(bev, EV_READ); /* until on_written() of the other */
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct bridge *b = arg;

	if (b->ending)
		bridge_free(b);
	else
		bufferevent_enable(other(b, bev), EV_READ);
}

/* Bytes on their way to the other end are sent; then both are closed. */
static void bridge_end(struct bridge *b, struct bufferevent *ended)
{
	struct bufferevent *to = other(b, ended);

	if (b->ending) { /* the other end has ended as well */
		bridge_free(b);
		return;
	}
	b->ending = true;
	if (evbuffer_get_length(bufferevent_get_output(to)) == 0)
		bridge_free(b);
	else
		bufferevent_disable(ended, EV_READ | EV_WRITE);
}

static void handshake_done(struct bridge *b)
{
	const struct timeval silence = {.tv_sec = SILENCE_S};

	if (!tls_psk_proven(bufferevent_openssl_get_ssl(b->tls))) {
		bridge_free(b);
		return;
	}
	bufferevent_set_timeouts(b->tls, &silence, &silence);
	rpc_server_take(b->wire->server, b->theirs, "fleet");
	b->theirs = -1;
	bufferevent_enable(b->tls, EV_READ | EV_WRITE);
	bufferevent_enable(b->plain, EV_READ | EV_WRITE);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct bridge *b = arg;

	if (what & BEV_EVENT_CONNECTED)
		handshake_done(b);
	else if (b->theirs >= 0)
		bridge_free(b); /* no handshake */
	else
		bridge_end(b, bev);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
		      int len, void *arg)
{
	const struct timeval handshake = {.tv_sec = HANDSHAKE_S};
	struct fleet_wire *w = arg;
	struct event_base *base = evconnlistener_get_base(listener);
	struct bridge *b = room_make(w) ? calloc(1, sizeof(*b)) : NULL;
	int pair[2];
	SSL *ssl;

	(void)from;
	(void)len;
	if (!b || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
		free(b);
		close(fd);
		return;
	}
	b->wire = w;
	b->theirs = pair[1];
	TAILQ_INSERT_TAIL(&w->bridges, b, entry);
	w->n_bridges++;
	ssl = SSL_new(fleet_keys_server(w->keys));
	if (ssl)
		b->tls = bufferevent_openssl_socket_new(base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING,
							BEV_OPT_CLOSE_ON_FREE |
								BEV_OPT_DEFER_CALLBACKS);
	b->plain = bufferevent_socket_new(base, pair[0],
					  BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (!b->tls) {
		SSL_free(ssl);
		close(fd);
	}
	if (!b->plain)
		close(pair[0]);
	if (!b->tls || !b->plain) {
		bridge_free(b);
		return;
	}
	bufferevent_openssl_set_allow_dirty_shutdown(b->tls, 1);
	bufferevent_setcb(b->tls, on_read, on_written, on_event, b);
	bufferevent_setcb(b->plain, on_read, on_written, on_event, b);
	bufferevent_set_timeouts(b->tls, &handshake, &handshake);
	bufferevent_enable(b->tls, EV_READ | EV_WRITE);
}

/* --- life --- */

/* Where the TAPs are, whose addresses a member has. */
static int listen_there(const struct control *c, int *fd, char error[ERROR_TEXT])
{
	int home, ret = netns_visit(c->boot->node.netns, &home, error);

	if (ret == 0)
		ret = netns_return(home, listen_tcp(&c->boot->node.fleet, BACKLOG, fd, error),
				   error);
	if (ret < 0 && *fd >= 0) { /* the way back failed */
		close(*fd);
		*fd = -1;
	}
	return ret;
}

static int listener_open(struct fleet_wire *w, char error[ERROR_TEXT])
{
	struct control *c = w->control;
	const struct rpc_options options = {
		.level = METHOD_MEMBER, .dispatch = control_dispatch, .arg = c};
	int fd = -1, ret = rpc_server_create(c->base, &options, &w->server, error);

	if (ret == 0)
		ret = listen_there(c, &fd, error);
	if (ret < 0)
		return ret;
	w->listener = evconnlistener_new(c->base, on_accept, w,
					 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!w->listener) {
		close(fd);
		return error_text(error, -ENOMEM, "out of memory");
	}
	return 0;
}

int fleet_wire_start(struct control *c)
{
	const struct config_node *node = &c->boot->node;
	char error[ERROR_TEXT], text[ENDPOINT_STRLEN];
	struct fleet_wire *w;

	if (!node->ha.key_file)
		return 0;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	TAILQ_INIT(&w->bridges);
	w->control = c;
	c->fleet.wire = w;
	if (fleet_keys_create(node->ha.key_file, &w->keys, error) < 0) {
		log_error(AREA, "%s: there are no control connections to other members", error);
		return 0;
	}
	c->fleet.keys = w->keys;
	if (node->fleet.addr.family == ADDR_NONE)
		return 0;
	if (listener_open(w, error) < 0)
		log_error(AREA, "node.control.fleet: %s", error);
	else
		log_info(AREA, "control connections of other members: %s",
			 endpoint_format(&node->fleet, text, sizeof(text)));
	return 0;
}

void fleet_wire_stop(struct control *c)
{
	struct fleet_wire *w = c->fleet.wire;

	if (!w)
		return;
	if (w->listener)
		evconnlistener_free(w->listener);
	while (!TAILQ_EMPTY(&w->bridges))
		bridge_free(TAILQ_FIRST(&w->bridges));
	rpc_server_destroy(w->server);
	fleet_keys_destroy(w->keys);
	free(w);
	c->fleet.wire = NULL;
	c->fleet.keys = NULL;
}
