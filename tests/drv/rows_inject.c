/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Injected faults: what the program sees of each row of the table in
 * machine/linux/inject.c. A row there without one here is an error.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/drv/row.h"

static long create(void)
{
	return bay_ioctl(r, SGX_IOC_ENCLAVE_CREATE, &r->create);
}

static long create_again(void)
{
	return create() ? create() : -1;
}

/* Three pages: how many come in before the error. */
static long add_three(uint64_t count)
{
	static uint8_t three[3 * 4096] __attribute__((aligned(4096)));
	long e;

	bay_created(r);
	r->add.src = (uint64_t)(uintptr_t)three;
	r->add.length = sizeof(three);
	e = bay_ioctl(r, SGX_IOC_ENCLAVE_ADD_PAGES, &r->add);
	return r->add.count == count * 4096 ? e : -1;
}

static long add_none(void)
{
	return add_three(0);
}

static long add_one(void)
{
	return add_three(1);
}

static long init(void)
{
	bay_added(r);
	return bay_ioctl(r, SGX_IOC_ENCLAVE_INIT, &r->init);
}

static long provision(void)
{
	return bay_ioctl(r, SGX_IOC_ENCLAVE_PROVISION, &r->prov);
}

/* Two accepted pages at BAY_FREE, which the three records name. */
static void two_pages(void)
{
	bay_ready(r);
	ck_assert(!bay_accept(r, BAY_FREE) && !bay_accept(r, BAY_FREE + 1));
	r->res.offset = r->mod.offset = r->rem.offset = BAY_FREE * 4096;
	r->res.length = r->mod.length = r->rem.length = 8192;
}

static long restrict_(void)
{
	two_pages();
	return bay_ioctl(r, SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS, &r->res);
}

/* The second page fails, with this result of the leaf. */
static long restrict_second(uint64_t result)
{
	long e = restrict_();

	return r->res.count == 4096 && r->res.result == result ? e : -1;
}

static long restrict_conflict(void)
{
	return restrict_second(SGX_EPC_PAGE_CONFLICT);
}

static long restrict_plain(void)
{
	return restrict_second(0);
}

static long modify(void)
{
	two_pages();
	return bay_ioctl(r, SGX_IOC_ENCLAVE_MODIFY_TYPES, &r->mod);
}

static long modify_conflict(void)
{
	long e = modify();

	return r->mod.count == 4096 && r->mod.result == SGX_EPC_PAGE_CONFLICT
		       ? e
		       : -1;
}

static long modify_plain(void)
{
	long e = modify();

	return r->mod.count == 4096 && !r->mod.result ? e : -1;
}

static long trim(void)
{
	return modify() || bay_accept_trim(r, BAY_FREE) ||
	       bay_accept_trim(r, BAY_FREE + 1);
}

static long drop(void)
{
	long e = trim();

	return e ? e : bay_ioctl(r, SGX_IOC_ENCLAVE_REMOVE_PAGES, &r->rem);
}

/* Both pages are removed, and one EPC page is free again. */
static long drop_leaks(void)
{
	uint32_t before, after;
	long e = trim();

	before = epc_used(r->d);
	e = e ? e : bay_ioctl(r, SGX_IOC_ENCLAVE_REMOVE_PAGES, &r->rem);
	after = epc_used(r->d);
	r->leaks = true;
	return e ? e : before - after != 1 || r->rem.count != 8192;
}

static long touch(uint64_t page)
{
	uint32_t pfec;
	long v;

	drv_lock(r->d);
	v = drv_fault(r->d, NULL, bay_addr((unsigned)page), MACH_R, false,
		      &pfec);
	drv_unlock(r->d);
	return v;
}

static long touch_first(void)
{
	bay_ready(r);
	return touch(BAY_FREE);
}

/* The first touch fails, and the next adds the page. */
static long touch_again(void)
{
	long first = touch_first();

	ck_assert_uint_eq(r->d->stats.pages_augmented, 0);
	return first == DRV_SIGBUS ? touch(BAY_FREE) : -1;
}

/* The page is there although the touch failed, and is PENDING. */
static long touch_race(void)
{
	long first = touch_first();

	ck_assert_uint_eq(r->d->stats.pages_augmented, 1);
	ck_assert_int_eq(touch(BAY_FREE), DRV_ABORT);
	ck_assert_int_eq(bay_accept(r, BAY_FREE), 0);
	return first;
}

/* Repeated by the kernel: an AEX and an ERESUME more. */
static long touch_busy(void)
{
	uint64_t aex;
	long e;

	bay_ready(r);
	aex = r->cpu[0].aex;
	e = bay_accept(r, BAY_FREE);
	/* Data page and free page enter the page table, and one again. */
	return r->cpu[0].aex - aex == 3 ? e : -1;
}

static long accept_restricted(void)
{
	uint64_t flags =
		SGX_SECINFO_PT(SGX_PT_REG) | SGX_SECINFO_PR | SGX_SECINFO_R;
	long e = restrict_();

	/* Pages that are PENDING only are not counted. */
	if (e || bay_accept(r, BAY_FREE + 2))
		return -1;
	e = bay_leaf(r, SGX_EACCEPT, flags, bay_addr(BAY_FREE));
	return bay_leaf(r, SGX_EACCEPT, flags, bay_addr(BAY_FREE)) ? -1 : e;
}

/* The page at BAY_DATA is evicted and touched. */
static long evict(void)
{
	page_t *p;

	bay_ready(r);
	drv_lock(r->d);
	for (int i = 0; i < 8; i++)
		reclaim(r->d);
	p = page_find(r->e, bay_addr(BAY_DATA));
	ck_assert(*p & PG_EVICTED);
	drv_unlock(r->d);
	return touch(BAY_DATA);
}

/* Lost for good: no later touch finds it. */
static long evict_lost(void)
{
	long first = evict();

	return touch(BAY_DATA) == first ? first : -1;
}

static long evict_ioctl(void)
{
	evict();
	return bay_ioctl(r, SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS, &r->res);
}

/* The file that the bay has open comes back for its end. */
static long open_first(void)
{
	long e;

	drv_release(r->d, r->e);
	e = drv_may_open(r->d);
	r->e = drv_open(r->d, r);
	return e;
}

static long open_more(void)
{
	return drv_may_open(r->d);
}

static long open_again(void)
{
	return open_first() ? open_first() : -1;
}

static const struct test {
	const char *fault;
	const char *when;
	long (*run)(void);
	long want;
} tests[] = {
	{ "ioctl=EBUSY", "the first ioctl", create, -EBUSY },
	{ "ioctl%2", "every second ioctl: the first", create, 0 },
	{ "ioctl%2", "every second ioctl: the second", add_none, -EBUSY },
	{ "create=EBUSY", "CREATE", create, -EBUSY },
	{ "create=ENOMEM", "CREATE", create, -ENOMEM },
	{ "create=EINTR", "CREATE", create, -EINTR },
	{ "create", "CREATE, the second time", create_again, 0 },
	{ "create:1+", "CREATE, from the first on", create_again, -EBUSY },
	{ "add_pages=EBUSY", "ADD_PAGES", add_none, -EBUSY },
	{ "add_pages=ENOMEM", "ADD_PAGES", add_none, -ENOMEM },
	{ "add_pages=EINTR", "ADD_PAGES", add_none, -EINTR },
	{ "init=EBUSY", "INIT", init, -EBUSY },
	{ "init=ENOMEM", "INIT", init, -ENOMEM },
	{ "init=EINTR", "INIT", init, -EINTR },
	{ "provision=EBUSY", "PROVISION", provision, -EBUSY },
	{ "restrict_permissions=EBUSY", "RESTRICT_PERMISSIONS", restrict_,
	  -EBUSY },
	{ "modify_types=EBUSY", "MODIFY_TYPES", modify, -EBUSY },
	{ "remove_pages=EBUSY", "REMOVE_PAGES", drop, -EBUSY },
	{ "open=EAGAIN", "open(), nobody else has it open", open_first,
	  -EAGAIN },
	{ "open=EIO", "open(), nobody else has it open", open_first, -EIO },
	{ "open:1+=EIO", "open(), while it is open", open_more, 0 },
	{ "open=EAGAIN", "open(), once more", open_again, 0 },
	{ "signal=EINTR", "ADD_PAGES, the first page", add_none, -512 },
	{ "signal:2", "ADD_PAGES, the second page; count 4096", add_one, 0 },
	{ "page:2=EAGAIN", "RESTRICT_PERMISSIONS, the second page; count 4096",
	  restrict_plain, -EAGAIN },
	{ "ecreate=GP", "CREATE", create, -EIO },
	{ "eadd:2=GP", "ADD_PAGES; count 4096", add_one, -EIO },
	{ "eadd:2=PF", "ADD_PAGES; count 4096", add_one, -EIO },
	{ "eextend:17=GP", "ADD_PAGES; count 4096", add_one, -EIO },
	{ "einit=UNMASKED_EVENT", "INIT: the kernel repeats it", init, 0 },
	{ "einit:1+=UNMASKED_EVENT", "INIT: 1,000 times", init, -EPERM },
	{ "einit=GP", "INIT", init, -EIO },
	{ "epa=GP", "CREATE", create, -EFAULT },
	{ "eaug=ENOMEM", "the touch", touch_first, DRV_SIGBUS },
	{ "eaug=ENOMEM", "the next touch", touch_again, DRV_ABORT },
	{ "eaug=EBUSY", "EACCEPT: another AEX and ERESUME", touch_busy, 0 },
	{ "eaug=GP", "the next touch", touch_again, DRV_ABORT },
	{ "eaug=race", "the loser; the page is there", touch_race, DRV_SIGBUS },
	{ "eaug-race=race", "the same", touch_race, DRV_SIGBUS },
	{ "emodpr:2=EPC_PAGE_CONFLICT",
	  "RESTRICT_PERMISSIONS; count 4096, result 7", restrict_conflict,
	  -EFAULT },
	{ "emodpr:2=PF", "RESTRICT_PERMISSIONS; count 4096", restrict_plain,
	  -EFAULT },
	{ "emodt:2=EPC_PAGE_CONFLICT", "MODIFY_TYPES; count 4096, result 7",
	  modify_conflict, -EFAULT },
	{ "emodt:2=PF", "MODIFY_TYPES; count 4096", modify_plain, -EFAULT },
	{ "etrack=PREV_TRK_INCMPL", "MODIFY_TYPES: the kernel repeats it",
	  modify, 0 },
	{ "etrack:2+=PREV_TRK_INCMPL", "MODIFY_TYPES; count 4096", modify_plain,
	  -EFAULT },
	{ "eblock:1+=EPC_PAGE_CONFLICT", "the touch of the lost page",
	  evict_lost, DRV_SIGBUS },
	{ "ewb%2=NOT_TRACKED", "the touch: the kernel repeats EWB", evict,
	  DRV_ABORT },
	{ "ewb:1+=NOT_TRACKED", "the touch of the lost page", evict_lost,
	  DRV_SIGBUS },
	{ "ewb:1+=VA_SLOT_OCCUPIED", "the touch of the lost page", evict_lost,
	  DRV_SIGBUS },
	{ "eldu:2=MAC_COMPARE_FAIL", "the touch of the lost page", evict_lost,
	  DRV_SIGBUS },
	{ "eldu:2=MAC_COMPARE_FAIL", "RESTRICT_PERMISSIONS of the lost page",
	  evict_ioctl, -EFAULT },
	{ "eremove=GP", "REMOVE_PAGES: an EPC page leaks", drop_leaks, 0 },
	{ "eaccept=NOT_TRACKED", "EACCEPT of a restricted page, once",
	  accept_restricted, SGX_NOT_TRACKED },
	{ "not-tracked=NOT_TRACKED", "the same", accept_restricted,
	  SGX_NOT_TRACKED },
};

#define TESTS (sizeof(tests) / sizeof(tests[0]))

/* Does a test's fault name that row of the table? */
static bool names(const char *fault, const struct inject_row *row)
{
	size_t n = strlen(row->where);
	const char *eq = strchr(fault, '=');

	return !strncmp(fault, row->where, n) && strchr(":%=", fault[n]) &&
	       eq && !strcmp(eq + 1, row->outcome);
}

void rows_inject_whole(void)
{
	struct inject_row row;

	for (size_t i = 0; inject_row(i, &row); i++) {
		size_t t = 0;

		while (t < TESTS && !names(tests[t].fault, &row))
			t++;
		ck_assert_msg(t < TESTS, "no test of %s=%s", row.where,
			      row.outcome);
	}
}

void rows_inject(void)
{
	char line[160];

	for (size_t i = 0; i < TESTS; i++) {
		row_fault = tests[i].fault;
		snprintf(line, sizeof(line), "%s: %s", tests[i].fault,
			 tests[i].when);
		ROW("injected", line, tests[i].want)
		{
			got = tests[i].run();
		}
	}
	row_fault = NULL;
}
