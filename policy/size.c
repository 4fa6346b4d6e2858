/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sizes as each format spells them (struct pol_sizes). What people write
 * instead is guessed, for the message only.
 *
 *	occlum   "4 MB"     [+]digits, blanks, one of KB MB GB TB B
 *	gramine  "4M"       digits, then K, M, G or nothing
 *	scone    4M         digits, then K, M, G in either case or nothing
 *	sgx-xml  0x400000   strtoull with base 0: hexadecimal, octal, decimal
 *	edmm     "4MiB"     digits, then B, K, M, G, T, KiB, MiB, GiB or TiB
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "policy/format.h"

/* Without a format: bytes. */
static const struct pol_unit no_units[] = { { "", 0 }, { NULL, 0 } };
static const struct pol_sizes no_format = {
	.units = no_units,
	.example = "a number and K, M, G or nothing, as in 4M",
};

static const struct pol_sizes *sizes_of(enum edmm_format format)
{
	const struct pol_format *fmt = pol_format(format);

	return fmt ? fmt->sizes : &no_format;
}

const char *edmm_size_format(enum edmm_format format, uint64_t value,
			     char buf[32])
{
	const struct pol_unit *u = sizes_of(format)->units;

	while (u[1].name &&
	       (value == 0 || (value & ((1ull << u->shift) - 1)) != 0))
		u++;
	snprintf(buf, 32, "%llu%s", (unsigned long long)value >> u->shift,
		 u->name);
	return buf;
}

edmm_err pol_digits(const char **s, uint64_t *value)
{
	const char *p = *s;

	*value = 0;
	if (!isdigit((unsigned char)*p))
		return -EDMM_EINVAL;
	for (; isdigit((unsigned char)*p); p++) {
		uint64_t d = (uint64_t)(*p - '0');

		if (__builtin_mul_overflow(*value, 10u, value) ||
		    __builtin_add_overflow(*value, d, value))
			return -EDMM_ERANGE;
	}
	*s = p;
	return 0;
}

edmm_err pol_in_units(const struct pol_unit *u, const char *name, uint64_t n,
		      uint64_t *value)
{
	while (u->name && strcmp(u->name, name) != 0)
		u++;
	if (!u->name)
		return -EDMM_EINVAL;
	if (u->shift > 0 && n >> (64 - u->shift) != 0)
		return -EDMM_ERANGE;
	*value = n << u->shift;
	return 0;
}

/* digits UNIT, nothing else. */
static edmm_err plain_size(const struct pol_sizes *z, const char *s,
			   uint64_t *value)
{
	uint64_t n;
	edmm_err err = pol_digits(&s, &n);

	if (err)
		return err;
	err = pol_in_units(z->units, s, n, value);
	if (err == -EDMM_EINVAL && z->also)
		err = pol_in_units(z->also, s, n, value);
	return err;
}

static unsigned letter_shift(char c)
{
	switch (toupper((unsigned char)c)) {
	case 'K':
		return 10;
	case 'M':
		return 20;
	case 'G':
		return 30;
	case 'T':
		return 40;
	default:
		return 0;
	}
}

bool pol_guess(const char *s, uint64_t *value)
{
	char *end = NULL;
	double d;
	bool hex;

	while (isspace((unsigned char)*s))
		s++;
	if (!isdigit((unsigned char)*s) && *s != '+')
		return false;
	hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	d = hex ? (double)strtoull(s, &end, 16) : strtod(s, &end);
	while (isspace((unsigned char)*end))
		end++;
	d *= (double)(1ull << letter_shift(*end));
	if (letter_shift(*end) > 0)
		end++;
	end += strspn(end, "iIbB");
	while (isspace((unsigned char)*end))
		end++;
	if (*end != '\0' || !(d >= 0.0 && d < 9.0e18))
		return false;
	*value = (uint64_t)d;
	return true;
}

edmm_err edmm_size_parse(enum edmm_format format, const char *text,
			 uint64_t *value, char fix[96])
{
	const struct pol_sizes *z = sizes_of(format);
	char spelled[32];
	uint64_t meant;
	edmm_err err;

	err = z->parse ? z->parse(text, value) : plain_size(z, text, value);
	fix[0] = '\0';
	if (err == -EDMM_EINVAL && pol_guess(text, &meant))
		snprintf(fix, 96, "%s",
			 edmm_size_format(format, meant, spelled));
	else if (err)
		snprintf(fix, 96, "write %s", z->example);
	return err;
}
