/* The relaxed forms of RFC 6376 section 3.4, compiled.
 *
 * NAME
 *     _relaxed - body() and value(), as relaxed.py says them in Python
 *
 * GIVEN
 *     bytes, anybody's.
 *
 * GIVES
 *     bytes that are never longer.
 *
 * DOES NOT
 *     decide anything, or exist everywhere: without a compiler relaxed.py does the work.
 *
 * SEE ALSO
 *     relaxed.py, tests/core/test_relaxed.py, which holds both to the same results.
 */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>
#include <string.h>

#include "_relaxed.h"

enum { BLOCK = 32 };

/* Whether a block and the octet after it hold nothing to reduce, so that it can be copied
 * whole.  No branches: the compiler makes a few instructions of it for 16 octets at a time. */
static int is_settled(const unsigned char *in)
{
    unsigned char found = 0;

    for (int i = 0; i < BLOCK; i++) {
        unsigned char c = in[i], next = in[i + 1];
        found |= (unsigned char)(c == '\t');
        found |= (unsigned char)((c == ' ') & ((next == ' ') | (next == '\t') | (next == '\r')));
    }
    return !found;
}

/* Blanks reduced to one space each run, and dropped before CRLF.  Gives the length. */
static size_t reduce_body(const unsigned char *in, size_t size, unsigned char *out)
{
    const unsigned char *end = in + size;
    unsigned char *start = out;

    while (in < end) {
        if (end - in > BLOCK && is_settled(in)) {
            memcpy(out, in, BLOCK);
            in += BLOCK;
            out += BLOCK;
            continue;
        }
        /* Octet by octet, at least to the end of the block and never out of a run of blanks. */
        const unsigned char *stop = end - in > BLOCK ? in + BLOCK : end;
        while (in < stop) {
            if (!is_blank(*in)) {
                *out++ = *in++;
                continue;
            }
            while (in < end && is_blank(*in))
                in++;
            if (end - in >= 2 && in[0] == '\r' && in[1] == '\n')
                continue;
            *out++ = ' ';
        }
    }
    return (size_t)(out - start);
}

typedef size_t (*reducer)(const unsigned char *, size_t, unsigned char *);

static PyObject *reduced(PyObject *octets, reducer reduce)
{
    char *in;
    Py_ssize_t size;

    if (PyBytes_AsStringAndSize(octets, &in, &size) < 0)
        return NULL; /* TypeError is set */
    unsigned char *room = PyMem_Malloc(size ? (size_t)size : 1);
    if (room == NULL)
        return PyErr_NoMemory();
    size_t length = reduce((const unsigned char *)in, (size_t)size, room);
    PyObject *made;
    if (length == (size_t)size && memcmp(room, in, length) == 0) {
        Py_INCREF(octets);
        made = octets;
    } else {
        made = PyBytes_FromStringAndSize((const char *)room, (Py_ssize_t)length);
    }
    PyMem_Free(room);
    return made;
}

static PyObject *body(PyObject *module, PyObject *octets)
{
    (void)module;
    return reduced(octets, reduce_body);
}

static PyObject *value(PyObject *module, PyObject *octets)
{
    (void)module;
    return reduced(octets, reduce_value);
}

static PyMethodDef methods[] = {
    {"body", body, METH_O, "Part of a body, its blanks reduced."},
    {"value", value, METH_O, "The value of a header field, unfolded, its blanks reduced."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "postseal.core._relaxed", "The relaxed forms, compiled.", 0, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__relaxed(void) { return PyModuleDef_Init(&definition); }
