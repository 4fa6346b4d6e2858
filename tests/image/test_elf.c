/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Malformed ELF files: one row a defect. Each row breaks one field of a good
 * file and names a word that the message must have.
 */
#include <check.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "edmm/image.h"
#include "tests/image/image_util.h"

static uint8_t *file;
static size_t size;

static void setup(void)
{
	file = util_read(TINY, &size);
}

static void teardown(void)
{
	free(file);
}

static Elf64_Ehdr *eh(void)
{
	return (Elf64_Ehdr *)(void *)file;
}

static Elf64_Phdr *ph(uint32_t type, unsigned nth)
{
	Elf64_Phdr *p = (Elf64_Phdr *)(void *)(file + eh()->e_phoff);
	unsigned i;

	for (i = 0; i < eh()->e_phnum; i++)
		if (p[i].p_type == type && !nth--)
			return &p[i];
	ck_abort_msg("no such segment");
	return NULL;
}

static Elf64_Shdr *layout_section(void)
{
	Elf64_Shdr *s = (Elf64_Shdr *)(void *)(file + eh()->e_shoff);
	const char *names = (const char *)file + s[eh()->e_shstrndx].sh_offset;
	unsigned i;

	for (i = 0; i < eh()->e_shnum; i++)
		if (!strcmp(names + s[i].sh_name, EDMM_LAYOUT_SECTION))
			return &s[i];
	ck_abort_msg("no layout section");
	return NULL;
}

static Elf64_Dyn *dyn(int64_t tag)
{
	Elf64_Dyn *d =
		(Elf64_Dyn *)(void *)(file + ph(PT_DYNAMIC, 0)->p_offset);

	while (d->d_tag != tag && d->d_tag != DT_NULL)
		d++;
	ck_assert_int_eq(d->d_tag, tag);
	return d;
}

static Elf64_Rela *rela(void)
{
	uint64_t at = dyn(DT_RELA)->d_un.d_ptr;
	unsigned i;

	for (i = 0;; i++) {
		Elf64_Phdr *p = ph(PT_LOAD, i);

		if (at >= p->p_vaddr && at < p->p_vaddr + p->p_filesz)
			return (Elf64_Rela *)(void *)(file + p->p_offset + at -
						      p->p_vaddr);
	}
}

#define DEFECT(name, statement)        \
	static void break_##name(void) \
	{                              \
		statement;             \
	}

DEFECT(magic, file[0] = 'M')
DEFECT(class, file[EI_CLASS] = ELFCLASS32)
DEFECT(machine, eh()->e_machine = EM_AARCH64)
DEFECT(type, eh()->e_type = ET_EXEC)
DEFECT(phoff, eh()->e_phoff = size - 8)
DEFECT(phoff_wrap, eh()->e_phoff = UINT64_MAX - 8)
DEFECT(phnum, eh()->e_phnum = 0)
DEFECT(phentsize, eh()->e_phentsize = 32)
DEFECT(shoff, eh()->e_shoff = size - 8)
DEFECT(shoff_wrap, eh()->e_shoff = UINT64_MAX - 63)
DEFECT(no_sections, eh()->e_shnum = 0)
DEFECT(names, eh()->e_shstrndx = 0xff00)
DEFECT(entry, eh()->e_entry = 0x40)
DEFECT(entry_wild, eh()->e_entry = UINT64_MAX)
DEFECT(interp, ph(PT_GNU_STACK, 0)->p_type = PT_INTERP)
DEFECT(offset, ph(PT_LOAD, 1)->p_offset = size + 4096)
DEFECT(offset_wrap, ph(PT_LOAD, 1)->p_offset = UINT64_MAX & ~4095ull)
DEFECT(filesz, ph(PT_LOAD, 1)->p_filesz = size * 2)
DEFECT(memsz, ph(PT_LOAD, 1)->p_memsz = 1ull << 40)
DEFECT(memsz_less, ph(PT_LOAD, 1)->p_memsz = ph(PT_LOAD, 1)->p_filesz - 1)
DEFECT(vaddr_wrap, ph(PT_LOAD, 1)->p_vaddr = UINT64_MAX & ~4095ull)
DEFECT(order, ph(PT_LOAD, 1)->p_vaddr = 0)
DEFECT(align, ph(PT_LOAD, 1)->p_vaddr += 16)
DEFECT(unreadable, ph(PT_LOAD, 1)->p_flags = PF_X)
DEFECT(layout_writable, ph(PT_LOAD, 2)->p_flags = PF_R | PF_W)
DEFECT(layout_name, layout_section()->sh_name = 0)
DEFECT(layout_size, layout_section()->sh_size = 4095)
DEFECT(layout_addr, layout_section()->sh_addr += 8)
DEFECT(layout_offset, layout_section()->sh_offset += 4096)
DEFECT(layout_magic, file[layout_section()->sh_offset] ^= 1)
DEFECT(layout_version, file[layout_section()->sh_offset + 8] = 9)
DEFECT(rela_type, rela()->r_info = ELF64_R_INFO(0, R_X86_64_64))
DEFECT(rela_outside, rela()->r_offset = 1ull << 40)
DEFECT(rela_size, dyn(DT_RELASZ)->d_un.d_val = 1 << 20)
DEFECT(rela_odd, dyn(DT_RELASZ)->d_un.d_val -= 1)
DEFECT(needed, dyn(DT_RELACOUNT)->d_tag = DT_NEEDED)
DEFECT(textrel, dyn(DT_RELACOUNT)->d_tag = DT_TEXTREL)
DEFECT(dynamic, ph(PT_DYNAMIC, 0)->p_offset = size)

static const struct {
	void (*breaks)(void);
	const char *want;
} defects[] = {
	{ break_magic, "not an ELF file" },
	{ break_class, "another machine" },
	{ break_machine, "another machine" },
	{ break_type, "position-independent" },
	{ break_phoff, "truncated" },
	{ break_phoff_wrap, "truncated" },
	{ break_phnum, "truncated" },
	{ break_phentsize, "truncated" },
	{ break_shoff, "section headers" },
	{ break_shoff_wrap, "section headers" },
	{ break_no_sections, "section headers" },
	{ break_names, "section headers" },
	{ break_entry, "entry point" },
	{ break_entry_wild, "entry point" },
	{ break_interp, "shared libraries" },
	{ break_offset, "truncated" },
	{ break_offset_wrap, "truncated" },
	{ break_filesz, "truncated" },
	{ break_memsz, "impossible sizes" },
	{ break_memsz_less, "impossible sizes" },
	{ break_vaddr_wrap, "impossible sizes" },
	{ break_order, "out of order" },
	{ break_align, "not aligned" },
	{ break_unreadable, "cannot be read" },
	{ break_layout_writable, "read-only page" },
	{ break_layout_name, "not an enclave image" },
	{ break_layout_size, "read-only page" },
	{ break_layout_addr, "read-only page" },
	{ break_layout_offset, "read-only page" },
	{ break_layout_magic, "another version" },
	{ break_layout_version, "another version" },
	{ break_rela_type, "relocation type 1 " },
	{ break_rela_outside, "outside the image" },
	{ break_rela_size, "relocation table" },
	{ break_rela_odd, "relocation table" },
	{ break_needed, "shared library" },
	{ break_textrel, "relocations in code" },
	{ break_dynamic, "truncated" },
};

#define DEFECTS (sizeof(defects) / sizeof(defects[0]))

START_TEST(defect_is_named)
{
	struct edmm_image *image;
	struct edmm_diag diag = { "" };

	defects[_i].breaks();
	ck_assert_int_eq(edmm_image_parse(file, size, "x", &image, &diag),
			 -EDMM_ENOEXEC);
	ck_assert_ptr_null(image);
	ck_assert_msg(strstr(diag.text, defects[_i].want),
		      "\"%s\" has no "
		      "\"%s\"",
		      diag.text, defects[_i].want);
	ck_assert_ptr_null(strchr(diag.text, '\n'));
}
END_TEST

/* A file cut anywhere is refused or, behind the last byte needed, the same. */
START_TEST(truncation_at_every_length)
{
	struct edmm_image *image;
	struct edmm_diag diag;
	size_t n, step;

	for (n = 0; n < size; n += step) {
		edmm_err err = edmm_image_parse(file, n, "x", &image, &diag);

		if (!err)
			edmm_image_free(image);
		ck_assert_msg(err, "%zu of %zu bytes are accepted", n, size);
		step = n < 1024 ? 1 : 61;
	}
}
END_TEST

/* Data that is writable and executable needs a setting that is measured. */
START_TEST(writable_code_needs_wx)
{
	struct edmm_image *image;
	struct edmm_image_policy p;
	struct edmm_plan plan;
	struct edmm_diag diag;

	ph(PT_LOAD, 1)->p_flags = PF_R | PF_W | PF_X;
	ck_assert_int_eq(edmm_image_parse(file, size, "x", &image, &diag), 0);
	edmm_policy_default(EDMM_MODE_ELASTIC, &p);
	ck_assert_int_eq(edmm_plan_make(image, &p, &plan, &diag), -EDMM_EINVAL);
	ck_assert_msg(strstr(diag.text, "--wx"), "%s", diag.text);
	p.flags = EDMM_POLICY_WX;
	ck_assert_int_eq(edmm_plan_make(image, &p, &plan, &diag), 0);
	edmm_plan_free(&plan);
	edmm_image_free(image);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("elf");
	TCase *c = tcase_create("elf");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, defect_is_named, 0, DEFECTS);
	tcase_add_test(c, truncation_at_every_length);
	tcase_add_test(c, writable_code_needs_wx);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
