# SPDX-License-Identifier: Apache-2.0
"""What the log of a start says about the launch: where ranks run, and which of its parts do not fit together; and training on
file systems without locks."""
import contextlib
import os
import re
import signal
import subprocess
import sys

from harness import (BIN, CLEAN, JOB, MPI, SCRATCH, make_data, path, read_trials, run, run_ok, run_tests, stopped_at,
                     without_clock, write_job)
from breakpoints import PATIENCE, epoch

TESTS = os.path.join(BIN, "../tests")
HOST_GPUS = {"CNNSWEEP_CUDA_PLUGIN": os.path.join(TESTS, "libcnnsweep_cuda_host.so")}
NODE = os.uname().nodename.split(".")[0]
# AddressSanitizer accepts a preloaded library only with this option.
WITHOUT_LOCKS = {"LD_PRELOAD": os.path.join(TESTS, "libcs_no_locks.so"),
                 "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}
NO_LOCKS = "the file system has no locks (No locks available)"

make_data(per_class=20)
write_job()


def start(*arguments, **how):
    """The log of a short sweep."""
    return run_ok("train", "job.yaml", "--force", "--set", "train.epochs=1", *arguments, **how).stderr.split("plan ")[0]


def test_the_map_of_the_ranks_is_logged_once():
    log = start(ranks=3)
    assert log.count(f"ranks    {NODE}: 0-2\n") == 1 and log.count("ranks    ") == 1, log
    assert "ranks    " not in start()


def test_ranks_and_gpus_that_do_not_match_are_warned_of():
    for gpus, warning in ((1, "2 ranks share 1 GPU of"), (2, None), (4, "2 ranks on 4 GPUs of the node, 2 idle")):
        log = start("--device", "cuda", ranks=2, env={**HOST_GPUS, "CNNSWEEP_HOST_GPUS": str(gpus)})
        assert f"ranks    {NODE}: 0-1 on {gpus} GPU" in log and log.count("GPU: the host\n") == 1, log
        assert (f"warn: {warning}" in log) if warning else ("GPUs of the node" not in log), log


def test_unused_gpus_of_slurm_are_warned_of():
    log = start("--device", "cpu", env={"SLURM_GPUS_ON_NODE": "2"})
    assert "warn: Slurm gave the node 2 GPUs, and the CPU computes" in log, log


def test_ranks_bound_to_a_core_with_many_threads_are_warned_of():
    bound = {"OMPI_MCA_hwloc_base_binding_policy": "core", "PRTE_MCA_hwloc_default_binding_policy": "core"}
    log = start("--set", "threads=2", ranks=1, env=bound)
    assert "warn: 2 threads a rank, which may run on 1 core: mpirun --bind-to none" in log, log


def test_threads_that_slurm_did_not_give_are_warned_of():
    (core, *_) = os.sched_getaffinity(0)
    done = subprocess.run([os.path.join(BIN, "cnnsweep"), "train", "job.yaml", "--force"], cwd=SCRATCH,
                          env={**CLEAN, "SLURM_CPUS_PER_TASK": "4"}, capture_output=True, text=True, check=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    assert "warn: SLURM_CPUS_PER_TASK is 4, but a rank may run on 1 core: " in done.stderr, done.stderr
    assert "warn: " not in start(env={"SLURM_CPUS_PER_TASK": "1"})


# The environment of a user's shell: mpirun chooses what to bind ranks to.
BINDING = {name: value for name, value in {**CLEAN, **MPI}.items() if "binding" not in name}
AUTO = ("train", "auto.yaml", "--force", "--device", "cpu", "--set", "train.epochs=1")
UNUSED = re.compile(r"warn: (\d+) of (\d+) cores of the node (?:is|are) used, to which mpirun binds the ranks?: "
                    r"mpirun --bind-to none, or srun --cpus-per-task=(\d+), gives all")


def under_mpirun(*command, options=("-n", "1"), env=(), around=()):
    """Output and log of a command that mpirun starts and binds."""
    done = subprocess.run([*around, "mpirun", *options, *command], cwd=SCRATCH, env={**BINDING, **dict(env)}, text=True,
                          capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def cores_of(*options):
    """The cores that mpirun's ranks may run on together, according to Python."""
    log = under_mpirun(sys.executable, "-c", "import os; print('cores', *os.sched_getaffinity(0), flush=True)", options=options)
    return {core for line in log.splitlines() if line.startswith("cores ") for core in line.split()[1:]}


def start_auto(**how):
    return under_mpirun(os.path.join(BIN, "cnnsweep"), *AUTO, **how)


def test_cores_that_mpirun_keeps_from_the_ranks_are_warned_of():
    write_job(JOB.replace("threads: 1\n", ""), "auto.yaml")
    there = len(os.sched_getaffinity(0))
    for ranks in (1, 2):
        used = len(cores_of("-n", str(ranks)))
        seen = UNUSED.findall(start_auto(options=("-n", str(ranks))))
        assert seen == ([(str(used), str(there), str(max(there // ranks, 1)))] if used < there else []), (seen, used, there)


def test_the_advised_option_gives_all_cores():
    there = len(os.sched_getaffinity(0))
    for ranks in (1, 2):
        log = start_auto(options=("--bind-to", "none", "-n", str(ranks)))
        each = max(there // ranks, 1)
        assert f"on {ranks} rank{'s' * (ranks > 1)} of {each} thread" in log and not UNUSED.search(log), log


def test_a_shell_between_mpirun_and_the_program_changes_nothing():
    log = under_mpirun("sh", "-c", f'{BIN}/cnnsweep "$@"; exit $?', "sh", *AUTO)
    assert bool(UNUSED.search(log)) == (len(cores_of("-n", "1")) < len(os.sched_getaffinity(0))), log


def test_few_cores_that_were_asked_for_are_not_warned_of():
    (core, *_) = os.sched_getaffinity(0)
    for how in ({"env": {"OMP_NUM_THREADS": "1"}}, {"env": {"SLURM_CPUS_PER_TASK": str(len(cores_of("-n", "1")))}},
                {"around": ("taskset", "-c", str(core))}):
        log = start_auto(**how)
        assert "warn: " not in log, (how, log)
    assert "warn: " not in under_mpirun(os.path.join(BIN, "cnnsweep"), *AUTO, "--set", "threads=1")
    done = subprocess.run(["taskset", "-c", str(core), os.path.join(BIN, "cnnsweep"), *AUTO], cwd=SCRATCH, env=CLEAN, text=True,
                          capture_output=True, check=True)
    assert "1 rank of 1 thread" in done.stderr and "warn: " not in done.stderr, done.stderr


@contextlib.contextmanager
def stopped_train(env):
    """A sweep that is stopped after its first epoch; `env` alone says how threads wait."""
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        CLEAN.pop(name, None)
    sweep = stopped_at(epoch(1), "train", "job.yaml", "--force", "--out", "waiting", env=env)
    try:
        yield sweep
    finally:
        sweep.signal(signal.SIGKILL)
        sweep.end()


def threads_of(*arguments, busy, **how):
    """(number of threads, log) of a run of the job while other programs use `busy` cores."""
    done = run_ok("train", "auto.yaml", *arguments, env={"CNNSWEEP_BUSY_CORES": str(busy)}, **how)
    return int(re.search(r"rank(?:s?) of (\d+) thread", done.stderr)[1]), done.stderr


def test_a_rank_takes_the_cores_that_other_programs_leave():
    there = len(os.sched_getaffinity(0))
    write_job(JOB.replace("threads: 1\n", ""), "auto.yaml")
    for busy in {0, there // 2, there - 1, there}:
        threads, log = threads_of("--force", "--out", "beside", busy=busy)
        assert threads == max(there - busy, 1), log
        assert ("other programs keep" in log) == (threads < there), log
        assert threads == there or f"keep {busy} of {there} cores busy; threads: {there} takes them all" in log, log


def test_a_resumed_sweep_keeps_its_number_of_threads():
    there = len(os.sched_getaffinity(0))
    write_job(JOB.replace("threads: 1\n", ""), "auto.yaml")
    for began, now in ((1, there), (there, 1)):
        threads_of("--force", "--out", "on", "--set", "train.epochs=1", busy=there - began)
        threads, log = threads_of("--resume", "--out", "on", "--set", "train.epochs=2", busy=there - now)
        assert threads == began and "goes on with" not in log, log
        assert threads == there or f"where {there} fit: as many as the sweep began with" in log, log
    log = threads_of("--resume", "--out", "on", "--set", f"threads={there + 1}", busy=0)[1]
    assert f"was begun with {there} thread" in log and f"goes on with {there + 1}: numbers differ" in log, log


def test_ranks_start_when_omp_num_threads_is_set_for_some():
    write_job(JOB.replace("threads: 1\n", ""), "auto.yaml")
    program = [os.path.join(BIN, "cnnsweep"), *AUTO]
    log = under_mpirun(*program, ":", "-n", "1", *program, options=("--bind-to", "none", "-n", "1", "-x", "OMP_NUM_THREADS=1"))
    assert "on 2 ranks" in log, log


def test_threads_wait_briefly_unless_the_environment_says_how():
    def started(**env):
        with stopped_train(env) as sweep:
            with open(f"/proc/{sweep.process.pid}/environ") as file:
                spins = [pair for pair in file.read().split("\0") if pair.startswith("GOMP_SPINCOUNT=")]
            with open(f"/proc/{sweep.process.pid}/comm") as file:
                return spins, file.read().strip()
    (spin,), name = started()
    assert name == "cnnsweep" and int(spin.split("=")[1]) > 0, (spin, name)
    assert started(GOMP_SPINCOUNT="7")[0] == ["GOMP_SPINCOUNT=7"]
    assert started(OMP_WAIT_POLICY="passive")[0] == []


def test_tasks_that_are_not_ranks_all_stop():
    """A launcher without MPI support starts N tasks that do not find each other: none of them may train."""
    command = [os.path.join(BIN, "cnnsweep"), "train", "job.yaml", "--out", "never"]
    for variables, why in ({"SLURM_NTASKS": "3"}, "SLURM_NTASKS is 3"), ({"PMI_SIZE": "3", "PMI_RANK": "1"}, "PMI_SIZE is 3"):
        programs = [subprocess.Popen(command, cwd=SCRATCH, env={**CLEAN, **MPI, **variables, "SLURM_PROCID": str(i)},
                                     stderr=subprocess.PIPE, text=True) for i in range(3)]
        for program in programs:
            errors = program.communicate(timeout=PATIENCE)[1]
            assert program.returncode == 1 and f"{why}, but there is 1 rank" in errors, errors
            assert "hint: start it with `srun --mpi=pmix`" in errors, errors
    assert not os.path.exists(path("never"))


def test_without_locks_data_is_packed_and_trained_on():
    run_ok("--shard-size", "64K", "drawn", "shards", program="cnnsweep-pack", env=WITHOUT_LOCKS)
    run_ok("train", "job.yaml", "--out", "locked")
    for ranks in (0, 2):
        done = run_ok("train", "job.yaml", "--set", "data.path=shards", "--out", f"lockless{ranks}", ranks=ranks, env=WITHOUT_LOCKS)
        assert done.stderr.count(NO_LOCKS) == 1 and "no second program" in done.stderr, done.stderr
        assert without_clock(read_trials(f"lockless{ranks}")) == without_clock(read_trials("locked"))


def test_hdf5_can_be_told_to_require_locks():
    """This also shows that the locks of WITHOUT_LOCKS do fail."""
    done = run("train", "job.yaml", "--out", "never", env={**WITHOUT_LOCKS, "HDF5_USE_FILE_LOCKING": "TRUE"})
    assert done.returncode == 1 and "data.h5: cannot open the file: unable to lock file" in done.stderr, done.stderr
    done = run("drawn", "never.h5", program="cnnsweep-pack", env={**WITHOUT_LOCKS, "HDF5_USE_FILE_LOCKING": "TRUE"})
    assert done.returncode == 1 and "unable to lock" in done.stderr, done.stderr


run_tests(globals())
