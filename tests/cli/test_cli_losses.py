# SPDX-License-Identifier: Apache-2.0
"""Losses in jobs: class weights are written as maps, lists and words, and are swept; what does not fit is refused before anything
is trained."""
import os

from harness import JOB, make_data, path, read_trials, run, run_ok, run_tests, write_job

make_data(per_class=12)
CLASSES = sorted(os.listdir(path("drawn/train")))
ONE = JOB[:JOB.index("sweep:")]


def job(options):
    return write_job(ONE.replace("seed: 3", f"seed: 3, {options}"), "one.yaml")


def loss_of(*arguments, options="shuffle: true"):
    run_ok("train", job(options), "--out", "out", "--force", *arguments)
    return read_trials("out")[0]["loss"]


def test_a_map_a_list_and_a_text_that_say_the_same_give_the_same():
    weighted = loss_of(options="class_weight: [2, 1, 0.5]")
    assert weighted != loss_of()
    assert weighted == loss_of(options="class_weight: {0: 2, 2: 0.5}")
    assert weighted == loss_of(options=f"class_weight: {{{CLASSES[2]}: 0.5, {CLASSES[0]}: 2}}")
    assert weighted == loss_of("--set", f"train.class_weight={CLASSES[0]}:2,2:0.5")


def test_class_weights_are_swept_and_a_finished_sweep_is_resumed():
    write_job(ONE + f"""sweep:
  parameters:
    class_weight: [none, balanced, {{{CLASSES[1]}: 5}}, [1, 2, 3]]
    label_smoothing: [0, 0.1]
""", "swept.yaml")
    run_ok("train", "swept.yaml", "--out", "swept")
    trials = read_trials("swept")
    assert [trial["class_weight"] for trial in trials[::2]] == ["none", "balanced", f"{CLASSES[1]}:5", "1,2,3"], trials
    # All classes are equally frequent.
    assert [trial["loss"] for trial in trials[:2]] == [trial["loss"] for trial in trials[2:4]]
    assert len({trial["loss"] for trial in trials[2:]}) == 6
    run_ok("train", "swept.yaml", "--out", "swept", "--resume")
    assert read_trials("swept") == trials


def test_the_loss_and_its_settings_are_swept():
    write_job(ONE + """sweep:
  parameters:
    train.loss: [focal]
    focal_gamma: [0, 1, 2]
""", "focal.yaml")
    run_ok("train", "focal.yaml", "--out", "focal")
    losses = [float(trial["loss"]) for trial in read_trials("focal")]
    assert losses[0] > losses[1] > losses[2] > 0, losses
    assert abs(losses[0] - float(loss_of()) / 4) < 0.05 * losses[0], losses


REFUSED = [
    (f"class_weight: {{{CLASSES[1]}x: 5}}", f"has no class '{CLASSES[1]}x'; did you mean '{CLASSES[1]}'?", "it has 3 classes"),
    ("class_weight: {3: 5}", "has no class '3'", "from 0"),
    ("class_weight: [1, 2]", "train.class_weight has 2 weights, but data.h5 has 3 classes", "a map such as"),
    ("class_weight: {0: [1, 2]}", "train.class_weight: 0 takes a single value", ""),
    ("class_weight: {0: -1}", "train.class_weight is '0:-1'", "a weight is 0 to 1e6"),
    ("class_weight: {0: many}", "train.class_weight is '0:many'", "such as {melanoma: 5"),
    ("class_weight: balance", "train.class_weight is 'balance'", "none, balanced"),
    ("class_weight: [0, 0, 0]", "no class has a weight above 0", ""),
    ("class_weights: balanced", "did you mean 'class_weight'?", ""),
    ("loss: fokal", "did you mean 'focal'?", ""),
    ("focal_gamma: 3", "train.focal_gamma is set, but train.loss is not focal", "set train.loss: focal"),
    ("loss: focal, focal_gamma: -1", "train.focal_gamma is -1, outside 0 to", ""),
    ("loss: focal, focal_alpha: 0", "train.focal_alpha is 0, outside", ""),
    ("label_smoothing: 1", "train.label_smoothing is 1, outside 0 to", ""),
]


def test_settings_that_do_not_fit_are_refused():
    for options, message, hint in REFUSED:
        done = run("train", job(options), "--out", "refused")
        assert done.returncode != 0 and message in done.stderr and hint in done.stderr, (options, done.stderr)
        assert not os.path.exists(path("refused/journal.jsonl")), options


run_tests(globals())
