/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the machine uses of this processor and kernel where it is there, and
 * does without where it is not. One list: the settings that force a fallback,
 * the start of the machine, `edmm doctor` and the tests are made from it.
 */
#ifndef TRAP_BASE_FACILITY_H
#define TRAP_BASE_FACILITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>

/* Of the kernel's headers from 5.11. */
#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_OFF 0
#define PR_SYS_DISPATCH_ON 1
#endif

/* X(NAME, function, setting, what it is, what happens without it) */
#define FACILITY_LIST(X)                                                    \
	X(CPUID_FAULT, cpuid_fault, "cpuid-fault", "CPUID faulting",        \
	  "programs are patched; in an enclave only listed CPUIDs are #UD") \
	X(PKEYS, pkeys, "pkeys", "protection keys",                         \
	  "strict mode is blind while any thread is inside")                \
	X(FSGSBASE, fsgsbase, "fsgsbase", "FSGSBASE",                       \
	  "entries are slower, RDFSBASE and its kin are emulated")          \
	X(WRGSBASE, wrgsbase, "wrgsbase", "WRGSBASE at least",              \
	  "each way in or out sets GS by a system call")                    \
	X(UFFD, uffd, "uffd", "userfaultfd",                                \
	  "mappings by the page: see vm.max_map_count")                     \
	X(SUD, sud, "sud", "system call dispatch",                          \
	  "seccomp instead; programs without libc do not run")              \
	X(SECCOMP, seccomp, "seccomp", "seccomp",                           \
	  "without system call dispatch no enclave runs")

#define FACILITY_ENUM(name, function, setting, what, without) FACILITY_##name,
enum facility {
	FACILITY_LIST(FACILITY_ENUM) FACILITIES
};
#undef FACILITY_ENUM

/* A setting NAME=0, none, or NAME=1. */
enum facility_want {
	FACILITY_AUTO,
	FACILITY_OFF,
	FACILITY_ON /* end with a line where it is not there */
};

/**
 * struct facility_probe - what a probe may use
 * @call: system call @nr: its result, or -errno. The library's own way, or
 *	libc's: a SYSCALL instruction in a program's file has it dispatched
 * @hwcap2: AT_HWCAP2 of the auxiliary vector
 */
struct facility_probe {
	long (*call)(long nr, const long a[6]);
	uint64_t hwcap2;
};

/**
 * struct facility_row - one facility
 * @setting: the name in EDMM_MACHINE and `edmm sim --set`
 * @what: for people
 * @without: what happens where it is missing, for people
 * @there: is it there? Changes nothing in the process; needs no libc
 */
struct facility_row {
	const char *setting;
	const char *what;
	const char *without;
	bool (*there)(const struct facility_probe *p);
};

extern const struct facility_row facility_rows[FACILITIES];

/* A userfaultfd with all that the view needs: a descriptor, or -1. */
int facility_uffd(const struct facility_probe *p);

#endif
