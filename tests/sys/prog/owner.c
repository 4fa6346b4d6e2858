/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owners of files: what an archiver or a database asks for, right and wrong. A
 * native run prints the same, whoever runs both.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void say(const char *what, int r)
{
	printf("%s: %d %d\n", what, r, r < 0 ? errno : 0);
}

/* The owner of PATH itself, and of what it leads to. */
static void owners(const char *path)
{
	struct stat to, itself;

	if (stat(path, &to) || lstat(path, &itself)) {
		say(path, -1);
		return;
	}
	printf("%s: %u %u, itself %u %u\n", path, to.st_uid, to.st_gid,
	       itself.st_uid, itself.st_gid);
}

static void right(int fd)
{
	/* Others than root can only ask for what is there already. */
	int root = geteuid() == 0;
	uid_t uid = root ? 12 : geteuid();
	gid_t gid = root ? 34 : getegid();

	say("fchown", fchown(fd, uid, gid));
	owners("link");
	say("fchown none", fchown(fd, (uid_t)-1, (gid_t)-1));
	owners("link");
	say("chown", chown("link", root ? 56 : uid, (gid_t)-1));
	owners("link");
	say("lchown", lchown("link", (uid_t)-1, root ? 78 : gid));
	owners("link");
	say("fchownat", fchownat(AT_FDCWD, "file", uid, gid, 0));
	say("fchownat itself",
	    fchownat(AT_FDCWD, "link", uid, gid, AT_SYMLINK_NOFOLLOW));
	say("fchownat empty", fchownat(fd, "", uid, gid, AT_EMPTY_PATH));
	owners("link");
}

static void wrong(int fd)
{
	char path[5000];

	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	say("no file", chown("none", 1, 1));
	say("long path", chown(path, 1, 1));
	say("no directory", lchown("file/x", 1, 1));
	say("no descriptor", fchown(99, 1, 1));
	say("unknown flag", fchownat(AT_FDCWD, "file", 1, 1, 1));
	say("empty path", fchownat(fd, "", 1, 1, 0));
}

int main(void)
{
	int fd;

	unlink("link");
	unlink("file");
	fd = open("file", O_RDWR | O_CREAT, 0600);
	say("symlink", symlink("file", "link"));
	owners("link");
	right(fd);
	wrong(fd);
	return 0;
}
