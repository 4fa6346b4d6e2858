/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Takes the place of musl's header of this name: a system call is a call of
 * the layer in trusted/sys, since an enclave cannot execute SYSCALL. No vDSO
 * is announced, so that time too goes through the layer.
 */
#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)
#define IPC_64 0

__attribute__((__visibility__("hidden"))) long edmm_syscall(long n, long a,
							    long b, long c,
							    long d, long e,
							    long f);

#define EDMM_SYSCALL static __inline __attribute__((__unused__)) long

EDMM_SYSCALL __syscall0(long n)
{
	return edmm_syscall(n, 0, 0, 0, 0, 0, 0);
}

EDMM_SYSCALL __syscall1(long n, long a)
{
	return edmm_syscall(n, a, 0, 0, 0, 0, 0);
}

EDMM_SYSCALL __syscall2(long n, long a, long b)
{
	return edmm_syscall(n, a, b, 0, 0, 0, 0);
}

EDMM_SYSCALL __syscall3(long n, long a, long b, long c)
{
	return edmm_syscall(n, a, b, c, 0, 0, 0);
}

EDMM_SYSCALL __syscall4(long n, long a, long b, long c, long d)
{
	return edmm_syscall(n, a, b, c, d, 0, 0);
}

EDMM_SYSCALL __syscall5(long n, long a, long b, long c, long d, long e)
{
	return edmm_syscall(n, a, b, c, d, e, 0);
}

EDMM_SYSCALL __syscall6(long n, long a, long b, long c, long d, long e, long f)
{
	return edmm_syscall(n, a, b, c, d, e, f);
}
