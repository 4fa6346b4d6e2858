/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sizes as each format spells them. The accepted syntax is the runtime's own,
 * no wider; what people write instead is guessed, for the message only.
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

#include "edmm/policy.h"

struct unit {
	const char *name;
	unsigned shift;
};

static const struct unit occlum_units[] = {
	{ "TB", 40 }, { "GB", 30 }, { "MB", 20 },
	{ "KB", 10 }, { "B", 0 },   { NULL, 0 },
};
static const struct unit short_units[] = {
	{ "G", 30 }, { "M", 20 }, { "K", 10 }, { "", 0 }, { NULL, 0 },
};
static const struct unit scone_units[] = {
	{ "G", 30 }, { "M", 20 }, { "K", 10 }, { "g", 30 },
	{ "m", 20 }, { "k", 10 }, { "", 0 },   { NULL, 0 },
};
static const struct unit edmm_units[] = {
	{ "TiB", 40 }, { "GiB", 30 }, { "MiB", 20 }, { "KiB", 10 }, { "B", 0 },
	{ "T", 40 },   { "G", 30 },   { "M", 20 },   { "K", 10 },   { NULL, 0 },
};
static const struct unit no_units[] = { { "", 0 }, { NULL, 0 } };

static const struct unit *units_of(enum edmm_format format)
{
	switch (format) {
	case EDMM_FORMAT_OCCLUM:
		return occlum_units;
	case EDMM_FORMAT_GRAMINE:
	case EDMM_FORMAT_SCONE:
	case EDMM_FORMAT_SCONE_CONF:
		return scone_units;
	case EDMM_FORMAT_EDMM:
		return edmm_units;
	default:
		return no_units;
	}
}

const char *edmm_size_format(enum edmm_format format, uint64_t value,
			     char buf[32])
{
	const struct unit *u = units_of(format);

	if (format == EDMM_FORMAT_GRAMINE)
		u = short_units;
	while (u[1].name &&
	       (value == 0 || (value & ((1ull << u->shift) - 1)) != 0))
		u++;
	snprintf(buf, 32, "%llu%s", (unsigned long long)value >> u->shift,
		 u->name);
	return buf;
}

/* Digits at *s, all that there are. */
static edmm_err digits(const char **s, uint64_t *value)
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

static edmm_err shift(uint64_t n, unsigned bits, uint64_t *value)
{
	if (bits > 0 && n >> (64 - bits) != 0)
		return -EDMM_ERANGE;
	*value = n << bits;
	return 0;
}

static const struct unit *unit_named(const struct unit *u, const char *name)
{
	for (; u->name; u++)
		if (strcmp(u->name, name) == 0)
			return u;
	return NULL;
}

/* digits UNIT, nothing else. */
static edmm_err plain_size(const struct unit *units, const char *s,
			   uint64_t *value)
{
	const struct unit *u;
	uint64_t n;
	edmm_err err = digits(&s, &n);

	if (err != 0)
		return err;
	u = unit_named(units, s);
	return u ? shift(n, u->shift, value) : -EDMM_EINVAL;
}

/* Blanks around the number and the unit, and a plus sign, are allowed. */
static edmm_err occlum_size(const char *s, uint64_t *value)
{
	const struct unit *u;
	char unit[4] = "";
	uint64_t n;
	edmm_err err;
	size_t len;

	while (isspace((unsigned char)*s))
		s++;
	if (*s == '+')
		s++;
	err = digits(&s, &n);
	if (err != 0)
		return err;
	while (isspace((unsigned char)*s))
		s++;
	len = strlen(s);
	while (len > 0 && isspace((unsigned char)s[len - 1]))
		len--;
	if (len == 0 || len > 3)
		return -EDMM_EINVAL;
	memcpy(unit, s, len);
	u = unit_named(occlum_units, unit);
	return u ? shift(n, u->shift, value) : -EDMM_EINVAL;
}

/* strtoull, base 0; a minus sign is refused. */
static edmm_err sgx_size(const char *s, uint64_t *value)
{
	char *end = NULL;
	unsigned base = 10;

	while (isspace((unsigned char)*s))
		s++;
	if (*s == '+')
		s++;
	if (!isdigit((unsigned char)*s))
		return -EDMM_EINVAL;
	if (s[0] == '0')
		base = s[1] == 'x' || s[1] == 'X' ? 16 : 8;
	*value = 0;
	if (base == 10) {
		const char *p = s;
		edmm_err err = digits(&p, value);

		if (err != 0)
			return err;
		end = (char *)(uintptr_t)p;
	} else {
		if (base == 16 && strlen(s + 2) > strspn(s + 2, "0") + 16 &&
		    strspn(s + 2, "0123456789abcdefABCDEF") > 16)
			return -EDMM_ERANGE;
		*value = strtoull(s, &end, (int)base);
	}
	return *end == '\0' && end != s ? 0 : -EDMM_EINVAL;
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

/* What someone may have meant: a number with or without fraction, a unit. */
static bool guess(const char *s, uint64_t *value)
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

static const char *example(enum edmm_format format)
{
	switch (format) {
	case EDMM_FORMAT_OCCLUM:
		return "a number and one of B, KB, MB, GB, TB, as in \"4MB\"";
	case EDMM_FORMAT_GRAMINE:
		return "a number and K, M, G or nothing, as in \"4M\"";
	case EDMM_FORMAT_SGX_XML:
		return "bytes, as in 0x400000 or 4194304";
	case EDMM_FORMAT_EDMM:
		return "a number and one of B, KiB, MiB, GiB, TiB: \"4MiB\"";
	default:
		return "a number and K, M, G or nothing, as in 4M";
	}
}

edmm_err edmm_size_parse(enum edmm_format format, const char *text,
			 uint64_t *value, char fix[96])
{
	char spelled[32];
	uint64_t meant;
	edmm_err err;

	if (format == EDMM_FORMAT_OCCLUM)
		err = occlum_size(text, value);
	else if (format == EDMM_FORMAT_SGX_XML)
		err = sgx_size(text, value);
	else
		err = plain_size(units_of(format), text, value);
	fix[0] = '\0';
	if (err == -EDMM_EINVAL && guess(text, &meant))
		snprintf(fix, 96, "%s",
			 edmm_size_format(format, meant, spelled));
	else if (err != 0)
		snprintf(fix, 96, "write %s", example(format));
	return err;
}
