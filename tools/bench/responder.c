/* SPDX-License-Identifier: BSD-3-Clause */
#include "responder.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <signal.h>
#include <unistd.h>

static struct event_base *base;
static SSL_CTX *ctx;
static bool talks;

struct guest {
	struct event ev;
	SSL *ssl;
	int fd;
};

static SSL_CTX *make_ctx(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());

	X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_set_pubkey(cert, key);
	X509_sign(cert, key, EVP_sha256());
	SSL_CTX_use_certificate(c, cert);
	SSL_CTX_use_PrivateKey(c, key);
	SSL_CTX_set_session_id_context(c, (const unsigned char *)"b", 1);
	X509_free(cert);
	EVP_PKEY_free(key);
	return c;
}

static void on_guest(evutil_socket_t fd, short what, void *arg)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
				     "Connection: close\r\n\r\nok";
	struct guest *g = arg;
	char request[4096];
	int n;

	(void)what;
	if (g->ssl) {
		n = SSL_read(g->ssl, request, sizeof(request));
		if (n <= 0 && SSL_get_error(g->ssl, n) == SSL_ERROR_WANT_READ)
			return;
		if (n > 0)
			SSL_write(g->ssl, answer, sizeof(answer) - 1);
		SSL_set_shutdown(g->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
		SSL_free(g->ssl);
	} else {
		n = (int)read(fd, request, sizeof(request));
		if (n > 0 && write(fd, answer, sizeof(answer) - 1) < 0)
			n = 0;
	}
	event_del(&g->ev);
	close(g->fd);
	free(g);
}

static void on_accept(evutil_socket_t listener, short what, void *arg)
{
	(void)what;
	(void)arg;
	for (int i = 0; i < 64; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct guest *g;

		if (fd < 0)
			return;
		if (!talks) {
			close(fd);
			continue;
		}
		g = calloc(1, sizeof(*g));
		g->fd = fd;
		if (ctx) {
			g->ssl = SSL_new(ctx);
			SSL_set_fd(g->ssl, fd);
			SSL_set_accept_state(g->ssl);
		}
		event_assign(&g->ev, base, fd, EV_READ | EV_PERSIST, on_guest, g);
		event_add(&g->ev, NULL);
	}
}

pid_t responder_start(bool talk, bool tls, uint16_t *port)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	struct event *ev;
	pid_t pid;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) || listen(fd, 4096) ||
	    getsockname(fd, (struct sockaddr *)&in, &len)) {
		perror("responder");
		exit(2);
	}
	*port = ntohs(in.sin_port);
	pid = fork();
	if (pid) {
		close(fd);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	talks = talk;
	ctx = tls ? make_ctx() : NULL;
	base = event_base_new();
	ev = event_new(base, fd, EV_READ | EV_PERSIST, on_accept, NULL);
	event_add(ev, NULL);
	event_base_dispatch(base);
	_exit(0);
}
