/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device as a file: by whatever name it is opened, and what a character
 * device answers to calls that are not its own (Linux: sgx_encl_fops has
 * neither read nor write nor llseek nor fsync).
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/trap/encl.h"

#define PAGE 0x1000ul
#define DEVICE SGX_DEV_ENCLAVE

#define FAILS(call, with)                                       \
	do {                                                    \
		errno = 0;                                      \
		ck_assert_int_eq((int)(call), -1);              \
		ck_assert_msg(errno == (with), "%s: %s", #call, \
			      strerror(errno));                 \
	} while (0)

/* A new, empty enclave has no size yet: mmap is EACCES or fine, never ENODEV;
 * INIT of nothing is EINVAL, which only an enclave's file says. */
static void is_enclave(int fd)
{
	struct sgx_enclave_init arg = { 0 };

	ck_assert_int_ge(fd, 0);
	FAILS(ioctl(fd, SGX_IOC_ENCLAVE_INIT, &arg), EINVAL);
}

static void opens(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDWR);

	ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
	is_enclave(fd);
	close(fd);
	fd = (int)syscall(SYS_openat, dir, name, O_RDWR, 0);
	ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
	close(fd);
}

/* ---- names -------------------------------------------------------------- */

START_TEST(by_any_name_of_its_folder)
{
	int dir = open("/dev", O_RDONLY | O_DIRECTORY);
	int path = open("/dev", O_PATH);
	struct stat a, b;

	opens(AT_FDCWD, "/dev/sgx_enclave");
	opens(AT_FDCWD, "/dev/../dev/sgx_enclave");
	opens(AT_FDCWD, "//dev/./sgx_enclave");
	opens(AT_FDCWD, "/proc/self/root/dev/sgx_enclave");
	opens(dir, "sgx_enclave");
	opens(dir, "./sgx_enclave");
	opens(path, "sgx_enclave");
	opens(path, "/dev/sgx_enclave");
	ck_assert_int_eq(fchdir(dir), 0);
	opens(AT_FDCWD, "sgx_enclave");
	ck_assert_int_eq(stat("./sgx_enclave", &a), 0);
	ck_assert_int_eq(fstatat(dir, "sgx_provision", &b, 0), 0);
	ck_assert(S_ISCHR(a.st_mode) && S_ISCHR(b.st_mode));
	ck_assert_uint_ne(a.st_rdev, b.st_rdev);
	ck_assert_int_eq(faccessat(dir, "sgx_enclave", R_OK | W_OK, 0), 0);
	close(dir);
	close(path);
}
END_TEST

START_TEST(not_by_other_names)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY);

	FAILS(openat(tmp, "sgx_enclave", O_RDWR), ENOENT);
	FAILS(open("/tmp/sgx_enclave", O_RDWR), ENOENT);
	FAILS(open("/dev/dev/sgx_enclave", O_RDWR), ENOENT);
	FAILS(openat(-1, "sgx_enclave", O_RDWR), EBADF);
	ck_assert_int_eq(chdir("/"), 0);
	FAILS(open("sgx_enclave", O_RDWR), ENOENT);
	opens(AT_FDCWD, "dev/sgx_enclave");
	close(tmp);
}
END_TEST

START_TEST(as_open_says)
{
	int fd;

	FAILS(open(DEVICE, O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	FAILS(open(DEVICE, O_RDONLY | O_DIRECTORY), ENOTDIR);
	fd = open(DEVICE, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	is_enclave(fd);
	ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	close(fd);
	fd = open(DEVICE, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK),
			 O_RDONLY | O_NONBLOCK);
	close(fd);
}
END_TEST

/* A name of an open file is another open of the device. */
START_TEST(proc_names_open_it_anew)
{
	static const char *const forms[] = {
		"/proc/self/fd/%d",
		"/dev/fd/%d",
		"/proc/thread-self/fd/%d",
	};
	int fd = open(DEVICE, O_RDWR), copy = dup(fd);
	char name[64], link[64] = { 0 };
	struct stat a, b;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		snprintf(name, sizeof(name), forms[i], copy);
		opens(AT_FDCWD, name);
	}
	ck_assert_int_eq(stat(name, &a), 0);
	ck_assert(S_ISCHR(a.st_mode));
	ck_assert_int_eq(lstat(name, &b), 0);
	ck_assert(S_ISLNK(b.st_mode));
	ck_assert_int_eq(readlink(name, link, sizeof(link)), 16);
	ck_assert_str_eq(link, DEVICE);
	ck_assert_int_eq(readlink(name, link, 4), 4);
	FAILS(readlink(DEVICE, link, sizeof(link)), EINVAL);
	close(copy);
	close(fd);
}
END_TEST

/* ---- what it is --------------------------------------------------------- */

static void same(const struct stat *a, const struct stat *b)
{
	ck_assert_uint_eq(a->st_dev, b->st_dev);
	ck_assert_uint_eq(a->st_ino, b->st_ino);
	ck_assert_uint_eq(a->st_rdev, b->st_rdev);
	ck_assert_uint_eq(a->st_mode, b->st_mode);
	ck_assert_int_eq(a->st_size, b->st_size);
}

START_TEST(fstat_tells_a_device)
{
	int fd = open(DEVICE, O_RDWR);
	struct stat named, st, folder;
	struct statx stx;

	ck_assert_int_eq(stat(DEVICE, &named), 0);
	ck_assert_int_eq(stat("/dev", &folder), 0);
	ck_assert(S_ISCHR(named.st_mode));
	ck_assert_uint_eq(named.st_dev, folder.st_dev);
	ck_assert_int_eq(named.st_size, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	same(&named, &st);
	ck_assert_int_eq(fstatat(fd, "", &st, AT_EMPTY_PATH), 0);
	same(&named, &st);
	ck_assert_int_eq((int)syscall(SYS_fstat, fd, &st), 0);
	same(&named, &st);
	ck_assert_int_eq(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx),
			 0);
	ck_assert(S_ISCHR(stx.stx_mode));
	ck_assert_uint_eq(stx.stx_ino, named.st_ino);
	ck_assert_uint_eq(makedev(stx.stx_rdev_major, stx.stx_rdev_minor),
			  named.st_rdev);
	close(fd);
}
END_TEST

/* ---- what it refuses ---------------------------------------------------- */

static void refuses_reads(int fd, int with)
{
	char c[8];
	struct iovec v = { c, sizeof(c) };
	int out = open("/tmp", O_TMPFILE | O_RDWR, 0600), p[2];

	ck_assert_int_eq(pipe(p), 0);
	FAILS(read(fd, c, sizeof(c)), with);
	FAILS(read(fd, c, 0), with);
	FAILS(syscall(SYS_read, fd, c, sizeof(c)), with);
	FAILS(pread(fd, c, sizeof(c), 0), with);
	FAILS(readv(fd, &v, 1), with);
	FAILS(preadv(fd, &v, 1, 0), with);
	FAILS(preadv2(fd, &v, 1, 0, 0), with);
	FAILS(sendfile(out, fd, NULL, 8), with);
	FAILS(splice(fd, NULL, p[1], NULL, 8, 0), with);
	FAILS(copy_file_range(fd, NULL, out, NULL, 8, 0), with);
	close(out);
	close(p[0]);
	close(p[1]);
}

static void refuses_writes(int fd, int with)
{
	struct iovec v = { "abc", 3 };

	FAILS(write(fd, "abc", 3), with);
	FAILS(syscall(SYS_write, fd, "abc", 3), with);
	FAILS(pwrite(fd, "abc", 3, 0), with);
	FAILS(writev(fd, &v, 1), with);
	FAILS(pwritev(fd, &v, 1, 0), with);
	FAILS(pwritev2(fd, &v, 1, 0, 0), with);
}

static void refuses_all(int fd)
{
	refuses_reads(fd, EINVAL);
	refuses_writes(fd, EINVAL);
	FAILS(lseek(fd, 0, SEEK_SET), ESPIPE);
	FAILS(lseek(fd, 0, SEEK_END), ESPIPE);
	FAILS(lseek(fd, 0, 77), EINVAL);
	FAILS(ftruncate(fd, 0), EINVAL);
	FAILS(fallocate(fd, 0, 0, 4096), ENODEV);
	FAILS(fsync(fd), EINVAL);
	FAILS(fdatasync(fd), EINVAL);
	FAILS(sync_file_range(fd, 0, 4096, 0), ESPIPE);
	FAILS(fcntl(fd, F_GET_SEALS), EINVAL);
	FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), EINVAL);
	FAILS(ioctl(fd, FIONREAD, &(int){ 0 }), ENOTTY);
}

/* Also by each number that it may have come to. */
START_TEST(no_reads_no_writes_no_place)
{
	static const char *const devices[] = { SGX_DEV_ENCLAVE,
					       SGX_DEV_PROVISION };

	for (int i = 0; i < 2; i++) {
		int fd = open(devices[i], O_RDWR);
		int n[] = { dup(fd), dup2(fd, 300), dup3(fd, 301, O_CLOEXEC),
			    fcntl(fd, F_DUPFD, 302),
			    fcntl(fd, F_DUPFD_CLOEXEC, 303) };

		refuses_all(fd);
		for (int k = 0; k < 5; k++) {
			refuses_all(n[k]);
			close(n[k]);
		}
		close(fd);
	}
}
END_TEST

START_TEST(as_it_was_opened)
{
	int r = open(DEVICE, O_RDONLY), w = open(DEVICE, O_WRONLY);

	refuses_reads(r, EINVAL);
	refuses_writes(r, EBADF);
	refuses_reads(w, EBADF);
	refuses_writes(w, EINVAL);
	close(r);
	close(w);
}
END_TEST

/* What Linux does of every file. */
START_TEST(ioctls_of_any_file)
{
	static const char *const devices[] = { SGX_DEV_ENCLAVE,
					       SGX_DEV_PROVISION };
	int on = 1, off = 0;

	for (int i = 0; i < 2; i++) {
		int fd = open(devices[i], O_RDWR);

		ck_assert_int_eq(ioctl(fd, FIOCLEX), 0);
		ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
		ck_assert_int_eq(ioctl(fd, FIONCLEX), 0);
		ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
		ck_assert_int_eq(ioctl(fd, FIONBIO, &on), 0);
		ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
		ck_assert_int_eq(ioctl(fd, FIONBIO, &off), 0);
		FAILS(ioctl(fd, FIOASYNC, &on), ENOTTY);
		close(fd);
	}
}
END_TEST

/* Nothing can be done with it, but to open it. */
START_TEST(a_path_is_no_enclave)
{
	struct sgx_enclave_init arg = { 0 };
	int fd = open(DEVICE, O_PATH | O_CLOEXEC);
	struct stat st;
	char name[64], c;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert(S_ISCHR(st.st_mode));
	FAILS(ioctl(fd, SGX_IOC_ENCLAVE_INIT, &arg), EBADF);
	FAILS(read(fd, &c, 1), EBADF);
	FAILS(write(fd, &c, 1), EBADF);
	FAILS(lseek(fd, 0, SEEK_SET), EBADF);
	ck_assert_ptr_eq(mmap(NULL, PAGE, PROT_NONE, MAP_SHARED, fd, 0),
			 MAP_FAILED);
	ck_assert_int_eq(errno, EBADF);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	opens(AT_FDCWD, name);
	close(fd);
}
END_TEST

/* Others' files are theirs, while one of ours is open. */
START_TEST(other_files_are_as_ever)
{
	int fd = open(DEVICE, O_RDWR);
	int f = open("/tmp", O_TMPFILE | O_RDWR, 0600), again;
	char name[64], c = 0;
	struct stat st;

	ck_assert_int_eq((int)write(f, "abc", 3), 3);
	ck_assert_int_eq((int)lseek(f, 1, SEEK_SET), 1);
	ck_assert_int_eq((int)read(f, &c, 1), 1);
	ck_assert_int_eq(c, 'b');
	ck_assert_int_eq(ftruncate(f, 7), 0);
	ck_assert_int_eq(fsync(f), 0);
	ck_assert_int_eq(fstat(f, &st), 0);
	ck_assert_int_eq((int)st.st_size, 7);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", f);
	again = open(name, O_RDONLY);
	ck_assert_int_eq((int)pread(again, &c, 1, 2), 1);
	ck_assert_int_eq(c, 'c');
	ck_assert_int_eq(fcntl(again, F_GETFL) & O_ACCMODE, O_RDONLY);
	/* A number that was the device's is the next file's. */
	close(fd);
	ck_assert_int_eq(dup2(f, fd), fd);
	ck_assert_int_eq((int)lseek(fd, 0, SEEK_SET), 0);
	ck_assert_int_eq((int)read(fd, &c, 1), 1);
	ck_assert_int_eq(c, 'a');
	close(again);
	close(fd);
	close(f);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("device");
	TCase *t = tcase_create("device");
	SRunner *r;
	int failed;

	(void)argc;
	encl_need_machine(argv, "");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, by_any_name_of_its_folder);
	tcase_add_test(t, not_by_other_names);
	tcase_add_test(t, as_open_says);
	tcase_add_test(t, proc_names_open_it_anew);
	tcase_add_test(t, fstat_tells_a_device);
	tcase_add_test(t, no_reads_no_writes_no_place);
	tcase_add_test(t, as_it_was_opened);
	tcase_add_test(t, ioctls_of_any_file);
	tcase_add_test(t, a_path_is_no_enclave);
	tcase_add_test(t, other_files_are_as_ever);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
