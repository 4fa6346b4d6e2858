/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of /proc that tell of the program itself: made inside, from the books of
 * the heap, the image and the memory manager. A host's would tell of the process
 * around the enclave, and could say anything.
 *
 * A descriptor's number is the host's to give, as every other: a file of the
 * host's is opened for it (its own /proc/self/status), and the number is marked
 * inside. What is read, where, and what it is comes from here; the host's file
 * is asked for nothing. A number that is marked and comes again as that of
 * another file is a lie (EPROTO).
 *
 * A text is made at the first read at position 0, and again at the next one
 * there; until then it is as it was.
 *
 * Locks: the lock of the system calls (task.h), also over the host calls in
 * which a marked number comes or goes.
 */
#ifndef TRUSTED_SYS_PROC_H
#define TRUSTED_SYS_PROC_H

#include "trusted/sys/proc/proc_text.h"
#include "trusted/sys/sys.h"

enum proc_kind {
	PROC_NONE,
	PROC_MAPS,
	PROC_SMAPS,
	PROC_ROLLUP,
	PROC_STATM,
	PROC_STATUS,
	PROC_STAT,
	PROC_COMM,
	PROC_LIMITS,
	PROC_MEMINFO,
};

/**
 * struct proc_name - what a path names
 * @kind: PROC_NONE: nothing of ours
 * @tid: of the thread that it tells of; 0: the process
 */
struct proc_name {
	enum proc_kind kind;
	uint32_t tid;
};

/* The name of the program, for its mappings; copied. */
void proc_begin(const char *name);
const char *proc_program(void);

/* proc_find.c: what the string at @addr names. Asks the host for the process's
 * number where there is one in the path. */
struct proc_name proc_find(uint64_t addr);

/* proc_maps.c */
struct proc_sum {
	uint64_t size, rss, locked;
	uint64_t stack, code, data, image;
	uint64_t clean;
};
void proc_sum_up(struct proc_sum *s);
void proc_maps(struct proc_text *t);
void proc_smaps(struct proc_text *t);
void proc_rollup(struct proc_text *t);

struct mem_run;
/* proc_open.c: memory of texts is not the program's to read, and goes by itself. */
void proc_hide(struct mem_run *run);

/* proc_status.c, meminfo.c: by kind; the thread may have ended. */
void proc_status(struct proc_text *t, uint32_t tid);
void proc_stat(struct proc_text *t, uint32_t tid);
void proc_statm(struct proc_text *t);
void proc_comm(struct proc_text *t, uint32_t tid);
void proc_limits(struct proc_text *t);
void proc_meminfo(struct proc_text *t);

/*
 * proc_open.c. Functions on a descriptor are for those that proc_has(); a
 * descriptor is the low half of its register.
 */
bool proc_has(uint64_t fd);

/* As openat(), of a name; and what stat() and access() say of it. */
long proc_open(const struct proc_name *name, uint64_t flags);
long proc_stat_name(const struct proc_name *name, uint64_t to);
long proc_access(const struct proc_name *name, uint64_t mode);

long proc_stat_fd(uint64_t fd, uint64_t to);
long proc_seek(uint64_t fd, int64_t off, int whence);
long proc_close(uint64_t fd);
/* @to is a copy of @fd now, or, if that is not marked, of something else. */
void proc_copied(uint64_t fd, uint64_t to);

/**
 * proc_read() - a piece of the text
 * @at: where, or -1: at the descriptor's position, which moves on
 * @from: gets where it lies, until the next call; memory of the heap's
 * @size: bytes wanted
 *
 * Return: bytes, 0 at the end; -ENOMEM; -ESRCH: the thread has ended.
 */
long proc_read(uint64_t fd, int64_t at, const char **from, uint64_t size);
/* The name of a thread: so many bytes of it. -EBADF for other files. */
long proc_write(uint64_t fd, const char *s, uint64_t size);

#endif
