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
 * SIGSTRUCT.SWDEFINED, which the signature covers: a mark of ours. At EINIT the
 * machine refuses an enclave that is marked for production, unless its setting
 * production=1 allows it: INIT fails with EPERM, as under a launch control that
 * does not know the signer. Any other value means nothing to us.
 */
#define EDMM_SWDEFINED_MARK 0xed330000u
#define EDMM_SWDEFINED_PRODUCTION 0x1u
#define EDMM_SWDEFINED_DEVELOPMENT 0x2u

#define EDMM_MACHINE_LEAVES 16
#define EDMM_MACHINE_IOCTLS 8

/*
 * Counters of the whole process since its start. Every one is a total, except
 * the three levels that say so. Transitions are eenter + eexit + aex + eresume.
 *
 * The machine counts as hardware would: a fault that the kernel resolves (EAUG,
 * ELDU, a missing page-table entry) while a thread is inside is an AEX and an
 * ERESUME although no handler sees it, and so is the interrupt of each ETRACK
 * or zap on every thread that is inside. aex_* split aex by cause.
 */
struct edmm_machine_stats {
	uint64_t size; /* in: bytes the caller knows; out: bytes filled */

	uint64_t eenter;
	uint64_t eexit;
	uint64_t aex;
	uint64_t eresume;
	uint64_t aex_kernel;	/* faults that the kernel resolved */
	uint64_t aex_exception; /* faults and exceptions given to the program */
	uint64_t aex_signal;	/* asynchronous signals */
	uint64_t aex_track;	/* interrupts of ETRACK and zaps */

	/* Leaves that completed, by number (SDM 3D tables 38-1 and 38-2);
	 * a faulting attempt is in enclu_faults or encls_faults instead. */
	uint64_t enclu[EDMM_MACHINE_LEAVES];
	uint64_t encls[EDMM_MACHINE_LEAVES];
	uint64_t enclu_faults;
	uint64_t encls_faults;

	/* Faults on enclave addresses, by what came of them. */
	uint64_t fault_eaug;	     /* page added, touched from inside */
	uint64_t fault_eaug_outside; /* page added, touched from outside */
	uint64_t fault_eldu;	     /* page loaded back */
	uint64_t fault_pte;	     /* page was there, entry was not */
	uint64_t fault_epcm;	     /* #PF with the SGX bit */
	uint64_t fault_vma;	     /* the mapping denies the access */
	uint64_t fault_sigbus;	     /* the driver refuses the page */
	uint64_t fault_other;	     /* any other exception while inside */

	/* ioctls by number (0 CREATE ... 7 REMOVE_PAGES), failed ones too. */
	uint64_t ioctls[EDMM_MACHINE_IOCTLS];
	uint64_t ioctl_errors;
	uint64_t mmaps; /* of enclave files, and mprotects of those */
	uint64_t mprotects;

	/* EPC. Levels: pages of the EPC, in use now, most ever in use. */
	uint64_t epc_pages;
	uint64_t epc_used;
	uint64_t epc_peak;
	uint64_t pages_added;	  /* EADD */
	uint64_t pages_measured;  /* EADDed pages that were EEXTENDed whole */
	uint64_t pages_augmented; /* EAUG */
	uint64_t pages_removed;	  /* EREMOVE of REG, TCS or TRIM */
	uint64_t pages_evicted;	  /* EWB */
	uint64_t pages_loaded;	  /* ELDU */

	/* As misc.max, misc.current and misc.events of a cgroup have them: the
	 * bound in pages (the EPC's size without a quota), epc_used above, and
	 * how often a charge met the bound. */
	uint64_t quota_pages;
	uint64_t quota_hits;
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

#endif
