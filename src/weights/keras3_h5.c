/* SPDX-License-Identifier: Apache-2.0 */
/* Keras' .weights.h5 layout: each layer is a group, named by its class and a count ("layers/conv2d_1"). It contains the
 * group "vars" with the datasets "0", "1", ... and, since about Keras 3.7, the layer's name as its attribute. A nested
 * model is a group with "layers" of its own. Keras 2.12 and 2.13 write "_layer_checkpoint_dependencies" for "layers"
 * and count every layer in it twice ("conv2d", "conv2d_2", "conv2d_4"), so that only the order of the counts gives the
 * position. */
#include "h5_layout.h"
#include "names.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

static const char layers_name[] = "layers", old_layers_name[] = "_layer_checkpoint_dependencies";
enum { DEEPEST = 32, MOST_GROUPS = 1 << 16 };

typedef struct walk {
    const char *file;
    const cs_visitor *visitor;
    unsigned long (*seen)[2]; /* HDF5's ids of the groups so far; in a tree each occurs once */
    size_t n_seen, capacity;
} walk;

static herr_t add_name(hid_t group, const char *name, const H5L_info_t *info, void *names) {
    (void)group, (void)info;
    return cs_strings_append(names, name) == CS_OK ? 0 : -1;
}

static cs_status children(hid_t group, const char *place, const char *file, cs_strings *names) {
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, add_name, names) < 0)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: group %s cannot be listed", file, place), "%s", cs_damaged_hint);
    return CS_OK;
}

/* Records that a group was visited. A group that is visited twice means that the file has a cycle. */
static cs_status mark(walk *w, hid_t group, const char *place, int depth) {
    H5G_stat_t info;
    if (H5Gget_objinfo(group, ".", false, &info) < 0)
        return cs_fail(CS_ERR_FORMAT, "%s: group %s is damaged", w->file, place);
    if (depth > DEEPEST || w->n_seen == MOST_GROUPS)
        return cs_fail(CS_ERR_FORMAT, "%s: group %s: more than %d levels or %d groups", w->file, place, DEEPEST,
                       MOST_GROUPS);
    for (size_t i = 0; i < w->n_seen; i++)
        if (memcmp(w->seen[i], info.objno, sizeof info.objno) == 0)
            return cs_fail(CS_ERR_FORMAT, "%s: group %s is linked twice: a cycle", w->file, place);
    CS_TRY(cs_grow(&w->seen, &w->capacity, w->n_seen + 1, sizeof *w->seen, "groups"));
    memcpy(w->seen[w->n_seen++], info.objno, sizeof info.objno);
    return CS_OK;
}

/* Visits the datasets of the group "vars" at `place`, a path that ends with "vars". */
static cs_status walk_vars(const walk *w, hid_t vars, const char *layer_group, const char *place) {
    cs_strings names = {0};
    char layer[CS_TENSOR_NAME_MAX], path[CS_TENSOR_NAME_MAX], full[CS_TENSOR_PATH_MAX];
    cs_status status = CS_OK;
    snprintf(full, sizeof full, "%s: %s", w->file, place);
    CS_TRY_GOTO(cs_h5_text(vars, full, "name", layer, sizeof layer), done);
    CS_TRY_GOTO(children(vars, place, w->file, &names), done);
    for (size_t i = 0; i < names.n; i++) {
        snprintf(full, sizeof full, "%s/%s", place, names.items[i]);
        cs_tensor tensor = {.naming = CS_NAMING_VARS,
                            .layer = layer,
                            .place = layer_group,
                            .weight = names.items[i],
                            .path = cs_printable(full, path)};
        CS_TRY_GOTO(cs_h5_visit(vars, names.items[i], &tensor, w->file, w->visitor), done);
    }
done:
    cs_strings_clear(&names);
    return status;
}

/* A group of the file. */
typedef struct node {
    hid_t group;
    const char *name;  /* its name in the file */
    const char *layer; /* the same with the count that Keras 3 would give */
    const char *place; /* its path from the root */
    int depth;
} node;

static cs_status walk_group(walk *w, const node *parent);

static cs_status walk_child(walk *w, const node *parent, const char *name, const char *layer) {
    char place[CS_TENSOR_NAME_MAX], full[CS_TENSOR_PATH_MAX];
    snprintf(full, sizeof full, "%s%s%s", parent->place, parent->place[0] ? "/" : "", name);
    cs_printable(full, place);
    node child = {.group = cs_h5_open_group(parent->group, name),
                  .name = name,
                  .layer = layer,
                  .place = place,
                  .depth = parent->depth + 1};
    if (child.group < 0)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: %s is no group, or cannot be opened", w->file, place),
                       "the file is damaged, or not written by Keras");
    cs_status status = mark(w, child.group, place, child.depth);
    if (status == CS_OK)
        status = strcmp(name, "vars") == 0 ? walk_vars(w, child.group, parent->layer, place) : walk_group(w, &child);
    H5Gclose(child.group);
    return status;
}

/* Whether a group holds state of the optimizer or of a random generator, which are no weights. */
static bool is_state(const char *name, int depth) {
    return (depth == 0 && strcmp(name, "optimizer") == 0) || strcmp(name, "seed_generator") == 0;
}

static bool holds_layers(const char *name) {
    return strcmp(name, layers_name) == 0 || strcmp(name, old_layers_name) == 0;
}

/* Returns the length of "conv2d" in "conv2d_4" and sets *count to 4, or to 0 if there is no count. */
static size_t split_count(const char *name, int *count) {
    const char *end = strrchr(name, '_');
    *count = end ? cs_name_number(end + 1) : -1;
    if (*count >= 0)
        return (size_t)(end - name);
    *count = 0;
    return strlen(name);
}

/* Replaces the count by the number of siblings of that class with a smaller count. */
static void recount(const cs_strings *names, const char *name, char out[CS_TENSOR_NAME_MAX]) {
    int count, other, before = 0;
    size_t length = split_count(name, &count);
    for (size_t i = 0; i < names->n; i++)
        before += split_count(names->items[i], &other) == length && strncmp(names->items[i], name, length) == 0 &&
                  other < count;
    snprintf(out, CS_TENSOR_NAME_MAX, before ? "%.*s_%d" : "%.*s", (int)length, name, before);
}

static cs_status walk_group(walk *w, const node *parent) {
    bool counts_twice = strcmp(parent->name, old_layers_name) == 0;
    cs_strings names = {0};
    cs_status status = CS_OK;
    CS_TRY_GOTO(children(parent->group, parent->place, w->file, &names), done);
    if (w->visitor->layers && holds_layers(parent->name))
        CS_TRY_GOTO(w->visitor->layers(w->visitor->context, names.items, names.n), done);
    for (size_t i = 0; i < names.n; i++) {
        char recounted[CS_TENSOR_NAME_MAX];
        if (is_state(names.items[i], parent->depth))
            continue;
        if (counts_twice)
            recount(&names, names.items[i], recounted);
        CS_TRY_GOTO(walk_child(w, parent, names.items[i], counts_twice ? recounted : names.items[i]), done);
    }
done:
    cs_strings_clear(&names);
    return status;
}

static bool is_keras3(hid_t root) {
    return cs_h5_has(root, layers_name) || cs_h5_has(root, old_layers_name) || cs_h5_has(root, "vars");
}

static cs_status walk_keras3(hid_t root, const char *path, const cs_visitor *visitor) {
    const node top = {.group = root, .name = "", .layer = "", .place = ""};
    walk w = {.file = path, .visitor = visitor};
    cs_status status = mark(&w, root, "/", 0);
    if (status == CS_OK)
        status = walk_group(&w, &top);
    free(w.seen);
    return status;
}

const cs_h5_layout cs_keras3_layout = {"Keras 3 .weights.h5", is_keras3, walk_keras3};
