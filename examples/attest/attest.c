/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two enclaves of one signer attest each other: alice and bob, each in its own
 * process, talk over standard input and output. Whatever carries the bytes may
 * read and change them.
 *
 *	1  nonce, TARGETINFO		both ways
 *	2  REPORT over role and nonces	both ways: who I am, to that target
 *	3  a message, sealed		alice to bob, then bob to alice
 *
 * A report that verifies was made on this machine, for us, by an enclave whose
 * identity it has; the nonces make it fresh, the role keeps it from being sent
 * back. The two share a secret that nobody else has: a sealing key of their
 * common signer, named by both nonces.
 *
 *	mkfifo pipe
 *	edmm run attest_alice <pipe | edmm run attest_bob >pipe
 *
 * This is local attestation. To convince someone on another machine, a report
 * for Intel's quoting enclave would have to become a quote: not done here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <edmm/report.h>

#define NONCE 24

struct hello {
	uint8_t nonce[NONCE];
	struct sgx_targetinfo target;
};

struct note {
	uint8_t text[64];
	uint8_t tag[16];
};

/* REPORTDATA of each role. */
struct statement {
	char role[16];
	uint8_t alice[NONCE];
	uint8_t bob[NONCE];
};
_Static_assert(sizeof(struct statement) == EDMM_REPORT_DATA, "statement");

static const char *const roles[] = { "bob", "alice" };

static void die(const char *text)
{
	fprintf(stderr, "%s: %s\n", roles[ALICE], text);
	exit(1);
}

static void send_all(const void *data, size_t size)
{
	const uint8_t *p = data;

	while (size) {
		ssize_t n = write(1, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("the peer is gone");
		p += n;
		size -= (size_t)n;
	}
}

static void receive_all(void *data, size_t size)
{
	uint8_t *p = data;

	while (size) {
		ssize_t n = read(0, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("the peer is gone");
		p += n;
		size -= (size_t)n;
	}
}

static void state(struct statement *s, int alice, const struct hello *mine,
		  const struct hello *theirs)
{
	memset(s, 0, sizeof(*s));
	strcpy(s->role, roles[alice]);
	memcpy(s->alice, ALICE ? mine->nonce : theirs->nonce, NONCE);
	memcpy(s->bob, ALICE ? theirs->nonce : mine->nonce, NONCE);
}

/* Whom we take for one of us; a real program names versions, too. */
static void judge(const struct sgx_report *peer, const struct statement *want)
{
	struct sgx_report self;

	if (edmm_report_verify(peer))
		die("the peer's report was not made on this machine for me");
	if (memcmp(peer->reportdata, want, sizeof(*want)))
		die("the peer's report is not of this conversation");
	edmm_report_self(&self);
	if (memcmp(peer->mrsigner, self.mrsigner, sizeof(self.mrsigner)) ||
	    peer->isvprodid != self.isvprodid)
		die("the peer is of another signer");
	if (peer->attributes.flags & ~self.attributes.flags & SGX_ATTR_DEBUG)
		die("the peer may be debugged");
}

static void shared_key(const struct statement *s, const struct sgx_report *peer,
		       uint8_t key[EDMM_KEY_SIZE])
{
	struct edmm_seal_id id;

	if (edmm_seal_id(EDMM_SEAL_SIGNER, &id))
		die("no random numbers");
	/* The older of the two versions: both may have its keys. */
	if (peer->isvsvn < id.isvsvn)
		id.isvsvn = peer->isvsvn;
	memcpy(id.keyid, s->alice, 16);
	memcpy(id.keyid + 16, s->bob, 16);
	if (edmm_seal_key(&id, key))
		die("no key");
}

/* One message a direction, so one IV each. */
static void say(const uint8_t *key, const char *text)
{
	const uint8_t iv[12] = { ALICE };
	struct note n;
	uint8_t plain[sizeof(n.text)] = { 0 };

	memcpy(plain, text, strlen(text));
	edmm_gcm_seal(key, iv, plain, sizeof(plain), n.text, n.tag);
	send_all(&n, sizeof(n));
}

static void hear(const uint8_t *key)
{
	const uint8_t iv[12] = { !ALICE };
	struct note n;
	char plain[sizeof(n.text) + 1] = { 0 };

	receive_all(&n, sizeof(n));
	if (edmm_gcm_open(key, iv, n.text, sizeof(n.text), plain, n.tag))
		die("a message that the peer did not send");
	fprintf(stderr, "%s hears: %s\n", roles[ALICE], plain);
}

int main(void)
{
	struct hello mine = { 0 }, theirs;
	struct statement my_word, their_word;
	struct sgx_report report, peer;
	uint8_t key[EDMM_KEY_SIZE];

	if (edmm_random(mine.nonce, NONCE))
		die("no random numbers");
	edmm_report_target(&mine.target);
	send_all(&mine, sizeof(mine));
	receive_all(&theirs, sizeof(theirs));

	state(&my_word, ALICE, &mine, &theirs);
	state(&their_word, !ALICE, &mine, &theirs);
	edmm_report_make(&theirs.target, &my_word, &report);
	send_all(&report, sizeof(report));
	receive_all(&peer, sizeof(peer));
	judge(&peer, &their_word);
	fprintf(stderr, "%s: the peer is MRENCLAVE %02x%02x%02x%02x...\n",
		roles[ALICE], peer.mrenclave[0], peer.mrenclave[1],
		peer.mrenclave[2], peer.mrenclave[3]);

	shared_key(&my_word, &peer, key);
	if (ALICE)
		say(key, "hello bob, this is alice");
	hear(key);
	if (!ALICE)
		say(key, "hello alice, bob here");
	return 0;
}
