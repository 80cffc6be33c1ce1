/* floor - the least that any libmilter filter can cost: it takes everything and does nothing.
 *
 * GIVEN  a socket in libmilter's form; optionally a private key in PEM form.
 * GIVES  one header field for each message.  With a key, one signature as well, made by OpenSSL
 *        with a key object that was loaded once: what no signer can go below.
 */
#include <libmilter/mfapi.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

static EVP_PKEY *key;

static sfsistat negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
			  unsigned long a, unsigned long b, unsigned long *my_actions,
			  unsigned long *my_steps, unsigned long *c, unsigned long *d)
{
	(void)ctx, (void)actions, (void)a, (void)b;
	*my_actions = SMFIF_ADDHDRS;
	*my_steps = steps & (SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT
			     | SMFIP_NR_DATA | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY);
	*c = *d = 0;
	return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
	(void)ctx, (void)host, (void)address;
	return SMFIS_NOREPLY;
}
static sfsistat on_text(SMFICTX *ctx, char *text) { (void)ctx, (void)text; return SMFIS_NOREPLY; }
static sfsistat on_words(SMFICTX *ctx, char **words) { (void)ctx, (void)words; return SMFIS_NOREPLY; }
static sfsistat on_field(SMFICTX *ctx, char *name, char *value)
{
	(void)ctx, (void)name, (void)value;
	return SMFIS_NOREPLY;
}
static sfsistat on_step(SMFICTX *ctx) { (void)ctx; return SMFIS_NOREPLY; }
static sfsistat on_body(SMFICTX *ctx, unsigned char *chunk, size_t n)
{
	(void)ctx, (void)chunk, (void)n;
	return SMFIS_NOREPLY;
}

static int sign(void)
{
	static const unsigned char digest[32] = "thirty-two octets to be signed.";
	unsigned char made[1024];
	size_t n = sizeof made;
	EVP_PKEY_CTX *use = EVP_PKEY_CTX_new(key, NULL);
	int good = use && EVP_PKEY_sign_init(use) > 0
		&& EVP_PKEY_CTX_set_rsa_padding(use, RSA_PKCS1_PADDING) > 0
		&& EVP_PKEY_CTX_set_signature_md(use, EVP_sha256()) > 0
		&& EVP_PKEY_sign(use, made, &n, digest, sizeof digest) > 0;
	EVP_PKEY_CTX_free(use);
	return good;
}

static sfsistat on_end(SMFICTX *ctx)
{
	if (key && !sign()) return SMFIS_TEMPFAIL;
	smfi_addheader(ctx, "X-Floor", key ? "signed" : "seen");
	return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
	struct smfiDesc filter = {
		.xxfi_name = "floor", .xxfi_version = SMFI_VERSION, .xxfi_flags = SMFIF_ADDHDRS,
		.xxfi_connect = on_connect, .xxfi_helo = on_text, .xxfi_envfrom = on_words,
		.xxfi_envrcpt = on_words, .xxfi_data = on_step, .xxfi_header = on_field,
		.xxfi_eoh = on_step, .xxfi_body = on_body, .xxfi_eom = on_end,
		.xxfi_negotiate = negotiate};
	if (argc < 2 || argc > 3) {
		fputs("usage: floor SOCKET [KEY]\n", stderr);
		return 64;
	}
	if (argc == 3) {
		FILE *file = fopen(argv[2], "r");
		key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
		if (!key || !sign()) {
			fprintf(stderr, "floor: %s: no usable key\n", argv[2]);
			return 66;
		}
		fclose(file);
	}
	if (smfi_setconn(argv[1]) || smfi_register(filter)) return 69;
	return smfi_main();
}
