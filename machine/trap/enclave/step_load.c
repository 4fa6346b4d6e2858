/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The script at the start of the process; libc is not ready.
 */
#include "machine/trap/enclave/step.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"

static const char *read_whole(void *ctx, const char *path, size_t *size)
{
	long fd = sys_call(SYS_open, (long)path, O_RDONLY | O_CLOEXEC);
	struct stat st = { 0 };
	void *p = (void *)-1;

	(void)ctx;
	if (fd < 0)
		return NULL;
	if (!sys_call(SYS_fstat, fd, (long)&st) && S_ISREG(st.st_mode))
		p = st.st_size ? sys_mmap(NULL, (size_t)st.st_size, PROT_READ,
					  MAP_PRIVATE, (int)fd, 0)
			       : (void *)"";
	sys_call(SYS_close, fd);
	*size = (size_t)st.st_size;
	return sys_failed(p) ? NULL : p;
}

size_t step_put(char *to, size_t room, size_t at, const char *from)
{
	while (*from && at < room - 1)
		to[at++] = *from++;
	to[at] = 0;
	return at;
}

/* file:line: what; the want is sys_die()'s. */
static _Noreturn void bad(const struct script_error *e)
{
	static char line[SCRIPT_PATH + 256];
	char digits[11] = { 0 };
	unsigned i = 10;
	size_t at = step_put(line, sizeof(line), 0, machine.opt.step);

	for (uint32_t n = e->line; n; n /= 10)
		digits[--i] = (char)('0' + n % 10);
	if (e->line) {
		at = step_put(line, sizeof(line), at, ":");
		at = step_put(line, sizeof(line), at, digits + i);
	}
	at = step_put(line, sizeof(line), at, ": ");
	at = step_put(line, sizeof(line), at, e->what);
	step_put(line, sizeof(line), at, "; wanted");
	sys_die(line, e->want);
}

void step_init(void)
{
	const struct script_reader reader = { .read = read_whole };
	const char *image =
		*machine.opt.step_image ? machine.opt.step_image : NULL;
	struct script_error e;

	if (!*machine.opt.step)
		return;
	if (!step_on) {
		if (!script_read(&step_script, machine.opt.step, image, &reader,
				 &e))
			bad(&e);
		step_log_init();
		step_on = true;
	}
	step_start();
}
