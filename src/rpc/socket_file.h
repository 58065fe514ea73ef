/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_RPC_SOCKET_FILE_H
#define PLVS_RPC_SOCKET_FILE_H

/* The socket file: its owner and its permissions. */

#include <stdint.h>
#include <sys/types.h>

#include "base/error_text.h"

struct listen_socket {
	int fd;
	char path[108];
	/* The file as bound: the close removes only this file. */
	dev_t dev;
	ino_t ino;
};

/* Binds a UNIX stream socket, mode as given (0 = 0600), and listens; makes the directory if only
 * its last part is missing. Replaces a socket file without a listener. 0, or -errno with a sentence
 * in error: -EADDRINUSE (another process listens there), -EEXIST (another kind of file),
 * -ENAMETOOLONG, or -errno of the kernel. */
int listen_socket_open(struct listen_socket *s, const char *path, uint32_t mode,
		       char error[ERROR_TEXT]);
/* Gives the file another owner and group. 0, or -errno with a sentence in error. */
int listen_socket_own(const struct listen_socket *s, uid_t uid, gid_t gid, char error[ERROR_TEXT]);
void listen_socket_close(struct listen_socket *s);

#endif
