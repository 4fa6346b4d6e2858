/* SPDX-License-Identifier: BSD-3-Clause */
/* Number to function: one table for what is served, -ENOSYS for the rest. */
#include "trusted/libc/libc.h"

#include <asm/unistd.h>

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

#define ROW(name) [__NR_##name] = libc_##name,
static const libc_fn served[] = { LIBC_CALLS(ROW) };
#undef ROW

/* Calls that change nothing here and may be told so. */
static const uint16_t nothing_to_do[] = {
	__NR_sync,
	__NR_set_robust_list,
};

/* Calls whose row says all there is to know. */
static const uint16_t forwarded[] = {
	__NR_lseek,	__NR_dup,	__NR_getpid,	 __NR_flock,
	__NR_fsync,	__NR_fdatasync, __NR_truncate,	 __NR_ftruncate,
	__NR_chdir,	__NR_fchdir,	__NR_fchmod,	 __NR_umask,
	__NR_getrusage, __NR_times,	__NR_getuid,	 __NR_getgid,
	__NR_geteuid,	__NR_getegid,	__NR_getppid,	 __NR_getpgrp,
	__NR_statfs,	__NR_fstatfs,	__NR_fadvise64,	 __NR_openat,
	__NR_mkdirat,	__NR_unlinkat,	__NR_linkat,	 __NR_symlinkat,
	__NR_fchmodat,	__NR_faccessat, __NR_utimensat,	 __NR_fallocate,
	__NR_dup3,	__NR_renameat2, __NR_faccessat2,
};

static bool in_list(long n, const uint16_t *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (list[i] == n)
			return true;
	return false;
}

static long own_call(long n, const uint64_t *a)
{
	switch (n) {
	case LIBC_HEAP_MMAP:
		return libc_heap_mmap(a);
	case LIBC_HEAP_MUNMAP:
		return libc_heap_munmap(a);
	case LIBC_HEAP_MREMAP:
		return libc_heap_mremap(a);
	case LIBC_THREAD:
		return libc_thread(a);
	default:
		return -ENOSYS;
	}
}

static long dispatch(long n, const uint64_t *args)
{
	if (n >= 0 && (size_t)n < COUNT(served) && served[n] != NULL)
		return served[n](args);
	if (in_list(n, forwarded, COUNT(forwarded)))
		return libc_call((enum call_nr)n, args);
	if (in_list(n, nothing_to_do, COUNT(nothing_to_do)))
		return 0;
	return own_call(n, args);
}

/* NOLINTNEXTLINE(readability-function-size): as many as a call has. */
long edmm_syscall(long n, long a, long b, long c, long d, long e, long f)
{
	const uint64_t args[WIRE_CALL_ARGS] = {
		(uint64_t)a, (uint64_t)b, (uint64_t)c,
		(uint64_t)d, (uint64_t)e, (uint64_t)f,
	};
	bool was = rt_runtime_set(true);
	long r = dispatch(n, args);

	rt_runtime_set(was);
	return r;
}
