/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reports. The MAC is AES-CMAC over all of REPORT before KEYID, with the
 * report key of the target, which only the target gets from EGETKEY.
 */
#include "trusted/report/internal.h"

void edmm_report_self(struct sgx_report *report)
{
	const struct sgx_targetinfo nobody = { 0 };
	const uint8_t data[EDMM_REPORT_DATA] = { 0 };

	edmm_report_make(&nobody, data, report);
}

void edmm_report_target_of(const struct sgx_report *report,
			   struct sgx_targetinfo *target)
{
	__builtin_memset(target, 0, sizeof(*target));
	__builtin_memcpy(target->mrenclave, report->mrenclave,
			 sizeof(target->mrenclave));
	target->attributes = report->attributes;
	target->cet_attributes = report->cet_attributes;
	target->configsvn = report->configsvn;
	target->miscselect = report->miscselect;
	__builtin_memcpy(target->configid, report->configid,
			 sizeof(target->configid));
}

void edmm_report_target(struct sgx_targetinfo *target)
{
	struct sgx_report self;

	edmm_report_self(&self);
	edmm_report_target_of(&self, target);
}

edmm_err edmm_report_verify(const struct sgx_report *report)
{
	struct sgx_keyrequest request = { .keyname = SGX_KEY_REPORT };
	uint8_t key[16], mac[16];
	int equal;

	__builtin_memcpy(request.keyid, report->keyid, sizeof(request.keyid));
	if (report_getkey(&request, key))
		return -EDMM_EIO;
	report_cmac(key, report, offsetof(struct sgx_report, keyid), mac);
	report_wipe(key, sizeof(key));
	equal = report_equal(mac, report->mac, sizeof(mac));
	report_wipe(mac, sizeof(mac));
	return equal ? 0 : -EDMM_EBADMSG;
}
