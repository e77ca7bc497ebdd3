#!/bin/sh
# Builds the fuzzer of agent expressions into a directory: build.sh DIRECTORY [libfuzzer|gcc]
# libfuzzer: agent-fuzz, with clang; run it as "agent-fuzz CORPUS".
# gcc: agent-random, a driver of its own; run it as "agent-random SECONDS [SEED [FILE...]]".
# Without a second word: both, the first only where clang has libFuzzer.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
core=$here/../../../kernel/core
out=${1:?usage: $0 DIRECTORY [libfuzzer|gcc]}
which=${2-both}
flags='-std=gnu11 -g -O1 -Wall -Wextra -fno-omit-frame-pointer -fno-sanitize-recover=all'
mkdir -p "$out"

clang=
for name in clang clang-14 clang-15 clang-16 clang-19; do
	if command -v "$name" >/dev/null && printf 'int LLVMFuzzerTestOneInput(void){return 0;}' |
		"$name" -x c - -fsanitize=fuzzer,address,undefined -o "$out/probe" 2>/dev/null; then
		clang=$name
		break
	fi
done
rm -f "$out/probe"

# shellcheck disable=SC2086 # flags are several words
if [ "$which" != gcc ] && [ -n "$clang" ]; then
	"$clang" $flags -fsanitize=fuzzer,address,undefined -I "$core" \
		"$here/harness.c" "$core"/agent*.c -o "$out/agent-fuzz"
elif [ "$which" = libfuzzer ]; then
	echo "$0: no clang with libFuzzer here; apt-get install clang-14 libclang-rt-14-dev" >&2
	exit 1
fi
# shellcheck disable=SC2086
if [ "$which" != libfuzzer ]; then
	gcc $flags -fsanitize=address,undefined -I "$core" \
		"$here/harness.c" "$here/driver.c" "$core"/agent*.c -o "$out/agent-random"
fi
