/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The software SGX2 machine, as seen by a program that runs on it: counters
 * and a few controls, exported by libedmm-machine.so. Nothing links with that
 * library: look the symbols up with dlsym(RTLD_DEFAULT, ...), and take their
 * absence as "this is no software machine".
 * The model alone, to link with, is edmm/model.h.
 *
 * The machine protects nothing: it shares one address space with its host.
 * Whoever starts it says so to the user (EDMM_MACHINE_BANNER); the library
 * prints that line by itself, when the device is first opened, only if
 * EDMM_MACHINE_QUIET is not in the environment: under plain LD_PRELOAD.
 */
#ifndef EDMM_MACHINE_H
#define EDMM_MACHINE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EDMM_MACHINE_BANNER                                                   \
	"edmm: software SGX machine: for tests and development, it protects " \
	"nothing\n"

/*
 * Environment of the preload library. EDMM_MACHINE is a list of NAME=VALUE
 * separated by commas; machine/trap/config.c documents each name. A mistake
 * ends the program with one line and status 2 before main().
 */
#define EDMM_MACHINE_ENV "EDMM_MACHINE"
#define EDMM_MACHINE_QUIET_ENV "EDMM_MACHINE_QUIET"
/*
 * The library takes its variables, and itself in LD_PRELOAD, out of the
 * environment before the program sees it, two by two: who sets an odd number of
 * them sets this one as well, or one stays, by this name.
 */
#define EDMM_MACHINE_PAD_ENV "EDMM_MACHINE_PAD"

/*
 * SIGSTRUCT.SWDEFINED, which the signature covers: a mark of ours. At EINIT the
 * machine refuses an enclave that is marked for production, unless its setting
 * production=1 allows it: INIT fails with EPERM, as under a launch control that
 * does not know the signer. Any other value means nothing to us.
 */
#define EDMM_SWDEFINED_MARK 0xed330000u
#define EDMM_SWDEFINED_PRODUCTION 0x1u
#define EDMM_SWDEFINED_DEVELOPMENT 0x2u

/*
 * The ioctls, by number: Linux's name, the name that output has, and one that
 * options take as well, since edmm had it before. The name's case apart,
 * NUMBER is that of SGX_IOC_ENCLAVE_NUMBER (sgx/linux.h).
 *
 *	X(NUMBER, name, "old name")
 */
/* clang-format off */
#define EDMM_MACHINE_IOCTL_LIST(X)                                            \
	X(CREATE, create, "create")                                           \
	X(ADD_PAGES, add_pages, "add-pages")                                  \
	X(INIT, init, "init")                                                 \
	X(PROVISION, provision, "provision")                                  \
	X(VEPC_REMOVE, vepc_remove, "vepc")                                   \
	X(RESTRICT_PERMISSIONS, restrict_permissions, "restrict")             \
	X(MODIFY_TYPES, modify_types, "modify")                               \
	X(REMOVE_PAGES, remove_pages, "remove")
/* clang-format on */

enum edmm_machine_ioctl {
#define EDMM_MACHINE_IOCTL(number, name, old) EDMM_IOCTL_##number,
	EDMM_MACHINE_IOCTL_LIST(EDMM_MACHINE_IOCTL)
#undef EDMM_MACHINE_IOCTL
	EDMM_MACHINE_IOCTLS
};

#define EDMM_MACHINE_LEAVES 16

/*
 * The counters, of the whole process since its start. The list makes struct
 * edmm_machine_stats, the output of edmm sim --stats and edmm trace --sum, the
 * sums of a trace, and the machine's part of edmm run --report=json. A new one
 * is a row at the end, so that older callers keep their offsets; the line that
 * counts it; and its line in docs/man/edmm-sim.1.scd.
 *
 *	X(name, where, told)
 *	A(name, count, prefix, KIND)	an array, each of its rows PREFIX_NAME
 *
 * where: REPORT, if edmm run --report=json tells it, or STATS.
 * told: the event of a trace that it counts, as machine/watch/counters.h
 *	explains them; LEVEL, if it is no total but the state of now; UNTOLD, if
 *	no event says it. Neither of the last two is in sums of a trace.
 * KIND: the kind of the events that the array counts by their numbers.
 *
 * Transitions are eenter + eexit + aex + eresume. The machine counts as
 * hardware would: a fault that the kernel resolves (EAUG, ELDU, a missing
 * page-table entry) while a thread is inside is an AEX and an ERESUME although
 * no handler sees it, and so is the interrupt of each ETRACK or zap on every
 * thread that is inside. aex_* split aex by cause, fault_* faults on enclave
 * addresses by what came of them.
 *
 * enclu and encls count leaves that completed, by number (SDM 3D tables 38-1
 * and 38-2); a faulting attempt is in enclu_faults or encls_faults instead.
 * ioctls counts failed ones, too. quota_* and epc_used are misc.max,
 * misc.events and misc.current of a cgroup.
 */
/* clang-format off */
#define EDMM_MACHINE_COUNTERS(X, A)                                           \
	X(eenter, REPORT, LEAF(EENTER))                                       \
	X(eexit, REPORT, LEAF(EEXIT))                                         \
	X(aex, REPORT, EACH(AEX))                                             \
	X(eresume, REPORT, LEAF(ERESUME))                                     \
	X(aex_kernel, REPORT, AEX(KERNEL)) /* faults the kernel resolved */   \
	X(aex_exception, REPORT, AEX(EXCEPTION)) /* given to the program */   \
	X(aex_signal, REPORT, AEX(SIGNAL)) /* asynchronous signals */         \
	X(aex_track, REPORT, AEX(TRACK)) /* interrupts of ETRACK and zaps */  \
	A(enclu, EDMM_MACHINE_LEAVES, enclu, ENCLU)                           \
	A(encls, EDMM_MACHINE_LEAVES, encls, ENCLS)                           \
	X(enclu_faults, STATS, FAULTED(ENCLU))                                \
	X(encls_faults, STATS, FAULTED(ENCLS))                                \
	X(fault_eaug, REPORT, FAULT(EAUG)) /* added, touched from inside */   \
	X(fault_eaug_outside, REPORT, FAULT(EAUG_OUTSIDE)) /* from outside */ \
	X(fault_eldu, REPORT, FAULT(ELDU)) /* page loaded back */             \
	X(fault_pte, REPORT, FAULT(PTE)) /* page was there, entry was not */  \
	X(fault_epcm, REPORT, FAULT(EPCM)) /* #PF with the SGX bit */         \
	X(fault_vma, REPORT, FAULT(VMA)) /* the mapping denies the access */  \
	X(fault_sigbus, REPORT, FAULT(SIGBUS)) /* the driver refuses */       \
	X(fault_other, STATS, FAULT(OTHER)) /* other exceptions inside */     \
	A(ioctls, EDMM_MACHINE_IOCTLS, ioctl, IOCTL)                          \
	X(ioctl_errors, STATS, FAILED(IOCTL))                                 \
	X(mmaps, STATS, EACH(MMAP)) /* of enclave files */                    \
	X(mprotects, STATS, EACH(MPROTECT)) /* of those mappings */           \
	X(epc_pages, REPORT, LEVEL) /* pages of the EPC */                    \
	X(epc_used, REPORT, LEVEL) /* of them in use now */                   \
	X(epc_peak, REPORT, LEVEL) /* most ever in use */                     \
	X(pages_added, STATS, PAGE(EADD))                                     \
	X(pages_measured, STATS, PAGE(EEXTEND)) /* to their last chunk */     \
	X(pages_augmented, REPORT, PAGE(EAUG))                                \
	X(pages_removed, REPORT, DONE(REMOVE_PAGES))                          \
	X(pages_evicted, REPORT, PAGE(EWB))                                   \
	X(pages_loaded, REPORT, PAGE(ELDU))                                   \
	X(quota_pages, STATS, LEVEL) /* bound; epc_pages without a quota */   \
	X(quota_hits, STATS, UNTOLD) /* charges that met the bound */         \
	X(aex_timer, STATS, AEX(TIMER)) /* interrupts of timer=TIME */
/* clang-format on */

struct edmm_machine_stats {
	uint64_t size; /* in: bytes the caller knows; out: bytes filled */
#define EDMM_MACHINE_ONE(name, where, told) uint64_t name;
#define EDMM_MACHINE_ARRAY(name, count, prefix, kind) uint64_t name[count];
	EDMM_MACHINE_COUNTERS(EDMM_MACHINE_ONE, EDMM_MACHINE_ARRAY)
#undef EDMM_MACHINE_ONE
#undef EDMM_MACHINE_ARRAY
};

/**
 * edmm_machine_stats() - read the counters of this process
 * @stats: caller's record with @stats->size set; fields beyond what the
 *	library knows are left alone, and @stats->size becomes what was filled.
 *
 * Context: any thread, outside the enclave; not a snapshot: other threads go
 *	on counting meanwhile.
 * Return: 0, or -EDMM_EINVAL if @stats is NULL or its size is under 8.
 */
int edmm_machine_stats(struct edmm_machine_stats *stats);

/**
 * edmm_machine_lose() - lose every enclave, as a suspend to memory does
 *
 * From then on an EENTER, ERESUME or access of theirs is a #PF with the SGX
 * bit, and ioctls on them fail with EIO.
 */
void edmm_machine_lose(void);

/*
 * EDMM_IOC_CPUID_SITES: an ioctl of the machine's own on an enclave's file,
 * between CREATE and INIT, that lists CPUID instructions of the enclave.
 *
 * For processors that cannot make CPUID fault, where one inside would give the
 * processor's answer: those listed raise #UD, as on any SGX processor. To the
 * enclave's own loads a listed site reads as UD2 while its page is executable;
 * measured it is as it stands. Does nothing where CPUID faults anyway.
 *
 * Fails with: ENOTTY: a real device; EINVAL: not created, or initialised;
 * EEXIST: there is a list; E2BIG: more than 65,536; EFAULT; ENOMEM. After an
 * error nothing has changed.
 */
struct edmm_cpuid_sites {
	uint64_t off;	/* address of @count uint64_t: offsets from the base */
	uint64_t count; /* elements */
};

/* _IOW(0xed, 1, struct edmm_cpuid_sites) */
#define EDMM_IOC_CPUID_SITES 0x4010ed01ul

/* Would INIT refuse a signature with this SWDEFINED? 1 or 0. */
int edmm_machine_refuses(uint32_t swdefined);

#ifdef __cplusplus
}
#endif

#endif
