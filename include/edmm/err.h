/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Errors of the edmm libraries: 0, or a negated value of this table. The
 * values are Linux's errno values on x86-64, written out so that freestanding
 * code needs no <errno.h> and has no errno variable.
 */
#ifndef EDMM_ERR_H
#define EDMM_ERR_H

enum {
	EDMM_EPERM = 1,
	EDMM_ENOENT = 2,
	EDMM_EINTR = 4,
	EDMM_EIO = 5,
	EDMM_E2BIG = 7,
	EDMM_ENOEXEC = 8,
	EDMM_EBADF = 9,
	EDMM_ECHILD = 10,
	EDMM_EAGAIN = 11,
	EDMM_ENOMEM = 12,
	EDMM_EACCES = 13,
	EDMM_EFAULT = 14,
	EDMM_EBUSY = 16,
	EDMM_EEXIST = 17,
	EDMM_ENODEV = 19,
	EDMM_EINVAL = 22,
	EDMM_ENOTTY = 25,
	EDMM_EFBIG = 27,
	EDMM_ENOSPC = 28,
	EDMM_ERANGE = 34,
	EDMM_ENOSYS = 38,
	EDMM_EPROTO = 71,
	EDMM_EBADMSG = 74,
	EDMM_EOVERFLOW = 75,
	EDMM_EOPNOTSUPP = 95,
	EDMM_ETIMEDOUT = 110,
	EDMM_EKEYREJECTED = 129,
};

/* 0 or a negated value of the table above; never to be dropped. */
typedef int edmm_err;
#define EDMM_NODISCARD __attribute__((warn_unused_result))

#endif
