/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/ftp/ftp.h"
#include "dataplane/ftp/ftp_text.h"

/*
 * Lines that a client (first byte even) or a server (odd) of FTP sends. Whatever they are,
 * what was read of them lies within the line, and says the same when it is written again.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int fact)
{
	if (!fact)
		abort();
}

/* The numbers of a 227 answer, put where they were found, with another address. */
static void rewrite(const char *line, size_t len, const struct ftp_line *was)
{
	char numbers[FTP_NUMBERS_MAX], text[FTP_LINE_MAX + FTP_NUMBERS_MAX];
	const be32 vip = be32_from(0xc0000250);
	struct ftp_line now;
	size_t n;

	must((size_t)was->at + was->len <= len);
	n = ftp_numbers_put(vip, was->port, numbers);
	must(n == strlen(numbers) && n < FTP_NUMBERS_MAX);
	memcpy(text, line, was->at);
	memcpy(text + was->at, numbers, n);
	memcpy(text + was->at + n, line + was->at + was->len, len - was->at - was->len);
	ftp_parse_reply(text, len - was->len + n, &now);
	must(now.verb == FTP_227 && now.addr.family == ADDR_V4 && now.addr.v4 == vip &&
	     now.port == was->port);
	must(now.at == was->at && now.len == n);
}

/* A PORT or EPRT with another address and port in its place names these. */
static void rewrite_port(const char *line, size_t len, const struct ftp_line *was)
{
	const struct addr v6 = addr_from_addr6((struct addr6){.word = {UINT64_MAX, UINT64_MAX}}),
			  v4 = addr_from_addr4(UINT32_MAX),
			  local = was->addr.family == ADDR_V6 ? v6 : v4;
	char text[FTP_LINE_MAX + FTP_ARGUMENT_MAX], argument[FTP_ARGUMENT_MAX];
	const size_t n = ftp_argument_put(was->extended, &local, 65535, argument);
	const size_t behind = was->at + (size_t)was->len;
	struct ftp_line now;

	must(n < sizeof(argument) && behind <= len);
	memcpy(text, line, was->at);
	memcpy(text + was->at, argument, n);
	memcpy(text + was->at + n, line + behind, len - behind);
	ftp_parse_command(text, len - was->len + n, &now);
	must(now.verb == FTP_PORT && now.port == 65535 && addr_equal(&now.addr, &local) &&
	     now.at == was->at && now.len == n && now.extended == was->extended);
}

static void one_line(const char *line, size_t len, int reply)
{
	struct ftp_line got, again;

	if (len > FTP_LINE_MAX)
		len = FTP_LINE_MAX;
	if (reply)
		ftp_parse_reply(line, len, &got);
	else
		ftp_parse_command(line, len, &got);
	must(got.verb <= FTP_BAD);
	must(reply ? got.verb != FTP_PASV && got.verb != FTP_PORT
		   : got.verb != FTP_227 && got.verb != FTP_229);
	if (got.verb == FTP_227)
		rewrite(line, len, &got);
	if (got.verb == FTP_PORT)
		rewrite_port(line, len, &got);
	/* Its end makes no difference. */
	if (len > 0 && got.verb != FTP_OTHER && line[len - 1] == '\n') {
		(reply ? ftp_parse_reply : ftp_parse_command)(line, len - 1, &again);
		must(again.verb == got.verb && addr_equal(&again.addr, &got.addr) &&
		     again.port == got.port);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data + 1, *end = (const char *)data + size;

	if (size == 0)
		return 0;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *next = nl ? nl + 1 : end;
		/* Of its own, so that a read past it is seen. */
		size_t len = (size_t)(next - p);
		char *line = malloc(len);

		must(line != NULL);
		memcpy(line, p, len);
		one_line(line, len, data[0] & 1);
		free(line);
		p = next;
	}
	return 0;
}
