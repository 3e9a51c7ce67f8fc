#!/usr/bin/env bash
# Builds the kernels with the address and undefined-behaviour sanitizers and runs their tests on that build; then with
# the thread sanitizer, for the threads that meet after each step.
set -euo pipefail
cd "$(dirname "$0")/.."
python="$PWD/.venv/bin/python"
build=build/sanitize
compiler="${CXX:-c++}"

"$python" -m pip install -qq cmake ninja
PATH="$PWD/.venv/bin:$PATH"
mkdir -p build
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DUNROLLED_OPTIMISE=-O1 -DPython_EXECUTABLE="$python" \
    -Dnanobind_DIR="$("$python" -m nanobind --cmake_dir)" \
    -DCMAKE_CXX_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer" > "$build.log" 2>&1 \
    || { cat "$build.log" >&2; exit 1; }
cmake --build "$build" > "$build.log" 2>&1 || { cat "$build.log" >&2; exit 1; }

# Two tests are about the installed module, and two builds of it can't be loaded at once. Python itself is not built with the sanitizer, so its library has to come first; what Python never frees is no leak.
LD_PRELOAD="$("$compiler" -print-file-name=libasan.so) $("$compiler" -print-file-name=libubsan.so) $("$compiler" -print-file-name=libstdc++.so.6)" \
    ASAN_OPTIONS=detect_leaks=0 \
    UNROLLED_TEST_KERNELS="$(ls "$build"/_kernels*.so)" \
    "$python" -m pytest -q tests/kernels --ignore tests/kernels/test_stub.py --ignore tests/kernels/test_door.py "$@"

"$compiler" -std=c++17 -O1 -g -fsanitize=thread -DUNROLLED_STD_THREADS -DUNROLLED_ISA_NAMESPACE=generic -Wno-psabi \
    -Ikernels/include tests/kernels/meeting.cpp kernels/cpu/{gru,tile,team,threads,plan,scratch}.cpp -pthread -o build/meeting
build/meeting
