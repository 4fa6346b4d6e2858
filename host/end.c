/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tell how a program has ended: the crash report, and the end of this process
 * in the same way.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/host.h"

#define SETTING_TEXT 160

static const char *vector_name(uint32_t vector)
{
	switch (vector) {
	case SGX_VEC_DE:
		return "division error";
	case SGX_VEC_DB:
		return "debug exception";
	case SGX_VEC_BP:
		return "breakpoint";
	case SGX_VEC_UD:
		return "invalid instruction";
	case SGX_VEC_GP:
		return "general protection fault";
	case SGX_VEC_PF:
		return "page fault";
	case SGX_VEC_MF:
		return "x87 floating-point error";
	case SGX_VEC_AC:
		return "unaligned access";
	case SGX_VEC_XM:
		return "SIMD floating-point error";
	default:
		return "exception";
	}
}

static const char *access_name(const struct wire_crash *c)
{
	if (c->vector != SGX_VEC_PF)
		return "";
	if (c->error_code & SGX_PFEC_I)
		return ", fetching an instruction";
	return c->error_code & SGX_PFEC_W ? ", writing" : ", reading";
}

static const char *setting_text(const struct edmm_host *h,
				const struct wire_crash *c,
				char text[SETTING_TEXT])
{
	switch (c->setting) {
	case WIRE_SETTING_HEAP_MAX:
		return "heap maximum: the page could not be added; see "
		       "--heap-max, and the machine's free EPC";
	case WIRE_SETTING_STACK:
		snprintf(text, SETTING_TEXT,
			 "stack size: --stack, which is %llu KiB; a signed "
			 "image's is signed",
			 (unsigned long long)h->img.layout->stack_size >> 10);
		return text;
	case WIRE_SETTING_THREAD_STACK:
		snprintf(text, SETTING_TEXT,
			 "stack size of the thread, which is %u KiB: "
			 "pthread_attr_setstacksize(), or of all: "
			 "edmm-cc -Wl,-z,stack-size=BYTES",
			 c->stack_kib);
		return text;
	case WIRE_SETTING_WX:
		return "rights of the page: only mprotect() to executable "
		       "makes heap pages run";
	case WIRE_SETTING_XSTACK:
		return "exception stack: faults nest too deeply";
	case WIRE_SETTING_STATIC:
		return "heap size of the static image; an elastic one grows";
	default:
		return "none would have helped";
	}
}

static void put_place(FILE *f, const struct edmm_host *h, uint64_t off)
{
	const char *name;
	uint64_t delta = 0;

	if (off >= WIRE_UNKNOWN) {
		fprintf(f, off == WIRE_UNKNOWN ? "not known to the host\n"
					       : "outside of the enclave\n");
		return;
	}
	name = h->img.symbol ? h->img.symbol(h->img.symbol_arg, off, &delta)
			     : NULL;
	if (name)
		fprintf(f, "%s+0x%llx (enclave+0x%llx)\n", name,
			(unsigned long long)delta, (unsigned long long)off);
	else
		fprintf(f, "enclave+0x%llx\n", (unsigned long long)off);
}

static void put_fault(FILE *f, const struct edmm_host *h,
		      const struct wire_crash *c)
{
	char setting[SETTING_TEXT];

	fprintf(f, "  what         %s%s", vector_name(c->vector),
		access_name(c));
	fprintf(f, "%s%s\n", *c->text ? ": " : "", c->text);
	if (c->vector == SGX_VEC_PF) {
		fprintf(f, "  address      0x%llx",
			(unsigned long long)c->addr);
		if (c->addr_off != WIRE_NOT_INSIDE)
			fprintf(f, " (enclave+0x%llx)",
				(unsigned long long)c->addr_off);
		fprintf(f, "\n");
	}
	if (*c->area)
		fprintf(f, "  area         %s\n", c->area);
	if (c->context)
		fprintf(f, "  thread       %u\n", c->context + 1);
	fprintf(f, "  instruction  ");
	put_place(f, h, c->rip_off);
	if (c->caller_off != WIRE_NOT_INSIDE) {
		fprintf(f, "  called from  ");
		put_place(f, h, c->caller_off);
	}
	fprintf(f, "  setting      %s\n", setting_text(h, c, setting));
}

/* Text of the enclave's is printable ASCII, whatever it holds. */
static void clean(char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}

void edmm_host_report(const struct edmm_host *h,
		      const struct edmm_host_end *end, int fd)
{
	struct wire_crash c = end->crash;
	int copy = dup(fd);
	FILE *f = copy < 0 ? NULL : fdopen(copy, "w");

	if (!f) {
		if (copy >= 0)
			close(copy);
		return;
	}
	clean(c.area);
	clean(c.text);
	fprintf(f, "edmm: %s: ended by %s inside the enclave\n", h->img.name,
		strsignal(end->value));
	if (!c.kind) {
		/* Its thread did not know yet where to. */
		fprintf(f, "  what         before it could tell why\n");
	} else if (c.kind == WIRE_CRASH_FAULT) {
		put_fault(f, h, &c);
	} else {
		fprintf(f, "  what         %s: %s",
			c.kind == WIRE_CRASH_HOST ? "the host broke the "
						    "protocol"
						  : "internal error",
			c.text);
		if (c.invariant)
			fprintf(f, " (invariant I%u)", c.invariant);
		fprintf(f, "\n  instruction  ");
		put_place(f, h, c.rip_off);
	}
	fclose(f);
}

void edmm_host_leave(const struct edmm_host_end *end)
{
	const struct rlimit none = { 0, 0 };
	sigset_t set;

	if (end->kind == EDMM_HOST_EXITED)
		exit(end->value);
	fflush(NULL);
	setrlimit(RLIMIT_CORE, &none);
	signal(end->value, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, end->value);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(end->value);
	/* Only a signal that does not end a process comes here. */
	_exit(128 + end->value);
}
