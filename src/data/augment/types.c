/* SPDX-License-Identifier: Apache-2.0 */
/* The types of parameters: how many numbers they take, what a job file may give, and how they are written. */
#include "rules.h"

#include "cnnsweep/text.h"

#include <stdio.h>
#include <string.h>

static void write_numbers(const float *numbers, int n, char *out, size_t size) {
    size_t used = 0;
    for (int i = 0; i < n && used < size; i++) {
        char number[16];
        cs_float_text(numbers[i], number, sizeof number);
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ":" : "", number);
    }
}

static void write_bool(const cs_augment_parameter *parameter, const float *numbers, char *out, size_t size) {
    (void)parameter;
    snprintf(out, size, "%s", numbers[0] != 0 ? "true" : "false");
}

static void write_number(const cs_augment_parameter *parameter, const float *numbers, char *out, size_t size) {
    (void)parameter;
    write_numbers(numbers, 1, out, size);
}

static void write_choice(const cs_augment_parameter *parameter, const float *numbers, char *out, size_t size) {
    snprintf(out, size, "%s", parameter->choices[(int)numbers[0]]);
}

static void write_pair(const cs_augment_parameter *parameter, const float *numbers, char *out, size_t size) {
    (void)parameter;
    write_numbers(numbers, 2, out, size);
}

static void write_shift(const cs_augment_parameter *parameter, const float *numbers, char *out, size_t size) {
    static const char *const kinds[] = {
        [CS_SHIFT_UNIFORM] = "", [CS_SHIFT_WHOLE] = "whole:", [CS_SHIFT_LIST] = "list:"};
    const char *kind = kinds[(int)numbers[0]];
    (void)parameter;
    snprintf(out, size, "%s", kind);
    write_numbers(numbers + 2, (int)numbers[1], out + strlen(kind), size - strlen(kind));
}

static void write_channels(const cs_augment_parameter *parameter, const float *numbers, char *out, size_t size) {
    (void)parameter;
    write_numbers(numbers, 3, out, size);
}

static void write_fill(const cs_augment_parameter *parameter, const float *numbers, char *out, size_t size) {
    if (numbers[0] == 0)
        write_channels(parameter, numbers + 1, out, size);
    else
        snprintf(out, size, "%s", parameter->choices[(int)numbers[0] - 1]);
}

static void write_bounds(const cs_augment_parameter *parameter, const float *numbers, char *out, size_t size) {
    (void)parameter;
    write_numbers(numbers + 1, (int)numbers[0], out, size);
}

typedef struct type_row {
    int width;
    const char *takes; /* a format of the parameter's min and max */
    void (*write)(const cs_augment_parameter *parameter, const float *numbers, char *out, size_t size);
} type_row;

static const type_row types[CS_AUGMENT_TYPE_COUNT] = {
    [CS_AUGMENT_BOOL] = {1, "true or false", write_bool},
    [CS_AUGMENT_NUMBER] = {1, "a number from %g to %g", write_number},
    [CS_AUGMENT_WHOLE] = {1, "a whole number from %g to %g", write_number},
    [CS_AUGMENT_CHOICE] = {1, "", write_choice},
    [CS_AUGMENT_RANGE] = {2, "[low, high], each from %g to %g", write_pair},
    [CS_AUGMENT_PAIR] = {2, "a number or two, from %g to %g", write_pair},
    [CS_AUGMENT_SIZE] = {2, "pixels, n or [height, width], from %g to %g", write_pair},
    [CS_AUGMENT_SYMMETRIC] = {2, "a number to either side, or [low, high], from %g to %g", write_pair},
    [CS_AUGMENT_FACTOR] = {2, "a number v for [1-v, 1+v], or [low, high], from %g to %g", write_pair},
    [CS_AUGMENT_ZOOM] = {2, "a number below 1, or [low, high] with low above 0", write_pair},
    [CS_AUGMENT_FILL] = {4, "a number or [r, g, b], from %g to %g", write_fill},
    [CS_AUGMENT_CHANNELS] = {3, "a number or [r, g, b], from %g to %g", write_channels},
    [CS_AUGMENT_SHIFT] = {8, "a number, or a list of numbers", write_shift},
    [CS_AUGMENT_BOUNDS] = {3, "a number or [low, high], from %g to %g", write_bounds},
};

int cs_augment_width(cs_augment_type type) {
    return types[type].width;
}

void cs_augment_takes(const cs_augment_parameter *parameter, char *out, size_t size) {
    const bool is_choice = parameter->type == CS_AUGMENT_CHOICE;
    snprintf(out, size, types[parameter->type].takes, (double)parameter->min, (double)parameter->max);
    size_t used = strlen(out);
    for (int i = 0; parameter->choices && parameter->choices[i] && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s",
                                 used == 0   ? ""
                                 : is_choice ? ", "
                                             : ", or ",
                                 parameter->choices[i]);
}

void cs_augment_write(const cs_augment_parameter *parameter, const float *numbers, char *out, size_t size) {
    types[parameter->type].write(parameter, numbers, out, size);
}
