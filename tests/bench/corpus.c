/* corpus.c - see corpus.h. */
#include "corpus.h"

#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("load: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(2);
}

/* -- growing octets ------------------------------------------------------------------- */

void put(Octets *o, const void *data, size_t n)
{
	if (o->n + n > o->room) {
		o->room = (o->n + n) * 2;
		if (!(o->at = realloc(o->at, o->room))) die("out of memory");
	}
	memcpy(o->at + o->n, data, n);
	o->n += n;
}

static void packet(Octets *o, char command, const void *data, size_t n)
{
	uint32_t size = htonl((uint32_t)n + 1);
	put(o, &size, 4);
	put(o, &command, 1);
	put(o, data, n);
}

/* -- the corpus ----------------------------------------------------------------------- */

Message *messages;
size_t nmessages;
const char *expectations[EXPECT_MAX];
int nexpected;

/* The expectation with @D@ replaced by the domain, its dots escaped. */
static void compile(regex_t *made, const char *pattern, const char *domain)
{
	char text[1024];
	size_t n = 0;
	for (; *pattern && n < sizeof text - 600; pattern++) {
		if (strncmp(pattern, "@D@", 3)) { text[n++] = *pattern; continue; }
		for (const char *d = domain; *d && n < sizeof text - 300; d++) {
			if (*d == '.') text[n++] = '\\';
			text[n++] = *d;
		}
		pattern += 2;
	}
	text[n] = 0;
	if (regcomp(made, text, REG_EXTENDED | REG_NOSUB | REG_ICASE)) die("bad regex: %s", text);
}

static char *contents(const char *path, size_t *n)
{
	struct stat about;
	FILE *file = fopen(path, "rb");
	if (!file || fstat(fileno(file), &about)) die("cannot read %s", path);
	char *text = malloc((size_t)about.st_size + 1);
	if (!text) die("out of memory");
	*n = fread(text, 1, (size_t)about.st_size, file);
	text[*n] = 0;
	fclose(file);
	return text;
}

/* One field, without its last CRLF, as two packets.  Postfix sends folds as bare LF. */
static void add_field(Message *m, const char *text, size_t n)
{
	const char *colon = memchr(text, ':', n);
	if (!colon) die("not a header field: %.*s", (int)n, text);
	for (int blank = 0; blank < 2; blank++) {
		Octets one = {0};
		const char *value = colon + 1;
		if (!blank && *value == ' ') value++;
		put(&one, text, (size_t)(colon - text));
		put(&one, "", 1);
		for (; value < text + n; value++)
			if (*value != '\r') put(&one, value, 1);
		put(&one, "", 1);
		packet(&m->fields[blank], SMFIC_HEADER, one.at, one.n);
		free(one.at);
		m->ends[blank] = realloc(m->ends[blank], (m->nfields + 1) * sizeof(size_t));
		m->ends[blank][m->nfields] = m->fields[blank].n;
	}
	m->nfields++;
}

/* The file has CRLF line ends throughout. */
static void read_message(Message *m, const char *path)
{
	size_t n;
	char *text = contents(path, &n), *at = text;
	m->octets = n;
	while (strncmp(at, "\r\n", 2)) {
		char *end = at;
		do {
			end = strstr(end, "\r\n");
			if (!end) die("%s: no end of header", path);
			end += 2;
		} while (*end == ' ' || *end == '\t');
		add_field(m, at, (size_t)(end - 2 - at));
		at = end;
	}
	for (at += 2; at < text + n; at += CHUNK) {
		size_t left = (size_t)(text + n - at);
		packet(&m->body, SMFIC_BODY, at, left < CHUNK ? left : CHUNK);
		m->nchunks++;
	}
	free(text);
}

/* A line of the manifest: file, domain, client address, host name, HELO, sender, recipient,
 * and the SASL user or "-"; separated by tabs. */
void read_corpus(const char *directory, const char *only)
{
	char path[4096];
	size_t n;
	snprintf(path, sizeof path, "%s/manifest", directory);
	char *text = contents(path, &n), *rest = text, *line;
	while ((line = strsep(&rest, "\n")) && *line) {
		char *word[8];
		for (int i = 0; i < 8; i++)
			if (!(word[i] = strsep(&line, "\t"))) die("%s: a line is too short", path);
		if (only && strncmp(word[0], only, strlen(only))) continue;
		messages = realloc(messages, (nmessages + 1) * sizeof *messages);
		if (!messages) die("out of memory");
		Message *m = &messages[nmessages++];
		*m = (Message){.client = word[2], .host = word[3], .helo = word[4], .sender = word[5],
			       .recipient = word[6], .user = strcmp(word[7], "-") ? word[7] : NULL};
		for (int i = 0; i < nexpected; i++) compile(&m->expected[i], expectations[i], word[1]);
		char file[8192];
		snprintf(file, sizeof file, "%s/%s", directory, word[0]);
		read_message(m, file);
	}
	if (!nmessages) die("%s: no message%s%s", path, only ? " begins with " : "", only ? only : "");
}

