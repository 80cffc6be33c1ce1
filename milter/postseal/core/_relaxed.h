/* The relaxed value of RFC 6376 section 3.4.2 on plain octets, for all that is compiled.
 *
 * GIVEN
 *     octets, anybody's, and room for as many.
 *
 * GIVES
 *     the octets reduced, and how many they are.  One pass, reading each octet at most twice,
 *     writing each at most twice; no octet is read or written outside the two buffers.
 *
 * SEE ALSO
 *     relaxed.py, which says the same in Python.
 */

#ifndef POSTSEAL_RELAXED_H
#define POSTSEAL_RELAXED_H

#include <stddef.h>

static inline int is_blank(unsigned char c) { return c == ' ' || c == '\t'; }

/* Unfolded, blanks reduced to one space each run, none at either end.  Gives the length. */
static inline size_t reduce_value(const unsigned char *in, size_t size, unsigned char *out)
{
    const unsigned char *end = in + size;
    unsigned char *start = out;
    int waiting = 0; /* a blank, to be written when something follows it */

    while (in < end) {
        if (is_blank(*in)) {
            waiting = out != start;
            in++;
        } else if (end - in >= 2 && in[0] == '\r' && in[1] == '\n') {
            in += 2;
        } else {
            if (waiting) {
                *out++ = ' ';
                waiting = 0;
            }
            *out++ = *in++;
        }
    }
    return (size_t)(out - start);
}

#endif
