/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between the launcher and the preload library in its process.
 */
#ifndef LAUNCH_LAUNCH_H
#define LAUNCH_LAUNCH_H

#include <stddef.h>
#include <stdint.h>

/**
 * edmm_machine_launch() - become a program that has been mapped
 * @entry: its first instruction
 * @stack: argc, argv, envp and auxv as the kernel lays them out
 * @auxv: the last of these, @auxv_size bytes with its end
 * @exe: the program's file, absolute; for ever
 *
 * All system calls outside the library's text are dispatched from here on; FS
 * and GS bases are the program's, and zero.
 */
_Noreturn void edmm_machine_launch(uint64_t entry, void *stack,
				   const void *auxv, size_t auxv_size,
				   const char *exe);

#endif
