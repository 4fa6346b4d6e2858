/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Private to trusted/rt: the thread record at GS:0, the runtime's one context,
 * and what the assembly and the C files call of each other.
 *
 * Stacks. Each context has an exception stack. Its top RT_STAGE1_STACK bytes
 * are stage 1's; the rest is stage 2's, which grows downwards from xsp and
 * nests: xsp is the lowest address in use by a stage 2 that is suspended. And
 * it has a system stack, on which the program's calls are served (served.S):
 * empty whenever the program runs.
 */
#ifndef TRUSTED_RT_THREAD_H
#define TRUSTED_RT_THREAD_H

/* Offsets into struct rt_thread that the assembly uses; asserted below. */
#define RT_T_SELF 0
#define RT_T_STACK_TOP 8
#define RT_T_HOST_RSP 16
#define RT_T_HOST_RBP 24
#define RT_T_HOST_RIP 32
#define RT_T_CALL_RSP 40
#define RT_T_STAGE1_TOP 48
#define RT_T_STAGE1_RSP 56
#define RT_T_STAGE1_RBP 64
#define RT_T_STAGE1_RIP 72
#define RT_T_FS_BASE 80
#define RT_T_RESUME_RIP 88
#define RT_T_STATE 96
#define RT_T_CALLED 100
#define RT_T_IN_RUNTIME 104
#define RT_T_XSP 112
#define RT_T_SYS_TOP 120
#define RT_T_INTERRUPTED 128
#define RT_T_CALL_XSTATE 256
#define RT_T_CALL_XSTATE_BV 768

/* An XSAVE image, without PKRU and AMX. */
#define RT_XSTATE_SIZE 2752

/* Trusted state of a TCS (design I9). */
#define RT_STATE_FREE 0
#define RT_STATE_ASSIGNED 1
#define RT_STATE_RUNNING 2
#define RT_STATE_MAKING 3

/* Offsets into struct rt_frame. */
#define RT_F_RAX 0
#define RT_F_RCX 8
#define RT_F_RDX 16
#define RT_F_RBX 24
#define RT_F_RSP 32
#define RT_F_RBP 40
#define RT_F_RSI 48
#define RT_F_RDI 56
#define RT_F_R8 64
#define RT_F_RFLAGS 128
#define RT_F_RIP 136
#define RT_F_FS_BASE 144
#define RT_F_XSAVE 168
#define RT_F_PREV_XSP 208

/* Offsets into struct rt_call. */
#define RT_C_RFLAGS 112
#define RT_C_RSP 128
#define RT_C_RSP_LEB 0x80, 0x01 /* the same, for the unwinder */

/* Offsets into struct rt_global and struct edmm_layout, and WIRE_ numbers, for
 * the assembly. */
#define RT_G_XFRM 0
#define RT_L_STACK_OFF 104
#define RT_L_STACK_SIZE 112
#define RT_W_START 1
#define RT_W_THREAD 2
#define RT_W_ENDED 3
#define RT_W_RETURN 3
#define RT_W_EXCEPTION 4
#define RT_W_INTERRUPT 5
#define RT_W_RESUME 2
#define RT_W_REFUSED 6
#define RT_W_REFUSED_KIND 1
#define RT_W_REFUSED_STATE 2
#define RT_W_REFUSED_DEAD 3

#define RT_STAGE1_STACK 4096
/* A smaller exception stack is refused at start-up. */
#define RT_XSTACK_MIN 32768
/* Nor is a smaller system stack taken. */
#define RT_SYS_MIN 16384

#ifndef __ASSEMBLER__

#include "sgx/arch.h"
#include "trusted/rt/rt.h"

/**
 * struct rt_thread - the runtime's record of one context, at GS:0
 * @self: its address; 0 before the first entry
 * @stack_top: of the stack that the first entry takes
 * @host_rsp: host's RSP, RBP and return address of the entry at CSSA 0
 * @call_rsp: stack pointer to continue at after a host call
 * @stage1_top: top of stage 1's stack; 0 before the first entry
 * @stage1_rsp: the host's, of an entry at CSSA 1
 * @fs_base: of the program
 * @resume_rip: scratch of the last instructions of stage 2
 * @state: RT_STATE_*, changed by compare-and-swap
 * @called: the thread is out in a host call: the only state that an entry
 *	with WIRE_ENTER_RETURN ends
 * @in_runtime: the program has called the runtime, or is not there yet
 * @context: index of the context
 * @sys_top: of the system stack, where a call's record goes below
 * @interrupted: there may be signals, as the host says (WIRE_ENTER_INTERRUPT)
 * @gpr: GPRSGX of SSA frame 0
 * @exinfo: EXINFO of SSA frame 0
 * @xsp: lowest address of the exception stack that a suspended stage 2 uses
 * @xlow: lowest address of that stack
 * @xtop: @xsp when none is suspended
 * @wire: this thread's untrusted block
 * @buf: data buffer; @buf_size bytes, @buf_used of them taken
 * @depth: host call slots in use
 * @stack_high: RSP that the thread began with; 0: on the main stack
 * @call_xstate: XSAVE image of the x87 state and MXCSR during a host call
 * @spin_first: time stamps of a spin on a lock: its start, and its last look
 * @last_addr: of the last fault that the books allow, its instruction
 *	@last_rip, and @last_changes of rt_global; @repeats in a row there
 */
struct rt_thread {
	struct rt_thread *self;
	uint64_t stack_top;
	uint64_t host_rsp;
	uint64_t host_rbp;
	uint64_t host_rip;
	uint64_t call_rsp;
	uint64_t stage1_top;
	uint64_t stage1_rsp;
	uint64_t stage1_rbp;
	uint64_t stage1_rip;
	uint64_t fs_base;
	uint64_t resume_rip;
	uint32_t state;
	uint32_t called;
	uint32_t in_runtime;
	uint32_t context;
	uint64_t xsp;
	uint64_t sys_top;
	uint32_t interrupted;

	struct sgx_gprsgx *gpr;
	struct sgx_exinfo *exinfo;
	uint64_t xlow;
	uint64_t xtop;
	umem_t wire;
	umem_t buf;
	uint64_t buf_size;
	uint64_t buf_used;
	uint64_t last_addr;
	uint64_t last_rip;
	uint64_t last_changes;
	uint64_t spin_first;
	uint64_t spin_last;
	uint32_t repeats;
	uint32_t depth;
	uint64_t stack_high;
	/* One is enough: a thread is out in one call at a time. */
	_Alignas(64) uint8_t call_xstate[RT_XSTATE_SIZE];
	/* The layer above's own (rt_local()). */
	_Alignas(64) uint8_t local[RT_LOCAL_SIZE];
};
_Static_assert(sizeof(struct rt_thread) <= SGX_PAGE_SIZE, "rt_thread");

#define RT_ASSERT_T(member, n) \
	_Static_assert(offsetof(struct rt_thread, member) == (n), #member)
RT_ASSERT_T(self, RT_T_SELF);
RT_ASSERT_T(stack_top, RT_T_STACK_TOP);
RT_ASSERT_T(host_rsp, RT_T_HOST_RSP);
RT_ASSERT_T(host_rbp, RT_T_HOST_RBP);
RT_ASSERT_T(host_rip, RT_T_HOST_RIP);
RT_ASSERT_T(call_rsp, RT_T_CALL_RSP);
RT_ASSERT_T(stage1_top, RT_T_STAGE1_TOP);
RT_ASSERT_T(stage1_rsp, RT_T_STAGE1_RSP);
RT_ASSERT_T(stage1_rbp, RT_T_STAGE1_RBP);
RT_ASSERT_T(stage1_rip, RT_T_STAGE1_RIP);
RT_ASSERT_T(fs_base, RT_T_FS_BASE);
RT_ASSERT_T(resume_rip, RT_T_RESUME_RIP);
RT_ASSERT_T(state, RT_T_STATE);
RT_ASSERT_T(called, RT_T_CALLED);
RT_ASSERT_T(in_runtime, RT_T_IN_RUNTIME);
RT_ASSERT_T(xsp, RT_T_XSP);
RT_ASSERT_T(sys_top, RT_T_SYS_TOP);
RT_ASSERT_T(interrupted, RT_T_INTERRUPTED);
RT_ASSERT_T(call_xstate, RT_T_CALL_XSTATE);

/**
 * struct rt_frame - one run of stage 2, on the exception stack
 * @regs: the interrupted state; regs.xsave points behind this structure
 * @prev_xsp: rt_thread.xsp as it was
 */
struct rt_frame {
	struct rt_regs regs;
	uint64_t prev_xsp;
};

/* No exception: the program is interrupted, for its signals. */
#define RT_VECTOR_NONE 256u

#define RT_ASSERT_F(member, n) \
	_Static_assert(offsetof(struct rt_frame, regs.member) == (n), #member)
RT_ASSERT_F(rax, RT_F_RAX);
RT_ASSERT_F(rsp, RT_F_RSP);
RT_ASSERT_F(rdi, RT_F_RDI);
RT_ASSERT_F(r8, RT_F_R8);
RT_ASSERT_F(rflags, RT_F_RFLAGS);
RT_ASSERT_F(rip, RT_F_RIP);
RT_ASSERT_F(fs_base, RT_F_FS_BASE);
RT_ASSERT_F(xsave, RT_F_XSAVE);
_Static_assert(offsetof(struct rt_frame, prev_xsp) == RT_F_PREV_XSP, "");

_Static_assert(offsetof(struct edmm_layout, stack_off) == RT_L_STACK_OFF, "");
_Static_assert(offsetof(struct edmm_layout, stack_size) == RT_L_STACK_SIZE, "");
_Static_assert(WIRE_ENTER_START == RT_W_START, "");
_Static_assert(WIRE_ENTER_THREAD == RT_W_THREAD, "");
_Static_assert(WIRE_EXIT_THREAD == RT_W_ENDED, "");
_Static_assert(WIRE_ENTER_RETURN == RT_W_RETURN, "");
_Static_assert(WIRE_ENTER_EXCEPTION == RT_W_EXCEPTION, "");
_Static_assert(WIRE_ENTER_INTERRUPT == RT_W_INTERRUPT, "");
_Static_assert(WIRE_EXIT_RESUME == RT_W_RESUME, "");
_Static_assert(WIRE_EXIT_REFUSED == RT_W_REFUSED, "");
_Static_assert(WIRE_REFUSED_KIND == RT_W_REFUSED_KIND, "");
_Static_assert(WIRE_REFUSED_STATE == RT_W_REFUSED_STATE, "");
_Static_assert(WIRE_REFUSED_DEAD == RT_W_REFUSED_DEAD, "");

/**
 * struct rt_global - the runtime's one context
 * @xfrm: of the own report
 * @params: checked start-up parameters
 * @stats: the host's page, or NULL
 * @host_calls: since the start
 * @faults: that the memory manager has resolved
 * @peak: highest value published as committed
 * @published: time stamp of the last statistics
 * @changes: that the memory manager has told of
 * @relro_off, @relro_size: of the image, made read-only; or 0
 * @heap_peak, @heap_low, @heap_refused: of the heap, as wire_stats has them
 */
struct rt_global {
	uint64_t xfrm;
	struct rt_params params;
	umem_t stats;
	uint64_t host_calls;
	uint64_t faults;
	uint64_t peak;
	uint64_t published;
	uint64_t changes;
	uint64_t relro_off;
	uint64_t relro_size;
	uint64_t heap_peak;
	uint64_t heap_low;
	uint64_t heap_refused;
};
extern struct rt_global rt_global;
_Static_assert(offsetof(struct rt_global, xfrm) == RT_G_XFRM, "");
_Static_assert(offsetof(struct rt_call, rflags) == RT_C_RFLAGS, "");
_Static_assert(offsetof(struct rt_call, rsp) == RT_C_RSP, "");
_Static_assert(sizeof(struct rt_call) % 16 == 0, "alignment of a call");

/*
 * Set once an end has begun: from then on every entry is refused, and who is
 * inside still is mute (I16).
 */
extern uint32_t rt_dead;
/* Begin the end. Return: false where somebody else has: then be mute. */
bool rt_end_begin(void);
/* Leave without a word, as the enclave has ended. At CSSA 0 only. */
_Noreturn void rt_mute(void);

/* Linked at ELF address 0. */
extern const uint8_t rt_image_start[] __asm__("__ehdr_start");
/* The measured record; the image builder fills it in. */
extern const struct edmm_layout rt_layout_page;

static inline struct rt_thread *rt_self(void)
{
	struct rt_thread *t;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(t));
	return t;
}

/* entry.S */

/* Leave for a host call and come back. */
void rt_leave_call(uint64_t exit, uint64_t value);
/* Leave for good. */
_Noreturn void rt_leave(uint64_t exit, uint64_t value);
/* The same from stage 1, with the host registers of that entry. */
_Noreturn void rt_leave_stage1(uint64_t exit, uint64_t value);
/* Where the save area of a crashed thread leads. */
void rt_trap(void);
/* Stage 2's first instruction; RDI is the frame, RSP lies below it. */
void rt_stage2_entry(void);
/* The instructions in which an exception is never a program's. */
extern const uint8_t rt_gate_begin[], rt_gate_end[];
/*
 * Of them: the last steps to the program, which can be made again by
 * rt_resume() with what RBX has, the frame; up to the jump, before which all
 * registers but RIP are the program's.
 */
extern const uint8_t rt_last_begin[], rt_last_jump[];

/* The same for a thread; @unpark as WIRE_EXIT_THREAD has it. */
_Noreturn void rt_leave_thread(uint64_t unpark);

/* Called by entry.S. */
/* A thread's first entry, on its exception stack: take the host's block. */
void rt_thread_first(uint64_t wire);
_Noreturn void rt_first(uint64_t start_addr);
/*
 * @kind: WIRE_ENTER_EXCEPTION or _INTERRUPT. Return: 1 where the SSA held an
 * exception, or the interruption has been taken, else 0.
 */
uint32_t rt_stage1(uint64_t kind);
/* Return: 1 where the program goes on, by rt_to_program(), else 0. */
uint32_t rt_stage2(struct rt_frame *f);

/* fixup.S: 0, or what stage 1 put into RAX. */
int64_t rt_enclu(uint64_t leaf, const void *rbx, uint64_t rcx, uint64_t rdx);
uint64_t rt_rdtsc(void);
/* @count aligned 8-byte words, in ascending order, each moved once. */
int64_t rt_copy_words(void *dst, const void *src, size_t count);
/* The same within the enclave, @count above 0. */
int64_t rt_move_words(void *dst, const void *src, size_t count);
/* The same, out of the enclave, @count above 0; 1 when the end has come. */
int64_t rt_store_words(void *dst, const void *src, size_t count);
/* @size bytes, 1 to 7, each between VERW and MFENCE; LFENCE. */
int64_t rt_store_bytes(void *dst, const void *src, size_t size);

/*
 * umem.c: the last words of who ends the enclave, which no look at the end
 * holds back. @dst and @size are of whole words; -EDMM_EFAULT as umem_write().
 */
EDMM_NODISCARD edmm_err umem_last_words(umem_t dst, const void *src,
					size_t size);

/*
 * A fix-up: when an instruction of [begin, end) faults, continue at @fix with
 * a negative error in RAX. RT_FIX_UMEM applies to #PF outside ELRANGE at once,
 * and otherwise only when nothing else resolves the fault; RT_FIX_INSIDE only
 * where the books prove the access wrong: a host that gives no page is none of
 * the program's business. Each offset counts from its own field's address.
 */
#define RT_FIX_ANY 0
#define RT_FIX_UMEM 1
#define RT_FIX_INSIDE 2
struct rt_fixup {
	int32_t begin;
	int32_t end;
	int32_t fix;
	uint32_t kind;
};
const struct rt_fixup *rt_fixup_find(uint64_t rip);
uint64_t rt_fixup_target(const struct rt_fixup *f);

/* check.c */

/* NULL, or what is wrong with a layout; pure. */
const char *rt_layout_check(const struct edmm_layout *l);
/* The same for the own report: attributes, XFRM and MISCSELECT. */
const char *rt_report_check(const struct edmm_layout *l,
			    const struct sgx_report *r);
/* Start-up values; ELRANGE is [base, base + elrange_size). */
const char *rt_start_check(const struct edmm_layout *l,
			   const struct wire_start *s);
/* The copied block holds exactly @count strings and ends with one. */
bool rt_args_check(const char *block, size_t size, uint64_t count);

/* reloc.c: apply .rela.dyn; false on anything but R_X86_64_RELATIVE. */
struct rt_dyn {
	int64_t tag;
	uint64_t val;
};
bool rt_relocate(uint8_t *base, uint64_t image_size, const struct rt_dyn *dyn);

/* books.c */

/* What is needed of a program header. */
struct rt_phdr {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
/* The loaded part of the image that has the page of @off, or NULL. */
const struct rt_phdr *rt_image_part(uint64_t off);
/* The first program header of a type, or NULL. */
const struct rt_phdr *rt_phdr_of_type(uint32_t type);
/* The page of @off has been made read-only after relocation. */
bool rt_in_relro(uint64_t off);
/*
 * Whether an access with the error code @errcd of #PF is right at @off, which
 * is not of the main stack or the heap: then the host has taken the page.
 */
bool rt_books_allow(uint64_t off, uint32_t errcd);
/* Somebody has mapped @addr, whatever it may be used for. */
bool rt_books_mapped(uint64_t addr);
/*
 * The error code of a #PF at @addr as a kernel that keeps the same books would
 * give it: the host decides whether a page was present, and must not tell the
 * program so (I14). No lock of the memory manager is held.
 */
uint32_t rt_books_errcd(uint64_t addr, uint32_t errcd);

/*
 * relro.c: make relocated constants read-only, in an elastic image, with the
 * thread's block attached. Return: NULL, or what the host has not done.
 */
const char *rt_relro(void);

/*
 * resume.c: the last part of a frame that the program goes on with: signals
 * that are due. Made again where an interruption comes after it.
 */
void rt_to_program(struct rt_frame *f);
/* served.S: a call, by the hook for it. */
long rt_serve(const struct rt_call *c);
/* served.S: a RET, where the program goes on after a call. */
extern const uint8_t rt_call_return[];

/* fault.c: a frame below @top, whose xsave header is zero. */
struct rt_frame *rt_frame_below(uint64_t top);
/* The same, and all of it but xsave and what describes that is zero. */
struct rt_frame *rt_frame_clean(uint64_t top);
/* Bytes that a frame takes at most, and its extended state. */
uint64_t rt_frame_room(void);
uint64_t rt_xsave_size(void);

/* crash.c */

/**
 * rt_crash_fault() - the end for an exception that nothing resolved
 * @r: where
 * @stage1: called at stage 1: EEXIT with the host registers of that entry
 * @why: what the books or emm_fault() said of it
 * @text: more words, or NULL
 */
_Noreturn void rt_crash_fault(const struct rt_regs *r, bool stage1, int why,
			      const char *text);
/* Signal that a native program would get for a vector. */
uint32_t rt_vector_signal(uint32_t vector);

/* context.c */

/* The address of a context's TCS, and its record: numbers below rt_contexts().
 */
uint64_t rt_context_addr(uint32_t context);
struct rt_thread *rt_record(uint32_t context);
/* All of the image are free, but the one that the start is on. */
void rt_contexts_init(uint32_t own);
/* Its thread is about to store FREE, or has never been. */
void rt_context_idle(uint32_t context);
/* While it is, nobody takes it, whatever its thread does meanwhile. */
void rt_context_starting(uint32_t context, bool is);
/*
 * [made_off, made_end) of the layout has @off; and it is within a context that
 * has been made and is there still, at *in from its TCS.
 */
bool rt_made_range(uint64_t off);
bool rt_made_there(uint64_t off, uint64_t *in);
/* None has been made, and the image has one. */
bool rt_context_alone(void);

/* The books' side of one that is being made or unmade (block.c). */

/* The first number from @from on that nobody has, the caller's now; or -1. */
int64_t rt_made_claim(uint32_t from);
/* Its pages are in the enclave, and so are faults there the host's. */
void rt_made_put(uint32_t context);
/* They are not, or are about to go. */
void rt_made_drop(uint32_t context);
/* Nobody's again. @dirty: some pages of it may have stayed. */
void rt_made_release(uint32_t context, bool dirty);
bool rt_made_dirty(uint32_t context);
/* One that is nobody's and dirty, the caller's now; or -1. */
int64_t rt_made_left(void);
/* One that waits in the pool beyond @keep of them, the caller's now; or -1. */
int64_t rt_made_surplus(uint32_t keep);
/*
 * One that has waited there since rt_made_mark(), the caller's now; or -1. And
 * all that wait have from now on.
 */
int64_t rt_made_old(void);
void rt_made_mark(void);

/* thread.c */
void rt_thread_init(struct rt_thread *t, uint32_t context);
EDMM_NODISCARD edmm_err rt_thread_attach(struct rt_thread *t, uint64_t wire);

/*
 * execmap.c: [addr, addr + size) has been mapped executable; any range ever
 * has. Take note of one that is now, or is not any more.
 */
bool rt_execmap_has(uint64_t addr, uint64_t size);
bool rt_execmap_ever(void);
void rt_execmap_add(uint64_t addr, uint64_t size);
void rt_execmap_drop(uint64_t addr, uint64_t size);

/* emmops.c */
EDMM_NODISCARD edmm_err rt_emm_start(void);
/*
 * Let the memory manager have a #PF. Return: EMM_FAULT_CONTINUE, _SEARCH or a
 * negative error, as emm_fault().
 */
int rt_emm_fault(const struct rt_regs *r);
/* Last statistics. */
void rt_stats_end(void);

#endif
#endif
