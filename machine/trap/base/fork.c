/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine's record, and forks: the parent's enclaves are its own. A page
 * that fork wipes tells a child of itself, however it was made.
 */
#include <sys/mman.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"

struct machine machine;
struct dispatch dispatch;

/* Zero: this is a new child. */
static volatile int *same_process;

void fork_init(void)
{
	void *p = sys_mmap(NULL, SGX_PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (sys_failed(p))
		sys_die("no memory", NULL);
	sys_madvise(p, SGX_PAGE_SIZE, MADV_WIPEONFORK);
	same_process = p;
	*same_process = 1;
}

bool fork_same_process(void)
{
	return *same_process;
}

void fork_seen(void)
{
	*same_process = 1;
}

void fork_check(void)
{
	if (!*same_process)
		machine.after_fork();
}
