/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "import/importer.h"

/* Reads to the end, at most MAX_FILE_BYTES. */
static char *stream_read(struct importer *im, int fd, size_t *len, const char **why)
{
	struct text_buf b = {0};
	char chunk[16384];
	ssize_t n;

	buf_put(im, &b, "", 0);
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*why = strerror(errno);
			return NULL;
		}
		im->input_bytes += (size_t)n;
		if (b.len + (size_t)n > MAX_FILE_BYTES || im->input_bytes > MAX_INPUT_BYTES) {
			*why = "it is larger than an import reads (16 MiB a file, 64 MiB in all)";
			return NULL;
		}
		buf_put(im, &b, chunk, (size_t)n);
	}
	*len = b.len;
	return b.data;
}

char *input_read(struct importer *im, const char *path, size_t *len, const char **why)
{
	bool standard = !path || strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = NULL;
	struct stat st;

	if (fd < 0) {
		*why = strerror(errno);
		return NULL;
	}
	if (!standard && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
		*why = "it is no regular file";
	else
		text = stream_read(im, fd, len, why);
	if (!standard)
		close(fd);
	return text;
}

void input_check(struct importer *im, const char *file, const char *text, size_t len)
{
	const char *nul = memchr(text, '\0', len);
	struct origin at = {file, 1};

	if (!nul)
		return;
	for (const char *p = text; p < nul; p++)
		at.line += *p == '\n';
	give_up(im, at, "there is a NUL byte here: the file is binary, not a configuration");
}

void lines_init(struct lines *l, const char *file, const char *text, size_t len)
{
	l->at = text;
	l->end = text + len;
	l->here = (struct origin){file, 0};
}

bool line_next(struct lines *l, const char **line, size_t *len)
{
	const char *p = l->at;

	if (p == l->end)
		return false;
	while (p < l->end && *p != '\n' && *p != '\r')
		p++;
	*line = l->at;
	*len = (size_t)(p - l->at);
	l->cr = p < l->end && *p == '\r';
	if (p < l->end)
		p += *p == '\r' && p + 1 < l->end && p[1] == '\n' ? 2 : 1;
	l->at = p;
	l->here.line++;
	return true;
}
