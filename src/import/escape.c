/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "import/importer.h"
#include "import/json_put.h"

const char *text_bytes(struct importer *im, const char *bytes, size_t len)
{
	struct text_buf b = {0};

	buf_put(im, &b, "", 0);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '\r')
			buf_puts(im, &b, "\\r");
		else if (c == '\n')
			buf_puts(im, &b, "\\n");
		else if (c == '\t')
			buf_puts(im, &b, "\\t");
		else if (c == '\\')
			buf_puts(im, &b, "\\\\");
		else if (c < ' ' || c >= 0x7f)
			buf_printf(im, &b, "\\x%02x", c);
		else
			buf_put(im, &b, bytes + i, 1);
	}
	return b.data;
}

const char *pattern_bytes(struct importer *im, const char *bytes, size_t len)
{
	struct text_buf b = {0};

	buf_put(im, &b, "", 0);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '\t')
			buf_puts(im, &b, "\\t");
		else if (c == '\n')
			buf_puts(im, &b, "\\n");
		else if (c == '\r')
			buf_puts(im, &b, "\\r");
		else if (c < ' ' || c >= 0x7f)
			buf_printf(im, &b, "\\x%02x", c);
		else
			buf_put(im, &b, bytes + i, 1);
	}
	return b.data;
}

const char *pattern_quote(struct importer *im, const char *bytes, size_t len)
{
	struct text_buf b = {0};

	buf_put(im, &b, "", 0);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c && strchr("\\^$.[]|()?*+{}", c))
			buf_puts(im, &b, "\\");
		buf_puts(im, &b, pattern_bytes(im, bytes + i, 1));
	}
	return b.data;
}

/* The length of the UTF-8 character at p, or 0. */
static size_t utf8_len(const unsigned char *p)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc2 ? 2 : 0;
	uint32_t c;

	if (n <= 1)
		return n;
	c = *p & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fU);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || c < 0xa0)
		return 0;
	return n;
}

bool text_is_plain(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p;) {
		size_t n = utf8_len(p);

		if (n == 0 || *p < ' ' || *p == 0x7f)
			return false;
		p += n;
	}
	return true;
}

void json_put(FILE *f, const char *text)
{
	fputc('"', f);
	for (const unsigned char *p = (const unsigned char *)text; *p;) {
		size_t n = utf8_len(p);

		if (n == 0) {
			fputc('?', f);
			p++;
			continue;
		}
		if (*p == '"' || *p == '\\')
			fprintf(f, "\\%c", *p);
		else if (*p < ' ' || *p == 0x7f)
			fprintf(f, "\\u%04x", *p);
		else
			fwrite(p, 1, n, f);
		p += n;
	}
	fputc('"', f);
}
