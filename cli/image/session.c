/* SPDX-License-Identifier: BSD-3-Clause */
/* A SCONE session as far as it names identities: policy, measure. */
#include <ctype.h>
#include <string.h>

#include "cli/image/session.h"

/* Of the session language, which SCONE 5.x and 6.x read. */
#define VERSION "0.3"

/* A YAML scalar: plain where that is safe, else in double quotes. */
static void put_scalar(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) ||
	       (n > 0 && s[n] != '\0' && strchr("-_.", s[n])))
		n++;
	if (s[n] == '\0' && isalpha((unsigned char)s[0])) {
		fputs(s, stdout);
		return;
	}
	putchar('"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	putchar('"');
}

void cli_session_head(const char *name)
{
	fputs("name: ", stdout);
	put_scalar(name);
	puts("\nversion: \"" VERSION "\"");
}

void cli_session_service(const char *name)
{
	fputs("services:\n  - name: ", stdout);
	put_scalar(name);
	fputs("\n    attestation:\n      - mrenclave:\n", stdout);
}

void cli_session_identity(const uint8_t mrenclave[32], const char *label)
{
	char hex[65];

	cli_hex(mrenclave, 32, hex);
	if (!strcmp(label, "static"))
		label = "without EDMM";
	else if (!strcmp(label, "elastic"))
		label = "with EDMM";
	printf("          - %s  # %s\n", hex, label);
}

const char *cli_session_name(const char *name, const char *path)
{
	const char *slash = strrchr(path, '/');

	return name ? name : slash ? slash + 1 : path;
}
