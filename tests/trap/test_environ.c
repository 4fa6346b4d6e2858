/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A program's environment on the machine is the one that it was given: what
 * brought the machine is not in it, and yet programs that it starts are on it.
 */
#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/trap/encl.h"

/* Any other library, which the user wants: libc's own is there anyhow. */
#define OTHER "libm.so.6"
#define ON_MACHINE "test -c /dev/sgx_enclave"

static const char *const ours[] = { "LD_PRELOAD=", "EDMM_MACHINE" };

static bool is_ours(const char *entry)
{
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (!strncmp(entry, ours[i], strlen(ours[i])))
			return true;
	return false;
}

static const Elf64_auxv_t *behind(char **envp)
{
	while (*envp)
		envp++;
	return (const void *)(envp + 1);
}

/* ---- this process -------------------------------------------------------- */

START_TEST(nothing_of_ours_is_there)
{
	for (char **e = environ; *e; e++)
		ck_assert_msg(!is_ours(*e), "%s", *e);
	ck_assert_str_eq(getenv("EDMM_TEST_INSIDE"), "1");
}
END_TEST

/* libc knows where it was, other programs look behind the environment. */
START_TEST(the_auxiliary_vector_is_behind_it)
{
	const Elf64_auxv_t *a = behind(environ);
	unsigned n = 0;

	for (; a->a_type != AT_NULL; a++) {
		/* HWCAP is of glibc's own making. */
		if (a->a_type == AT_IGNORE || a->a_type == AT_HWCAP)
			continue;
		ck_assert_uint_eq(a->a_un.a_val, getauxval(a->a_type));
		n++;
	}
	ck_assert_uint_ge(n, 15);
	ck_assert_uint_eq(getauxval(AT_PAGESZ), 4096);
	ck_assert_ptr_nonnull((void *)getauxval(AT_RANDOM));
}
END_TEST

START_TEST(proc_tells_the_same)
{
	static char text[1 << 17];
	int fd = open("/proc/self/environ", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	char **e = environ;

	ck_assert_int_gt(n, 0);
	for (char *s = text; s < text + n; s += strlen(s) + 1)
		ck_assert_str_eq(s, *e++);
	ck_assert_ptr_null(*e);
	close(fd);
}
END_TEST

static void keeps(char *const envp[], const char *count)
{
	char command[256];
	char *const argv[] = { "sh", "-c", command, NULL };
	pid_t pid;
	int status;

	/* What the shell adds is PWD, and perhaps SHLVL, OLDPWD and _. */
	snprintf(command, sizeof(command),
		 ON_MACHINE " && test \"$(env | grep -c -e EDMM -e LD_PRE)\" = "
			    "%s && test \"$GIVEN\" = yes",
		 count);
	ck_assert_int_eq(posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, envp),
			 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

/* However many there are, and wherever. */
START_TEST(any_number_of_ours)
{
	char alone[] = "LD_PRELOAD=" MACHINE_LIBRARY;
	char both[] = "LD_PRELOAD=" MACHINE_LIBRARY ":" OTHER;
	char *two[] = { "EDMM_MACHINE=seed=3", "GIVEN=yes", alone, NULL };
	char *three[] = { "EDMM_MACHINE_QUIET=1", "EDMM_MACHINE=seed=3",
			  "GIVEN=yes", alone, NULL };
	char *theirs[] = { both, "GIVEN=yes", NULL };

	keeps(two, "0");
	keeps(three, "0");
	keeps(theirs, "1");
}
END_TEST

/* ---- others -------------------------------------------------------------- */

START_TEST(a_shell_of_libc)
{
	FILE *f;
	char line[64] = "";

	ck_assert_int_ne(system(NULL), 0);
	ck_assert_int_eq(system(ON_MACHINE), 0);
	ck_assert_int_eq(WEXITSTATUS(system("exit 7")), 7);
	ck_assert_int_eq(system("test \"$(printf '%s' 'a  \"b')\" = 'a  \"b'"),
			 0);
	ck_assert_int_eq(system("env | grep -q -e ^LD_PRELOAD= -e EDMM_MACH"),
			 1 << 8);
	f = popen(ON_MACHINE " && echo $0 it is", "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
	ck_assert_str_eq(line, "sh it is\n");
	ck_assert_int_eq(pclose(f), 0);
}
END_TEST

static int status_of(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static char *const on_machine[] = { "sh", "-c",
				    ON_MACHINE " && ! env | grep EDMM_MACH",
				    NULL };

START_TEST(a_program_with_this_environment)
{
	pid_t pid;

	ck_assert_int_eq(
		posix_spawn(&pid, "/bin/sh", NULL, NULL, on_machine, environ),
		0);
	ck_assert_int_eq(status_of(pid), 0);
	pid = fork();
	if (!pid) {
		execve("/bin/sh", on_machine, environ);
		_exit(99);
	}
	ck_assert_int_eq(status_of(pid), 0);
	pid = fork();
	if (!pid) {
		execlp("sh", "sh", "-c", ON_MACHINE, NULL);
		_exit(99);
	}
	ck_assert_int_eq(status_of(pid), 0);
}
END_TEST

/* With none, and with a library that somebody else wants. */
START_TEST(a_program_with_another_environment)
{
	char *theirs[] = { "PATH=/usr/bin:/bin", "LD_PRELOAD=" OTHER, NULL };
	char *none[] = { NULL };
	char *const argv[] = { "sh", "-c",
			       ON_MACHINE " && test $LD_PRELOAD = " OTHER,
			       NULL };
	pid_t pid;

	ck_assert_int_eq(
		posix_spawn(&pid, "/bin/sh", NULL, NULL, on_machine, none), 0);
	ck_assert_int_eq(status_of(pid), 0);
	ck_assert_int_eq(posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, theirs),
			 0);
	ck_assert_int_eq(status_of(pid), 0);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("environ");
	TCase *t = tcase_create("environ");
	SRunner *r;
	int failed;

	(void)argc;
	encl_need_machine(argv, "");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, nothing_of_ours_is_there);
	tcase_add_test(t, the_auxiliary_vector_is_behind_it);
	tcase_add_test(t, proc_tells_the_same);
	tcase_add_test(t, any_number_of_ours);
	tcase_add_test(t, a_shell_of_libc);
	tcase_add_test(t, a_program_with_this_environment);
	tcase_add_test(t, a_program_with_another_environment);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
