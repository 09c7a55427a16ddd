/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"
#include "cnnsweep/file.h"
#include "cnnsweep/job.h"
#include "cnnsweep/memory.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAX_BYTES = 4 << 20, MAX_NODES = 100000, MAX_DEPTH = 20, MAX_MESSAGE = 768 };

/* The conversion of a libyaml document; it counts the nodes, because aliases multiply them. */
typedef struct conversion {
    yaml_document_t *document;
    const char *source;
    bool is_file;
    int nodes;
} conversion;

static void print_place(const cs_node *at, char *out, size_t size) {
    if (at->line)
        snprintf(out, size, "%s:%d:%d", at->source, at->line, at->column);
    else
        snprintf(out, size, "%s", at->source);
}

cs_status cs_node_fail(const cs_node *at, cs_status code, const char *fmt, ...) {
    char place[CS_PATH_MAX], text[MAX_MESSAGE];
    print_place(at, place, sizeof place);
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return cs_fail(code, "%s: %s", place, text);
}

cs_status cs_node_context(const cs_node *at, cs_status code) {
    char place[CS_PATH_MAX];
    print_place(at, place, sizeof place);
    return cs_context(code, "%s", place);
}

void cs_node_free(cs_node *node) {
    if (!node)
        return;
    for (int i = 0; i < node->n; i++) {
        cs_node_free(node->items[i]);
        if (node->keys)
            cs_node_free(node->keys[i]);
    }
    free(node->items);
    free(node->keys);
    free(node->text);
    free(node->source);
    free(node);
}

static int find_key(const cs_node *map, const char *key) {
    for (int i = 0; i < map->n; i++)
        if (strcmp(map->keys[i]->text, key) == 0)
            return i;
    return -1;
}

const cs_node *cs_node_get(const cs_node *map, const char *key) {
    int i = find_key(map, key);
    return i < 0 ? NULL : map->items[i];
}

static cs_status node_create(const char *source, cs_node_kind kind, cs_node **out) {
    cs_node *node = NULL;
    CS_TRY(cs_alloc(1, sizeof *node, "job file", &node));
    node->kind = kind;
    cs_status status = cs_strdup(source, &node->source);
    if (status != CS_OK) {
        free(node);
        return status;
    }
    *out = node;
    return CS_OK;
}

static cs_status convert(conversion *run, yaml_node_t *from, int depth, cs_node **out);

static cs_status convert_scalar(const yaml_node_t *from, cs_node *node) {
    const char *text = (const char *)from->data.scalar.value;
    if (strlen(text) != from->data.scalar.length)
        return cs_node_fail(node, CS_ERR_FORMAT, "a value holds a NUL character");
    return cs_strdup(text, &node->text);
}

static cs_status convert_list(conversion *run, const yaml_node_t *from, int depth, cs_node *node) {
    const yaml_node_item_t *first = from->data.sequence.items.start, *end = from->data.sequence.items.top;
    CS_TRY(cs_alloc((size_t)(end - first), sizeof *node->items, "job file", &node->items));
    for (const yaml_node_item_t *item = first; item < end; item++, node->n++)
        CS_TRY(convert(run, yaml_document_get_node(run->document, *item), depth + 1, &node->items[node->n]));
    return CS_OK;
}

static cs_status convert_map(conversion *run, const yaml_node_t *from, int depth, cs_node *node) {
    const yaml_node_pair_t *first = from->data.mapping.pairs.start, *end = from->data.mapping.pairs.top;
    CS_TRY(cs_alloc((size_t)(end - first), sizeof *node->items, "job file", &node->items));
    CS_TRY(cs_alloc((size_t)(end - first), sizeof *node->keys, "job file", &node->keys));
    for (const yaml_node_pair_t *pair = first; pair < end; pair++) {
        cs_node *key = NULL, *value = NULL;
        CS_TRY(convert(run, yaml_document_get_node(run->document, pair->key), depth + 1, &key));
        cs_status status = CS_OK;
        int earlier = key->kind == CS_NODE_SCALAR ? find_key(node, key->text) : -1;
        if (key->kind != CS_NODE_SCALAR)
            status = cs_node_fail(key, CS_ERR_FORMAT, "a key must be a single word");
        else if (earlier >= 0)
            status = cs_node_fail(key, CS_ERR_ARG, "'%s' appears twice (first on line %d)", key->text,
                                  node->keys[earlier]->line);
        else
            status = convert(run, yaml_document_get_node(run->document, pair->value), depth + 1, &value);
        if (status != CS_OK) {
            cs_node_free(key);
            return status;
        }
        node->keys[node->n] = key;
        node->items[node->n++] = value;
    }
    return CS_OK;
}

static cs_status convert(conversion *run, yaml_node_t *from, int depth, cs_node **out) {
    static const cs_node_kind kinds[] = {
        [YAML_SCALAR_NODE] = CS_NODE_SCALAR, [YAML_SEQUENCE_NODE] = CS_NODE_LIST, [YAML_MAPPING_NODE] = CS_NODE_MAP};
    cs_node *node = NULL;
    CS_TRY(node_create(run->source, kinds[from->type], &node));
    if (run->is_file) {
        node->line = (int)from->start_mark.line + 1;
        node->column = (int)from->start_mark.column + 1;
    }
    cs_status status;
    if (depth > MAX_DEPTH)
        status = cs_node_fail(node, CS_ERR_FORMAT, "nested more than %d levels deep", MAX_DEPTH);
    else if (++run->nodes > MAX_NODES)
        status = cs_node_fail(node, CS_ERR_FORMAT, "more than %d values (aliases counted)", MAX_NODES);
    else if (node->kind == CS_NODE_SCALAR)
        status = convert_scalar(from, node);
    else if (node->kind == CS_NODE_LIST)
        status = convert_list(run, from, depth, node);
    else
        status = convert_map(run, from, depth, node);
    if (status != CS_OK) {
        cs_node_free(node);
        return status;
    }
    *out = node;
    return CS_OK;
}

static cs_status fail_syntax(const conversion *run, const yaml_parser_t *parser) {
    const char *problem = parser->problem ? parser->problem : "cannot be read";
    yaml_mark_t mark = parser->problem_mark;
    if (!run->is_file)
        return cs_fail(CS_ERR_FORMAT, "%s: %s", run->source, problem);
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s:%zu:%zu: %s", run->source, mark.line + 1, mark.column + 1, problem),
                   "YAML wants spaces (no tabs), `key: value`, and the same indent within a block");
}

static cs_status load_document(conversion *run, yaml_parser_t *parser, cs_node **out) {
    yaml_document_t document, second;
    if (!yaml_parser_load(parser, &document))
        return fail_syntax(run, parser);
    run->document = &document;
    yaml_node_t *root = yaml_document_get_root_node(&document);
    cs_status status = root ? convert(run, root, 0, out) : cs_fail(CS_ERR_FORMAT, "%s: is empty", run->source);
    yaml_document_delete(&document);
    run->document = NULL;
    CS_TRY(status);
    if (!yaml_parser_load(parser, &second)) {
        status = fail_syntax(run, parser);
    } else {
        yaml_node_t *extra = yaml_document_get_root_node(&second);
        if (extra)
            status = cs_fail(CS_ERR_FORMAT, "%s:%zu: a second document begins; a job file holds one", run->source,
                             extra->start_mark.line + 1);
        yaml_document_delete(&second);
    }
    if (status != CS_OK) {
        cs_node_free(*out);
        *out = NULL;
    }
    return status;
}

static cs_status parse(const char *source, bool is_file, const char *text, size_t size, cs_node **out) {
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for a YAML parser");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    conversion run = {.source = source, .is_file = is_file};
    cs_status status = load_document(&run, &parser, out);
    yaml_parser_delete(&parser);
    return status;
}

cs_status cs_node_read(const char *path, cs_node **out) {
    char *text = NULL;
    size_t size = 0;
    CS_TRY(cs_file_read(path, MAX_BYTES, &text, &size));
    cs_node *root = NULL;
    cs_status status = parse(path, true, text, size, &root);
    free(text);
    if (!root)
        return status;
    if (root->kind != CS_NODE_MAP) {
        status = cs_hint(cs_node_fail(root, CS_ERR_FORMAT, "a job file is a map of keys"), "see jobs/demo.yaml");
        cs_node_free(root);
        return status;
    }
    *out = root;
    return CS_OK;
}

/* Takes ownership of `value`, also on failure. */
static cs_status map_put(cs_node *map, const char *name, cs_node *value) {
    int i = find_key(map, name);
    if (i >= 0) {
        cs_node_free(map->items[i]);
        map->items[i] = value;
        return CS_OK;
    }
    cs_status status;
    cs_node *key = NULL;
    CS_TRY_GOTO(node_create(value->source, CS_NODE_SCALAR, &key), fail);
    CS_TRY_GOTO(cs_strdup(name, &key->text), fail);
    size_t keys = (size_t)map->n, items = (size_t)map->n;
    CS_TRY_GOTO(cs_grow(&map->keys, &keys, keys + 1, sizeof *map->keys, "job file"), fail);
    CS_TRY_GOTO(cs_grow(&map->items, &items, items + 1, sizeof *map->items, "job file"), fail);
    map->keys[map->n] = key;
    map->items[map->n++] = value;
    return CS_OK;
fail:
    cs_node_free(key);
    cs_node_free(value);
    return status;
}

/* Sets the value at "a.b.c" and makes the maps on the way. Takes ownership of `value`, also on failure. */
static cs_status assign(cs_node *root, char *key, cs_node *value) {
    cs_node *map = root;
    char *rest = key;
    for (char *dot = strchr(rest, '.'); dot; rest = dot + 1, dot = strchr(rest, '.')) {
        *dot = '\0';
        int i = find_key(map, rest);
        cs_status status = CS_OK;
        cs_node *inner = i >= 0 ? map->items[i] : NULL;
        if (!inner) {
            status = node_create(value->source, CS_NODE_MAP, &inner);
            if (status == CS_OK)
                status = map_put(map, rest, inner);
        } else if (inner->kind != CS_NODE_MAP) {
            status = cs_node_fail(value, CS_ERR_ARG, "'%s' is a value, it has no keys", rest);
        }
        if (status != CS_OK) {
            cs_node_free(value);
            return status;
        }
        map = inner;
    }
    return map_put(map, rest, value);
}

cs_status cs_node_assign(cs_node *root, const char *assignment) {
    char key[CS_NAME_MAX * 2], source[CS_PATH_MAX];
    size_t length = strcspn(assignment, "=");
    if (!assignment[length] || length == 0 || length >= sizeof key)
        return cs_hint(cs_fail(CS_ERR_ARG, "--set %s: is not key=value", assignment),
                       "write --set train.epochs=2, or --set sweep.parameters.lr=[0.1,0.01]");
    snprintf(key, sizeof key, "%.*s", (int)length, assignment);
    const char *text = assignment + length + 1;
    snprintf(source, sizeof source, "--set %s", assignment);

    cs_node *value = NULL;
    cs_status status = *text ? parse(source, false, text, strlen(text), &value) : parse(source, false, "''", 2, &value);
    if (!value)
        return status;
    /* "lr" is short for "train.lr". */
    const cs_option *option = NULL;
    if (!strchr(key, '.') && !cs_node_get(root, key) && cs_option_find(key, &option) == CS_OK)
        snprintf(key, sizeof key, "%s", option->key);
    return assign(root, key, value);
}
