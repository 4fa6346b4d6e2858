/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside host/: what the device, the loader, the run loop and the call server
 * share.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "edmm/host.h"
#include "sgx/linux.h"

struct host_ahead;
struct host_calls;
struct host_threads;

/**
 * struct host_io - the system calls on the enclave's file; a seam for tests
 *
 * As ioctl(2), mmap(2), mprotect(2) and munmap(2), errno included.
 */
struct host_io {
	int (*ioctl)(int fd, unsigned long request, void *arg);
	void *(*mmap)(void *addr, size_t size, int prot, int flags, int fd);
	int (*mprotect)(void *addr, size_t size, int prot);
	int (*munmap)(void *addr, size_t size);
};
extern const struct host_io host_io_linux;

/**
 * struct host_thread - one host thread that serves one TCS
 * @host: the enclave
 * @context: index of the TCS
 * @tcs: its address
 * @wire: shared with the enclave
 * @buf: data buffer, @buf_size bytes
 * @calls: the program's descriptors (host/calls.h), one table for all threads
 * @threads: the program's others (host/threads.h)
 */
struct host_thread {
	struct edmm_host *host;
	uint32_t context;
	uint64_t tcs;
	struct wire_thread *wire;
	uint8_t *buf;
	uint64_t buf_size;
	struct host_calls *calls;
	struct host_threads *threads;
};

/**
 * struct edmm_host - one enclave
 * @fd: of the device, -1 when closed
 * @enter: the vDSO's entry function
 * @base: of ELRANGE, 0 before the load
 * @size: of ELRANGE
 * @stats: shared with the enclave; NULL before the run
 * @populate: serve WIRE_CALL_POPULATE
 * @ahead: adds pages that the enclave hints at; NULL: nobody does
 * @tell: tell the watch each system call
 * @watch: of the run, or NULL
 */
struct edmm_host {
	const struct host_io *io;
	int fd;
	vdso_sgx_enter_enclave_t enter;
	uint64_t base;
	uint64_t size;
	struct edmm_host_image img;
	struct wire_stats *stats;
	struct edmm_host_counts counts;
	bool populate;
	struct host_ahead *ahead;
	bool tell;
	bool inside; /* threads are, after the end: it cannot be taken away */
	const struct edmm_host_watch *watch;
};

/* Registers of an entry, and of the exit that ended it. */
struct host_regs {
	uint64_t rdi, rsi, rdx;
};

/**
 * host_enter() - call the vDSO function and keep the ABI's registers
 * @leaf: SGX_EENTER or SGX_ERESUME
 *
 * A thread calls it always at one stack depth: an exit after ERESUME brings
 * back RSP and RBP of the last EENTER (SDM: SSA.URSP), not of ERESUME.
 *
 * Return: what the vDSO function returns.
 */
int host_enter(vdso_sgx_enter_enclave_t enter, struct host_regs *regs,
	       unsigned int leaf, struct sgx_enclave_run *run);

/* Write @e and return @err. */
__attribute__((format(printf, 3, 4))) edmm_err host_fail(
	struct edmm_host_error *e, edmm_err err, const char *fmt, ...);

/**
 * host_vdso_find() - the entry function in a vDSO image
 * @image: mapped whole; NULL gives NULL
 *
 * Return: address of __vdso_sgx_enter_enclave, or NULL.
 */
void *host_vdso_find(const void *image);

/*
 * The ioctls, in loops over partial counts, EBUSY, EAGAIN and EINTR. @done
 * gets the bytes that are done, also after an error.
 */
edmm_err host_add_pages(struct edmm_host *h, const void *src,
			const struct edmm_page_run *r, uint64_t *done);
edmm_err host_modify_types(struct edmm_host *h, uint64_t off, uint64_t size,
			   uint64_t type, uint64_t *done);
edmm_err host_restrict(struct edmm_host *h, uint64_t off, uint64_t size,
		       uint64_t rights, uint64_t *done);
edmm_err host_remove(struct edmm_host *h, uint64_t off, uint64_t size,
		     uint64_t *done);
/* One ioctl without a count: CREATE and INIT. */
edmm_err host_ioctl(struct edmm_host *h, unsigned long request, void *arg);

/**
 * host_populate() - touch a byte a page of a range, from outside
 *
 * The kernel adds the pages that are absent; what it answers with SIGBUS ends
 * the range early. Return: bytes touched.
 */
uint64_t host_populate(uint64_t addr, uint64_t size);
/* The same, if nobody else does it now. Return: it did. */
bool host_populate_try(uint64_t addr, uint64_t size);

/* Serve a call of the runtime (nr < WIRE_CALL_SYS). */
void host_edmm_dispatch(struct host_thread *t, struct wire_call *c);

/**
 * host_call_dispatch() - serve a system call (nr >= WIRE_CALL_SYS)
 * @t: the calling thread
 * @c: a private copy of the slot; status and count are copied back
 *
 * host/calls.c has it. An unknown number gets -EDMM_ENOSYS.
 */
void host_call_dispatch(struct host_thread *t, struct wire_call *c);

struct call_row;
/* tell.c: a call that was served, and one that the enclave tells of. */
void host_tell_call(const struct host_thread *t, const struct call_row *row,
		    const struct wire_call *c);
void host_tell(const struct host_thread *t, const struct wire_call *c);

#endif
