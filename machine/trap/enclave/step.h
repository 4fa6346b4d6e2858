/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stepping host, as SGX-Step makes one: the enclave is interrupted at each
 * instruction of the script's ranges (machine/linux/script.h), counted, and
 * met there by what the script says.
 *
 * Code on the pages of a range cannot be executed unseen: a thread that comes
 * there faults, and has RFLAGS.TF from then on until it leaves those pages.
 * The enclave never sees the flag: a handler's context loses it before
 * anything else, and what PUSHF has stored is mended. While one thread is on
 * the pages, another that comes there is not noticed until its next trap.
 *
 *	step.c		which instruction is next, and whether it is a new one
 *	step_touch.c	the pages that it touches
 *	step_act.c	what is done there
 *	step_branch.c	in a copy of the process alone
 *	step_log.c	the counts
 *	step_load.c	the script
 */
#ifndef TRAP_ENCLAVE_STEP_H
#define TRAP_ENCLAVE_STEP_H

#include "machine/linux/script.h"
#include "machine/trap/enclave/trap.h"

extern bool step_on;
extern struct script step_script;

/* Text behind @at bytes of @to, of @room with its end; how many there are. */
size_t step_put(char *to, size_t room, size_t at, const char *from);
/* The last @digits of a number, without an end. */
void step_decimal(char *to, unsigned digits, uint64_t n);

/* ---- step.c, for the handler ------------------------------------------- */

/* A handler starts: the context's TF, if it is ours, goes. */
void step_begin(struct trap *tr);
/* #DB: of a step? */
bool step_trapped(struct trap *tr);
/* A page fault: the fetch that was waited for? */
bool step_fetched(struct trap *tr, uint64_t addr, unsigned access);
/* ENCLU: what leaf it is, and from where. It faults: was it an entry of the
 * script's, which then is over? Or it is done. */
struct step_leaf {
	uint32_t leaf;
	uint64_t tcs;
	uint64_t off; /* of its ENCLU, where it is inside */
};
struct step_leaf step_leaf(const struct trap *tr);
bool step_refused(struct trap *tr, const struct step_leaf *l);
void step_done(struct trap *tr, const struct step_leaf *l);
/* A handler ends; the context is where the thread goes on. */
void step_end(struct trap *tr);

/* ---- its parts ---------------------------------------------------------- */

#define STEP_CODE_MAX 15u
#define STEP_PAGES 16u

struct step_page {
	uint64_t addr;
	uint8_t what; /* SCRIPT_CODE ... */
};

/* The instruction that is next, and its pages. */
struct step_insn {
	uint64_t off; /* from the enclave's base */
	uint8_t code[STEP_CODE_MAX];
	uint32_t size; /* of what there is in @code */
	struct step_page page[STEP_PAGES];
	uint32_t pages;
};

void step_touch(const struct trap *tr, struct step_insn *in);
bool step_is_pushf(const struct step_insn *in);

/* Does what rules say of the instruction's @nth execution; the AEX too. True:
 * no rule is left that names an execution, and none names each. */
bool step_act(struct trap *tr, const struct step_insn *in, uint64_t nth);
/* EEXIT was done from a TCS: does a forged entry end, or the thread resume? */
void step_act_exit(struct trap *tr, const struct step_leaf *l);
/* A forged entry is over: the thread's own context, at its AEP. */
void step_act_back(struct trap *tr);

/* The branch whose copy this process is; 0: it is none. */
extern uint32_t step_branched;
/* Copies the process, and waits for the copy's end; true: this is the copy. */
bool step_branch(struct trap *tr, uint32_t branch);

/* Counts an execution, and tells the log: which one it is. */
uint64_t step_log(const struct step_insn *in);
/* The log's count of things done. */
void step_log_acted(void);
/* How a branch has ended: its exit status, or STEP_SIGNAL + the signal's, or
 * STEP_HANGS. */
#define STEP_SIGNAL 256u
#define STEP_HANGS 512u
void step_log_branch(uint32_t branch, uint32_t status);
/* In a copy: things done are counted anew, and told to the process itself. */
void step_log_copied(void);
/* How often it was executed in the run of the script's counts; 0: not. */
uint64_t step_log_known(uint64_t off);
void step_log_init(void);

/* The script is there: from now on, in this process. */
void step_start(void);

/* step_load.c: reads the script, if there is one; a mistake ends the program
 * by a line. */
void step_init(void);

#endif
