/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the learning-rate schedule, and of the averaging of weights at its end. */
#include "cnnsweep/schedule.h"
#include "option_families.h"

#include <string.h>

static cs_status parse_plateau_monitor(const cs_option *option, const char *text, void *field) {
    if (strcmp(text, option->fallback) != 0)
        return cs_option_parse_monitor(option, text, field);
    snprintf(field, option->size, "%s", text);
    return CS_OK;
}

static const char *interval_name(int value) {
    static const char *const names[] = {"auto", "epoch", "step", NULL};
    return names[value];
}

static const char *choice_name(int value) {
    static const char *const names[] = {"auto", "true", "false", NULL};
    return names[value];
}

static const char *anneal_name(int value) {
    static const char *const names[] = {"cos", "linear", NULL};
    return names[value];
}

static const char *threshold_mode_name(int value) {
    static const char *const names[] = {"auto", "abs", "rel", NULL};
    return names[value];
}

static cs_status check_milestones(const void *config) {
    return cs_schedule_check_list("train.milestones", ((const cs_trial_config *)config)->train.schedule.milestones,
                                  true);
}

static cs_status check_boundaries(const void *config) {
    return cs_schedule_check_list("train.boundaries", ((const cs_trial_config *)config)->train.schedule.boundaries,
                                  true);
}

static cs_status check_values(const void *config) {
    return cs_schedule_check_list("train.values", ((const cs_trial_config *)config)->train.schedule.values, false);
}

static const cs_option rows[] = {
    {TRAINING("schedule", ENUM, schedule.kind), .choice = cs_schedule_name, .fallback = "constant",
     .doc = "how the learning rate changes from update to update"},
    {TRAINING("schedule_interval", ENUM, schedule.interval), .choice = interval_name, .fallback = "auto",
     .doc = "when the rate of the schedule changes: once an epoch, or step: with every update. auto: step for Keras, "
            "one_cycle and cyclic, else epoch"},
    {TRAINING("decay_epochs", FLOAT, schedule.decay_epochs), .min = 1e-6, .max = 1e6, .fallback = "auto",
     .doc = "length of the decay or cycle, in epochs: torch's step_size, T_max, T_0, total_iters. auto: one epoch for "
            "exponential and inverse_time, else all after the warm-up"},
    {TRAINING("decay_steps", INT, schedule.decay_steps), .min = 1, .max = 1e12, .fallback = "auto",
     .doc = "the same in updates: Keras' decay_steps, first_decay_steps"},
    {TRAINING("decay_rate", FLOAT, schedule.decay_rate), .min = 1e-6, .max = 1e6, .fallback = "auto",
     .doc = "step, multistep, exponential, inverse_time, plateau, cyclic: Keras' decay_rate and factor, torch's gamma. "
            "auto: 0.1 for step, multistep and plateau"},
    {TRAINING("staircase", BOOL, schedule.staircase), .fallback = "false",
     .doc = "exponential, inverse_time: decay once in every decay_epochs or decay_steps"},
    {TRAINING("milestones", LIST, schedule.milestones), .fallback = "", .check = check_milestones,
     .doc = "multistep, piecewise: epochs at whose beginning the rate changes, such as [30, 60]"},
    {TRAINING("boundaries", LIST, schedule.boundaries), .fallback = "", .check = check_boundaries,
     .doc = "the same in updates, after which the rate changes: Keras' boundaries"},
    {TRAINING("values", LIST, schedule.values), .fallback = "", .check = check_values,
     .doc = "piecewise: the rate before the first milestone and after each, in place of lr"},
    {TRAINING("min_lr", FLOAT, schedule.min_lr), .max = 1e38, .fallback = "0",
     .doc = "cosine, restarts, polynomial, cyclic, plateau: the lowest rate. Keras' alpha times lr, end_learning_rate; "
            "torch's eta_min, base_lr"},
    {TRAINING("power", FLOAT, schedule.power), .min = 1e-6, .max = 1e6, .fallback = "1",
     .doc = "polynomial: the power"},
    {TRAINING("cycle", ENUM, schedule.cycle), .choice = choice_name, .fallback = "auto",
     .doc = "polynomial: begin again after the decay, as Keras' cycle; cosine: go up again. auto: only torch's cosine"},
    {TRAINING("k_decay", FLOAT, schedule.k_decay), .min = 1e-3, .max = 1e3, .fallback = "1",
     .doc = "cosine: power of the time, as timm's k_decay"},
    {TRAINING("t_mul", FLOAT, schedule.t_mul), .min = 1, .max = 1e6, .fallback = "auto",
     .doc = "restarts: factor of each cycle's length. auto: 2 for Keras, 1 for torch (T_mult)"},
    {TRAINING("m_mul", FLOAT, schedule.m_mul), .min = 1e-6, .max = 1e6, .fallback = "1",
     .doc = "restarts, cyclic: factor of each cycle's height; 0.5 is torch's triangular2"},
    {TRAINING("start_factor", FLOAT, schedule.start_factor), .max = 1e6, .fallback = "0.3333333333333333",
     .doc = "linear: the first rate over lr"},
    {TRAINING("end_factor", FLOAT, schedule.end_factor), .max = 1e6, .fallback = "1",
     .doc = "linear: the last rate over lr"},
    {TRAINING("pct_start", FLOAT, schedule.pct_start), .min = 1e-6, .max = 1, .fallback = "auto",
     .doc = "one_cycle, cyclic: the part of a cycle in which the rate rises. auto: 0.3 and 0.5"},
    {TRAINING("div_factor", FLOAT, schedule.div_factor), .min = 1e-6, .max = 1e38, .fallback = "25",
     .doc = "one_cycle: lr over the first rate"},
    {TRAINING("final_div_factor", FLOAT, schedule.final_div_factor), .min = 1e-6, .max = 1e38, .fallback = "1e+04",
     .doc = "one_cycle: the first rate over the last"},
    {TRAINING("anneal", ENUM, schedule.anneal), .choice = anneal_name, .fallback = "cos",
     .doc = "one_cycle: torch's anneal_strategy"},
    {TRAINING("cycle_momentum", BOOL, schedule.cycle_momentum), .fallback = "true",
     .doc = "one_cycle, cyclic: change momentum (adam: beta_1) against the rate, from max_momentum to base_momentum"},
    {TRAINING("base_momentum", FLOAT, schedule.base_momentum), .min = 1e-6, .max = 0.999999, .fallback = "auto",
     .doc = "one_cycle, cyclic: momentum at the highest rate. auto: 0.85 and 0.8"},
    {TRAINING("max_momentum", FLOAT, schedule.max_momentum), .min = 1e-6, .max = 0.999999, .fallback = "auto",
     .doc = "one_cycle, cyclic: momentum at the lowest rate. auto: 0.95 and 0.9"},
    {TRAINING("warmup_epochs", FLOAT, schedule.warmup_epochs), .max = 1e6, .fallback = "0",
     .doc = "epochs before the schedule in which the rate rises from warmup_lr to lr"},
    {TRAINING("warmup_steps", INT, schedule.warmup_steps), .max = 1e12, .fallback = "0",
     .doc = "the same in updates; the rate then rises with every update"},
    {TRAINING("warmup_lr", FLOAT, schedule.warmup_lr), .max = 1e38, .fallback = "0",
     .doc = "the rate at the beginning of the warm-up"},
    {TRAINING("warmup_prefix", BOOL, schedule.warmup_prefix), .fallback = "true",
     .doc = "the schedule begins after the warm-up; false: with training, as in timm"},
    {TRAINING("plateau_monitor", OTHER, schedule.plateau_monitor), .parse = parse_plateau_monitor, .fallback = "auto",
     .takes = "auto, or a metric: NAME, val_NAME", .doc = "plateau: metric that must improve; auto: train.monitor"},
    {TRAINING("plateau_patience", INT, schedule.plateau_patience), .max = 1e6, .fallback = "10",
     .doc = "plateau: epochs without improvement before the rate is reduced; torch waits for one more than Keras"},
    {TRAINING("threshold", FLOAT, schedule.threshold), .max = 1e38, .fallback = "0.0001",
     .doc = "plateau: smallest change that counts as improvement; Keras' min_delta"},
    {TRAINING("threshold_mode", ENUM, schedule.threshold_mode), .choice = threshold_mode_name, .fallback = "auto",
     .doc = "plateau: is the threshold absolute or relative to the best value? auto: abs for Keras, rel for torch"},
    {TRAINING("cooldown", INT, schedule.cooldown), .max = 1e6, .fallback = "0",
     .doc = "plateau: epochs after a reduction that do not count"},
    {TRAINING("swa_start", INT, swa.start), .min = 1, .max = 1e6, .fallback = "none",
     .doc = "stochastic weight averaging: the mean of the weights at the end of this epoch, from 0, and of all later "
            "ones is tested"},
    {TRAINING("swa_lr", FLOAT, swa.lr), .min = 1e-12, .max = 1e38, .fallback = "auto",
     .doc = "the rate to which that of the schedule changes from epoch swa_start on, as torch's SWALR; auto: the "
            "schedule goes on"},
    {TRAINING("swa_anneal_epochs", INT, swa.anneal_epochs), .max = 1e6, .fallback = "10",
     .doc = "swa_lr: epochs until that rate is reached"},
    {TRAINING("swa_anneal", ENUM, swa.anneal), .choice = anneal_name, .fallback = "cos",
     .doc = "swa_lr: how it is reached, torch's anneal_strategy"},
};

const cs_option_family cs_schedule_options = {rows, sizeof rows / sizeof *rows};
