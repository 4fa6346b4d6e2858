/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See late.h. Two threads that come at once both load: dlopen(3) has a lock of
 * its own, and they store the same addresses.
 */
#include "machine/trap/base/late.h"

#include <dlfcn.h>
#include <openssl/opensslv.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "machine/trap/base/sys.h"

#define TEXT(x) #x
#define VALUE(x) TEXT(x)
#define LIBRARY "libcrypto.so." VALUE(OPENSSL_SHLIB_VERSION)
#define NAME(name) #name,

static const char *const names[] = { LATE_LIST(NAME) };

#define COUNT (sizeof(names) / sizeof(names[0]))

extern _Atomic(void *) late_table[COUNT];

static atomic_bool loaded;
static _Atomic uint64_t code;

void late_load(void)
{
	void *theirs, *library;

	if (atomic_load_explicit(&loaded, memory_order_acquire))
		return;
	theirs = dlopen(LIBRARY, RTLD_LAZY | RTLD_NOLOAD);
	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		sys_die(LIBRARY, "an enclave needs it, and it cannot be "
				 "loaded");
	for (size_t i = 0; i < COUNT; i++) {
		void *f = dlsym(library, names[i]);

		if (!f)
			sys_die(LIBRARY, names[i]);
		atomic_store_explicit(&late_table[i], f, memory_order_relaxed);
	}
	if (!theirs)
		atomic_store(&code, (uint64_t)atomic_load(&late_table[0]));
	atomic_store_explicit(&loaded, true, memory_order_release);
}

uint64_t late_code(void)
{
	return atomic_load(&code);
}
