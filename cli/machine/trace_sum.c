/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm trace --sum: the machine's counters as the trace has them, then who
 * made the transitions and which pages were busiest.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/machine/trace.h"
#include "sgx/arch.h"

#define TOP 10

/* Events of one thread or page, by its number. */
struct tally {
	uint64_t key;
	uint64_t count;
	uint64_t eenter, aex, eresume, eexit;
};

static void to_stdout(void *ctx, const char *text, size_t size)
{
	(void)ctx;
	fwrite(text, 1, size, stdout);
}

static int by_key(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static int by_count(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	return x->count == y->count
		       ? by_key(a, b)
		       : (x->count < y->count) - (x->count > y->count);
}

/* Joins equal keys: how many are left. */
static size_t join(struct tally *t, size_t n)
{
	size_t k = 0;

	qsort(t, n, sizeof(*t), by_key);
	for (size_t i = 0; i < n; i++) {
		if (k && t[k - 1].key == t[i].key) {
			t[k - 1].count += t[i].count;
			t[k - 1].eenter += t[i].eenter;
			t[k - 1].aex += t[i].aex;
			t[k - 1].eresume += t[i].eresume;
			t[k - 1].eexit += t[i].eexit;
		} else {
			t[k++] = t[i];
		}
	}
	return k;
}

static bool transition(const struct trace_record *r, struct tally *t)
{
	bool leaf = r->kind == TRACE_ENCLU && r->result >= 0;

	*t = (struct tally){ .key = r->thread, .count = 1 };
	t->aex = r->kind == TRACE_AEX;
	t->eenter = leaf && r->what == SGX_EENTER;
	t->eresume = leaf && r->what == SGX_ERESUME;
	t->eexit = leaf && r->what == SGX_EEXIT;
	return t->aex || t->eenter || t->eresume || t->eexit;
}

static bool on_page(const struct trace_record *r, struct tally *t)
{
	*t = (struct tally){ .key = r->addr & ~0xfffull, .count = 1 };
	return r->addr && (r->kind == TRACE_ENCLS || r->kind == TRACE_FAULT ||
			   (r->kind == TRACE_ENCLU && r->what >= SGX_EACCEPT));
}

typedef bool (*pick_fn)(const struct trace_record *r, struct tally *t);

static size_t collect(const struct trace_file *f,
		      const struct trace_filter *want, pick_fn pick,
		      struct tally *t)
{
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++)
		if (trace_wanted(want, &f->record[i]) &&
		    pick(&f->record[i], &t[n]))
			n++;
	return join(t, n);
}

static void print_threads(const struct tally *t, size_t n)
{
	puts("transitions by thread\n"
	     "  thread       EENTER        AEX    ERESUME      EEXIT");
	for (size_t i = 0; i < n; i++)
		printf("  %-8" PRIu64 "%11" PRIu64 "%11" PRIu64 "%11" PRIu64
		       "%11" PRIu64 "\n",
		       t[i].key, t[i].eenter, t[i].aex, t[i].eresume,
		       t[i].eexit);
}

static void print_pages(struct tally *t, size_t n)
{
	qsort(t, n, sizeof(*t), by_count);
	puts("busiest pages");
	for (size_t i = 0; i < n && i < TOP; i++)
		printf("  0x%-20" PRIx64 "%" PRIu64 "\n", t[i].key, t[i].count);
}

int trace_sum(const struct trace_file *f, const struct trace_filter *want,
	      const struct watch_costs *costs, bool json)
{
	struct edmm_machine_stats s = { 0 };
	struct watch_out out = { .write = to_stdout };
	struct watch_print p = {
		.stats = &s, .costs = costs, .json = json, .pid = f->header->pid
	};
	struct tally *t = NULL;

	for (size_t i = 0; i < f->count; i++)
		if (trace_wanted(want, &f->record[i]))
			watch_add(&s, &f->record[i]);
	watch_print(&out, &p);
	if (json)
		return 0;
	t = calloc(f->count + 1, sizeof(*t));
	if (!t) {
		cli_error("no memory to sort %zu events", f->count);
		return CLI_FAIL;
	}
	print_threads(t, collect(f, want, transition, t));
	print_pages(t, collect(f, want, on_page, t));
	free(t);
	return 0;
}
