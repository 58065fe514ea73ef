/* SPDX-License-Identifier: BSD-3-Clause */
/* plvs-telnetd: options, privileges, the listener. */
#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "base/error_text.h"
#include "base/text_buffer.h"
#include "telnet/telnetd.h"

#define CONFIG_BYTES (64U << 20)

static int die(const char *what, const char *why)
{
	fprintf(stderr, "plvs-telnetd: %s%s%s\n", what, why ? ": " : "", why ? why : "");
	return 1;
}

static void usage(FILE *f)
{
	fputs("usage: plvs-telnetd --config FILE\n"
	      "       plvs-telnetd --hash\n\n"
	      "Serves the shell of plvsctl by telnet, as node.telnet of a configuration of plvs "
	      "says.\n"
	      "The router starts it; it can be started by a service manager instead.\n\n"
	      "  --config FILE  the router's configuration; - is standard input\n"
	      "  --hash         read a password, print its hash for node.telnet.users\n",
	      f);
}

/* --- a hash --- */

static int hash_print(void)
{
	struct termios before, quiet;
	bool tty = tcgetattr(STDIN_FILENO, &before) == 0;
	char line[256], *salt = crypt_gensalt("$y$", 0, NULL, 0), *hash;

	if (tty) {
		fputs("password: ", stderr);
		quiet = before;
		quiet.c_lflag &= (tcflag_t)~ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	if (!fgets(line, sizeof(line), stdin))
		line[0] = '\0';
	if (tty) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	line[strcspn(line, "\r\n")] = '\0';
	if (!line[0] || strlen(line) > 128)
		return die("expected a password of 1 to 128 characters", NULL);
	hash = salt ? crypt(line, salt) : NULL;
	explicit_bzero(line, sizeof(line));
	if (!hash || hash[0] == '*')
		return die("the password cannot be hashed", strerror(errno));
	puts(hash);
	return 0;
}

/* --- the configuration --- */

/* Reads the whole file. 0 or -errno. */
static int file_read(const char *path, struct text_buffer *text)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	int ret;

	if (!f)
		return -errno;
	setvbuf(f, NULL, _IONBF, 0); /* no copy in a buffer */
	ret = text_buffer_read(text, f, CONFIG_BYTES);
	if (f != stdin)
		fclose(f);
	return ret;
}

/* --- privileges --- */

/* From root to the account; from anybody else nothing changes. */
static int account_take(const char *name)
{
	const struct passwd *pw;

	if (geteuid() != 0)
		return 0;
	pw = getpwnam(name);
	if (!pw)
		return die("node.telnet.user: no such user", name);
	if (pw->pw_uid == 0)
		return die("node.telnet.user: root is not allowed", NULL);
	if (setgroups(0, NULL) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return die("cannot become the user of node.telnet.user", strerror(errno));
	return 0;
}

/* No capability, no way to one, no file that grows. */
static int privileges_drop(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	const struct rlimit zero = {0};

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, none) < 0)
		return die("cannot drop capabilities", strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return die("no_new_privs", strerror(errno));
	/* Sessions have the same user: none reads or writes the memory of another. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return die("not dumpable", strerror(errno));
	(void)setrlimit(RLIMIT_CORE, &zero);
	(void)setrlimit(RLIMIT_FSIZE, &zero);
	(void)!chdir("/");
	umask(0077);
	return 0;
}

static int serve(const char *path)
{
	struct telnet_config config;
	char error[ERROR_TEXT];
	struct text_buffer text = {0};
	int ret = file_read(path, &text), fd;

	if (ret < 0)
		return die(path, strerror(-ret));
	ret = telnet_config_parse(text.v, text.n, &config, error);
	explicit_bzero(text.v, text.n);
	free(text.v);
	if (ret < 0)
		return die(path, error);
	fd = telnet_listen_open(&config, error);
	if (fd < 0)
		return die(error, NULL);
	if (account_take(config.account) || privileges_drop())
		return 1;
	fprintf(stderr, "plvs-telnetd: listening on %s port %s\n", config.host, config.port);
	ret = telnet_listen_run(&config, fd);
	telnet_config_free(&config);
	return ret;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
						{"hash", no_argument, NULL, 'p'},
						{"help", no_argument, NULL, 'h'},
						{"version", no_argument, NULL, 'v'},
						{NULL, 0, NULL, 0}};
	const char *config = NULL;
	int opt;

	while ((opt = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			config = optarg;
			break;
		case 'p':
			return hash_print();
		case 'v':
			puts("plvs-telnetd " PLVS_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (!config || optind < argc) {
		usage(stderr);
		return 2;
	}
	return serve(config);
}
