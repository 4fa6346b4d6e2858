/* SPDX-License-Identifier: BSD-3-Clause */
/* Is there a machine? By a system call of its own; 0 or 1. */
#include <fcntl.h>
#include <sys/syscall.h>

int main(void)
{
	long fd = SYS_open;

	__asm__ volatile("syscall"
			 : "+a"(fd)
			 : "D"("/dev/sgx_enclave"), "S"(O_RDWR), "d"(0)
			 : "rcx", "r11", "memory");
	return fd < 0;
}
