/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * More threads than the machine has room for: the next one is an error that the
 * program sees, as where the kernel has none left, and those there are go on.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define MORE 8400
#define STACK 65536

static pthread_t made[MORE];
static atomic_bool over;

static void *wait_for_end(void *arg)
{
	while (!atomic_load(&over))
		usleep(100000);
	return arg;
}

static int make(pthread_t *t)
{
	pthread_attr_t a;
	int r;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, STACK);
	r = pthread_create(t, &a, wait_for_end, NULL);
	pthread_attr_destroy(&a);
	return r;
}

START_TEST(one_too_many)
{
	pthread_t again;
	void *got;
	int n = 0, r = 0;

	while (n < MORE && !r) {
		r = make(&made[n]);
		n += !r;
	}
	ck_assert_int_eq(r, EAGAIN);
	atomic_store(&over, true);
	for (int i = 0; i < n; i++) {
		ck_assert_int_eq(pthread_join(made[i], &got), 0);
		ck_assert_ptr_null(got);
	}
	/* And there is room again. */
	ck_assert_int_eq(make(&again), 0);
	ck_assert_int_eq(pthread_join(again, NULL), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("many");
	TCase *c = tcase_create("many");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 60);
	tcase_add_test(c, one_too_many);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
