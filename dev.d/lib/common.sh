# Sourced by every script of dev.d: strict mode, where things are, how to speak.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
STATE=$ROOT/target/dev # everything that ./dev makes: `rm -rf target/dev` starts anew
ME=$(basename "$0")
CALLER=${KAFKAFLOW_DEV_CALLER:-$PWD} # where ./dev was called
cd "$ROOT"

# Results go to stdout, everything said about them to stderr.
note() { printf '%s: %s\n' "$ME" "$*" >&2; }
die() {
  note "$*"
  exit 1
}
usage_error() {
  note "$*"
  exit 2
}

# The text between a script's `#:` line and the end of that comment is its help.
print_help() { sed -n '/^#:/,/^[^#]/{s/^#:\{0,1\} \{0,1\}//p}' "$0"; }

# Milliseconds on the clock that never jumps.
now_ms() {
  local up
  read -r up _ </proc/uptime
  echo "$((10#${up/./} * 10))"
}
seconds_since() {
  local ms=$(($(now_ms) - $1))
  printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
}

# For a subshell that becomes a server: no descriptor of the caller (a pipe of whoever captures our output, somebody's lock) stays
# open in it.
close_descriptors() {
  local fd
  for fd in /proc/"$BASHPID"/fd/*; do
    fd=${fd##*/}
    ((fd <= 2 || fd == 255)) || eval "exec $fd>&-" # 255 is bash's own and closes itself
  done
}

. "$ROOT/dev.d/lib/packages.sh"
