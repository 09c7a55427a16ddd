/* SPDX-License-Identifier: Apache-2.0 */
/* Prints YAML files as cnnsweep reads them, each as a line of JSON: a map as a list of pairs, a scalar as an object
 * with everything that its text can mean. A file that is refused gives {"error": message}. */
#include "cnnsweep/scalar.h"
#include "node.h"

#include <stdio.h>

static void print_text(const char *text) {
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        if ((unsigned char)*text < ' ')
            printf("\\u%04x", (unsigned char)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void print_scalar(const cs_node *node) {
    bool truth;
    long long whole;
    double number;
    printf("{\"text\": ");
    print_text(node->text);
    printf(", \"null\": %s", cs_node_is_null(node) ? "true" : "false");
    if (cs_parse_bool(node->text, &truth) == CS_OK)
        printf(", \"bool\": %s", truth ? "true" : "false");
    if (cs_parse_whole(node->text, &whole) == CS_OK)
        printf(", \"whole\": %lld", whole);
    if (cs_parse_float(node->text, &number) == CS_OK)
        printf(", \"float\": %.17g", number);
    printf(", \"int\": %s}", cs_scalar_is_int(node->text) ? "true" : "false");
}

static void print_node(const cs_node *node) {
    if (node->kind == CS_NODE_SCALAR) {
        print_scalar(node);
        return;
    }
    putchar('[');
    for (int i = 0; i < node->n; i++) {
        fputs(i ? ", " : "", stdout);
        if (node->kind == CS_NODE_MAP) {
            putchar('[');
            print_text(node->keys[i]->text);
            fputs(", ", stdout);
        }
        print_node(node->items[i]);
        if (node->kind == CS_NODE_MAP)
            putchar(']');
    }
    putchar(']');
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        cs_node *root = NULL;
        if (cs_node_read(argv[i], &root) == CS_OK) {
            print_node(root);
        } else {
            printf("{\"error\": ");
            print_text(cs_error_last()->text);
            putchar('}');
        }
        putchar('\n');
        cs_node_free(root);
    }
    return 0;
}
