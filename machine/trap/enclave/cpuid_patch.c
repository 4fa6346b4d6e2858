/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CPUID where the processor cannot make it fault: the instruction (0F A2) is
 * found in the program's executable mappings and made UD2 (0F 0B), which has
 * the same length and is answered by the handler.
 *
 * That is done before the first instruction of the program, and again when it
 * opens a device, for libraries loaded since. Code that is made later, or runs
 * before that, gets the processor's own answers. CPUID in an enclave, whose
 * code is measured, is sites.c's.
 *
 * On the same way, and for as long as the kernel knows of no FSGSBASE, what
 * writes a base is made to trap (bases.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include <Zydis/Zydis.h>

#include "machine/trap/base/late.h"
#include "machine/trap/base/machine.h"
#include "machine/trap/base/raw.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/enclave/cpuid.h"
#include "machine/trap/enclave/trap.h"

#define PATCHES 4096u
#define MAPS_SIZE 0x400000u
#define CPUID_BYTE2 0xa2
#define UD2_BYTE2 0x0b

static uint64_t patched[PATCHES];
static _Atomic uint32_t count;
/* ld.so's. */
extern void *__tls_get_addr(void *);
/* This library, whose own CPUID is the real one. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char etext[] __attribute__((visibility("hidden")));

bool cpuid_patched(uint64_t rip)
{
	uint32_t n = atomic_load(&count);

	for (uint32_t i = 0; i < n; i++)
		if (patched[i] == rip)
			return true;
	return false;
}

/* The page that can be written now; 0: none. */
struct writing {
	uint64_t page;
};

static void close_page(struct writing *w)
{
	if (w->page)
		sys_mprotect((void *)w->page, SGX_PAGE_SIZE,
			     PROT_READ | PROT_EXEC);
	w->page = 0;
}

/* The page that is written to, for as long as there is more to change on it. */
static bool open_page(struct writing *w, const uint8_t *at)
{
	uint64_t page = (uint64_t)at & ~(SGX_PAGE_SIZE - 1ull);

	if (w->page == page)
		return true;
	close_page(w);
	if (sys_mprotect((void *)page, SGX_PAGE_SIZE,
			 PROT_READ | PROT_WRITE | PROT_EXEC))
		return false;
	w->page = page;
	return true;
}

/* Known before it traps, so that it is not taken for the program's UD2. */
static void patch(struct writing *w, uint8_t *at)
{
	uint32_t n = atomic_load(&count);

	if (n == PATCHES)
		sys_die("more CPUID instructions than can be patched", NULL);
	patched[n] = (uint64_t)at;
	atomic_store(&count, n + 1);
	if (open_page(w, at + 1))
		at[1] = UD2_BYTE2;
}

static void patch_range(uint64_t start, uint64_t end)
{
	uint8_t *code = (uint8_t *)start, *stop = (uint8_t *)end, *at = code;
	struct writing w = { 0 };

	while (!machine.has[FACILITY_CPUID_FAULT] &&
	       (at = raw_find(at, code, stop, CPUID_BYTE2)) != NULL)
		patch(&w, at);
	at = code;
	while (!machine.has[FACILITY_FSGSBASE] &&
	       (at = bases_insn_find(at, stop, BASES_INSN)) != NULL &&
	       open_page(&w, at))
		*at = BASES_INSN_TRAP;
	close_page(&w);
}

static uint64_t hex(const char **s)
{
	uint64_t v = 0;

	for (;; (*s)++) {
		char c = **s;

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		else
			return v;
	}
}

/* Says whether to go on. */
typedef bool line_fn(uint64_t start, uint64_t end, void *arg);

/* "START-END r-xp ... NAME": private code that is not ours or the kernel's. */
static bool code_line(const char *s, line_fn *fn, void *arg)
{
	uint64_t start = hex(&s), end;

	s++;
	end = hex(&s);
	if (strncmp(s, " r-xp", 5) || strstr(s, "[vdso]") ||
	    strstr(s, "[vsyscall]") || start == machine.vdso ||
	    (start < (uint64_t)etext && end > (uint64_t)__ehdr_start))
		return true;
	return fn(start, end, arg);
}

static size_t maps_read(char *buf)
{
	long n, fd = sys_call(SYS_open, (long)"/proc/self/maps",
			      O_RDONLY | O_CLOEXEC);
	size_t have = 0;

	if (fd < 0)
		return 0;
	while (have < MAPS_SIZE - 1 &&
	       (n = sys_call(SYS_read, fd, (long)(buf + have),
			     (long)(MAPS_SIZE - 1 - have))) > 0)
		have += (size_t)n;
	sys_call(SYS_close, fd);
	return have;
}

static void each_code(line_fn *fn, void *arg)
{
	char *buf, *line, *end;

	buf = sys_mmap(NULL, MAPS_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sys_failed(buf))
		return;
	end = buf + maps_read(buf);
	for (line = buf; line < end;) {
		char *nl = memchr(line, '\n', (size_t)(end - line));

		if (!nl)
			break;
		*nl = 0;
		if (!code_line(line, fn, arg))
			break;
		line = nl + 1;
	}
	sys_munmap(buf, MAPS_SIZE);
}

/*
 * Libraries whose CPUIDs are none of the program's: ld.so's and libc's have
 * been executed by now, and tell nobody of SGX; Zydis has none; libcrypto's are
 * in its constructor, if it is there for the machine alone. They are far more
 * code than most programs'.
 */
static bool is_foundation(uint64_t start, uint64_t end)
{
	const uint64_t in[] = { (uint64_t)__tls_get_addr,
				(uint64_t)__errno_location,
				(uint64_t)ZydisDecoderInit, late_code() };

	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		if (in[i] - start < end - start)
			return true;
	return false;
}

static bool patch_all(uint64_t start, uint64_t end, void *arg)
{
	(void)arg;
	if (!is_foundation(start, end))
		patch_range(start, end);
	return true;
}

void cpuid_patch(void)
{
	if (machine.has[FACILITY_CPUID_FAULT] && machine.has[FACILITY_FSGSBASE])
		return;
	each_code(patch_all, NULL);
}

struct wanted {
	uint64_t addr;
	bool found;
};

static bool holds(uint64_t start, uint64_t end, void *arg)
{
	struct wanted *w = arg;

	w->found = w->addr - start < end - start;
	return !w->found;
}

bool cpuid_private_code(uint64_t addr)
{
	struct wanted w = { .addr = addr };

	each_code(holds, &w);
	return w.found;
}
