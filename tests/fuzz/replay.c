/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* replay DIR: a fuzz target over its committed corpus, without a fuzzer. Fails on an empty
 * directory; a crash is the target's own. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file_replay(const char *dir, const char *name)
{
	char path[4096];
	uint8_t *data = malloc(1 << 20);
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	if (!f || !data) {
		perror(path);
		exit(1);
	}
	n = fread(data, 1, 1 << 20, f);
	fclose(f);
	/* Sized to the byte, so that a sanitizer sees a read past the end. */
	data = realloc(data, n ? n : 1);
	LLVMFuzzerTestOneInput(data, n);
	free(data);
	return 1;
}

int main(int argc, char **argv)
{
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *e;
	int n = 0;

	if (!dir) {
		fprintf(stderr, "usage: %s DIR\n", argv[0]);
		return 2;
	}
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.')
			n += file_replay(argv[1], e->d_name);
	closedir(dir);
	printf("%d inputs\n", n);
	return n ? 0 : 1;
}
