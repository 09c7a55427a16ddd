/* SPDX-License-Identifier: Apache-2.0 */
/* The trials that correct job files give. */
#include "test.h"

#include "job_text.h"

#include <stdio.h>
#include <string.h>

static cs_job *read(const char *text, const char *set) {
    cs_job *job = NULL;
    assert_ok(job_read_text(text, set, &job));
    return job;
}

static const char *describe(const cs_job *job, int trial) {
    static char text[256];
    cs_job_describe_trial(job, trial, text, sizeof text);
    return text;
}

static void test_a_job_without_a_sweep_is_one_trial(void **state) {
    (void)state;
    cs_job *job = read(JOB_BASE "train: {epochs: 3}\n", NULL);
    assert_int_equal(job->n_trials, 1);
    assert_int_equal(job->trials[0].train.epochs, 3);
    assert_string_equal(job->trials[0].augment_name, "none");
    assert_string_equal(job->trials[0].fine_tune, "all");
    assert_string_equal(describe(job, 0), "");
    assert_string_equal(job->run.device, "auto");
    assert_string_equal(job->table_value, "test_accuracy");
    cs_job_free(job);
}

static void test_with_features_only_the_head_trains(void **state) {
    (void)state;
    cs_job *job = read(JOB_BASE "train: {mode: features}\nsweep: {parameters: {lr: [0.1, 0.2]}}\n", NULL);
    for (int t = 0; t < 2; t++) {
        assert_int_equal(job->trials[t].train.mode, CS_TRAIN_FEATURES);
        assert_string_equal(job->trials[t].fine_tune, "head");
    }
    cs_job_free(job);
    job = read(JOB_BASE "train: {mode: features, fine_tune: head, augment: none}\n", "data.features=some/where");
    assert_string_equal(job->trials[0].fine_tune, "head");
    assert_string_equal(job->trials[0].data.features, "some/where");
    cs_job_free(job);
}

static void test_the_grid_has_every_combination_once_last_option_fastest(void **state) {
    (void)state;
    cs_job *job =
        read(JOB_BASE "sweep: {parameters: {fine_tune: [2, head], lr: [1e-2, 0.5], batch: [1, 2, 3]}}\n", NULL);
    assert_int_equal(job->n_trials, 12);
    static const char *const fine_tune[] = {"2", "head"};
    static const double lr[] = {1e-2, 0.5};
    int t = 0;
    for (int f = 0; f < 2; f++)
        for (int l = 0; l < 2; l++)
            for (int b = 1; b <= 3; b++, t++) {
                assert_string_equal(job->trials[t].fine_tune, fine_tune[f]);
                assert_true(job->trials[t].train.optimizer.lr == lr[l]);
                assert_int_equal(job->trials[t].train.batch, b);
            }
    assert_string_equal(describe(job, 7), "fine_tune=head lr=0.01 batch=2");
    cs_job_free(job);
}

static void test_an_augmentation_is_found_by_its_name(void **state) {
    (void)state;
    cs_job *job =
        read(JOB_BASE
             "sweep: {parameters: {augment: [both, none]}}\n"
             "augmentations: {both: {vertical_flip: true, horizontal_flip: false, brightness_range: [0.5, 0.75]}}\n",
             NULL);
    char text[CS_AUGMENT_TEXT];
    cs_augment_text(&job->trials[0].augment, text, sizeof text);
    assert_string_equal(text, "brightness_range=0.5:0.75 vertical_flip=true");
    assert_true(cs_augment_is_off(&job->trials[1].augment));
    cs_job_free(job);
}

/* Of each type of parameter, in each of its forms. */
static void test_val_images_are_never_mixed(void **state) {
    (void)state;
    static const char *const sets[] = {"data.val_augment=true", "data.val_augment=a"};
    for (int i = 0; i < 2; i++) {
        cs_job *job = read(JOB_BASE "train: {augment: a}\n"
                                    "augmentations: {a: [{mixup: 0.3}, random_invert, cutmix]}\n",
                           sets[i]);
        char text[CS_AUGMENT_TEXT];
        cs_augment_text(&job->trials[0].augment, text, sizeof text);
        assert_string_equal(text, "[mixup(alpha=0.3) random_invert cutmix]");
        cs_augment_text(&job->trials[0].val_augment, text, sizeof text);
        assert_string_equal(text, "[random_invert]");
        cs_job_free(job);
    }
}

static void test_the_parameters_of_an_augmentation_arrive(void **state) {
    (void)state;
    static const struct {
        const char *given, *text;
    } rows[] = {
        {"{rotation_range: 5}", "rotation_range=5"},
        {"{rotation_range: 0}", ""},
        {"{zoom_range: 0.25}", "zoom_range=0.75:1.25"},
        {"{zoom_range: [0.5, 1.5]}", "zoom_range=0.5:1.5"},
        {"{zoom_range: 0}", ""},
        {"{width_shift_range: 0.25}", "width_shift_range=0.25"},
        {"{width_shift_range: 3}", "width_shift_range=whole:3"},
        {"{width_shift_range: 3.0}", "width_shift_range=3"},
        {"{height_shift_range: [-2, 4]}", "height_shift_range=list:-2:4"},
        {"{height_shift_range: 0}", ""},
        {"{fill_mode: reflect}", "fill_mode=reflect"},
        {"{fill_mode: nearest}", ""},
        {"{fill_mode: constant, cval: 7}", "cval=7 fill_mode=constant"},
        {"{interpolation_order: 0}", "interpolation_order=0"},
        {"{interpolation_order: 1}", ""},
        {"{era: keras2.8}", "era=keras2.8"},
        {"{brightness_range: [0.6, 0.6]}", "brightness_range=0.6:0.6"},
        {"[]", ""},
        {"[random_horizontal_flip]", "[random_horizontal_flip]"},
        {"[{random_horizontal_flip: ~}, {random_vertical_flip: {p: 0.5}}]",
         "[random_horizontal_flip random_vertical_flip]"},
        {"[{random_vertical_flip: {p: 0.25}}, random_horizontal_flip]",
         "[random_vertical_flip(p=0.25) random_horizontal_flip]"},
        {"[{random_rotation: 15}]", "[random_rotation(degrees=-15:15)]"},
        {"[{keras.random_shear: {x_factor: 0.5, y_factor: [0.25, 0.5]}}]",
         "[keras.random_shear(x_factor=0.5 y_factor=0.25:0.5)]"},
        {"[keras.random_perspective, {keras.random_perspective: {factor: 1}}]",
         "[keras.random_perspective keras.random_perspective]"},
        {"[{random_rotation: [-5, 20]}]", "[random_rotation(degrees=-5:2e+01)]"},
        {"[{random_rotation: {degrees: 1, interpolation: bilinear, fill: 3, p: 0.5}}]",
         "[random_rotation(degrees=-1:1 interpolation=bilinear fill=3 p=0.5)]"},
        {"[{normalize: {mean: [0.485, 0.456, 0.406], std: [0.25, 0.5, 1]}}]", "[normalize(std=0.25:0.5:1)]"},
        {"[{normalize: 0.5}, {mixup: 0.3}]", "[normalize(mean=0.5:0.5:0.5) mixup(alpha=0.3)]"},
        {"[{color_jitter: 0.25}]", "[color_jitter(brightness=0.75:1.25)]"},
        {"[{color_jitter: {contrast: 2, hue: 0.5}}]", "[color_jitter(contrast=0:3 hue=-0.5:0.5)]"},
        {"[{random_affine: {degrees: 0, translate: 0.5, scale: [0.5, 2]}}]",
         "[random_affine(translate=0.5:0.5 scale=0.5:2)]"},
        {"[{one_of: [random_invert, {random_solarize: 9}]}, random_invert]",
         "[one_of[random_invert random_solarize(threshold=9)] random_invert]"},
        {"[{some_of: {n: 2, p: 0.5, steps: [random_invert, {sequential: [random_grayscale, random_invert]}]}}]",
         "[some_of(n=2 p=0.5)[random_invert sequential[random_grayscale random_invert]]]"},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        char job_text[512], text[CS_AUGMENT_TEXT];
        snprintf(job_text, sizeof job_text, JOB_BASE "train: {augment: a}\naugmentations: {a: %s}\n", rows[r].given);
        cs_job *job = read(job_text, NULL);
        cs_augment_text(&job->trials[0].augment, text, sizeof text);
        assert_string_equal(text, rows[r].text);
        cs_job_free(job);
    }
}

static void test_lr_defaults_to_that_of_the_optimizer(void **state) {
    (void)state;
    cs_job *job = read(JOB_BASE "sweep: {parameters: {optimizer: [sgd, adam]}}\n", NULL);
    assert_true(job->trials[0].train.optimizer.lr == 0.01);
    assert_true(job->trials[1].train.optimizer.lr == 0.001);
    cs_job_free(job);
}

static void test_set_replaces_adds_and_takes_lists(void **state) {
    (void)state;
    const char *sets[] = {"train.epochs=7",
                          "lr=0.25",
                          "sweep.parameters.batch=[4, 8]",
                          "data.image=[50, 40]",
                          "augmentations.flip={horizontal_flip: true}",
                          "train.augment=flip",
                          "threads=3",
                          "name=other"};
    cs_job *job = NULL;
    assert_ok(cs_job_read(job_file(JOB_BASE "train: {epochs: 3}\n"), sets, sizeof sets / sizeof *sets, &job));
    assert_int_equal(job->n_trials, 2);
    const cs_trial_config *trial = &job->trials[1];
    assert_int_equal(trial->train.epochs, 7);
    assert_true(trial->train.optimizer.lr == 0.25);
    assert_int_equal(trial->train.batch, 8);
    assert_int_equal(trial->data.image[0], 50);
    assert_int_equal(trial->data.image[1], 40);
    char text[CS_AUGMENT_TEXT];
    cs_augment_text(&trial->augment, text, sizeof text);
    assert_string_equal(text, "horizontal_flip=true");
    assert_int_equal(job->run.threads, 3);
    assert_string_equal(job->name, "other");
    cs_job_free(job);
}

static void test_the_table_takes_the_first_swept_options_by_default(void **state) {
    (void)state;
    cs_job *job = read(JOB_BASE "sweep: {parameters: {lr: [1, 2], batch: [1, 2], seed: [1, 2]}}\n", NULL);
    assert_string_equal(job->table_rows, "train.lr");
    assert_string_equal(job->table_columns, "train.batch");
    cs_job_free(job);
    job =
        read(JOB_BASE "sweep: {parameters: {lr: [1, 2], batch: [1, 2]}}\ntable: {columns: lr, value: seconds}\n", NULL);
    assert_string_equal(job->table_rows, "train.batch");
    assert_string_equal(job->table_columns, "train.lr");
    assert_string_equal(job->table_value, "seconds");
    cs_job_free(job);
}

static void test_the_goal_follows_the_metric_by_default(void **state) {
    (void)state;
    cs_job *job = read(JOB_BASE "sweep: {metric: {name: val_loss}, parameters: {lr: [1]}}\n", NULL);
    assert_false(job->maximize);
    assert_string_equal(job->table_value, "val_loss");
    cs_job_free(job);
    job = read(JOB_BASE "sweep: {metric: {goal: maximize, name: val_loss}, parameters: {lr: [1]}}\n", NULL);
    assert_true(job->maximize);
    cs_job_free(job);
}

static void test_options_of_the_job_have_defaults_and_keys(void **state) {
    (void)state;
    cs_job *job = read(JOB_BASE, NULL);
    assert_int_equal(job->run.threads, 0);
    assert_int_equal(job->run.ranks_per_trial, 1);
    assert_true(job->run.group);
    assert_int_equal(job->run.cache.mode, CS_CACHE_AUTO);
    assert_true(job->run.checkpoint_seconds == 10);
    assert_int_equal(job->run.keep_weights, 0);
    cs_job_free(job);
    job = read(JOB_BASE "threads: 2\ndevice: ref\nranks_per_trial: 4\ngroup: false\ncache: 512M\n"
                        "checkpoint_seconds: 0.5\nkeep_weights: 3\n",
               "train.save_weights=h5");
    assert_int_equal(job->run.threads, 2);
    assert_string_equal(job->run.device, "ref");
    assert_int_equal(job->run.ranks_per_trial, 4);
    assert_false(job->run.group);
    assert_int_equal(job->run.cache.mode, CS_CACHE_SIZE);
    assert_true(job->run.cache.bytes == (size_t)512 << 20);
    assert_true(job->run.checkpoint_seconds == 0.5);
    assert_int_equal(job->run.keep_weights, 3);
    cs_job_free(job);
}

static void test_a_cache_is_auto_off_or_a_size(void **state) {
    (void)state;
    static const struct {
        const char *set;
        cs_cache_mode mode;
        size_t bytes;
    } cases[] = {{"cache=auto", CS_CACHE_AUTO, 0},       {"cache=off", CS_CACHE_OFF, 0},
                 {"cache=2G", CS_CACHE_SIZE, 2UL << 30}, {"cache=1.5G", CS_CACHE_SIZE, 3UL << 29},
                 {"cache=123", CS_CACHE_SIZE, 123},      {"cache=64K", CS_CACHE_SIZE, 64UL << 10}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cs_job *job = read(JOB_BASE "cache: 7M\n", cases[i].set);
        assert_int_equal(job->run.cache.mode, cases[i].mode);
        assert_true(job->run.cache.bytes == cases[i].bytes);
        cs_job_free(job);
    }
}

static void test_a_trial_is_named_by_its_number(void **state) {
    (void)state;
    char name[32];
    cs_job *job = read(JOB_BASE, NULL);
    cs_job_trial_name(job, 0, name, sizeof name);
    assert_string_equal(name, "t000");
    job->numbers[0] = 20000;
    cs_job_trial_name(job, 0, name, sizeof name);
    assert_string_equal(name, "t20000");
    cs_job_free(job);
}

static void test_the_default_name_is_that_of_the_file(void **state) {
    (void)state;
    cs_job *job = read("data: {path: d}\nmodel: {arch: basenet, head: [flatten, dense]}\n", NULL);
    assert_string_equal(job->name, "job");
    assert_string_equal(job->base.model.head, "flatten,dense");
    cs_job_free(job);
}

static void test_layers_of_a_head_may_have_settings(void **state) {
    (void)state;
    cs_job *job = read("data: {path: d}\n"
                       "model: {arch: basenet, head: [gap, {dropout: 0.5}, {dense: 400, activation: relu}, dense]}\n",
                       NULL);
    assert_string_equal(job->base.model.head, "gap,dropout:0.5,dense:400:relu,dense");
    cs_job_free(job);
    job = read("data: {path: d}\nmodel: {arch: basenet, head: [gap, {activation: relu, dense: 400}, dense]}\n", NULL);
    assert_string_equal(job->base.model.head, "gap,dense:400:relu,dense");
    cs_job_free(job);
}

static void test_heads_dropout_and_l2_can_be_swept(void **state) {
    (void)state;
    cs_job *job = read("data: {path: d}\nmodel: {arch: basenet}\nsweep:\n  parameters:\n"
                       "    head: [[gap, dropout, dense], [gap, dropout, {dense: 8}, dense]]\n"
                       "    dropout: [0.25, 0.5]\n    l2: [0, 1e-4]\n",
                       NULL);
    assert_int_equal(job->n_trials, 8);
    assert_string_equal(job->trials[7].model.head, "gap,dropout,dense:8,dense");
    assert_true(job->trials[7].model.dropout == 0.5f);
    assert_true(job->trials[7].model.l2 == 1e-4f);
    assert_true(job->trials[0].model.dropout == 0.25f);
    cs_job_free(job);
}

static void test_one_rate_of_dropout_goes_with_heads_without_one(void **state) {
    (void)state;
    cs_job *job = read("data: {path: d}\nmodel: {arch: basenet, dropout: 0.3}\n"
                       "sweep: {parameters: {head: [[gap, dense], [gap, dropout, dense]]}}\n",
                       NULL);
    assert_int_equal(job->n_trials, 2);
    assert_string_equal(job->trials[0].model.head, "gap,dense");
    assert_true(job->trials[1].model.dropout == 0.3f);
    cs_job_free(job);
}

static void test_filters_are_names_maps_and_lists_of_them(void **state) {
    (void)state;
    static const char *const want[] = {"none", "median", "unsharp:amount=1.5", "median:size=5,gaussian,gray_world"};
    cs_job *job = read(JOB_BASE "sweep:\n  parameters:\n    data.filter:\n      - none\n      - median\n"
                                "      - unsharp: {amount: 1.50}\n"
                                "      - [{median: 5}, gaussian, {gray_world: {}}]\n",
                       NULL);
    assert_int_equal(job->n_trials, 4);
    for (int t = 0; t < 4; t++) {
        assert_string_equal(cs_filter_text(&job->trials[t].data.filter), want[t]);
        assert_string_equal(describe(job, t) + strlen("filter="), want[t]);
    }
    cs_job_free(job);
    job = read(JOB_BASE, "data.filter=[median, {unsharp: {sigma: 3, amount: 2}}]");
    assert_string_equal(cs_filter_text(&job->trials[0].data.filter), "median,unsharp:amount=2:sigma=3");
    cs_job_free(job);
}

static void test_trials_share_a_group_if_their_filters_are_the_same(void **state) {
    (void)state;
    cs_job *job =
        read(JOB_BASE "sweep: {parameters: {lr: [0.1, 0.2], filter: [none, median, {median: {size: 5}}]}}\n", NULL);
    for (int a = 0; a < job->n_trials; a++)
        for (int b = 0; b < job->n_trials; b++) {
            bool same = strcmp(job->trials[a].data.filter.text, job->trials[b].data.filter.text) == 0;
            assert_int_equal(cs_trials_can_share(&job->trials[a], &job->trials[b]), same);
            assert_int_equal(cs_trial_share_key(&job->trials[a]) == cs_trial_share_key(&job->trials[b]), same);
            assert_int_equal(cs_trial_key(&job->trials[a]) == cs_trial_key(&job->trials[b]), a == b);
        }
    cs_job_free(job);
}

static void test_fine_tune_takes_blocks_as_a_map(void **state) {
    (void)state;
    cs_job *job = read(JOB_BASE "sweep: {parameters: {fine_tune: [head, {blocks: 2}, 3]}}\n", NULL);
    assert_string_equal(job->trials[1].fine_tune, "blocks:2");
    cs_job_free(job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_job_without_a_sweep_is_one_trial),
        cmocka_unit_test(test_with_features_only_the_head_trains),
        cmocka_unit_test(test_the_grid_has_every_combination_once_last_option_fastest),
        cmocka_unit_test(test_an_augmentation_is_found_by_its_name),
        cmocka_unit_test(test_val_images_are_never_mixed),
        cmocka_unit_test(test_the_parameters_of_an_augmentation_arrive),
        cmocka_unit_test(test_lr_defaults_to_that_of_the_optimizer),
        cmocka_unit_test(test_set_replaces_adds_and_takes_lists),
        cmocka_unit_test(test_the_table_takes_the_first_swept_options_by_default),
        cmocka_unit_test(test_the_goal_follows_the_metric_by_default),
        cmocka_unit_test(test_options_of_the_job_have_defaults_and_keys),
        cmocka_unit_test(test_a_cache_is_auto_off_or_a_size),
        cmocka_unit_test(test_a_trial_is_named_by_its_number),
        cmocka_unit_test(test_the_default_name_is_that_of_the_file),
        cmocka_unit_test(test_layers_of_a_head_may_have_settings),
        cmocka_unit_test(test_heads_dropout_and_l2_can_be_swept),
        cmocka_unit_test(test_one_rate_of_dropout_goes_with_heads_without_one),
        cmocka_unit_test(test_filters_are_names_maps_and_lists_of_them),
        cmocka_unit_test(test_trials_share_a_group_if_their_filters_are_the_same),
        cmocka_unit_test(test_fine_tune_takes_blocks_as_a_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
