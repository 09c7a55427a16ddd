/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"
#include "cnnsweep/file.h"
#include "cnnsweep/job.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/scalar.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAX_BYTES = 4 << 20, MAX_NODES = 100000, MAX_DEPTH = 20, MAX_MESSAGE = 768 };

/* The conversion of a libyaml document; it counts the nodes, because aliases multiply them. */
typedef struct conversion {
    yaml_document_t *document;
    const char *source, *text;
    bool is_file;
    int nodes;
} conversion;

/* Characters that come with text from web pages and word processors. */
static const struct lookalike {
    const char *bytes, *name;
} lookalikes[] = {
    {"\xc2\xa0", "U+00A0 (no-break space)"},
    {"\xc2\xad", "U+00AD (soft hyphen)"},
    {"\xe2\x80\x83", "U+2003 (em space)"},
    {"\xe2\x80\x89", "U+2009 (thin space)"},
    {"\xe2\x80\x8b", "U+200B (zero width space)"},
    {"\xe2\x80\x8c", "U+200C (zero width non-joiner)"},
    {"\xe2\x80\x8d", "U+200D (zero width joiner)"},
    {"\xe2\x80\x8e", "U+200E (left-to-right mark)"},
    {"\xe2\x80\x8f", "U+200F (right-to-left mark)"},
    {"\xe2\x80\x93", "U+2013 (en dash)"},
    {"\xe2\x80\x94", "U+2014 (em dash)"},
    {"\xe2\x80\x98", "U+2018 (left single quotation mark)"},
    {"\xe2\x80\x99", "U+2019 (right single quotation mark)"},
    {"\xe2\x80\x9c", "U+201C (left double quotation mark)"},
    {"\xe2\x80\x9d", "U+201D (right double quotation mark)"},
    {"\xe2\x80\xaf", "U+202F (narrow no-break space)"},
    {"\xe2\x81\xa0", "U+2060 (word joiner)"},
    {"\xe2\x88\x92", "U+2212 (minus sign)"},
    {"\xe3\x80\x80", "U+3000 (ideographic space)"},
    {"\xef\xbb\xbf", "U+FEFF (byte order mark)"},
    {"\xef\xbc\x9a", "U+FF1A (fullwidth colon)"},
};

/* Finds the first of these characters. `before` is the number of characters in front of it. */
static const struct lookalike *find_lookalike(const char *text, int *before) {
    *before = 0;
    for (; *text; *before += ((unsigned char)*text & 0xC0) != 0x80, text++)
        for (size_t i = 0; i < sizeof lookalikes / sizeof *lookalikes; i++)
            if (strncmp(text, lookalikes[i].bytes, strlen(lookalikes[i].bytes)) == 0)
                return &lookalikes[i];
    return NULL;
}

static void print_place(const cs_node *at, char *out, size_t size) {
    int before = 0;
    const struct lookalike *seen = at->text ? find_lookalike(at->text, &before) : NULL;
    if (at->line)
        snprintf(out, size, "%s:%d:%d", at->source, at->line, at->column);
    else
        snprintf(out, size, "%s", at->source);
    size_t used = strlen(out);
    if (seen && at->line)
        snprintf(out + used, size - used, ": column %d has %s", at->column + !at->plain + before, seen->name);
    else if (seen)
        snprintf(out + used, size - used, ": character %d of the value is %s", before + 1, seen->name);
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

bool cs_node_is_null(const cs_node *node) {
    return node->kind == CS_NODE_SCALAR && node->plain && cs_scalar_is_null(node->text);
}

cs_status cs_node_text(const cs_node *scalar, char *out, size_t size) {
    long long whole = 0;
    cs_status status = cs_parse_whole(scalar->text, &whole);
    if (status != CS_OK && cs_scalar_is_int(scalar->text))
        return cs_node_context(scalar, status);
    return status == CS_OK && whole > 0 ? cs_path(out, size, "%lld", whole) : cs_path(out, size, "%s", scalar->text);
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
    node->plain = from->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return cs_strdup(text, &node->text);
}

static cs_status convert_list(conversion *run, const yaml_node_t *from, int depth, cs_node *node) {
    const yaml_node_item_t *first = from->data.sequence.items.start, *end = from->data.sequence.items.top;
    CS_TRY(cs_alloc((size_t)(end - first), sizeof *node->items, "job file", &node->items));
    for (const yaml_node_item_t *item = first; item < end; item++, node->n++)
        CS_TRY(convert(run, yaml_document_get_node(run->document, *item), depth + 1, &node->items[node->n]));
    return CS_OK;
}

/* Puts a value into a map: in place of the one that it has, or behind the others. Takes ownership of `key` and `value`,
 * also on failure. */
static cs_status map_put(cs_node *map, cs_node *key, cs_node *value) {
    int i = find_key(map, key->text);
    cs_status status;
    if (i >= 0) {
        cs_node_free(map->keys[i]);
        cs_node_free(map->items[i]);
        map->keys[i] = key;
        map->items[i] = value;
        return CS_OK;
    }
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

/* Moves the keys and values of one map into another. */
static cs_status map_move(cs_node *from, cs_node *to) {
    cs_status status = CS_OK;
    for (int i = 0; i < from->n && status == CS_OK; i++) {
        status = map_put(to, from->keys[i], from->items[i]);
        from->keys[i] = from->items[i] = NULL;
    }
    return status;
}

/* Moves what the value of a merge key refers to into the map. The first map of a list has the last word. */
static cs_status merge(const cs_node *key, cs_node *value, cs_node *map) {
    bool is_list = value->kind == CS_NODE_LIST;
    cs_node **maps = is_list ? value->items : &value;
    int n = is_list ? value->n : 1;
    for (int i = 0; i < n; i++)
        if (maps[i]->kind != CS_NODE_MAP)
            return cs_hint(cs_node_fail(key, CS_ERR_FORMAT, "<< merges maps, and its value is none"),
                           "write <<: *name, or <<: [*first, *second], with &name in front of a map further up");
    for (int i = n - 1; i >= 0; i--)
        CS_TRY(map_move(maps[i], map));
    return CS_OK;
}

static bool is_merge_key(const cs_node *key) {
    return key->kind == CS_NODE_SCALAR && key->plain && strcmp(key->text, "<<") == 0;
}

/* Converts a key and its value: into `own`, or, if it is a merge key, what it merges into `merged`. */
static cs_status convert_pair(conversion *run, const yaml_node_pair_t *pair, int depth, cs_node *own, cs_node *merged) {
    cs_node *key = NULL, *value = NULL;
    cs_status status;
    CS_TRY_GOTO(convert(run, yaml_document_get_node(run->document, pair->key), depth + 1, &key), done);
    int earlier = key->kind == CS_NODE_SCALAR ? find_key(own, key->text) : -1;
    if (key->kind != CS_NODE_SCALAR)
        status = cs_node_fail(key, CS_ERR_FORMAT, "a key must be a single word");
    else if (earlier >= 0)
        status =
            cs_node_fail(key, CS_ERR_ARG, "'%s' appears twice (first on line %d)", key->text, own->keys[earlier]->line);
    if (status != CS_OK)
        goto done;
    CS_TRY_GOTO(convert(run, yaml_document_get_node(run->document, pair->value), depth + 1, &value), done);
    if (is_merge_key(key)) {
        status = merge(key, value, merged);
    } else {
        status = map_put(own, key, value);
        key = value = NULL;
    }
done:
    cs_node_free(key);
    cs_node_free(value);
    return status;
}

/* What is merged comes first, as in PyYAML, so that the order of the keys is the same too. */
static cs_status convert_map(conversion *run, const yaml_node_t *from, int depth, cs_node *node) {
    const yaml_node_pair_t *first = from->data.mapping.pairs.start, *end = from->data.mapping.pairs.top;
    cs_node *own = NULL;
    CS_TRY(node_create(run->source, CS_NODE_MAP, &own));
    cs_status status = CS_OK;
    for (const yaml_node_pair_t *pair = first; pair < end && status == CS_OK; pair++)
        status = convert_pair(run, pair, depth, own, node);
    if (status == CS_OK)
        status = map_move(own, node);
    cs_node_free(own);
    return status;
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

/* Does the line, counted from 0, have a ${? Inside {} its brace begins another map. */
static bool has_variable(const char *text, size_t line) {
    for (; line > 0 && text; line--)
        text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL;
    const char *variable = text ? strstr(text, "${") : NULL;
    return variable && variable < text + strcspn(text, "\n");
}

static cs_status fail_syntax(const conversion *run, const yaml_parser_t *parser) {
    const char *problem = parser->problem ? parser->problem : "cannot be read";
    yaml_mark_t mark = parser->problem_mark;
    bool variable = has_variable(run->text, mark.line);
    if (!run->is_file)
        return cs_fail(CS_ERR_FORMAT, "%s: %s", run->source, problem);
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s:%zu:%zu: %s", run->source, mark.line + 1, mark.column + 1, problem),
                   variable ? "inside {} a ${NAME} needs quotes: {path: '${NAME}/data.h5'}"
                            : "YAML wants spaces (no tabs), `key: value`, and the same indent within a block");
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
    conversion run = {.source = source, .text = text, .is_file = is_file};
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

/* Sets the value of a key that is named by a text. Takes ownership of `value`, also on failure. */
static cs_status map_set(cs_node *map, const char *name, cs_node *value) {
    cs_node *key = NULL;
    cs_status status;
    CS_TRY_GOTO(node_create(value->source, CS_NODE_SCALAR, &key), fail);
    CS_TRY_GOTO(cs_strdup(name, &key->text), fail);
    return map_put(map, key, value);
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
        if (!inner || cs_node_is_null(inner)) {
            status = node_create(value->source, CS_NODE_MAP, &inner);
            if (status == CS_OK)
                status = map_set(map, rest, inner);
        } else if (inner->kind != CS_NODE_MAP) {
            status = cs_node_fail(value, CS_ERR_ARG, "'%s' is a value, it has no keys", rest);
        }
        if (status != CS_OK) {
            cs_node_free(value);
            return status;
        }
        map = inner;
    }
    return map_set(map, rest, value);
}

cs_status cs_node_set(cs_node *root, const char *key, const char *source, const char *text) {
    char path[CS_NAME_MAX * 2];
    cs_node *value = NULL;
    CS_TRY(cs_path(path, sizeof path, "%s", key));
    cs_status status = *text ? parse(source, false, text, strlen(text), &value) : parse(source, false, "''", 2, &value);
    return value ? assign(root, path, value) : status;
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

    /* "lr" is short for "train.lr". */
    const cs_option *option = NULL;
    if (!strchr(key, '.') && !cs_node_get(root, key) && cs_option_find(key, &option) == CS_OK)
        snprintf(key, sizeof key, "%s", option->key);
    return cs_node_set(root, key, source, text);
}
