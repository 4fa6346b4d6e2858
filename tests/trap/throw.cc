/* SPDX-License-Identifier: BSD-3-Clause */
/* An exception that a caller far away catches. */

extern "C" {
void throw_value(int value);
int catch_value(void (*fn)(void));
}

void throw_value(int value)
{
	throw value;
}

int catch_value(void (*fn)(void))
{
	try {
		fn();
	} catch (int value) {
		return value;
	}
	return 0;
}
