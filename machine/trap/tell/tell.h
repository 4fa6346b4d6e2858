/* SPDX-License-Identifier: BSD-3-Clause */
/* What is told of a run: traces, counters, and the fault lose@TIME. */
#ifndef TRAP_TELL_TELL_H
#define TRAP_TELL_TELL_H

struct trace_event;
struct thread;

/* stats.c: a thread's counters before its record goes. */
void stats_retire(struct thread *t);

/* trace.c */
void trace_sink(void *ctx, const struct trace_event *ev);
void trace_end(void);
void trace_after_fork(void);

/* stats_file.c: reads the cost table; and the end of the process, once. */
void report_init(void);
void report_end(void);
void stats_after_fork(void);

/* lose.c: an enclave was initialised; starts the clock of lose@TIME. */
void lose_later(void);

#endif
