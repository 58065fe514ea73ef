/* SPDX-License-Identifier: BSD-3-Clause */
/* The protocols that ldirectord speaks, as checks of plvs. */
#include <netinet/in.h>
#include <string.h>

#include "import/ldirectord.h"

/* The work on a check. */
struct talk {
	const struct ldir_context *c;
	struct importer *im;
	const struct lvs_server *s;
	struct lvs_check *check;
	const char *request, *receive; /* "" where nothing is said */
};

static const char *text_of(const struct talk *t, enum ldir_key key)
{
	const struct ldir_value *v = &t->c->v->v[key];

	return v->at.line ? v->text : "";
}

static void send_text(struct talk *t, const char *text)
{
	step_add(t->im, t->check, "send", text_bytes(t->im, text, strlen(text)));
}

static void weaker_note(struct talk *t, const char *what, const char *instead)
{
	note(t->im, t->check->at, NOTE_UNSAID, "%s: %s", what, instead);
}

/* ---- http ---- */

static void http_make(struct talk *t, bool tls)
{
	const char *method = text_of(t, K_HTTPMETHOD), *host = text_of(t, K_VIRTUALHOST);
	struct lvs_check *c = t->check;

	c->type = "http";
	c->tls = tls;
	c->path = t->request[0] == '/' ? t->request : arena_printf(t->im, "/%s", t->request);
	if (*host)
		c->host = host;
	if (strcasecmp(method, "head") == 0)
		c->method = "HEAD";
	word_add(t->im, &c->status, "200-299");
	if (*t->receive)
		c->body_pattern = pattern_bytes(t->im, t->receive, strlen(t->receive));
	if (c->method && *t->receive)
		note(t->im, t->c->v->v[K_HTTPMETHOD].at, NOTE_DIFFERS,
		     "httpmethod HEAD has no body: with receive it never succeeds, there as here: "
		     "GET is "
		     "meant");
	note(t->im, t->c->v->at, NOTE_DIFFERS,
	     "ldirectord follows redirects, plvs takes the first status as it is");
}

/* A request through the server as a proxy: an absolute URL, which `http` does not take. */
static void proxy_make(struct talk *t)
{
	const char *url = t->request, *host = strstr(url, "://");
	size_t len = host ? strcspn(host + 3, "/") : 0;

	if (!host)
		url = arena_printf(t->im, "http://%s/", t->request);
	t->check->type = "script";
	send_text(t, arena_printf(t->im, "GET %s HTTP/1.0\r\nHost: %.*s\r\n\r\n", url, (int)len,
				  host ? host + 3 : ""));
	step_add(t->im, t->check, "expect_pattern",
		 arena_printf(t->im, "^HTTP/1\\.[01] 2[0-9][0-9]%s%s",
			      *t->receive ? "[\\s\\S]*" : "",
			      pattern_bytes(t->im, t->receive, strlen(t->receive))));
}

/* ---- mail, news, files ---- */

static void login_note(struct talk *t)
{
	note(t->im, t->c->v->v[K_PASSWD].at.line ? t->c->v->v[K_PASSWD].at : t->check->at,
	     NOTE_NOTICE,
	     "the check logs in: its password stands in the file and in the configuration");
}

static void pop_make(struct talk *t, bool tls)
{
	const char *login = text_of(t, K_LOGIN);

	t->check->type = "script";
	t->check->tls = tls;
	step_add(t->im, t->check, "expect_prefix", "+OK");
	if (!*login)
		return;
	send_text(t, arena_printf(t->im, "USER %s\r\n", login));
	step_add(t->im, t->check, "expect_prefix", "+OK");
	send_text(t, arena_printf(t->im, "PASS %s\r\n", text_of(t, K_PASSWD)));
	step_add(t->im, t->check, "expect_prefix", "+OK");
	login_note(t);
}

static void imap_make(struct talk *t, bool tls)
{
	const char *login = text_of(t, K_LOGIN);

	t->check->type = "script";
	t->check->tls = tls;
	step_add(t->im, t->check, "expect_prefix", "* OK");
	if (!*login)
		return;
	send_text(t,
		  arena_printf(t->im, "a1 LOGIN \"%s\" \"%s\"\r\n", login, text_of(t, K_PASSWD)));
	step_add(t->im, t->check, "expect", "a1 OK");
	login_note(t);
}

static void ftp_make(struct talk *t)
{
	const char *login = text_of(t, K_LOGIN), *passwd = text_of(t, K_PASSWD);

	t->check->type = "script";
	step_add(t->im, t->check, "expect_prefix", "220");
	send_text(t, arena_printf(t->im, "USER %s\r\n", *login ? login : "anonymous"));
	step_add(t->im, t->check, "expect_prefix", "331");
	send_text(t, arena_printf(t->im, "PASS %s\r\n", *passwd ? passwd : "ldirectord@localhost"));
	step_add(t->im, t->check, "expect_prefix", "230");
	if (*login)
		login_note(t);
	if (*t->request || *t->receive)
		weaker_note(t, "ftp: a file that is fetched and matched has no equal",
			    "the login alone is checked, which is weaker");
	note(t->im, t->c->v->at, NOTE_NOTICE,
	     "FTP: where ip_vs_ftp was loaded, the service needs \"ftp\": true, by NAT or full "
	     "NAT; "
	     "whether it was "
	     "is in no such file");
}

static void smtp_make(struct talk *t)
{
	t->check->type = "script";
	step_add(t->im, t->check, "expect_prefix", "220");
	send_text(t, "QUIT\r\n");
}

static void nntp_make(struct talk *t)
{
	t->check->type = "script";
	step_add(t->im, t->check, "expect_pattern", "^20[01]");
}

/* ---- dns, sip, a text of one's own ---- */

static void dns_make(struct talk *t)
{
	const char *name = t->request + (t->request[0] == '/');
	struct addr a;

	t->check->type = "dns";
	t->check->dns_name = *name ? name : ".";
	t->check->dns_qtype = *name ? "a" : "soa";
	if (addr_parse(name, &a) == 0 && a.family == ADDR_V4) {
		uint32_t v = be32_to(a.v4);

		t->check->dns_name = arena_printf(t->im, "%u.%u.%u.%u.in-addr.arpa", v & 255,
						  v >> 8 & 255, v >> 16 & 255, v >> 24);
		t->check->dns_qtype = "ptr";
	}
	if (*t->receive)
		weaker_note(
			t, "dns: receive is a pattern on the answers, `expect` of plvs one address",
			"any answer without an error is good, which is weaker");
	else
		note(t->im, t->check->at, NOTE_DIFFERS,
		     "dns without receive never succeeds in ldirectord; here any answer without an "
		     "error is "
		     "good");
}

static void sip_make(struct talk *t)
{
	const char *login = text_of(t, K_LOGIN), *user = login;
	char host[ADDR_STRLEN];
	bool udp = t->c->svc->protocol != IPPROTO_TCP;

	if (!*login)
		user = arena_printf(t->im, "ldirectord@%s",
				    addr_format(&t->s->addr, host, sizeof(host)));
	t->check->type = udp ? "udp" : "script";
	send_text(t, arena_printf(
			     t->im,
			     "OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/%s plvs;rport;"
			     "branch=z9hG4bKplvs\r\nMax-Forwards: 70\r\nFrom: <sip:%s>;tag=plvs\r\n"
			     "To: <sip:%s>\r\nCall-ID: plvs-check\r\nCSeq: 1 OPTIONS\r\n"
			     "Contact: <sip:%s>\r\nAccept: application/sdp\r\n"
			     "Content-Length: 0\r\n\r\n",
			     user, udp ? "UDP" : "TCP", user, user, user));
	step_add(t->im, t->check, "expect_prefix", "SIP/2.0 200");
}

/* \n is translated and nothing else; a / in front is taken off. */
static void simpletcp_make(struct talk *t)
{
	const char *from = t->request + (t->request[0] == '/');
	struct text_buf b = {0};

	buf_puts(t->im, &b, "");
	for (const char *p = from; *p; p++) {
		if (p[0] == '\\' && p[1] == 'n') {
			buf_puts(t->im, &b, "\n");
			p++;
		} else {
			buf_put(t->im, &b, p, 1);
		}
	}
	t->check->type = "script";
	if (b.len)
		send_text(t, b.data);
	if (*t->receive)
		step_add(t->im, t->check, "expect_pattern",
			 arena_printf(t->im, "(?m)%s",
				      pattern_bytes(t->im, t->receive, strlen(t->receive))));
	if (!t->check->steps)
		t->check->type = "tcp";
	note(t->im, t->check->at, NOTE_DIFFERS,
	     "simpletcp closes its sending side behind the request, plvs does not");
}

/* ---- what has no equal ---- */

static void lesser_make(struct talk *t, const char *program)
{
	bool udp = t->c->svc->protocol == IPPROTO_UDP;

	t->check->type = udp ? "icmp" : "tcp";
	if (udp)
		t->check->port = 0;
	note(t->im, t->check->at, NOTE_UNSAID,
	     "service %s has no equal: imported as a %s, which is weaker; a check of type exec "
	     "could run "
	     "%s",
	     t->c->service, udp ? "ping" : "connection", program);
}

static bool text_protocols(struct talk *t)
{
	const char *s = t->c->service;

	if (strcmp(s, "ftp") == 0)
		ftp_make(t);
	else if (strcmp(s, "smtp") == 0 || strcmp(s, "submission") == 0)
		smtp_make(t);
	else if (strcmp(s, "pop") == 0 || strcmp(s, "pops") == 0)
		pop_make(t, s[3] == 's');
	else if (strcmp(s, "imap") == 0 || strcmp(s, "imaps") == 0)
		imap_make(t, s[4] == 's');
	else if (strcmp(s, "nntp") == 0)
		nntp_make(t);
	else if (strcmp(s, "simpletcp") == 0)
		simpletcp_make(t);
	else
		return false;
	return true;
}

static void other_protocols(struct talk *t)
{
	const char *s = t->c->service;

	if (strcmp(s, "http") == 0 || strcmp(s, "https") == 0)
		http_make(t, s[4] == 's');
	else if (strcmp(s, "http_proxy") == 0)
		proxy_make(t);
	else if (strcmp(s, "dns") == 0)
		dns_make(t);
	else if (strcmp(s, "sip") == 0)
		sip_make(t);
	else if (strcmp(s, "radius") == 0)
		lesser_make(t, "radclient");
	else if (strcmp(s, "ldap") == 0 || strcmp(s, "ldaps") == 0)
		lesser_make(t, "ldapsearch");
	else
		lesser_make(t, "the database's client");
}

bool ldir_negotiate(const struct ldir_context *c, const struct ldir_real *real,
		    const struct lvs_server *s, struct lvs_check *check)
{
	const struct ldir_value *v = c->v->v;
	struct talk t = {.c = c, .im = c->im, .s = s, .check = check};

	t.request = real->request ? real->request : v[K_REQUEST].at.line ? v[K_REQUEST].text : "";
	t.receive = real->receive ? real->receive : v[K_RECEIVE].at.line ? v[K_RECEIVE].text : "";
	if (strcmp(c->service, "none") == 0) {
		note(c->im, c->v->at, NOTE_DIFFERS,
		     "checktype negotiate with service none%s: no check at all, always up, as with "
		     "ldirectord: most likely a mistake",
		     v[K_SERVICE].at.line ? ""
					  : " (no service is known for the port, nor for a mark)");
		return false;
	}
	for (int key = K_PASSWD; key <= K_SECRET; key++)
		if (v[key].at.line && !strstr("pop pops imap imaps ftp", c->service))
			note(c->im, v[key].at, NOTE_DROPPED,
			     "%s: the check of plvs does not log in",
			     key == K_PASSWD	 ? "passwd"
			     : key == K_DATABASE ? "database"
						 : "secret");
	if (v[K_LOGIN].at.line && !strstr("pop pops imap imaps ftp sip", c->service))
		note(c->im, v[K_LOGIN].at, NOTE_DROPPED,
		     "login: the check of plvs does not log in");
	if (!text_protocols(&t))
		other_protocols(&t);
	return true;
}
