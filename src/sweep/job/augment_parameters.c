/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the parameters of augmentation rules, by their types. */
#include "augmentations.h"
#include "cnnsweep/scalar.h"

#include <stdio.h>
#include <string.h>

/* "random_rotation: degrees", or the rule's name alone where the parameter has none. */
typedef struct field {
    const cs_augment_parameter *parameter;
    char name[96];
} field;

static cs_status read_bool(const field *f, const cs_node *value, float *out) {
    bool is_true;
    if (value->kind != CS_NODE_SCALAR || cs_parse_bool(value->text, &is_true) != CS_OK)
        return cs_node_fail(value, CS_ERR_ARG, "%s takes true or false", f->name);
    out[0] = is_true;
    return CS_OK;
}

static cs_status read_item(const field *f, const cs_node *item, float *out) {
    const double min = (double)f->parameter->min, max = (double)f->parameter->max;
    double number;
    if (item->kind != CS_NODE_SCALAR)
        return cs_node_fail(item, CS_ERR_ARG, "%s takes a number", f->name);
    cs_status status = cs_parse_float(item->text, &number);
    if (status != CS_OK)
        return cs_node_context(item, cs_context(status, "%s", f->name));
    if (!(number >= min && number <= max))
        return cs_node_fail(item, CS_ERR_ARG, "%s: %g is outside %g to %g", f->name, number, min, max);
    *out = (float)number;
    return CS_OK;
}

static cs_status read_number(const field *f, const cs_node *value, float *out) {
    return read_item(f, value, out);
}

static cs_status read_whole(const field *f, const cs_node *value, float *out) {
    CS_TRY(read_item(f, value, out));
    if (*out != (float)(int)*out)
        return cs_node_fail(value, CS_ERR_ARG, "%s: %g is not a whole number", f->name, (double)*out);
    return CS_OK;
}

/* The index of the choice that the value names; -1: of none. */
static int find_choice(const field *f, const cs_node *value) {
    const char *const *choices = f->parameter->choices;
    for (int i = 0; choices && choices[i] && value->kind == CS_NODE_SCALAR; i++)
        if (strcmp(value->text, choices[i]) == 0)
            return i;
    return -1;
}

static cs_status read_choice(const field *f, const cs_node *value, float *out) {
    const char *const *choices = f->parameter->choices;
    const int index = find_choice(f, value);
    size_t n = 0;
    char guess[128], all[128] = "";
    if (index >= 0) {
        out[0] = (float)index;
        return CS_OK;
    }
    for (; choices[n]; n++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", n > 0 ? ", " : "", choices[n]);
    const char *text = value->kind == CS_NODE_SCALAR ? value->text : "";
    cs_status status = cs_node_fail(value, CS_ERR_ARG, "%s takes one of %s%s", f->name, all,
                                    cs_did_you_mean(text, choices, n, guess, sizeof guess));
    return f->parameter->hint ? cs_hint(status, "%s", f->parameter->hint) : status;
}

static cs_status read_two(const field *f, const cs_node *value, float *out) {
    if (value->kind != CS_NODE_LIST || value->n != 2)
        return cs_node_fail(value, CS_ERR_ARG, "%s takes two numbers, [low, high]", f->name);
    for (int i = 0; i < 2; i++)
        CS_TRY(read_item(f, value->items[i], &out[i]));
    return CS_OK;
}

static cs_status read_range(const field *f, const cs_node *value, float *out) {
    CS_TRY(read_two(f, value, out));
    if (out[1] < out[0])
        return cs_node_fail(value, CS_ERR_ARG, "%s: high %g is below low %g", f->name, (double)out[1], (double)out[0]);
    return CS_OK;
}

static cs_status read_pair(const field *f, const cs_node *value, float *out) {
    if (value->kind == CS_NODE_LIST)
        return read_two(f, value, out);
    CS_TRY(read_item(f, value, out));
    out[1] = out[0];
    return CS_OK;
}

static cs_status read_size(const field *f, const cs_node *value, float *out) {
    if (value->kind != CS_NODE_LIST)
        return read_whole(f, value, out);
    if (value->n != 2)
        return cs_node_fail(value, CS_ERR_ARG, "%s takes a number of pixels or [height, width]", f->name);
    for (int i = 0; i < 2; i++)
        CS_TRY(read_whole(f, value->items[i], &out[i]));
    return CS_OK;
}

/* Reads one number, which is not negative, or a range. Returns whether it was one number. */
static cs_status read_side(const field *f, const cs_node *value, float *out, bool *is_one) {
    *is_one = value->kind != CS_NODE_LIST;
    if (!*is_one)
        return read_range(f, value, out);
    CS_TRY(read_item(f, value, out));
    if (out[0] < 0)
        return cs_node_fail(value, CS_ERR_ARG, "%s: %g is negative; it is taken to both sides", f->name,
                            (double)out[0]);
    return CS_OK;
}

static cs_status read_symmetric(const field *f, const cs_node *value, float *out) {
    bool is_one;
    CS_TRY(read_side(f, value, out, &is_one));
    if (is_one) {
        out[1] = out[0];
        out[0] = 0 - out[1]; /* no negative zero */
    }
    return CS_OK;
}

static cs_status read_factor(const field *f, const cs_node *value, float *out) {
    bool is_one;
    CS_TRY(read_side(f, value, out, &is_one));
    if (is_one) {
        const float v = out[0];
        out[0] = v < 1 ? 1 - v : 0;
        out[1] = 1 + v;
    }
    return CS_OK;
}

static cs_status read_zoom(const field *f, const cs_node *value, float *out) {
    if (value->kind == CS_NODE_LIST) {
        CS_TRY(read_range(f, value, out));
    } else {
        CS_TRY(read_item(f, value, out));
        if (out[0] == 0)
            return CS_OK;
        const float z = out[0];
        out[0] = 1 - z;
        out[1] = 1 + z;
    }
    if (out[0] <= 0)
        return cs_hint(cs_node_fail(value, CS_ERR_ARG, "%s: the smallest factor is %g", f->name, (double)out[0]),
                       "one number z below 1 means factors from 1-z to 1+z; a pair is [low, high] with low above 0");
    return CS_OK;
}

static cs_status read_bounds(const field *f, const cs_node *value, float *out) {
    const bool is_range = value->kind == CS_NODE_LIST;
    out[0] = is_range ? 2 : 1;
    return is_range ? read_range(f, value, out + 1) : read_item(f, value, out + 1);
}

static cs_status read_shift(const field *f, const cs_node *value, float *out) {
    const int most = cs_augment_width(CS_AUGMENT_SHIFT) - 2;
    if (value->kind == CS_NODE_LIST) {
        if (value->n < 1 || value->n > most)
            return cs_node_fail(value, CS_ERR_ARG, "%s takes a number or a list of 1 to %d numbers", f->name, most);
        for (int i = 0; i < value->n; i++)
            CS_TRY(read_item(f, value->items[i], &out[2 + i]));
        out[0] = CS_SHIFT_LIST;
        out[1] = (float)value->n;
        return CS_OK;
    }
    float number = 0;
    CS_TRY(read_item(f, value, &number));
    if (number < 0)
        return cs_node_fail(value, CS_ERR_ARG, "%s: %g is negative; it is shifted to both sides", f->name,
                            (double)number);
    if (number == 0)
        return CS_OK;
    out[0] = (float)(cs_scalar_is_int(value->text) ? CS_SHIFT_WHOLE : CS_SHIFT_UNIFORM);
    out[1] = 1;
    out[2] = number;
    return CS_OK;
}

static cs_status read_channels(const field *f, const cs_node *value, float *out) {
    if (value->kind == CS_NODE_LIST && value->n != 3)
        return cs_node_fail(value, CS_ERR_ARG, "%s takes a number, or three for red, green and blue", f->name);
    for (int c = 0; c < 3; c++)
        CS_TRY(read_item(f, value->kind == CS_NODE_LIST ? value->items[c] : value, &out[c]));
    return CS_OK;
}

static cs_status read_fill(const field *f, const cs_node *value, float *out) {
    const int index = find_choice(f, value);
    memset(out, 0, 4 * sizeof *out);
    if (index >= 0) {
        out[0] = (float)(1 + index);
        return CS_OK;
    }
    return read_channels(f, value, out + 1);
}

static cs_status (*const readers[CS_AUGMENT_TYPE_COUNT])(const field *f, const cs_node *value, float *out) = {
    [CS_AUGMENT_BOOL] = read_bool,         [CS_AUGMENT_NUMBER] = read_number,       [CS_AUGMENT_WHOLE] = read_whole,
    [CS_AUGMENT_CHOICE] = read_choice,     [CS_AUGMENT_RANGE] = read_range,         [CS_AUGMENT_PAIR] = read_pair,
    [CS_AUGMENT_FACTOR] = read_factor,     [CS_AUGMENT_SYMMETRIC] = read_symmetric, [CS_AUGMENT_ZOOM] = read_zoom,
    [CS_AUGMENT_SHIFT] = read_shift,       [CS_AUGMENT_SIZE] = read_size,           [CS_AUGMENT_FILL] = read_fill,
    [CS_AUGMENT_CHANNELS] = read_channels, [CS_AUGMENT_BOUNDS] = read_bounds,
};

cs_status cs_augment_read_parameter(const cs_node *value, int k, cs_augment_step *step) {
    const cs_augment_parameter *parameter = &step->rule->parameters[k];
    field f = {.parameter = parameter};
    snprintf(f.name, sizeof f.name, "%s%s%s", step->rule->name, parameter->name ? ": " : "",
             parameter->name ? parameter->name : "");
    return readers[parameter->type](&f, value, cs_augment_numbers(step, k));
}

cs_status cs_augment_read_p(const cs_node *value, cs_augment_step *step) {
    static const cs_augment_parameter p = {.type = CS_AUGMENT_NUMBER, .max = 1};
    field f = {.parameter = &p};
    snprintf(f.name, sizeof f.name, "%s: p", step->rule->name);
    return read_item(&f, value, &step->p);
}
