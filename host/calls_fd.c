/* SPDX-License-Identifier: BSD-3-Clause */
#include "host/calls_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Standard descriptors stay open for the loader's own report. */
#define STD_FDS 3

static void close_ours(int host_fd)
{
	if (host_fd >= STD_FDS)
		close(host_fd);
}

void host_calls_init(struct host_calls *c)
{
	int i;

	pthread_mutex_init(&c->lock, NULL);
	c->make = host_calls_linux;
	for (i = 0; i < (int)CALL_FD_MAX; i++)
		c->fds[i] = i < STD_FDS && fcntl(i, F_GETFD) >= 0 ? i : -1;
	for (i = 0; i < (int)CALL_KEPT_MAX; i++)
		c->kept[i] = -1;
}

void host_calls_close(struct host_calls *c)
{
	int i;

	for (i = 0; i < (int)CALL_FD_MAX; i++) {
		if (c->fds[i] >= 0)
			close_ours(c->fds[i]);
		c->fds[i] = -1;
	}
	for (i = 0; i < (int)CALL_KEPT_MAX; i++)
		if (c->kept[i] >= 0)
			host_kept_close(c, i);
	pthread_mutex_destroy(&c->lock);
}

static int in_table(int fd)
{
	return fd >= 0 && fd < (int)CALL_FD_MAX;
}

int host_fd_get(struct host_calls *c, int fd)
{
	int ours;

	if (!in_table(fd))
		return -EBADF;
	pthread_mutex_lock(&c->lock);
	ours = c->fds[fd];
	pthread_mutex_unlock(&c->lock);
	return ours < 0 ? -EBADF : ours;
}

/* Puts @host_fd at @fd and returns what was there. */
static int exchange(struct host_calls *c, int fd, int host_fd)
{
	int old;

	pthread_mutex_lock(&c->lock);
	old = c->fds[fd];
	c->fds[fd] = host_fd;
	pthread_mutex_unlock(&c->lock);
	return old;
}

long host_fd_add(struct host_calls *c, long host_fd, int min)
{
	int fd;

	if (host_fd < 0)
		return host_fd;
	pthread_mutex_lock(&c->lock);
	for (fd = min; fd < (int)CALL_FD_MAX; fd++)
		if (c->fds[fd] < 0)
			break;
	if (fd < (int)CALL_FD_MAX)
		c->fds[fd] = (int)host_fd;
	pthread_mutex_unlock(&c->lock);
	if (fd < (int)CALL_FD_MAX)
		return fd;
	close((int)host_fd);
	return -EMFILE;
}

long host_fd_add_pair(struct host_calls *c, int fds[2])
{
	long a = host_fd_add(c, fds[0], 0);
	long b;

	if (a < 0) {
		close(fds[1]);
		return a;
	}
	b = host_fd_add(c, fds[1], 0);
	if (b < 0) {
		host_fd_close(c, (int)a);
		return b;
	}
	fds[0] = (int)a;
	fds[1] = (int)b;
	return 0;
}

long host_fd_close(struct host_calls *c, int fd)
{
	int ours;

	if (!in_table(fd))
		return -EBADF;
	ours = exchange(c, fd, -1);
	if (ours < 0)
		return -EBADF;
	if (ours < STD_FDS)
		return 0;
	return close(ours) != 0 ? -errno : 0;
}

long host_fd_dup_to(struct host_calls *c, int host_fd, int to, int flags)
{
	int ours, old;

	if (!in_table(to))
		return -EBADF;
	if ((flags & ~O_CLOEXEC) != 0 || host_fd_get(c, to) == host_fd)
		return -EINVAL;
	ours = fcntl(host_fd, F_DUPFD_CLOEXEC, STD_FDS);
	if (ours < 0)
		return -errno;
	old = exchange(c, to, ours);
	if (old >= 0)
		close_ours(old);
	return to;
}

long host_fd_dup_from(struct host_calls *c, int host_fd, int cmd, long min)
{
	int ours;

	if (cmd != F_DUPFD && cmd != F_DUPFD_CLOEXEC)
		return -EINVAL;
	if (min < 0 || min >= (long)CALL_FD_MAX)
		return -EINVAL;
	ours = fcntl(host_fd, cmd, STD_FDS);
	return ours < 0 ? -errno : host_fd_add(c, ours, (int)min);
}

int host_kept_get(struct host_calls *c, int kept)
{
	int ours = -1;

	if (kept < 0 || kept >= (int)CALL_KEPT_MAX)
		return -EBADF;
	pthread_mutex_lock(&c->lock);
	ours = c->kept[kept];
	pthread_mutex_unlock(&c->lock);
	return ours < 0 ? -EBADF : ours;
}

long host_kept_add(struct host_calls *c, long host_fd)
{
	int i;

	if (host_fd < 0)
		return host_fd;
	pthread_mutex_lock(&c->lock);
	for (i = 0; i < (int)CALL_KEPT_MAX; i++)
		if (c->kept[i] < 0)
			break;
	if (i < (int)CALL_KEPT_MAX)
		c->kept[i] = (int)host_fd;
	pthread_mutex_unlock(&c->lock);
	if (i < (int)CALL_KEPT_MAX)
		return i;
	close((int)host_fd);
	return -EMFILE;
}

long host_kept_close(struct host_calls *c, int kept)
{
	int ours = host_kept_get(c, kept);

	if (ours < 0)
		return ours;
	pthread_mutex_lock(&c->lock);
	c->kept[kept] = -1;
	pthread_mutex_unlock(&c->lock);
	return close(ours) != 0 ? -errno : 0;
}
