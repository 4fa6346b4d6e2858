/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Round trips: what a format can say, it says again after reading and writing,
 * and after a way through edmm.toml and back, with nothing lost.
 */
#include "tests/policy/util.h"

static const char occlum[] =
	"{\n"
	"  \"resource_limits\": {\n"
	"    \"kernel_space_heap_size\": \"32MB\",\n"
	"    \"kernel_space_heap_max_size\": \"1500KB\",\n"
	"    \"kernel_space_stack_size\": \"1MB\",\n"
	"    \"user_space_size\": \"300MB\",\n"
	"    \"user_space_max_size\": \"7B\",\n"
	"    \"init_num_of_threads\": 3,\n"
	"    \"max_num_of_threads\": 32,\n"
	"    \"marshal_buffer_size\": \"0x100000\"\n"
	"  },\n"
	"  \"process\": {\n"
	"    \"default_stack_size\": \"4MB\",\n"
	"    \"default_heap_size\": \"32MB\",\n"
	"    \"default_mmap_size\": \"100MB\"\n"
	"  },\n"
	"  \"entry_points\": [\"/bin\", \"/usr/\\u00e9t\\u00e9\\n\"],\n"
	"  \"env\": {\"default\": [\"OCCLUM=yes\", \"A=\\\"b\\\"\"],"
	" \"untrusted\": []},\n"
	"  \"metadata\": {\"product_id\": 1, \"version_number\": 2,\n"
	"    \"debuggable\": true, \"enable_kss\": true, \"disable_log\": "
	"false,\n"
	"    \"family_id\": {\"high\": \"0xffffffffffffffff\","
	" \"low\": \"0x0\"},\n"
	"    \"ext_prod_id\": {\"high\": \"0x1\", \"low\": \"0xab\"}},\n"
	"  \"feature\": {\"amx\": 1, \"pkru\": 2, \"io_uring\": 0,\n"
	"    \"enable_edmm\": true, \"enable_posix_shm\": false},\n"
	"  \"mount\": [\n"
	"    {\"target\": \"/\", \"type\": \"unionfs\", \"options\": "
	"{\"layers\":"
	" [{\"target\": \"/\", \"type\": \"sefs\", \"options\": {\"MAC\": \"\","
	" \"x.y z\": 1.5, \"n\": [1, [], {}]}}]}},\n"
	"    {\"target\": \"/host\", \"type\": \"hostfs\", \"source\": \".\"}\n"
	"  ]\n"
	"}\n";

static const char gramine[] = "libos.entrypoint = \"/app\"\n"
			      "[loader]\n"
			      "log_level = \"error\"\n"
			      "argv = [\"app\", \"-x\", 'a\\b']\n"
			      "env.LD_LIBRARY_PATH = \"/lib:/usr/lib\"\n"
			      "env.PATH = { passthrough = true }\n"
			      "env.\"odd name\" = \"\\\"quoted\\\"\"\n"
			      "[sys]\n"
			      "stack.size = \"8M\"\n"
			      "brk.max_size = \"256K\"\n"
			      "enable_sigterm_injection = true\n"
			      "[sgx]\n"
			      "debug = true\n"
			      "edmm_enable = true\n"
			      "enclave_size = \"1024M\"\n"
			      "max_threads = 8\n"
			      "insecure__rpc_thread_num = 4\n"
			      "preheat_enclave = false\n"
			      "use_exinfo = true\n"
			      "isvprodid = 5\n"
			      "isvsvn = 6\n"
			      "cpu_features.amx = \"unspecified\"\n"
			      "cpu_features.avx = \"required\"\n"
			      "cpu_features.pkru = \"disabled\"\n"
			      "seal_key.flags_mask = \"0xffffffffffffffff\"\n"
			      "trusted_files = [\n"
			      "  \"file:app\",\n"
			      "  { uri = \"file:lib/\", sha256 = \"00\" },\n"
			      "]\n"
			      "[[fs.mounts]]\n"
			      "path = \"/lib\"\n"
			      "uri = \"file:/lib\"\n"
			      "[[fs.mounts]]\n"
			      "type = \"tmpfs\"\n"
			      "path = \"/tmp\"\n";

static const char xml[] =
	"<!-- a comment -->\n"
	"<EnclaveConfiguration>\n"
	"  <ProdID>100</ProdID>\n"
	"  <ISVSVN>1</ISVSVN>\n"
	"  <StackMaxSize>0x50000</StackMaxSize>\n"
	"  <StackMinSize>0x2000</StackMinSize>\n"
	"  <HeapMaxSize>0x100000</HeapMaxSize>\n"
	"  <HeapMinSize>0x40000</HeapMinSize>\n"
	"  <HeapInitSize>0x80000</HeapInitSize>\n"
	"  <TCSNum>3</TCSNum>\n"
	"  <TCSMaxNum>4</TCSMaxNum>\n"
	"  <TCSMinPool>2</TCSMinPool>\n"
	"  <TCSPolicy>1</TCSPolicy>\n"
	"  <DisableDebug>0</DisableDebug>\n"
	"  <MiscSelect>1</MiscSelect>\n"
	"  <MiscMask>0xFFFFFFFE</MiscMask>\n"
	"  <ReservedMemMaxSize>0x300000</ReservedMemMaxSize>\n"
	"  <ReservedMemMinSize>0x100000</ReservedMemMinSize>\n"
	"  <ReservedMemInitSize>0x200000</ReservedMemInitSize>\n"
	"  <ReservedMemExecutable>1</ReservedMemExecutable>\n"
	"  <EnableKSS>1</EnableKSS>\n"
	"  <ISVEXTPRODID_H>1</ISVEXTPRODID_H>\n"
	"  <ISVEXTPRODID_L>2</ISVEXTPRODID_L>\n"
	"  <ISVFAMILYID_H>3</ISVFAMILYID_H>\n"
	"  <ISVFAMILYID_L>0xffffffffffffffff</ISVFAMILYID_L>\n"
	"  <PKRU>0</PKRU>\n"
	"  <AMX>2</AMX>\n"
	"  <EnableAEXNotify>1</EnableAEXNotify>\n"
	"</EnclaveConfiguration>\n";

static const char scone[] = "# variables\n"
			    "export SCONE_EDMM_MODE=auto\n"
			    "export SCONE_MIN_HEAP=30M\n"
			    "SCONE_HEAP=8G\n"
			    "ENV SCONE_STACK=81920\n"
			    "SCONE_TCS=8\n"
			    "SCONE_MODE=\"hw\"   # hardware\n"
			    "SCONE_QUEUES=4\n"
			    "SCONE_ALLOW_DLOPEN='yes (protected)'\n"
			    "SCONE_LOG=7 # all\n"
			    "PATH=/bin\n"
			    "musl version: 1.1.24\n";

static const char conf[] = "Q 4\n"
			   "H 67108864\n"
			   "e -1 0 0\n"
			   "s -1 0 0\n"
			   "\n"
			   "# two cores\n"
			   "e 1 1 0\n"
			   "L 10000\n";

static const char oe[] = "# settings\n"
			 "Debug=1\n"
			 "NumHeapPages = 1024\n"
			 "NumStackPages\t256\n"
			 "NumTCS=4\n"
			 "ProductID=3\n"
			 "SecurityVersion=2\n"
			 "CapturePFGPExceptions=1\n"
			 "FamilyID=00000000-1111-2222-3333-0123456789ab\n"
			 "CreateZeroBaseEnclave=1\n"
			 "StartAddress=196608\n";

static const char ego[] =
	"{\"exe\": \"app\", \"key\": \"private.pem\", \"debug\": true,\n"
	" \"heapSize\": 768, \"executableHeap\": true, \"productID\": 1,\n"
	" \"securityVersion\": 2, \"mounts\": [\n"
	"  {\"source\": \"/a\", \"target\": \"/b\", \"type\": \"hostfs\",\n"
	"   \"readOnly\": false}, {\"target\": \"/t\", \"type\": \"memfs\"}],\n"
	" \"env\": [{\"name\": \"A\", \"fromHost\": true}], \"files\": []}\n";

static const char mystikos[] =
	"{\"version\": \"0.1\", \"Debug\": 1, \"ProductID\": 1, // one\n"
	" \"SecurityVersion\": 1, \"MemorySize\": \"256m\",\n"
	" \"MainStackSize\": 8388608, \"ThreadStackSize\": \"64K\",\n"
	" \"ApplicationPath\": \"/bin/app\", \"NoBrk\": 1,\n"
	" \"ApplicationParameters\": [\"a\", \"b\"],\n"
	" \"EnvironmentVariables\": \"A=b\", \"ForkMode\": \"none\",\n"
	" \"Mount\": [{\"Target\": \"/m\", \"Type\": \"hostfs\"},]}\n";

static const char edp[] = "[package]\n"
			  "name = \"app\"\n"
			  "[package.metadata.fortanix-sgx]\n"
			  "heap-size = 0x2000000\n"
			  "stack-size = 131072\n"
			  "ssaframesize = 1\n"
			  "threads = 6\n"
			  "debug = false\n"
			  "runner = \"mine\"\n"
			  "[dependencies]\n"
			  "a = { version = \"1\", features = [\"b\"] }\n";

/* Every setting that there is. */
static const char edmm[] =
	"rules = \"edmm\"\n"
	"[edmm]\n"
	"mode = \"auto\"\n"
	"[enclave]\n"
	"signals = \"HUP TERM 40\"\n"
	"size = \"64GiB\"\n"
	"debug = true\nexinfo = true\nhost_faults = false\nwx = false\n"
	"preheat = true\naex_notify = false\n"
	"misc_select = \"0x1\"\nmisc_mask = \"0xffffffff\"\n"
	"pkru = \"off\"\namx = \"any\"\n"
	"image_address = \"0x0\"\nelrange_start = \"0x1000\"\n"
	"elrange_size = \"1TiB\"\n"
	"[heap]\n"
	"min = \"1MiB\"\ninit = 2097152\nmax = \"8G\"\nwindow = \"4MiB\"\n"
	"idle = \"64MiB\"\nidle_percent = 25\n"
	"[stack]\nmin = \"64KiB\"\nmax = \"8MiB\"\n"
	"[threads]\ninit = 1\npool = 2\nidle = 5\nmax = 64\nbound = true\n"
	"[user]\ninit = \"1MiB\"\nmax = \"16GiB\"\n"
	"[reserved]\nmin = \"0B\"\ninit = \"0B\"\nmax = \"0B\"\n"
	"executable = false\nregion = \"0B\"\n"
	"[process]\nstack = \"8MiB\"\nbrk = \"32MiB\"\nmmap = \"100MiB\"\n"
	"[exitless]\nthreads = 2\nqueues = 4\n"
	"[identity]\nproduct = 1\nversion = 2\nkss = true\n"
	"family_high = \"0x1\"\nfamily_low = \"0x2\"\n"
	"extended_product_high = \"0x3\"\nextended_product_low = \"0x4\"\n"
	"[keep.gramine.loader]\nlog_level = \"error\"\n"
	"[keep.scone]\nSCONE_MODE = \"hw\"\n";

static const struct {
	enum edmm_format format;
	const char *text;
} files[] = {
	{ EDMM_FORMAT_OCCLUM, occlum },	    { EDMM_FORMAT_GRAMINE, gramine },
	{ EDMM_FORMAT_SGX_XML, xml },	    { EDMM_FORMAT_SCONE, scone },
	{ EDMM_FORMAT_SCONE_CONF, conf },   { EDMM_FORMAT_EDMM, edmm },
	{ EDMM_FORMAT_OPEN_ENCLAVE, oe },   { EDMM_FORMAT_EGO, ego },
	{ EDMM_FORMAT_MYSTIKOS, mystikos }, { EDMM_FORMAT_EDP, edp },
};

static const struct edmm_target any;

START_TEST(same_format)
{
	enum edmm_format format = files[_i].format;
	struct edmm_policy *a = must_parse(files[_i].text, format);
	char *text = must_write(a, format, &any);
	struct edmm_policy *b = must_parse(text, format);
	char *again = must_write(b, format, &any);

	ck_assert_msg(edmm_policy_equal(a, b), "%s", text);
	ck_assert_str_eq(text, again);
	free(text);
	free(again);
	edmm_policy_free(a);
	edmm_policy_free(b);
}
END_TEST

START_TEST(through_edmm)
{
	enum edmm_format format = files[_i].format;
	struct edmm_policy *a = must_parse(files[_i].text, format);
	char *ours = must_write(a, EDMM_FORMAT_EDMM, &any);
	struct edmm_policy *b = must_parse(ours, EDMM_FORMAT_EDMM);
	char *text = must_write(b, format, &any);
	struct edmm_policy *c = must_parse(text, format);

	ck_assert_msg(edmm_policy_equal(a, c), "%s\n%s", ours, text);
	free(ours);
	free(text);
	edmm_policy_free(a);
	edmm_policy_free(b);
	edmm_policy_free(c);
}
END_TEST

/* Nothing in these ways is told as lost. */
START_TEST(nothing_lost)
{
	struct edmm_policy *a = must_parse(files[_i].text, files[_i].format);
	struct edmm_findings f = { 0 };
	struct edmm_text out;

	ck_assert_int_eq(edmm_policy_write(a, EDMM_FORMAT_EDMM, &any, &out, &f),
			 0);
	free(out.text);
	ck_assert_int_eq(edmm_policy_write(a, files[_i].format, &any, &out, &f),
			 0);
	free(out.text);
	ck_assert(!has_rule(&f, "P701"));
	edmm_findings_free(&f);
	edmm_policy_free(a);
}
END_TEST

/* Every setting of the table is in the file above, and comes back. */
START_TEST(every_setting)
{
	struct edmm_policy *a = must_parse(edmm, EDMM_FORMAT_EDMM);

	for (unsigned i = 0; i < EDMM_SET_COUNT; i++)
		ck_assert_msg(a->s[i].set, "setting %u", i);
	edmm_policy_free(a);
}
END_TEST

/* The rules travel: Occlum.json by way of edmm.toml gives the same XML. */
START_TEST(rules_travel)
{
	static const struct edmm_target sgx2 = { .platform =
							 EDMM_PLATFORM_SGX2 };
	static const char small[] =
		"{\"resource_limits\": {\"kernel_space_stack_size\": \"1MB\","
		"\"kernel_space_heap_size\": \"4MB\","
		"\"user_space_size\": \"1MB\", \"max_num_of_threads\": 64},"
		"\"process\": {\"default_stack_size\": \"4MB\","
		"\"default_heap_size\": \"8MB\","
		"\"default_mmap_size\": \"100MB\"}}";
	struct edmm_policy *a = must_parse(small, EDMM_FORMAT_OCCLUM);
	char *ours = must_write(a, EDMM_FORMAT_EDMM, &sgx2);
	struct edmm_policy *b = must_parse(ours, EDMM_FORMAT_EDMM);
	char *x = must_write(a, EDMM_FORMAT_SGX_XML, &sgx2);
	char *y = must_write(b, EDMM_FORMAT_SGX_XML, &sgx2);

	ck_assert_str_eq(x, y);
	free(ours);
	free(x);
	free(y);
	edmm_policy_free(a);
	edmm_policy_free(b);
}
END_TEST

/* Enclave.xml back into Occlum.json, and again: the same XML. */
START_TEST(occlum_and_back)
{
	struct edmm_target t = { .platform = _i ? EDMM_PLATFORM_SGX2
						: EDMM_PLATFORM_SGX1 };
	static const char small[] =
		"{\"resource_limits\": {\"kernel_space_stack_size\": \"1MB\","
		"\"kernel_space_heap_size\": \"4MB\","
		"\"kernel_space_heap_max_size\": \"40MB\","
		"\"user_space_size\": \"1MB\","
		"\"user_space_max_size\": \"600MB\","
		"\"init_num_of_threads\": 2, \"max_num_of_threads\": 64},"
		"\"process\": {\"default_stack_size\": \"4MB\","
		"\"default_heap_size\": \"32MB\","
		"\"default_mmap_size\": \"100MB\"}}";
	struct edmm_policy *a = must_parse(small, EDMM_FORMAT_OCCLUM);
	char *x = must_write(a, EDMM_FORMAT_SGX_XML, &t);
	struct edmm_policy *b = must_parse(x, EDMM_FORMAT_SGX_XML);
	char *json = must_write(b, EDMM_FORMAT_OCCLUM, &t);
	struct edmm_policy *c = must_parse(json, EDMM_FORMAT_OCCLUM);
	char *y = must_write(c, EDMM_FORMAT_SGX_XML, &t);

	ck_assert_str_eq(x, y);
	free(x);
	free(y);
	free(json);
	edmm_policy_free(a);
	edmm_policy_free(b);
	edmm_policy_free(c);
}
END_TEST

#define FORMATS (EDMM_FORMAT_COUNT - 1)

/* Every pair of formats: what is written can be read, and is not empty. */
START_TEST(every_pair)
{
	static const struct edmm_target sgx2 = { .platform =
							 EDMM_PLATFORM_SGX2 };
	static const char *const whole[] = {
		"{\"resource_limits\": {\"kernel_space_stack_size\": \"1MB\","
		"\"kernel_space_heap_size\": \"4MB\","
		"\"user_space_size\": \"1MB\", \"max_num_of_threads\": 64},"
		"\"process\": {\"default_stack_size\": \"4MB\","
		"\"default_heap_size\": \"8MB\","
		"\"default_mmap_size\": \"100MB\"}}",
		gramine,
		xml,
		scone,
		conf,
		edmm,
		oe,
		ego,
		mystikos,
		edp,
	};
	int from = _i / FORMATS;
	int to = _i % FORMATS;
	struct edmm_policy *a = must_parse(whole[from], files[from].format);
	char *text = must_write(a, files[to].format, &sgx2);
	struct edmm_policy *b = must_parse(text, files[to].format);
	unsigned set = 0;

	for (unsigned i = 0; i < EDMM_SET_COUNT; i++)
		set += b->s[i].set;
	ck_assert_uint_gt(set, 0);
	free(text);
	edmm_policy_free(a);
	edmm_policy_free(b);
}
END_TEST

#define ROWS(t) ((int)(sizeof(t) / sizeof((t)[0])))

int main(void)
{
	Suite *s = suite_create("round trips");
	TCase *t = tcase_create("formats");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_loop_test(t, same_format, 0, ROWS(files));
	tcase_add_loop_test(t, through_edmm, 0, ROWS(files));
	tcase_add_loop_test(t, nothing_lost, 0, ROWS(files));
	tcase_add_test(t, every_setting);
	tcase_add_test(t, rules_travel);
	tcase_add_loop_test(t, occlum_and_back, 0, 2);
	tcase_add_loop_test(t, every_pair, 0, FORMATS * FORMATS);
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
