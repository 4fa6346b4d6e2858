/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fake vDSO's image, in memory: a copy of the ELF file, with the real
 * vDSO's functions, and the library's for enclaves, as symbols whose values
 * lead out of it.
 */
#include <elf.h>
#include <string.h>
#include <sys/mman.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"
#include "machine/trap/enclave/fast.h"
#include "machine/trap/enclave/vdso.h"

#define ENTER "__vdso_sgx_enter_enclave"

extern const char vdso_image[], vdso_image_end[];

/* The library's own function. */
extern const char __vdso_sgx_enter_enclave[], vdso_aep[], vdso_fixup[];
extern uint64_t vdso_slot;

/* The value of the function's symbol when it is the image's own. */
static uint64_t enter_inside;

static size_t vdso_room(void)
{
	size_t size = (size_t)(vdso_image_end - vdso_image);

	return (size + SGX_PAGE_SIZE - 1) & ~(SGX_PAGE_SIZE - 1ul);
}

/* vdso.S keeps these three offsets 64 bytes before the function. */
struct vdso_table {
	int32_t aep;
	int32_t fixup;
	int32_t slot;
};

#define TABLE_BEFORE 64u

struct image {
	const char *base;
	uint64_t load; /* link address of base */
	Elf64_Sym *syms;
	const char *strs;
	uint32_t count;
};

static bool image_open(struct image *v, uint64_t base)
{
	const Elf64_Ehdr *eh = (const void *)base;
	const Elf64_Phdr *ph = (const void *)(base + eh->e_phoff);
	const Elf64_Dyn *dyn = NULL;

	*v = (struct image){ .base = (const char *)base };
	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD)
			v->load = ph[i].p_vaddr - ph[i].p_offset;
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (const void *)(base + ph[i].p_offset);
	}
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		uint64_t at = base + dyn->d_un.d_ptr - v->load;

		if (dyn->d_tag == DT_SYMTAB)
			v->syms = (void *)at;
		if (dyn->d_tag == DT_STRTAB)
			v->strs = (const void *)at;
		if (dyn->d_tag == DT_HASH)
			v->count = ((const uint32_t *)at)[1];
	}
	/* A vDSO without a SysV hash: symbols end where the strings start. */
	if (!v->count && v->syms && (const char *)v->syms < v->strs)
		v->count =
			(uint32_t)((uint64_t)(v->strs - (const char *)v->syms) /
				   sizeof(Elf64_Sym));
	return v->syms && v->strs;
}

static Elf64_Sym *symbol(const struct image *v, const char *name)
{
	for (uint32_t i = 0; i < v->count; i++)
		if (v->syms[i].st_shndx != SHN_UNDEF &&
		    !strcmp(v->strs + v->syms[i].st_name, name))
			return &v->syms[i];
	return NULL;
}

/* Symbols of the fake image that only name the real one's functions. */
static void lead_out(struct image *fake, const struct image *real)
{
	for (uint32_t i = 1; i < fake->count; i++) {
		Elf64_Sym *s = &fake->syms[i], *r;
		const char *name = fake->strs + s->st_name;

		if (ELF64_ST_TYPE(s->st_info) != STT_FUNC ||
		    !strcmp(name, ENTER))
			continue;
		r = real ? symbol(real, name) : NULL;
		if (r)
			s->st_value = (uint64_t)real->base - real->load +
				      r->st_value - (uint64_t)fake->base;
		else
			s->st_shndx = SHN_UNDEF;
	}
}

/* The function and its places, and where entries go without a trap. */
static void use(uint64_t aep, uint64_t fixup, uint64_t *slot)
{
	machine.vdso_aep = aep;
	machine.vdso_fixup = fixup;
	fast_aep = aep;
	fast_bases = machine.has[FACILITY_FSGSBASE];
	if (machine.opt.vdso_fast && !machine.opt.strict)
		*slot = (uint64_t)fast_enter;
}

void vdso_launched(void)
{
	char *p = (char *)machine.vdso;
	struct vdso_table table;
	struct image fake;
	uint64_t fn;

	if (sys_mprotect(p, vdso_room(), PROT_READ | PROT_WRITE) ||
	    !image_open(&fake, machine.vdso))
		sys_die("the vDSO's image is damaged", NULL);
	symbol(&fake, ENTER)->st_value = enter_inside;
	fn = machine.vdso + enter_inside;
	memcpy(&table, (const void *)(fn - TABLE_BEFORE), sizeof(table));
	use(fn + (uint64_t)(int64_t)table.aep,
	    fn + (uint64_t)(int64_t)table.fixup,
	    (uint64_t *)(fn + (uint64_t)(int64_t)table.slot));
	sys_mprotect(p, vdso_room(), PROT_READ | PROT_EXEC);
}

void vdso_init(uint64_t real)
{
	char *p = sys_mmap(NULL, vdso_room(), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct image fake, truth;
	Elf64_Sym *enter;

	if (sys_failed(p))
		sys_die("no memory for the vDSO", NULL);
	memcpy(p, vdso_image, (size_t)(vdso_image_end - vdso_image));
	if (!image_open(&fake, (uint64_t)p))
		sys_die("the vDSO's image is damaged", NULL);
	lead_out(&fake, real && image_open(&truth, real) ? &truth : NULL);
	enter = symbol(&fake, ENTER);
	if (!enter)
		sys_die("the vDSO's image is damaged", NULL);
	enter_inside = enter->st_value;
	enter->st_value = (uint64_t)__vdso_sgx_enter_enclave - (uint64_t)p;
	machine.vdso = (uint64_t)p;
	use((uint64_t)vdso_aep, (uint64_t)vdso_fixup, &vdso_slot);
	sys_mprotect(p, vdso_room(), PROT_READ | PROT_EXEC);
}
