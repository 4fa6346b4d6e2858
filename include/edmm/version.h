/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The version of edmm that these headers are of; the build has it from here.
 * Before 1.0.0 a new minor version may break what was written for the last one.
 */
#ifndef EDMM_VERSION_H
#define EDMM_VERSION_H

#define EDMM_VERSION_MAJOR 0
#define EDMM_VERSION_MINOR 1
#define EDMM_VERSION_PATCH 0

/* For a comparison: EDMM_VERSION >= EDMM_VERSION_OF(0, 1, 0). */
#define EDMM_VERSION_OF(major, minor, patch) \
	((major)*1000000 + (minor)*1000 + (patch))
#define EDMM_VERSION                                            \
	EDMM_VERSION_OF(EDMM_VERSION_MAJOR, EDMM_VERSION_MINOR, \
			EDMM_VERSION_PATCH)

/* "0.1.0" */
#define EDMM_VERSION_DOTTED_(major, minor, patch) #major "." #minor "." #patch
#define EDMM_VERSION_DOTTED(major, minor, patch) \
	EDMM_VERSION_DOTTED_(major, minor, patch)
#define EDMM_VERSION_STRING                                         \
	EDMM_VERSION_DOTTED(EDMM_VERSION_MAJOR, EDMM_VERSION_MINOR, \
			    EDMM_VERSION_PATCH)

#endif
