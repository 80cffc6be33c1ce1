/* The octets that the header hash of a signature is made of, compiled.
 *
 * NAME
 *     _headerhash - octets(), as headerhash.plain_octets() says it in Python
 *
 * GIVEN
 *     the fields of a message by their keys, the names in h=, the signature's own field.
 *
 * GIVES
 *     one bytes object.  Linear: a field is looked at once, however often it is named.
 *
 * DOES NOT
 *     know how a field is kept, but by the attributes that both kinds of Field have; or exist
 *     everywhere: without a compiler headerhash.py does the work.
 *
 * SEE ALSO
 *     headerhash.py, tests/core/dkim/test_headerhash.py, which holds both to the same results;
 *     RFC 6376 sections 3.4, 3.5 and 5.4.2.
 */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>
#include <string.h>

#include "../_relaxed.h"

typedef struct {
    PyObject *name, *key, *value, *simple, *relaxed; /* names of attributes */
} State;

/* An attribute that must be bytes; NULL with an exception set. */
static PyObject *attribute(PyObject *field, PyObject *name)
{
    PyObject *found = PyObject_GetAttr(field, name);

    if (found != NULL && !PyBytes_Check(found)) {
        PyErr_SetString(PyExc_TypeError, "a field consists of bytes");
        Py_CLEAR(found);
    }
    return found;
}

/* The next instance of a name from the bottom up, own passed over: borrowed; NULL without one
 * or with an exception set.  used: how many instances of each name were taken. */
static PyObject *next_instance(PyObject *same, PyObject *used, PyObject *name, PyObject *own)
{
    PyObject *counted = PyDict_GetItemWithError(used, name), *found = NULL;
    Py_ssize_t size = PyList_Size(same), taken = counted == NULL ? 0 : PyLong_AsSsize_t(counted);

    if (PyErr_Occurred())
        return NULL;
    while (found == NULL && taken < size) {
        PyObject *field = PyList_GetItem(same, size - 1 - taken++);
        found = field == own ? NULL : field;
    }
    counted = PyLong_FromSsize_t(taken);
    if (counted == NULL || PyDict_SetItem(used, name, counted) < 0)
        found = NULL;
    Py_XDECREF(counted);
    return found;
}

/* Add the fields that the names stand for to parts, in canonical form.  0, or -1. */
static int add_fields(PyObject *parts, PyObject *index, PyObject *names, PyObject *own,
                      PyObject *form)
{
    PyObject *name, *used = PyDict_New(), *each = used == NULL ? NULL : PyObject_GetIter(names);
    int failed = each == NULL;

    while (!failed && (name = PyIter_Next(each)) != NULL) {
        PyObject *same = PyDict_GetItemWithError(index, name);
        PyObject *field = same == NULL ? NULL : next_instance(same, used, name, own);
        if (field != NULL) {
            PyObject *part = attribute(field, form);
            failed = part == NULL || PyList_Append(parts, part) < 0;
            Py_XDECREF(part);
        }
        Py_DECREF(name);
        failed = failed || PyErr_Occurred() != NULL;
    }
    Py_XDECREF(each);
    Py_XDECREF(used);
    return failed || PyErr_Occurred() ? -1 : 0;
}

static int is_white(unsigned char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static const unsigned char *past_white(const unsigned char *at, const unsigned char *end)
{
    while (at < end && is_white(*at))
        at++;
    return at;
}

/* Copy the value of a signature field without the value of b=.  Gives the length. */
static size_t copy_without_b(const unsigned char *in, size_t size, unsigned char *out)
{
    const unsigned char *tag = in, *end = in + size;

    while (tag < end) {
        const unsigned char *at = past_white(tag, end);
        if (at < end && *at == 'b') {
            at = past_white(at + 1, end);
            if (at < end && *at == '=')
                break;
        }
        tag = memchr(tag, ';', (size_t)(end - tag));
        tag = tag == NULL ? end : tag + 1;
    }
    const unsigned char *equals = tag < end ? memchr(tag, '=', (size_t)(end - tag)) : NULL;
    size_t kept = equals == NULL ? size : (size_t)(equals + 1 - in);
    memcpy(out, in, kept);
    if (equals != NULL) {
        const unsigned char *rest = memchr(equals, ';', (size_t)(end - equals));
        if (rest != NULL) {
            memcpy(out + kept, rest, (size_t)(end - rest));
            kept += (size_t)(end - rest);
        }
    }
    return kept;
}

/* Add the signature's own field, b= deleted, without its CRLF.  0, or -1. */
static int add_own(PyObject *parts, PyObject *name, PyObject *value, int relaxed)
{
    char *said, *in;
    Py_ssize_t before, size;

    if (PyBytes_AsStringAndSize(name, &said, &before) < 0 ||
        PyBytes_AsStringAndSize(value, &in, &size) < 0)
        return -1;
    unsigned char *cut = PyMem_Malloc((size_t)size + 1);
    unsigned char *room = PyMem_Malloc((size_t)before + 1 + (size_t)size);
    PyObject *part = NULL;
    if (cut != NULL && room != NULL) {
        size_t kept = copy_without_b((const unsigned char *)in, (size_t)size, cut);
        memcpy(room, said, (size_t)before);
        room[before] = ':';
        if (relaxed)
            kept = reduce_value(cut, kept, room + before + 1);
        else
            memcpy(room + before + 1, cut, kept);
        part = PyBytes_FromStringAndSize((const char *)room, before + 1 + (Py_ssize_t)kept);
    } else {
        PyErr_NoMemory();
    }
    PyMem_Free(cut);
    PyMem_Free(room);
    int failed = part == NULL ? -1 : PyList_Append(parts, part);
    Py_XDECREF(part);
    return failed;
}

static PyObject *joined(PyObject *parts)
{
    Py_ssize_t count = PyList_Size(parts), size = 0;

    for (Py_ssize_t i = 0; i < count; i++)
        size += PyBytes_Size(PyList_GetItem(parts, i));
    PyObject *made = PyBytes_FromStringAndSize(NULL, size);
    char *out = made == NULL ? NULL : PyBytes_AsString(made);
    for (Py_ssize_t i = 0; out != NULL && i < count; i++) {
        PyObject *part = PyList_GetItem(parts, i);
        memcpy(out, PyBytes_AsString(part), (size_t)PyBytes_Size(part));
        out += PyBytes_Size(part);
    }
    return made;
}

static PyObject *octets(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    State *state = PyModule_GetState(module);

    if (count != 4 || !PyDict_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "octets() takes an index, names, a field and a form");
        return NULL;
    }
    PyObject *own = args[2];
    int relaxed = PyObject_IsTrue(args[3]);
    PyObject *name = relaxed < 0 ? NULL : attribute(own, relaxed ? state->key : state->name);
    PyObject *value = name == NULL ? NULL : attribute(own, state->value);
    PyObject *parts = value == NULL ? NULL : PyList_New(0);
    PyObject *made = NULL;
    if (parts != NULL &&
        add_fields(parts, args[0], args[1], own, relaxed ? state->relaxed : state->simple) == 0 &&
        add_own(parts, name, value, relaxed) == 0)
        made = joined(parts);
    Py_XDECREF(parts);
    Py_XDECREF(value);
    Py_XDECREF(name);
    return made;
}

static PyMethodDef methods[] = {
    {"octets", (PyCFunction)(void (*)(void))octets, METH_FASTCALL, "What a signature signs."},
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module)
{
    State *state = PyModule_GetState(module);

    state->name = PyUnicode_InternFromString("name");
    state->key = PyUnicode_InternFromString("key");
    state->value = PyUnicode_InternFromString("value");
    state->simple = PyUnicode_InternFromString("simple");
    state->relaxed = PyUnicode_InternFromString("relaxed");
    return PyErr_Occurred() ? -1 : 0;
}

static void dispose(void *module)
{
    State *state = PyModule_GetState((PyObject *)module);

    if (state == NULL)
        return;
    Py_CLEAR(state->name);
    Py_CLEAR(state->key);
    Py_CLEAR(state->value);
    Py_CLEAR(state->simple);
    Py_CLEAR(state->relaxed);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "postseal.core.dkim._headerhash", "The header hash, compiled.",
    sizeof(State), methods, slots, NULL, NULL, dispose,
};

PyMODINIT_FUNC PyInit__headerhash(void) { return PyModuleDef_Init(&definition); }
