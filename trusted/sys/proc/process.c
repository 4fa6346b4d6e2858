/* SPDX-License-Identifier: BSD-3-Clause */
/* Identity, and how a program ends. */
#include "trusted/sys/sys.h"

#include <asm/prctl.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>

#include "trusted/elastic/heap.h"

_Noreturn static void end(uint64_t status)
{
	rt_exit((int)(status & 0xff));
}

long sys_exit_group(const uint64_t *a)
{
	end(a[0]);
}

long sys_arch_prctl(const uint64_t *a)
{
	uint64_t fs = rt_fs_base();

	switch (a[0]) {
	case ARCH_SET_FS:
		if (!sys_owns(a[1], sizeof(fs)))
			return -EPERM;
		rt_set_fs_base(a[1]);
		return 0;
	case ARCH_GET_FS:
		if (!sys_owns_to_write(a[1], sizeof(fs)))
			return -EFAULT;
		__builtin_memcpy((void *)a[1], &fs, sizeof(fs));
		return 0;
	default:
		return -EINVAL;
	}
}

static void put_field(char *to, const char *s)
{
	size_t i;

	for (i = 0; i < __NEW_UTS_LEN && s[i] != '\0'; i++)
		to[i] = s[i];
	to[i] = '\0';
}

/* Of the enclave, so that it tells nothing of a host that could lie anyway. */
long sys_uname(const uint64_t *a)
{
	struct new_utsname *u = (struct new_utsname *)a[0];

	if (!sys_owns_to_write(a[0], sizeof(*u)))
		return -EFAULT;
	__builtin_memset(u, 0, sizeof(*u));
	put_field(u->sysname, "Linux");
	put_field(u->nodename, "enclave");
	put_field(u->release, "6.0.0-edmm");
	put_field(u->version, "edmm");
	put_field(u->machine, "x86_64");
	put_field(u->domainname, "(none)");
	return 0;
}

long sys_getrandom(const uint64_t *a)
{
	if (a[1] > INT32_MAX)
		return -EINVAL;
	if (!sys_owns_to_write(a[0], a[1]))
		return -EFAULT;
	rt_random((void *)a[0], a[1]);
	return (long)a[1];
}

long sys_sysinfo(const uint64_t *a)
{
	struct sysinfo *s = (struct sysinfo *)a[0];
	const struct heap *h = sys_heap();

	if (!sys_owns_to_write(a[0], sizeof(*s)))
		return -EFAULT;
	*s = (struct sysinfo){
		.totalram = h->max,
		.freeram = h->max > h->charged ? h->max - h->charged : 0,
		.procs = 1,
		.mem_unit = 1,
	};
	return 0;
}

static long put_ids(const uint64_t *to, enum call_nr real, enum call_nr now)
{
	const uint64_t none[WIRE_CALL_ARGS] = { 0 };
	const long ids[3] = { sys_call(real, none), sys_call(now, none),
			      sys_call(now, none) };
	int i;

	for (i = 0; i < 3; i++) {
		if (ids[i] < 0)
			return ids[i];
		if (!sys_owns_to_write(to[i], sizeof(uint32_t)))
			return -EFAULT;
		*(uint32_t *)to[i] = (uint32_t)ids[i];
	}
	return 0;
}

long sys_getresuid(const uint64_t *a)
{
	return put_ids(a, CALL_getuid, CALL_geteuid);
}

long sys_getresgid(const uint64_t *a)
{
	return put_ids(a, CALL_getgid, CALL_getegid);
}
