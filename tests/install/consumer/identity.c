/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * identity PROGRAM CONFIG: MRENCLAVE by the host's libraries, and whether they
 * understand CONFIG.
 */
#include <edmm/host.h>
#include <edmm/image.h>
#include <edmm/model.h>
#include <edmm/policy.h>
#include <stdio.h>
#include <string.h>

static int measure(const char *program)
{
	struct edmm_image_policy policy;
	struct edmm_image *image;
	struct edmm_plan plan;
	struct edmm_diag diag;
	uint8_t mrenclave[32];
	int i;

	edmm_policy_default(EDMM_MODE_ELASTIC, &policy);
	if (edmm_image_read(program, &image, &diag) ||
	    edmm_plan_make(image, &policy, &plan, &diag)) {
		fprintf(stderr, "%s\n", diag.text);
		return 1;
	}
	if (edmm_plan_measure(&plan, mrenclave))
		return 1;
	for (i = 0; i < 32; i++)
		printf("%02x", mrenclave[i]);
	printf("\n");
	edmm_plan_free(&plan);
	edmm_image_free(image);
	return 0;
}

int main(int argc, char **argv)
{
	struct edmm_findings findings;
	struct edmm_host_error error;
	struct edmm_policy *policy;
	struct edmm_model *model;
	struct edmm_host *host;

	memset(&findings, 0, sizeof(findings));
	if (argc != 3 || edmm_model_create(NULL, &model) ||
	    edmm_policy_read(argv[2], EDMM_FORMAT_NONE, &policy, &findings))
		return 1;
	edmm_model_destroy(model);
	edmm_policy_free(policy);
	edmm_findings_free(&findings);
	if (edmm_host_open(&host, "/nonexistent", &error) != -EDMM_ENOENT)
		return 1;
	return measure(argv[1]);
}
