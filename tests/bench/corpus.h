/* corpus.h - messages as packets of the milter protocol, made once and sent many times.
 *
 * GIVEN  a directory with a `manifest`, as corpus.py writes it.
 * GIVES  read_corpus(), and messages, an array of nmessages.
 */
#ifndef CORPUS_H
#define CORPUS_H

#include <regex.h>
#include <stddef.h>

#define CHUNK 65535u /* octets of body in one packet: Postfix's MILTER_CHUNK_SIZE */
#define EXPECT_MAX 8

typedef struct { char *at; size_t n, room; } Octets;

/* fields[1] is for milters that take the blank after the colon. */
typedef struct {
	Octets fields[2], body;
	size_t *ends[2], nfields, nchunks, octets;
	char *client, *host, *helo, *sender, *recipient, *user;
	regex_t expected[EXPECT_MAX];
} Message;

extern Message *messages;
extern size_t nmessages;
extern const char *expectations[EXPECT_MAX];
extern int nexpected;

void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void put(Octets *o, const void *data, size_t n);
void read_corpus(const char *directory, const char *only);

#endif
