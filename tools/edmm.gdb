# SPDX-License-Identifier: BSD-3-Clause
# gdb on the software machine: gdb -x tools/edmm.gdb --args edmm run ./hello
#
# The run stops once, where the enclave is loaded, with the program's symbols
# at its address: set breakpoints there. ENCLU and the enclave's faults are
# signals that the machine handles, so gdb passes them on in silence. Code in
# an enclave is not a debugger's to write, so it is marked read-only, and gdb
# takes the processor's four breakpoint registers for it (break, next, finish).
handle SIGSEGV SIGILL SIGBUS SIGSYS nostop noprint pass
set breakpoint pending on
set breakpoint auto-hw on
set mem inaccessible-by-default off
set confirm off

define edmm-symbols
	eval "add-symbol-file %s -o %lu", h->img.name, h->base
	eval "mem %lu %lu ro", h->base, h->base + h->img.layout->image_size
end
document edmm-symbols
Reads the symbols of the loaded program, at the enclave's address.
Works in a frame of the host that has the enclave as h.
end

tbreak edmm_host_run
commands
	silent
	edmm-symbols
end
