/* SPDX-License-Identifier: BSD-3-Clause */
/* Random operations against the reference, as test_emm_random makes them. */
#include <check.h>

#include "tests/emm/script.h"
#include "trusted/rt/rt.h"

#define ROUND 500u /* operations on one world */
#define ROUNDS 100u

static struct script s;
static uint64_t state = 20261121;

static uint32_t random32(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

START_TEST(random_operations)
{
	script_open(&s, _i & 1);
	for (uint32_t i = 0; i < ROUND; i++) {
		uint32_t v = random32();
		const char *bad;

		bad = script_step(&s, (const uint8_t *)&v);
		if (!bad && i % 16 == 0)
			bad = script_check(&s);
		ck_assert_msg(!bad, "round %d, operation %u: %s", _i, i, bad);
	}
	script_close(&s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("random");
	TCase *t = tcase_create("random");
	SRunner *r;

	tcase_add_loop_test(t, random_operations, 0, ROUNDS);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	srunner_free(r);
	return 0;
}
