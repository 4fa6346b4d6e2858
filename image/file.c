/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files: read whole and bounded, written whole or not at all; and messages.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/internal.h"

edmm_err img_fail(struct edmm_diag *diag, edmm_err err, const char *format, ...)
{
	va_list ap;

	if (!diag)
		return err;
	va_start(ap, format);
	vsnprintf(diag->text, sizeof(diag->text), format, ap);
	va_end(ap);
	return err;
}

static edmm_err fail_errno(struct edmm_diag *diag, const char *path,
			   const char *what)
{
	int e = errno;
	edmm_err err =
		e == ENOENT || e == EACCES || e == EEXIST ? -e : -EDMM_EIO;

	return img_fail(diag, err, "%s: %s: %s", path, what, strerror(e));
}

static edmm_err read_all(int fd, uint8_t *p, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, p + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EDMM_EIO;
		done += (size_t)n;
	}
	return 0;
}

edmm_err img_file_read(const char *path, uint64_t max, uint8_t **bytes,
		       size_t *size, struct edmm_diag *diag)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	uint8_t *p;
	edmm_err err;

	*bytes = NULL;
	if (fd < 0)
		return fail_errno(diag, path, "cannot be opened");
	if (fstat(fd, &st)) {
		err = fail_errno(diag, path, "cannot be read");
		goto out_close;
	}
	if (!S_ISREG(st.st_mode)) {
		err = img_fail(diag, -EDMM_EIO, "%s: not a regular file", path);
		goto out_close;
	}
	if ((uint64_t)st.st_size > max) {
		err = img_fail(diag, -EDMM_EFBIG,
			       "%s: %lld bytes; at most %llu are read", path,
			       (long long)st.st_size, (unsigned long long)max);
		goto out_close;
	}
	*size = (size_t)st.st_size;
	p = aligned_alloc(SGX_PAGE_SIZE, img_page_up(*size + 1));
	if (!p) {
		err = img_fail(diag, -EDMM_ENOMEM, "%s: out of memory", path);
		goto out_close;
	}
	err = read_all(fd, p, *size);
	if (err) {
		free(p);
		img_fail(diag, err, "%s: cannot be read whole", path);
		goto out_close;
	}
	*bytes = p;
out_close:
	close(fd);
	return err;
}

static int write_all(int fd, const uint8_t *p, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = write(fd, p + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	/* EINVAL: a pipe, or a device that has nothing to wait for. */
	return fsync(fd) && errno != EINVAL ? -1 : 0;
}

/* rename() replaces; link() does not, and says so. */
static int publish(const char *temp, const char *path, bool replace)
{
	if (replace)
		return rename(temp, path);
	if (link(temp, path))
		return -1;
	unlink(temp);
	return 0;
}

/* The file @temp with its content, or no such file and an error. */
static edmm_err write_temp(const char *temp, const void *bytes, size_t size,
			   mode_t mode)
{
	int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int failed;

	if (fd < 0)
		return -errno;
	failed = write_all(fd, bytes, size) ? errno : 0;
	close(fd);
	if (failed)
		unlink(temp);
	return -failed;
}

static mode_t mode_of(enum img_file_kind kind)
{
	return kind == IMG_FILE_PUBLIC ? 0666 : 0600;
}

/* A new file by way of a temporary one beside it. */
static edmm_err write_beside(const char *path, const void *bytes, size_t size,
			     enum img_file_kind kind)
{
	char *temp;
	edmm_err err;

	if (asprintf(&temp, "%s.%ld.tmp", path, (long)getpid()) < 0)
		return -EDMM_ENOMEM;
	err = write_temp(temp, bytes, size, mode_of(kind));
	if (!err && publish(temp, path, kind != IMG_FILE_PRIVATE_NEW)) {
		err = -errno;
		unlink(temp);
	}
	free(temp);
	return err;
}

/* /dev/stdout and its like, whatever is behind it: >>FILE must not lose any. */
static int standard_fd(const struct stat *file)
{
	struct stat st;
	int fd;

	for (fd = 1; fd <= 2; fd++)
		if (!fstat(fd, &st) && st.st_dev == file->st_dev &&
		    st.st_ino == file->st_ino)
			return fd;
	return -1;
}

/* What is no file of ours to replace: a device, a pipe, a link to nothing. */
static edmm_err write_into(const char *path, int standard, const void *bytes,
			   size_t size, mode_t mode)
{
	const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY;
	int fd = standard >= 0 ? dup(standard) : open(path, flags, mode);
	edmm_err err = 0;

	if (fd < 0 || write_all(fd, bytes, size))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static edmm_err write_file(const char *path, const void *bytes, size_t size,
			   enum img_file_kind kind)
{
	/* A link stays: the file behind it is the one that was meant. */
	char *real = realpath(path, NULL);
	const char *name = real ? real : path;
	int standard = -1;
	struct stat st;
	edmm_err err;

	if (!lstat(name, &st))
		standard = standard_fd(&st);
	else
		st.st_mode = S_IFREG;
	if (standard >= 0 || !S_ISREG(st.st_mode))
		err = write_into(path, standard, bytes, size, mode_of(kind));
	else
		err = write_beside(name, bytes, size, kind);
	free(real);
	return err;
}

edmm_err img_file_write(const char *path, const void *bytes, size_t size,
			enum img_file_kind kind, struct edmm_diag *diag)
{
	edmm_err err = kind == IMG_FILE_PRIVATE_NEW
			       ? write_beside(path, bytes, size, kind)
			       : write_file(path, bytes, size, kind);

	if (!err)
		return 0;
	errno = -err;
	return fail_errno(diag, path, "cannot be written");
}
