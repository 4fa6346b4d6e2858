/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs of the test enclave on the software machine: whole ones through the
 * host library, and ones by hand, entry by entry, for hosts that misbehave.
 */
#ifndef TESTS_RT_RIG_H
#define TESTS_RT_RIG_H

#include "edmm/image.h"
#include "host/host.h"

/*
 * Restart this test with the software machine under it, unless it is there;
 * then build and sign the image, once, for all tests.
 */
void rig_setup(char **argv);

/* What the exit left in registers that carry no message. */
struct rig_seen {
	uint64_t gpr[4]; /* R8 to R11 */
	_Alignas(32) uint64_t ymm[16][4];
	uint64_t st[8][2]; /* x87 registers, then status and tags */
	uint64_t fsw, ftw;
	uint64_t pad[2]; /* to 32 bytes, so that memcmp() sees values only */
};

struct rig {
	struct edmm_host *h;
	struct edmm_host_error e;
	struct edmm_host_end end;
	/* By hand: */
	struct host_thread t;
	struct wire_start start;
	struct sgx_enclave_run run;
	struct host_regs regs;
	struct rig_seen seen;
	uint64_t deepest; /* call slot that has been used */
	uint64_t flags;	  /* RFLAGS of the next entry, 0: as they are */
	char args[256];
};

/* Offset of a function or object of the program; the test fails without. */
uint64_t rig_symbol(const char *name);

/* Open and load; the test fails when that does. */
void rig_load(struct rig *r, enum edmm_mode mode);
void rig_close(struct rig *r);

/* One whole run of `verb arg`; fills in r->end. Loads first, closes after. */
void rig_run(struct rig *r, enum edmm_mode mode, const char *verb,
	     const char *arg);
/*
 * The same on the elastic image, with exit status 0 as the only good end, and
 * with at least so many faults resolved inside.
 */
void rig_ok(const char *verb, const char *arg, uint64_t faults);

/* Prepare a start of `verb arg` by hand, after rig_load(). */
void rig_prepare(struct rig *r, const char *verb, const char *arg);
/* The same for another thread of r's, on the Nth context that is made. */
void rig_prepare_made(struct rig *made, const struct rig *r, const char *verb,
		      const char *arg, uint32_t nth);
/*
 * One entry by hand. Return: the vDSO's function: EEXIT with r->regs, or the
 * leaf that faulted.
 */
unsigned int rig_enter(struct rig *r, unsigned int leaf, uint64_t rdi,
		       uint64_t rsi);
unsigned int rig_start(struct rig *r);
/* Back from a host call; the thread that is due at r's context. */
unsigned int rig_return(struct rig *r);
unsigned int rig_enter_thread(struct rig *r);
/* Serve calls and exceptions as a good host until something else comes. */
void rig_serve(struct rig *r, unsigned int function);
/* The same, until the enclave makes a call of number @nr. */
struct wire_call *rig_until_call(struct rig *r, unsigned int function,
				 uint32_t nr);

/* It has ended by itself, with that status; a thread of it, when served. */
void rig_assert_ended(const struct rig *r, int status);
void rig_assert_thread_ends(struct rig *r, unsigned int function);

#endif
