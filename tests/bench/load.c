/* load - play Postfix's side of the milter protocol, as fast as the milter can take it.
 *
 * GIVEN  a unix socket, a corpus directory with its `manifest`, how many connections.
 * GIVES  one line of JSON: messages per second, latencies, and how often the milter did
 *        not do what was expected.
 * DOES NOT  start, or measure the CPU of, anybody; run.py does.
 *
 * One thread, epoll.  Protocol 6 with everything that Postfix offers; what the milter wants
 * no reply to is sent on without waiting, as Postfix does.
 * SEE ALSO  corpus.c, which reads the messages; libmilter/mfdef.h for the numbers.
 */
#define _GNU_SOURCE
#include "corpus.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define VERSION 6u
#define ACTIONS 0x1ffu	  /* all that Postfix can carry out */
#define STEPS 0x1fffffu	  /* all that Postfix can leave out or not wait for */
#define SMALL 16384u	  /* octets of a message whose latency is told separately */
#define SCRATCH 4096
#define SEGMENTS 256
#define REPLY_MAX 1048576u
#define PATIENCE 60.0	  /* seconds for one message */

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* -- what is counted ------------------------------------------------------------------ */

static long total, taken, finished, errors, unmet, refused;
static double *latencies, *small;
static long nlatencies, nsmall;
static double octets_sent;

static void count_latency(const Message *m, double seconds)
{
	latencies[nlatencies++] = seconds;
	if (m->octets <= SMALL) small[nsmall++] = seconds;
}

/* -- connections ---------------------------------------------------------------------- */

typedef enum { OPTIONS, CONNECT, HELO, MAIL, RCPT, DATA, FIELD, EOH, BODY, EOM } Step;

typedef struct {
	int fd, retry, writing, waiting, index, met;
	Step step;
	uint32_t actions, steps;
	const Message *m;
	struct iovec out[SEGMENTS];
	int first, nout;
	char scratch[SCRATCH];
	size_t used;
	Octets in;
	double began;
} Connection;

static int queue, per_connection;
static struct sockaddr_un server = {.sun_family = AF_UNIX};
static long retries;

static void send_out(Connection *c, const char *data, size_t n)
{
	if (c->nout == SEGMENTS) die("too many pieces");
	c->out[c->nout++] = (struct iovec){(void *)(uintptr_t)data, n};
}

/* Macros of a step, or a command: words that each end in NUL, the list in NULL. */
static void command(Connection *c, char code, const char *prefix, size_t n, ...)
{
	size_t start = c->used;
	va_list words;
	const char *word;
	if (start + 5 + n > SCRATCH) die("an envelope is too long");
	c->used += 4;
	c->scratch[c->used++] = code;
	memcpy(c->scratch + c->used, prefix, n);
	c->used += n;
	va_start(words, n);
	while ((word = va_arg(words, const char *))) {
		size_t length = strlen(word) + 1;
		if (c->used + length > SCRATCH) die("an envelope is too long");
		memcpy(c->scratch + c->used, word, length);
		c->used += length;
	}
	va_end(words);
	uint32_t size = htonl((uint32_t)(c->used - start - 4));
	memcpy(c->scratch + start, &size, 4);
	send_out(c, c->scratch + start, c->used - start);
}

#define END ((const char *)NULL)
#define MACROS(step, ...) command(c, SMFIC_MACRO, (const char[]){step}, 1, __VA_ARGS__, END)

static void watch(Connection *c, int operation, int writing)
{
	struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = c};
	if (epoll_ctl(queue, operation, c->fd, &event)) die("epoll_ctl: %s", strerror(errno));
	c->writing = writing;
}

/* Give the kernel what it takes.  Gives -1 when the milter is gone. */
static int flush(Connection *c)
{
	while (c->first < c->nout) {
		struct msghdr head = {.msg_iov = c->out + c->first,
				      .msg_iovlen = (size_t)(c->nout - c->first)};
		ssize_t n = sendmsg(c->fd, &head, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			if (!c->writing) watch(c, EPOLL_CTL_MOD, 1);
			return 0;
		}
		if (n < 0) return -1;
		octets_sent += (double)n;
		for (struct iovec *v = c->out + c->first; n; v = c->out + c->first) {
			size_t part = (size_t)n < v->iov_len ? (size_t)n : v->iov_len;
			v->iov_base = (char *)v->iov_base + part;
			v->iov_len -= part;
			n -= (ssize_t)part;
			if (!v->iov_len) c->first++;
		}
	}
	c->first = c->nout = 0;
	c->used = 0;
	if (c->writing) watch(c, EPOLL_CTL_MOD, 0);
	return 0;
}

static void drop(Connection *c)
{
	if (c->fd >= 0) close(c->fd);
	c->fd = -1;
	c->in.n = 0;
	c->first = c->nout = c->writing = c->waiting = 0;
	c->used = 0;
}

static void dial(Connection *c)
{
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0) die("socket: %s", strerror(errno));
	if (connect(c->fd, (struct sockaddr *)&server, sizeof server)) {
		if (errno != EAGAIN) die("connect %s: %s", server.sun_path, strerror(errno));
		close(c->fd); /* the backlog is full: a unix socket says so at once */
		c->fd = -1;
		c->retry = 1;
		retries++;
		return;
	}
	c->retry = 0;
	watch(c, EPOLL_CTL_ADD, 0);
	c->step = OPTIONS;
	uint32_t offer[3] = {htonl(VERSION), htonl(ACTIONS), htonl(STEPS)};
	command(c, SMFIC_OPTNEG, (const char *)offer, sizeof offer, END);
	c->waiting = 1;
	if (flush(c)) die("%s hung up at once", server.sun_path);
}

static int order(long number) { return (int)((uint64_t)number * 7919u % nmessages); }

static void begin(Connection *c)
{
	if (taken == total) {
		drop(c);
		c->m = NULL;
		return;
	}
	c->m = &messages[order(taken++)];
	c->met = c->index = 0;
	c->began = now();
	if (c->fd < 0) dial(c);
	else c->step = MAIL;
}

/* Whether the milter answers this step. */
static int answered(const Connection *c, Step step)
{
	static const uint32_t silent[] = {
		[CONNECT] = SMFIP_NR_CONN, [HELO] = SMFIP_NR_HELO, [MAIL] = SMFIP_NR_MAIL,
		[RCPT] = SMFIP_NR_RCPT, [DATA] = SMFIP_NR_DATA, [FIELD] = SMFIP_NR_HDR,
		[EOH] = SMFIP_NR_EOH, [BODY] = SMFIP_NR_BODY, [EOM] = 0};
	return !(c->steps & silent[step]);
}

static int wanted(const Connection *c, Step step)
{
	static const uint32_t unwanted[] = {
		[CONNECT] = SMFIP_NOCONNECT, [HELO] = SMFIP_NOHELO, [MAIL] = SMFIP_NOMAIL,
		[RCPT] = SMFIP_NORCPT, [DATA] = SMFIP_NODATA, [FIELD] = SMFIP_NOHDRS,
		[EOH] = SMFIP_NOEOH, [BODY] = SMFIP_NOBODY, [EOM] = 0};
	return !(c->steps & unwanted[step]);
}

static void send_connect(Connection *c)
{
	char info[256];
	MACROS(SMFIC_CONNECT, "j", "mx.bench.example", "{daemon_name}", "mx.bench.example",
	       "{daemon_addr}", "127.0.0.1", "v", "Postfix 3.7.11");
	int n = snprintf(info, sizeof info, "%s%c4%c%c%s", c->m->host, 0, 40000 >> 8,
			 40000 & 255, c->m->client);
	command(c, SMFIC_CONNECT, info, (size_t)n + 1, END);
}

static void send_mail(Connection *c)
{
	char id[24];
	snprintf(id, sizeof id, "4Zb%09lX", taken);
	if (c->m->user)
		MACROS(SMFIC_MAIL, "i", id, "{auth_type}", "PLAIN", "{auth_authen}", c->m->user,
		       "{mail_addr}", c->m->sender, "{mail_mailer}", "smtp");
	else
		MACROS(SMFIC_MAIL, "{mail_addr}", c->m->sender, "{mail_mailer}", "smtp");
	char path[300];
	snprintf(path, sizeof path, "<%s>", c->m->sender);
	command(c, SMFIC_MAIL, "", 0, path, END);
}

static void send_recipient(Connection *c)
{
	char id[24], path[300];
	snprintf(id, sizeof id, "4Zb%09lX", taken);
	MACROS(SMFIC_RCPT, "i", id, "{rcpt_addr}", c->m->recipient, "{rcpt_mailer}", "local");
	snprintf(path, sizeof path, "<%s>", c->m->recipient);
	command(c, SMFIC_RCPT, "", 0, path, END);
}

/* All fields, or all of the body, in one piece when no reply is waited for. */
static void send_many(Connection *c, const Octets *all, const size_t *ends, size_t count)
{
	if (!answered(c, c->step)) {
		if (all->n) send_out(c, all->at, all->n);
		c->index = (int)count;
		return;
	}
	size_t size, at;
	if (ends) {
		at = c->index ? ends[c->index - 1] : 0;
		size = ends[c->index] - at;
	} else {
		at = (size_t)c->index * (CHUNK + 5);
		size = all->n - at < CHUNK + 5 ? all->n - at : CHUNK + 5;
	}
	send_out(c, all->at + at, size);
	c->index++;
}

static void send_step(Connection *c)
{
	int blank = (c->steps & SMFIP_HDR_LEADSPC) != 0;
	switch (c->step) {
	case CONNECT: send_connect(c); break;
	case HELO: command(c, SMFIC_HELO, "", 0, c->m->helo, END); break;
	case MAIL: send_mail(c); break;
	case RCPT: send_recipient(c); break;
	case DATA: command(c, SMFIC_DATA, "", 0, END); break;
	case FIELD: send_many(c, &c->m->fields[blank], c->m->ends[blank], c->m->nfields); break;
	case EOH: command(c, SMFIC_EOH, "", 0, END); break;
	case BODY: send_many(c, &c->m->body, NULL, c->m->nchunks); break;
	case EOM: {
		char id[24];
		snprintf(id, sizeof id, "4Zb%09lX", taken);
		MACROS(SMFIC_BODYEOB, "i", id);
		command(c, SMFIC_BODYEOB, "", 0, END);
		break;
	}
	case OPTIONS: break;
	}
}

/* Send until an answer is needed.  c->step is what was sent last. */
static int advance(Connection *c)
{
	for (;;) {
		size_t parts = c->step == FIELD ? c->m->nfields : c->step == BODY ? c->m->nchunks : 1;
		if (!wanted(c, c->step) || (size_t)c->index >= parts) {
			c->step++;
			c->index = 0;
			continue;
		}
		Step sent = c->step;
		send_step(c);
		if (sent != FIELD && sent != BODY) c->index = 1;
		if (answered(c, sent)) break;
	}
	c->waiting = 1;
	return flush(c);
}

static void lost(Connection *c)
{
	errors++;
	finished++;
	drop(c);
	begin(c);
}

static void finish(Connection *c, char reply)
{
	int wanted_reply = reply == SMFIR_CONTINUE || reply == SMFIR_ACCEPT;
	refused += !wanted_reply;
	unmet += c->met != (1 << nexpected) - 1;
	count_latency(c->m, now() - c->began);
	finished++;
	if (per_connection || c->step != EOM) { /* refused or accepted early: start afresh */
		command(c, SMFIC_QUIT, "", 0, END);
		flush(c);
		drop(c);
	}
	begin(c);
	if (c->m && c->fd >= 0 && c->step == MAIL && advance(c)) lost(c);
}

/* A field was inserted: name NUL value NUL. */
static void check(Connection *c, const char *name, size_t n)
{
	char text[16384];
	size_t first = strnlen(name, n);
	if (first + 1 >= n || n > sizeof text - 2) return;
	int length = snprintf(text, sizeof text, "%s: %s", name, name + first + 1);
	for (int i = 0; i < length; i++)
		if (text[i] == '\n' || text[i] == '\t') text[i] = ' ';
	for (int i = 0; i < nexpected; i++)
		if (!(c->met & 1 << i) && !regexec(&c->m->expected[i], text, 0, NULL, 0)) c->met |= 1 << i;
}

/* One packet from the milter.  Gives -1 when the connection is no longer usable. */
static int reply(Connection *c, char code, const char *data, size_t n)
{
	uint32_t words[3];
	switch (code) {
	case SMFIC_OPTNEG:
		if (c->step != OPTIONS || n < sizeof words) return -1;
		memcpy(words, data, sizeof words);
		c->actions = ntohl(words[1]);
		c->steps = ntohl(words[2]);
		c->step = CONNECT;
		c->index = 0;
		return advance(c);
	case SMFIR_INSHEADER: data += 4, n -= 4; /* fall through */
	case SMFIR_ADDHEADER: check(c, data, n); return 0;
	case SMFIR_CHGHEADER: case SMFIR_QUARANTINE: case SMFIR_PROGRESS: return 0;
	case SMFIR_SKIP: c->step = EOM; c->index = 0; return advance(c);
	case SMFIR_CONTINUE: if (c->step != EOM) return advance(c); /* fall through */
	default: c->waiting = 0; finish(c, code); return 0;
	}
}

static void receive(Connection *c)
{
	char block[65536];
	ssize_t n = recv(c->fd, block, sizeof block, 0);
	if (n < 0 && errno == EAGAIN) return;
	if (n <= 0) { lost(c); return; }
	put(&c->in, block, (size_t)n);
	size_t at = 0;
	while (c->in.n - at >= 5) {
		uint32_t size;
		memcpy(&size, c->in.at + at, 4);
		size = ntohl(size);
		if (!size || size > REPLY_MAX) { lost(c); return; }
		if (c->in.n - at < 4 + size) break;
		char *data = c->in.at + at + 4;
		at += 4 + size;
		int fd = c->fd;
		if (reply(c, *data, data + 1, size - 1)) { lost(c); return; }
		if (c->fd != fd || !c->m || !c->in.n) return; /* another connection by now */
	}
	memmove(c->in.at, c->in.at + at, c->in.n - at);
	c->in.n -= at;
}

/* -- the run -------------------------------------------------------------------------- */

static void run(int nconnections)
{
	Connection *all = calloc((size_t)nconnections, sizeof *all);
	if (!all) die("out of memory");
	for (int i = 0; i < nconnections; i++) {
		all[i].fd = -1;
		begin(&all[i]);
	}
	double checked = now();
	while (finished < total) {
		struct epoll_event events[256];
		int n = epoll_wait(queue, events, 256, retries ? 1 : 1000);
		for (int i = 0; i < n; i++) {
			Connection *c = events[i].data.ptr;
			if (c->fd < 0) continue;
			if (events[i].events & EPOLLOUT && flush(c)) { lost(c); continue; }
			if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(c);
		}
		retries = 0;
		double time = now();
		int late = time - checked > 1;
		for (int i = 0; (late || n < 256) && i < nconnections; i++) {
			if (all[i].retry) dial(&all[i]);
			else if (late && all[i].m && time - all[i].began > PATIENCE) lost(&all[i]);
		}
		if (late) checked = time;
	}
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void tell(const char *name, double *times, long n)
{
	if (n) qsort(times, (size_t)n, sizeof *times, ascending);
	printf(", \"%s\": {\"count\": %ld", name, n);
	if (n)
		printf(", \"p50\": %.4f, \"p99\": %.4f, \"max\": %.4f", times[n / 2] * 1e3,
		       times[(long)((double)n * 0.99)] * 1e3, times[n - 1] * 1e3);
	printf("}");
}

int main(int argc, char **argv)
{
	const char *only = NULL;
	int option, connections = 1;
	long passes = 1;
	while ((option = getopt(argc, argv, "c:p:n:e:o:1")) != -1) {
		switch (option) {
		case 'c': connections = atoi(optarg); break;
		case 'p': passes = atol(optarg); break;
		case 'n': total = atol(optarg); break;
		case 'o': only = optarg; break;
		case '1': per_connection = 1; break;
		case 'e':
			if (nexpected == EXPECT_MAX) die("too many -e");
			expectations[nexpected++] = optarg;
			break;
		default: argc = 0;
		}
	}
	if (argc - optind != 2)
		die("usage: load [-c connections] [-1] [-p passes | -n messages] [-o file prefix]"
		    " [-e regex]... socket corpus");
	if (strlen(argv[optind]) >= sizeof server.sun_path) die("socket path too long");
	strcpy(server.sun_path, argv[optind]);
	read_corpus(argv[optind + 1], only);
	if (!total) total = passes * (long)nmessages;
	latencies = calloc((size_t)total, sizeof(double));
	small = calloc((size_t)total, sizeof(double));
	queue = epoll_create1(EPOLL_CLOEXEC);
	if (!latencies || !small || queue < 0) die("out of memory");
	double began = now();
	run(connections);
	double seconds = now() - began;
	printf("{\"messages\": %ld, \"seconds\": %.6f, \"rate\": %.2f, \"errors\": %ld, \"unmet\": %ld,"
	       " \"refused\": %ld, \"sent\": %.0f", finished, seconds, (double)finished / seconds, errors,
	       unmet, refused, octets_sent);
	tell("latency", latencies, nlatencies);
	tell("small", small, nsmall);
	printf("}\n");
	return 0;
}
