/* Header fields, and how they are gathered, compiled.
 *
 * NAME
 *     _field - Field, Intake and index(), as field.py and intake.py say them in Python
 *
 * GIVEN
 *     names and values, anybody's: this runs for every header field of every message.
 *
 * GIVES
 *     the same objects as the Python, made without its interpreter.  Linear in the octets.
 *     A Field holds nothing but bytes and an Intake nothing but Fields, so that neither can be
 *     part of a cycle and neither is known to the garbage collector.
 *
 * DOES NOT
 *     decide anything, or exist everywhere: without a compiler the Python does the work.
 *
 * SEE ALSO
 *     field.py, intake.py, tests/core/test_field.py and test_intake.py, which hold both to the
 *     same results.
 */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>
#include <string.h>
#include <structmember.h>

#include "_relaxed.h"

typedef struct {
    PyTypeObject *field_type; /* of the fields that an Intake makes */
    PyObject *key;            /* the name of that attribute */
} State;

/* -- Field --------------------------------------------------------------------------------- */

typedef struct {
    PyObject ob_base;
    PyObject *name, *value, *key;
    PyObject *relaxed; /* NULL until somebody asks */
} Field;

/* The octets of bytes, which nobody changes; where they are new, ours to fill. */
static unsigned char *octets(PyObject *bytes) { return (unsigned char *)PyBytes_AsString(bytes); }

/* The name in lower case, without the blanks before the colon (RFC 5322 section 4.5). */
static PyObject *key_of(PyObject *name)
{
    const unsigned char *in = octets(name);
    Py_ssize_t size = PyBytes_Size(name);

    while (size > 0 && is_blank(in[size - 1]))
        size--;
    PyObject *key = PyBytes_FromStringAndSize(NULL, size);
    if (key == NULL)
        return NULL;
    unsigned char *out = octets(key);
    for (Py_ssize_t i = 0; i < size; i++)
        out[i] = in[i] >= 'A' && in[i] <= 'Z' ? (unsigned char)(in[i] + ('a' - 'A')) : in[i];
    return key;
}

/* A Field of these two, both bytes.  Steals the references to them, whatever comes of it. */
static PyObject *make_field(PyTypeObject *type, PyObject *name, PyObject *value)
{
    PyObject *key = name == NULL || value == NULL ? NULL : key_of(name);
    Field *field = key == NULL ? NULL : PyObject_New(Field, type);

    if (field == NULL) {
        Py_XDECREF(name);
        Py_XDECREF(value);
        Py_XDECREF(key);
        return NULL; /* the exception is set */
    }
    field->name = name;
    field->value = value;
    field->key = key;
    field->relaxed = NULL;
    return (PyObject *)field;
}

static PyObject *field_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *words[] = {"name", "value", NULL};
    PyObject *name, *value;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "SS:Field", words, &name, &value))
        return NULL;
    Py_INCREF(name);
    Py_INCREF(value);
    return make_field(type, name, value);
}

static void field_dealloc(PyObject *self)
{
    Field *field = (Field *)self;
    PyTypeObject *type = Py_TYPE(self);

    Py_DECREF(field->name);
    Py_DECREF(field->value);
    Py_DECREF(field->key);
    Py_XDECREF(field->relaxed);
    PyObject_Free(self);
    Py_DECREF((PyObject *)type);
}

/* name ":" value CRLF, the value reduced unless simple. */
static PyObject *written(PyObject *name, PyObject *value, int simple)
{
    unsigned char usual[1024]; /* as long as nearly all fields */
    Py_ssize_t before = PyBytes_Size(name), size = PyBytes_Size(value);
    size_t most = (size_t)before + 1 + (size_t)size + 2;
    unsigned char *room = most <= sizeof usual ? usual : PyMem_Malloc(most);

    if (room == NULL)
        return PyErr_NoMemory();
    unsigned char *out = room;
    memcpy(out, octets(name), (size_t)before);
    out += before;
    *out++ = ':';
    if (simple)
        memcpy(out, octets(value), (size_t)size);
    else
        size = (Py_ssize_t)reduce_value(octets(value), (size_t)size, out);
    out += size;
    memcpy(out, "\r\n", 2);
    out += 2;
    PyObject *made = PyBytes_FromStringAndSize((const char *)room, out - room);
    if (room != usual)
        PyMem_Free(room);
    return made;
}

static PyObject *field_relaxed(PyObject *self, void *unused)
{
    Field *field = (Field *)self;
    (void)unused;

    if (field->relaxed == NULL)
        field->relaxed = written(field->key, field->value, 0);
    Py_XINCREF(field->relaxed);
    return field->relaxed;
}

static PyObject *field_simple(PyObject *self, void *unused)
{
    (void)unused;
    return written(((Field *)self)->name, ((Field *)self)->value, 1);
}

static PyObject *field_repr(PyObject *self)
{
    Field *field = (Field *)self;
    return PyUnicode_FromFormat("Field(%R, %R)", field->name, field->value);
}

static PyObject *field_compare(PyObject *self, PyObject *other, int how)
{
    Field *one = (Field *)self, *two = (Field *)other;

    if ((how != Py_EQ && how != Py_NE) || Py_TYPE(self) != Py_TYPE(other))
        Py_RETURN_NOTIMPLEMENTED;
    int same = PyObject_RichCompareBool(one->name, two->name, Py_EQ);
    if (same == 1)
        same = PyObject_RichCompareBool(one->value, two->value, Py_EQ);
    return same < 0 ? NULL : PyBool_FromLong(same == (how == Py_EQ));
}

static Py_hash_t field_hash(PyObject *self)
{
    Field *field = (Field *)self;
    PyObject *both = PyTuple_Pack(2, field->name, field->value);

    if (both == NULL)
        return -1;
    Py_hash_t made = PyObject_Hash(both);
    Py_DECREF(both);
    return made;
}

static PyMemberDef field_members[] = {
    {"name", T_OBJECT_EX, offsetof(Field, name), READONLY, "As it was written."},
    {"value", T_OBJECT_EX, offsetof(Field, value), READONLY, "All that follows the colon."},
    {"key", T_OBJECT_EX, offsetof(Field, key), READONLY, "The name in lower case."},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef field_getset[] = {
    {"relaxed", field_relaxed, NULL, "RFC 6376 section 3.4.2.", NULL},
    {"simple", field_simple, NULL, "RFC 6376 section 3.4.1.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot field_slots[] = {
    {Py_tp_doc, "One header field.  Never changed after it was made."},
    {Py_tp_new, field_new},
    {Py_tp_dealloc, field_dealloc},
    {Py_tp_repr, field_repr},
    {Py_tp_richcompare, field_compare},
    {Py_tp_hash, field_hash},
    {Py_tp_members, field_members},
    {Py_tp_getset, field_getset},
    {0, NULL},
};

static PyType_Spec field_spec = {
    "postseal.core._field.Field", sizeof(Field), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    field_slots,
};

/* -- Intake -------------------------------------------------------------------------------- */

typedef struct {
    PyObject ob_base;
    PyObject *fields; /* a list */
    PyTypeObject *field_type;
    Py_ssize_t limit, room, cost;
    char leading_space;
} Intake;

static PyObject *intake_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *words[] = {"limit", "cost", "leading_space", NULL};
    Py_ssize_t limit, cost;
    int leading_space;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "nnp:Intake", words, &limit, &cost,
                                     &leading_space))
        return NULL;
    PyObject *module = PyType_GetModule(type);
    if (module == NULL)
        return NULL;
    PyObject *fields = PyList_New(0);
    Intake *intake = fields == NULL ? NULL : PyObject_New(Intake, type);
    if (intake == NULL) {
        Py_XDECREF(fields);
        return NULL;
    }
    intake->fields = fields;
    intake->field_type = ((State *)PyModule_GetState(module))->field_type;
    Py_INCREF((PyObject *)intake->field_type);
    intake->limit = intake->room = limit;
    intake->cost = cost;
    intake->leading_space = (char)leading_space;
    return (PyObject *)intake;
}

static void intake_dealloc(PyObject *self)
{
    Intake *intake = (Intake *)self;
    PyTypeObject *type = Py_TYPE(self);

    Py_DECREF(intake->fields);
    Py_DECREF((PyObject *)intake->field_type);
    PyObject_Free(self);
    Py_DECREF((PyObject *)type);
}

/* Take so many octets of the room.  Whether they were there; once they were not, none ever are. */
static int take(Intake *intake, Py_ssize_t size)
{
    if (intake->room >= 0)
        intake->room -= size + intake->cost;
    return intake->room >= 0;
}

/* How many line ends lack their CR. */
static Py_ssize_t bare_line_ends(const unsigned char *in, Py_ssize_t size)
{
    const unsigned char *end = in + size, *at = in;
    Py_ssize_t bare = 0;

    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        bare += at == in || at[-1] != '\r';
        at++;
    }
    return bare;
}

/* The value as it stood in the message: folds as CRLF, the blank that the MTA took put back. */
static PyObject *restored(PyObject *value, int leading_space)
{
    const unsigned char *in = octets(value);
    Py_ssize_t size = PyBytes_Size(value), bare = bare_line_ends(in, size);

    if (bare == 0 && leading_space) {
        Py_INCREF(value);
        return value;
    }
    PyObject *made = PyBytes_FromStringAndSize(NULL, size + bare + !leading_space);
    if (made == NULL)
        return NULL;
    unsigned char *out = octets(made);
    if (!leading_space)
        *out++ = ' ';
    for (Py_ssize_t i = 0; i < size; i++) {
        if (in[i] == '\n' && (i == 0 || in[i - 1] != '\r'))
            *out++ = '\r';
        *out++ = in[i];
    }
    return made;
}

static PyObject *intake_add(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    Intake *intake = (Intake *)self;

    if (count != 2 || !PyUnicode_Check(args[0]) || !PyBytes_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "add() takes a name, str, and a value, bytes");
        return NULL;
    }
    if (!take(intake, PyUnicode_GetLength(args[0]) + PyBytes_Size(args[1])))
        Py_RETURN_NONE;
    PyObject *name = PyUnicode_AsUTF8String(args[0]);
    PyObject *value = name == NULL ? NULL : restored(args[1], intake->leading_space);
    PyObject *field = make_field(intake->field_type, name, value);
    if (field == NULL)
        return NULL;
    int failed = PyList_Append(intake->fields, field);
    Py_DECREF(field);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *intake_weigh(PyObject *self, PyObject *size)
{
    Py_ssize_t octets = PyLong_AsSsize_t(size);

    if (octets == -1 && PyErr_Occurred())
        return NULL;
    return PyBool_FromLong(take((Intake *)self, octets));
}

static PyObject *intake_hand_over(PyObject *self, PyObject *unused)
{
    PyObject *fields = ((Intake *)self)->fields, *made = PyList_AsTuple(fields);
    (void)unused;

    if (made != NULL && PyList_SetSlice(fields, 0, PyList_Size(fields), NULL) < 0)
        Py_CLEAR(made);
    return made;
}

static PyObject *intake_renew(PyObject *self, PyObject *unused)
{
    Intake *intake = (Intake *)self;
    (void)unused;

    intake->room = intake->limit;
    if (PyList_SetSlice(intake->fields, 0, PyList_Size(intake->fields), NULL) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMemberDef intake_members[] = {
    {"room", T_PYSSIZET, offsetof(Intake, room), READONLY, "Octets that may still come."},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef intake_methods[] = {
    {"add", (PyCFunction)(void (*)(void))intake_add, METH_FASTCALL, "One field, weighed."},
    {"weigh", intake_weigh, METH_O, "Something else that takes of the room."},
    {"hand_over", intake_hand_over, METH_NOARGS, "The fields that came, which are then forgotten."},
    {"renew", intake_renew, METH_NOARGS, "Forget all, for the next message."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot intake_slots[] = {
    {Py_tp_doc, "The header fields of one message while they come in."},
    {Py_tp_new, intake_new},
    {Py_tp_dealloc, intake_dealloc},
    {Py_tp_members, intake_members},
    {Py_tp_methods, intake_methods},
    {0, NULL},
};

static PyType_Spec intake_spec = {
    "postseal.core._field.Intake", sizeof(Intake), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, intake_slots,
};

/* -- the module ---------------------------------------------------------------------------- */

/* Put a field into the list of its key.  -1 with an exception set, or 0. */
static int file_under_key(PyObject *index, PyObject *field, PyObject *attribute)
{
    PyObject *key = PyObject_GetAttr(field, attribute);
    PyObject *same = key == NULL ? NULL : PyDict_GetItemWithError(index, key);
    int failed = -1;

    if (same != NULL) {
        failed = PyList_Append(same, field);
    } else if (key != NULL && !PyErr_Occurred() && (same = PyList_New(0)) != NULL) {
        failed = PyList_Append(same, field) < 0 || PyDict_SetItem(index, key, same) < 0 ? -1 : 0;
        Py_DECREF(same);
    }
    Py_XDECREF(key);
    return failed;
}

static PyObject *index_of(PyObject *module, PyObject *fields)
{
    PyObject *index, *each = PyObject_GetIter(fields), *field;
    State *state = PyModule_GetState(module);

    if (each == NULL)
        return NULL;
    index = PyDict_New();
    while (index != NULL && (field = PyIter_Next(each)) != NULL) {
        if (file_under_key(index, field, state->key) < 0)
            Py_CLEAR(index);
        Py_DECREF(field);
    }
    Py_DECREF(each);
    if (PyErr_Occurred())
        Py_CLEAR(index);
    return index;
}

static PyMethodDef methods[] = {
    {"index", index_of, METH_O, "Fields by their keys, each list in the order of the fields."},
    {NULL, NULL, 0, NULL},
};

static int add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **kept)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);

    if (type == NULL)
        return -1;
    if (kept != NULL) {
        Py_INCREF(type);
        *kept = (PyTypeObject *)type;
    }
    int failed = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return failed;
}

static int execute(PyObject *module)
{
    State *state = PyModule_GetState(module);

    state->key = PyUnicode_InternFromString("key");
    if (state->key == NULL || add_type(module, &field_spec, &state->field_type) < 0)
        return -1;
    return add_type(module, &intake_spec, NULL);
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    State *state = PyModule_GetState(module);
    Py_VISIT(state->field_type);
    return 0;
}

static int clear(PyObject *module)
{
    State *state = PyModule_GetState(module);
    Py_CLEAR(state->field_type);
    Py_CLEAR(state->key);
    return 0;
}

static void dispose(void *module) { clear((PyObject *)module); }

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "postseal.core._field", "Header fields, compiled.", sizeof(State), methods,
    slots, traverse, clear, dispose,
};

PyMODINIT_FUNC PyInit__field(void) { return PyModuleDef_Init(&definition); }
