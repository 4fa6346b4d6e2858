/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * As much of Check as the memory manager's tests use, for an enclave without
 * a C library: the same test files compile for both. The first failure prints
 * what failed and ends the enclave.
 */
#ifndef TESTS_EMM_INSIDE_CHECK_H
#define TESTS_EMM_INSIDE_CHECK_H

#include <stddef.h>
#include <stdint.h>

typedef struct Suite Suite;
typedef struct TCase TCase;
typedef struct SRunner SRunner;
typedef void (*inside_test)(int index);

#define CK_NORMAL 1
#define START_TEST(name) static void name(int _i __attribute__((unused)))
#define END_TEST

/* A run is told which test is the only one; all of them if it is not. */
extern int inside_only;

_Noreturn void inside_fail(const char *where, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void inside_print(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

int inside_main(void); /* a test file's main */

Suite *suite_create(const char *name);
TCase *tcase_create(const char *name);
void tcase_add_named(TCase *t, const char *name, inside_test test, int from,
		     int to);
void tcase_add_checked_fixture(TCase *t, void (*setup)(void),
			       void (*teardown)(void));
void suite_add_tcase(Suite *s, TCase *t);
SRunner *srunner_create(Suite *s);
void srunner_run_all(SRunner *r, int mode);
int srunner_ntests_failed(SRunner *r);
void srunner_free(SRunner *r);

#define tcase_add_test(t, f) tcase_add_named(t, #f, f, 0, 1)
#define tcase_add_loop_test(t, f, a, b) tcase_add_named(t, #f, f, a, b)
#define tcase_set_timeout(t, seconds) ((void)(t), (void)(seconds))

#define ck_fail(...) inside_fail(__func__, __LINE__, __VA_ARGS__)
#define ck_abort_msg(...) ck_fail(__VA_ARGS__)
#define ck_assert(c)                              \
	do {                                      \
		if (!(c))                         \
			ck_fail("%s is not", #c); \
	} while (0)
#define ck_assert_msg(c, ...)                 \
	do {                                  \
		if (!(c))                     \
			ck_fail(__VA_ARGS__); \
	} while (0)
#define ck_compare(type, form, a, op, b)                                   \
	do {                                                               \
		type a_ = (type)(a), b_ = (type)(b);                       \
		if (!(a_ op b_))                                           \
			ck_fail("%s is " form ", %s is " form, #a, a_, #b, \
				b_);                                       \
	} while (0)
#define ck_assert_int_eq(a, b) ck_compare(long, "%ld", a, ==, b)
#define ck_assert_int_ne(a, b) ck_compare(long, "%ld", a, !=, b)
#define ck_assert_uint_eq(a, b) ck_compare(unsigned long, "%lu", a, ==, b)
#define ck_assert_uint_gt(a, b) ck_compare(unsigned long, "%lu", a, >, b)
#define ck_assert_uint_ge(a, b) ck_compare(unsigned long, "%lu", a, >=, b)
#define ck_assert_uint_le(a, b) ck_compare(unsigned long, "%lu", a, <=, b)
#define ck_assert_ptr_eq(a, b) \
	ck_compare(unsigned long, "%lx", (uintptr_t)(a), ==, (uintptr_t)(b))
#define ck_assert_ptr_ne(a, b) \
	ck_compare(unsigned long, "%lx", (uintptr_t)(a), !=, (uintptr_t)(b))
#define ck_assert_ptr_null(a) ck_assert((a) == NULL)
#define ck_assert_ptr_nonnull(a) ck_assert((a) != NULL)

#endif
