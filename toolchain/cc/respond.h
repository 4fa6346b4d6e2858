/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Response files: an argument @FILE stands for the words of that file, which
 * may hold an -o or -c that decides what edmm-cc does.
 */
#ifndef TOOLCHAIN_CC_RESPOND_H
#define TOOLCHAIN_CC_RESPOND_H

/**
 * cc_respond() - put the words of response files in their places.
 * @argc: elements of *@argv; receives the new number.
 * @argv: replaced, if there is such a file, by an array that is never freed.
 *
 * As gcc has it: words end at white space, quotes of both kinds join, a
 * backslash takes the next byte as it is, files may name others, and @FILE of
 * a file that cannot be read is a word.
 *
 * Return: 0, or -1 when memory is out or files name each other.
 */
int cc_respond(int *argc, char ***argv);

#endif
