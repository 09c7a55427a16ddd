#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs everything that needs a GPU: the engine's tests, training runs, compute-sanitizer, benchmarks.
#
#   tests/gpu.sh [--build DIR] [--out DIR] [--quick] [STEP|GROUP...]
#     --build   a build of this source; default: build, or the bundle that has this script (tests/gpu_bundle.sh)
#     --out     where the report and the logs go; default: $OUT, else results/gpu
#     --quick   each check takes a few seconds, to test this script; CNNSWEEP_CUDA_PLUGIN may name the plug-in that runs
#               on the host. The benchmarks are then tiny and mean nothing.
#     STEP      a step of the list that --list prints, or a group of steps: checks, bench. Default: all, about 20 minutes.
#
# The machine needs CUDA's, cuDNN's and NCCL's libraries (a toolkit's, or pip's packages), Python 3 with numpy, and for the
# comparisons PyTorch and h5py. A failing step does not stop the others; each has a time limit. The report is a table of
# the steps that passed, failed, or were not run and why. The exit status is 1 when a check failed.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build out=${OUT:-} quick='' list='' wanted=()
[ -f "$root/../env.sh" ] && build=$(cd "$root/.." && pwd)
while [ $# -gt 0 ]; do
    case $1 in
    --build) build=$(cd "$2" && pwd) || exit 2; shift ;;
    --out) out=$2; shift ;;
    --quick) quick=1 ;;
    --list) list=1 ;;
    -*) sed -n '2,/^set /{/^set /!p}' "$0"; exit 2 ;;
    *) wanted+=("$1") ;;
    esac
    shift
done
python=${PYTHON:-python3}

# ---- Steps: name, group, limit in seconds, command. A limit is several times the expected time.

steps=()
declare -A group_of=() limit_of=() command_of=()
step() { # NAME GROUP LIMIT COMMAND...
    local name=$1
    steps+=("$name")
    group_of[$name]=$2 limit_of[$name]=$3
    shift 3
    printf -v "command_of[$name]" '%q ' "$@"
}

# The engine's tests, which take any engine, run on the GPU. In low precision only those run that have tolerances for it.
engine_test() { # PROGRAM LIMIT [PRECISION [FILTER of --quick]]
    local precision=${3:-fp32} only=()
    [ -z "$quick" ] || only=("CNNSWEEP_TEST_ONLY=${4:-*}")
    step "$1-$precision" checks "$2" env "${only[@]}" CNNSWEEP_TEST_PRECISION="$precision" "$build/tests/$1"
}
for precision in fp32 tf32 bf16 fp16; do
    engine_test test_engine_parity 150 "$precision" 'conv_*'
done
for precision in fp32 tf32 bf16 fp16; do
    engine_test test_engine_networks 120 "$precision" cnn4
done
for precision in fp32 bf16 fp16; do
    engine_test test_engine_gradients 150 "$precision" 'conv_*'
done
engine_test test_engine_dropout 30 fp32
engine_test test_engine_loss 30 fp32
engine_test test_engine_faults 30 fp32
engine_test test_engine_rows 120 fp32 basenet
engine_test test_engine_rows 120 bf16 basenet
engine_test test_engine_ranks 90 fp32 'conv_*'
engine_test test_engine_stores 30 fp32
engine_test test_engine_stores 30 bf16
engine_test test_feed 60 fp32
engine_test test_feed 60 bf16
engine_test test_torch_forward 60 fp32
engine_test test_keras_forward 60 fp32
engine_test test_torch_step 60 fp32

trainer=(test_group test_cache test_checkpoint test_checkpoint_others test_data_parallel test_features_mode test_memory_flat
    test_no_allocation)
trainer_only=()
[ -z "$quick" ] || trainer=(test_group) trainer_only=(CNNSWEEP_TEST_ONLY=test_partial_batch_is_trained_with_its_rows)
for program in "${trainer[@]}"; do
    step "$program" checks 150 env "${trainer_only[@]}" "$build/tests/$program"
done

training() { step "training_$1" checks "$2" "$python" "$root/tests/gpu_training.py" "$1" ${quick:+--small}; }
training accuracy 150
training repeat 90
training checkpoint 90

# A small network with all that training may use: depthwise and other convolutions, batch norm, pooling, Adam.
sanitize() { # TOOL PRECISION
    step "sanitizer_$1_$2" checks 180 sanitized "$1" "$build/tests/engine_rate" mobilenet keras 0.25 32 4 train 1 device=cuda \
        precision="$2" classes=3
}
sanitize memcheck fp32
sanitize memcheck bf16
sanitize racecheck bf16

if [ -n "$quick" ]; then
    tiny=(--px 32 --batches 2 --rounds 1 --steps 1 --only mobilenet --sides cnnsweep --no-bars --precision fp32 --torch-device cpu)
    step train_speed bench 60 "$python" "$root/tests/bench/gpu_train.py" --build "$build" "${tiny[@]}"
else
    for_python=(--build "$build" --python "$python")
    step train_speed bench 540 "$python" "$root/tests/bench/gpu_train.py" "${for_python[@]}" --seconds 400
    step train_speed_from_memory bench 120 "$python" "$root/tests/bench/gpu_train.py" "${for_python[@]}" --input memory --no-bars \
        --only resnet50 mobilenet --batches 256 --sides cnnsweep eager --seconds 60
    step grid_speed bench 300 "$python" "$root/tests/bench/grid.py" --bin "$build/bin" --python "$python" --device cuda --precision bf16 \
        --ranks 1 --processes 4 --rounds 3 --only "$([ -d "${CNNSWEEP_SHARED:-$root/../shared}/weights" ] && echo real-50 || echo random-50)"
    step profile bench 150 "$python" "$root/tests/bench/gpu_profile.py" --build "$build"
fi

if [ -n "$list" ]; then
    for name in "${steps[@]}"; do echo "$name (${group_of[$name]}, ${limit_of[$name]} s): ${command_of[$name]}"; done
    exit 0
fi
for word in "${wanted[@]}"; do
    [[ " checks bench ${steps[*]} " == *" $word "* ]] || { echo "gpu.sh: no step or group '$word'; see --list" >&2; exit 2; }
done

# ---- The machine.

for program in bin/cnnsweep bin/cnnsweep-synthetic bin/cnnsweep-pack tests/engine_rate tests/test_engine_parity; do
    [ -x "$build/$program" ] || { echo "gpu.sh: $build/$program is missing: build first, or name the build with --build" >&2; exit 2; }
done
# shellcheck disable=SC1091
[ ! -f "$build/env.sh" ] || BUNDLE=$build . "$build/env.sh"
export CNNSWEEP_BIN=$build/bin CNNSWEEP_SOURCE=$root CNNSWEEP_TEST_DEVICE=cuda CNNSWEEP_SHARED=${CNNSWEEP_SHARED:-$root/../shared}
[ -d "$CNNSWEEP_SHARED/weights" ] || unset CNNSWEEP_SHARED
export OMP_WAIT_POLICY=passive OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 PYTHONUNBUFFERED=1
host_plugin=${CNNSWEEP_CUDA_PLUGIN:-}
export CNNSWEEP_CUDA_PLUGIN=${CNNSWEEP_CUDA_PLUGIN:-$build/bin/libcnnsweep_cuda.so}
[ -f "$CNNSWEEP_CUDA_PLUGIN" ] || { echo "gpu.sh: no plug-in $CNNSWEEP_CUDA_PLUGIN: this build has no CUDA engine" >&2; exit 2; }
libraries=$("$python" "$root/tests/gpu_libraries.py") || [ -n "$host_plugin" ] || exit 2
export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

gpu=''
if command -v nvidia-smi >/dev/null; then
    gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -1)
fi
if [ -z "$gpu" ] && [ -z "$host_plugin" ]; then
    echo "gpu.sh: nvidia-smi names no GPU: nothing to test" >&2
    exit 2
fi
name=$(tr -cs 'A-Za-z0-9\n' '_' <<<"${gpu:-host}")
out=${out:-$root/results/gpu}
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 2
report=$out/$name.md
logs=$(mktemp -d) plans=$(mktemp -d)
trap 'rm -rf "$logs" "$plans"' EXIT
export CNNSWEEP_BENCH_LOG=$logs/bench_stderr.log XDG_CACHE_HOME=$plans CNNSWEEP_TEST_PLANS=$plans

machine() {
    echo "# ${gpu:-No GPU: the plug-in that runs on the host}"
    echo
    echo "By \`tests/gpu.sh${quick:+ --quick}\`, $(date -u +%Y-%m-%d)${quick:+; QUICK: it tests the script, and its speed means nothing}."
    echo
    [ -z "$gpu" ] || nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv,noheader | sed 's/^/- GPU, driver, memory, clock: /'
    "$python" "$root/tests/gpu_libraries.py" --versions
    "$python" -c 'import torch; print("- PyTorch", torch.__version__, "with CUDA", torch.version.cuda, "and cuDNN", torch.backends.cudnn.version())' 2>/dev/null || echo "- no PyTorch"
    echo "- $(nproc) processors: $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1); Linux $(uname -r)"
    "$build/bin/cnnsweep" --version 2>/dev/null | sed 's/^/- /'
}

# ---- Running.

sanitized() { # TOOL COMMAND...: runs a warm-up step and two more
    local tool=$1 sanitizer
    shift
    sanitizer=$(command -v compute-sanitizer || find -L /usr/local/cuda*/bin /opt/nvidia -name compute-sanitizer -type f 2>/dev/null | head -1)
    [ -n "$sanitizer" ] || { echo "not run: compute-sanitizer is not on this machine"; return 77; }
    [ -n "$gpu" ] || { echo "not run: there is no GPU"; return 77; }
    "$sanitizer" --tool "$tool" --error-exitcode 9 --print-limit 20 "$@" <<<2
}
export -f sanitized
export gpu

state=() seconds=() reason=()
# The line of the log that says what failed, from cmocka, Python or the program.
why() { # LOG STATUS
    case $2 in
    124 | 137) echo "ran past its limit" ;;
    134 | 139) echo "crashed (status $2): $(tail -n 1 "$1" | cut -c1-160)" ;;
    *) { grep -m 1 -E 'off by|is .*, not |Error: |failed: |FAIL |error: |========= ' "$1" || grep -v '^ *$' "$1" | tail -n 1; } | cut -c1-240 ;;
    esac
}
run_step() { # NAME
    local log=$logs/$1.log begun=$SECONDS status skipped
    timeout -k 10 "${limit_of[$1]}" bash -c "${command_of[$1]}" >"$log" 2>&1 </dev/null
    status=$?
    seconds+=($((SECONDS - begun)))
    skipped=$(grep -c '^\[  SKIPPED \]' "$log")
    case $status in
    0) state+=(passed) reason+=("$([ "$skipped" = 0 ] || echo "$((skipped - 1)) tests skipped themselves")") ;;
    77) state+=("not run") reason+=("$(tail -n 1 "$log" | sed 's/^not run: //')") ;;
    *) state+=(FAILED) reason+=("$(why "$log" $status)") ;;
    esac
    printf '%-8s %-32s %4d s  %s\n' "${state[-1]}" "$1" "${seconds[-1]}" "${reason[-1]}"
}

machine | tee "$report"
echo
failed=0 left=()
for name in "${steps[@]}"; do
    if [ ${#wanted[@]} -gt 0 ] && [[ " ${wanted[*]} " != *" $name "* && " ${wanted[*]} " != *" ${group_of[$name]} "* ]]; then
        left+=("$name") state+=("not run") seconds+=(0) reason+=("not asked for")
        continue
    fi
    run_step "$name"
    [ "${state[-1]}" != FAILED ] || failed=$((failed + 1))
done

# ---- The report: the table, the benchmarks' own tables, the failures' logs.
{
    printf '\n## Checks\n\n| step | result | seconds | |\n|---|---|---|---|\n'
    for i in "${!steps[@]}"; do
        echo "| ${steps[i]} | ${state[i]} | ${seconds[i]} | ${reason[i]//|/\\|} |"
    done
    for name in "${steps[@]}"; do
        if [ "${group_of[$name]}" = bench ] && [ -f "$logs/$name.log" ]; then
            printf '\n## %s\n\n    %s\n\n' "$name" "${command_of[$name]}" | sed "s|$root/||g; s|$build|build|g"
            cat "$logs/$name.log"
        fi
    done
} >>"$report"
tar -C "$logs" -czf "${report%.md}.logs.tar.gz" .
echo
echo "$failed failed; ${#left[@]} not asked for; report: $report"
[ "$failed" = 0 ]
