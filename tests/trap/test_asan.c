/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host that is built with AddressSanitizer, whose runtime insists on being
 * the first library and has handlers and wrappers of its own: `edmm sim` runs
 * it, also as somebody's child. With an argument, what the runtime is for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/must.h"
#include "tests/trap/encl.h"

#define RW (SGX_SECINFO_R | SGX_SECINFO_W)

static void runs(void)
{
	struct encl e = { 0 };
	struct encl_cmd cmd = { .op = OP_UD2 };
	struct sgx_enclave_run run = { 0 };
	uint64_t at;

	encl_make(&e);
	at = e.base + ENCL_FREE;
	MUST(!encl_enter(&e, 0, SGX_EENTER, &cmd, &run));
	MUST(run.exception_vector == SGX_VEC_UD);
	MUST(!encl_enclu(&e, SGX_EACCEPT,
			 SGX_SECINFO_PT(SGX_PT_REG) | RW | SGX_SECINFO_PENDING,
			 at, 0));
	encl_do(&e, OP_WRITE, at, 7);
	MUST(encl_do(&e, OP_READ, at, 0) == 7);
	encl_close(&e);
}

static int child(char *self, char *what)
{
	char *const argv[] = { self, what, NULL };
	int status;
	pid_t pid = fork();

	if (!pid) {
		execv(self, argv);
		_exit(99);
	}
	MUST(waitpid(pid, &status, 0) == pid);
	return status;
}

int main(int argc, char **argv)
{
	volatile size_t eight = 8; /* no warning knows */
	volatile char *p = malloc(eight);

	MUST(!getenv("LD_PRELOAD"));
	runs();
	if (argc > 1 && !strcmp(argv[1], "overflow"))
		p[eight] = 1;
	if (argc > 1 && !strcmp(argv[1], "null"))
		*(volatile int *)(uintptr_t)eight = 1;
	if (argc == 1) {
		MUST(!child(argv[0], "child"));
		MUST(WEXITSTATUS(child(argv[0], "overflow")) == 1);
		MUST(WEXITSTATUS(child(argv[0], "null")) == 1);
	}
	free((void *)(uintptr_t)p);
	puts("done");
	return 0;
}
