/* SPDX-License-Identifier: BSD-3-Clause */
#include "machine/trap/base/facility.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define CALL(p, nr, ...) (p)->call((nr), (const long[6]){ __VA_ARGS__ })
#define ARCH_SET_CPUID 0x1012
#define HWCAP2_FSGSBASE 2u
/* Of newer kernels than Debian's headers. */
#define FEATURE_WP_SHMEM (1ull << 12)

/* What the kernel's rt_sigaction takes. */
struct action {
	void (*handler)(int sig);
	unsigned long flags;
	void (*restorer)(int sig);
	uint64_t mask;
};

#define ACTION_RESTORER 0x04000000ul

/* facility_gs.S */
__attribute__((visibility("hidden"))) int facility_gs(void);
__attribute__((visibility("hidden"))) void facility_gs_ill(int sig);

#define UFFD_FEATURES                                       \
	(UFFD_FEATURE_SIGBUS | UFFD_FEATURE_MISSING_SHMEM | \
	 UFFD_FEATURE_MINOR_SHMEM | FEATURE_WP_SHMEM)

/* Asking for CPUID as it is fails where it could not be otherwise. */
static bool cpuid_fault(const struct facility_probe *p)
{
	return !CALL(p, SYS_arch_prctl, ARCH_SET_CPUID, 1);
}

static bool pkeys(const struct facility_probe *p)
{
	long key = CALL(p, SYS_pkey_alloc, 0, 0);

	if (key >= 0)
		CALL(p, SYS_pkey_free, key);
	return key >= 0;
}

static bool fsgsbase(const struct facility_probe *p)
{
	return p->hwcap2 & HWCAP2_FSGSBASE;
}

static bool wrgsbase(const struct facility_probe *p)
{
	const struct action ill = { facility_gs_ill,
				    SA_NODEFER | ACTION_RESTORER,
				    facility_gs_ill, 0 };
	struct action old;
	bool there;

	if (CALL(p, SYS_rt_sigaction, SIGILL, (long)&ill, (long)&old,
		 sizeof(ill.mask)))
		return false;
	there = !facility_gs();
	CALL(p, SYS_rt_sigaction, SIGILL, (long)&old, 0, sizeof(old.mask));
	return there;
}

int facility_uffd(const struct facility_probe *p)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURES };
	long fd = CALL(p, SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd < 0)
		return -1;
	if (!CALL(p, SYS_ioctl, fd, UFFDIO_API, (long)&api))
		return (int)fd;
	CALL(p, SYS_close, fd);
	return -1;
}

static bool uffd(const struct facility_probe *p)
{
	int fd = facility_uffd(p);

	if (fd >= 0)
		CALL(p, SYS_close, fd);
	return fd >= 0;
}

static bool sud(const struct facility_probe *p)
{
	return !CALL(p, SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH,
		     PR_SYS_DISPATCH_OFF, 0, 0, 0);
}

static bool seccomp(const struct facility_probe *p)
{
	uint32_t action = SECCOMP_RET_TRAP;

	return !CALL(p, SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0,
		     (long)&action);
}

#define ROW(name, function, setting, what, without) \
	[FACILITY_##name] = { setting, what, without, function },

const struct facility_row facility_rows[FACILITIES] = { FACILITY_LIST(ROW) };
