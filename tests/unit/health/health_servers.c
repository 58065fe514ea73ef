/* SPDX-License-Identifier: BSD-3-Clause */
#include "health_servers.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct guest {
	struct test_server *s;
	struct bufferevent *bev;
	struct event *drip;
	size_t dripped;
	bool answered;
	struct guest *next;
};

static void guest_free(struct guest *g)
{
	struct guest **at = &g->s->guests;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	if (g->bev && g->s->tls)
		g->s->resumed += (uint32_t)SSL_session_reused(bufferevent_openssl_get_ssl(g->bev));
	if (g->drip)
		event_free(g->drip);
	if (g->bev)
		bufferevent_free(g->bev);
	g->s->closed++;
	free(g);
}

static void say(struct guest *g, const char *text)
{
	if (text)
		bufferevent_write(g->bev, text, strlen(text));
	g->s->sent += text ? strlen(text) : 0;
}

static void on_drip(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval interval = {0, 20000};
	struct guest *g = arg;
	size_t len = g->s->text ? strlen(g->s->text) : 0;

	(void)fd;
	(void)what;
	bufferevent_write(g->bev, g->dripped < len ? g->s->text + g->dripped : "x", 1);
	g->dripped++;
	g->s->sent++;
	event_add(g->drip, &interval);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct guest *g = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(in);

	if (len >= sizeof(g->s->request))
		len = sizeof(g->s->request) - 1;
	evbuffer_copyout(in, g->s->request, len);
	g->s->request[len] = '\0';
	if (g->s->manner == ANSWERS && strstr(g->s->request, "\r\n\r\n") && !g->answered) {
		g->answered = true;
		say(g, g->s->text);
	} else if (g->s->manner == GREETS && strchr(g->s->request, '\n')) {
		evbuffer_drain(in, len);
		say(g, g->s->reply);
	}
}

static void on_written(struct bufferevent *bev, void *arg)
{
	static char x[8192];
	struct guest *g = arg;

	if (g->s->manner == ENDLESS) {
		memset(x, 'x', sizeof(x));
		bufferevent_write(bev, x, sizeof(x));
		g->s->sent += sizeof(x);
	} else if (g->answered) {
		guest_free(g);
	}
}

static void on_guest_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		guest_free(arg);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *from, int len,
		      void *arg)
{
	const struct linger reset = {.l_onoff = 1};
	struct test_server *s = arg;
	struct guest *g;

	(void)l;
	(void)len;
	s->accepted++;
	if (from->sa_family == AF_INET)
		s->from = (struct endpoint){
			.addr = {.family = ADDR_V4,
				 .v4 = ((struct sockaddr_in *)(void *)from)->sin_addr.s_addr},
			.port = ((struct sockaddr_in *)(void *)from)->sin_port};
	if (s->manner == RESETS)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (s->manner == RESETS || s->manner == CLOSES) {
		close(fd);
		return;
	}
	g = calloc(1, sizeof(*g));
	g->s = s;
	g->next = s->guests;
	s->guests = g;
	g->bev = s->tls ? bufferevent_openssl_socket_new(s->base, fd, SSL_new(s->tls),
							 BUFFEREVENT_SSL_ACCEPTING,
							 BEV_OPT_CLOSE_ON_FREE)
			: bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(g->bev, on_read, on_written, on_guest_event, g);
	bufferevent_enable(g->bev, EV_READ | EV_WRITE);
	if (s->manner == GREETS || s->manner == ENDLESS)
		say(g, s->text ? s->text : "x");
	if (s->manner == DRIPS) {
		g->drip = evtimer_new(s->base, on_drip, g);
		on_drip(-1, 0, g);
	}
}

static struct sockaddr_in loopback(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return in;
}

void server_start(struct test_server *s)
{
	const struct sockaddr_in6 loopback6 = {.sin6_family = AF_INET6,
					       .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in loopback4 = loopback();
	struct sockaddr_storage in = {0};
	socklen_t len = s->v6 ? sizeof(loopback6) : sizeof(loopback4);

	memcpy(&in, s->v6 ? (const void *)&loopback6 : (const void *)&loopback4, len);

	s->listener = evconnlistener_new_bind(s->base, on_accept, s,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 1024,
					      (struct sockaddr *)&in, (int)len);
	if (!s->listener)
		abort();
	getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *)&in, &len);
	/* The port is at the same place in both families. */
	s->port = ntohs(((struct sockaddr_in *)&in)->sin_port);
}

void server_stop(struct test_server *s)
{
	evconnlistener_free(s->listener);
	s->listener = NULL;
	while (s->guests)
		guest_free(s->guests);
}

uint16_t server_free_port(void)
{
	struct sockaddr_in in = loopback();
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&in, sizeof(in)))
		abort();
	getsockname(fd, (struct sockaddr *)&in, &len);
	close(fd);
	return ntohs(in.sin_port);
}

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
}

SSL_CTX *server_tls(const char *pem_path, bool expired)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	FILE *f;

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -86400L * 10);
	X509_gmtime_adj(X509_getm_notAfter(cert), expired ? -86400L : 86400L);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1,
				   0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	add_extension(cert, NID_subject_alt_name, "DNS:good.example,IP:127.0.0.1");
	add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
	X509_sign(cert, key, EVP_sha256());
	SSL_CTX_use_certificate(ctx, cert);
	SSL_CTX_use_PrivateKey(ctx, key);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"t", 1);
	if (pem_path && (f = fopen(pem_path, "w")) != NULL) {
		PEM_write_X509(f, cert);
		fclose(f);
	}
	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}
