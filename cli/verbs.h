/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The verbs, once: their functions' declarations and the table of main.c come
 * from here. `edmm help` prints the list, and from what it prints the manual
 * test and shell completion are made.
 *
 * A verb is verb_NAME() in NAME.c of a folder of cli/, with getopt's argv; it
 * reports its own mistakes in one line on standard error and returns the exit
 * status of the command. It has a page docs/man/edmm-NAME.1.scd.
 */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

/* V(name, summary), in the order of `edmm help` */
#define CLI_VERBS(V)                                          \
	V(run, "run a program in an enclave")                 \
	V(sign, "sign an image")                              \
	V(measure, "print an image's MRENCLAVE")              \
	V(inspect, "show signature, layout and entry points") \
	V(diff, "what makes two identities differ")           \
	V(keygen, "make a signing key")                       \
	V(check, "find mistakes in a configuration")          \
	V(advise, "find the tightest settings of a program")  \
	V(convert, "translate a configuration")               \
	V(doctor, "what this machine can do")                 \
	V(explain, "show what a configuration becomes")       \
	V(policy, "print the identities for a SCONE session") \
	V(sim, "run any SGX program on the software machine") \
	V(trace, "print or sum what sim --trace wrote")

#define CLI_VERB_DECLARE(name, summary) int verb_##name(int argc, char **argv);
CLI_VERBS(CLI_VERB_DECLARE)
#undef CLI_VERB_DECLARE

#endif
