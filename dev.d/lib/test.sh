# The steps of ./dev test. Each runs even when one before it failed; FAILED has the names of those that did.

FAILED=()

phase() { # NAME COMMAND…
  local name=$1 began
  shift
  began=$(now_ms)
  note "== $name"
  "$@" || FAILED+=("$name")
  note "== $name: $(seconds_since "$began")"
}
phase_passed() {
  local name
  for name in "${FAILED[@]}"; do [[ $name != "$1" ]] || return 1; done
}

need_component() { # rustfmt or clippy: parts of Rust, but not of its minimal profile
  local command=${1#rust}
  cargo "$command" --version >/dev/null 2>&1 && return
  note "adding $1 to the Rust toolchain"
  rustup component add "$1" >&2 || die "cargo $command is missing: rustup component add $1"
}

# --- build: $STATE/test/binaries has one line a test binary: KIND NAME PATH; `faults` is the last

build_tests() {
  cargo test "${locked[@]}" "${targets[@]}" --no-run --message-format=json-render-diagnostics >"$STATE/test/build.json" || return
  python3 - "$STATE/test/build.json" >"$STATE/test/binaries" <<'PY'
import json, sys
found = []
for line in open(sys.argv[1]):
    if not line.startswith("{"):
        continue
    message = json.loads(line)
    if message["reason"] == "compiler-artifact" and message["profile"]["test"] and message["executable"]:
        target = message["target"]
        kind = target["kind"][0]
        kind = kind if kind in ("bin", "test", "example", "bench") else "lib"
        found.append((target["name"] == "faults", ["lib", "bin", "example", "bench", "test"].index(kind), kind, target["name"], message["executable"]))
for _, _, kind, name, executable in sorted(found):
    print(kind, name, executable)
PY
}
has_library_target() { grep -q '^lib ' "$STATE/test/binaries"; }

# --- brokers

STARTED=()

# have_cluster NAME VERSION PREFIX: makes it serve and exports its endpoints.
have_cluster() {
  local name=$1 version=$2 prefix=$3 table node env
  if table=$(./dev kafka status --cluster "$name"); then
    note "using the brokers of cluster '$name' that already run"
  elif grep -Eq ' (serving|starting) ' <<<"$table"; then # somebody's, but not whole
    while read -r node; do
      ./dev kafka start "$node" --cluster "$name" || return
    done < <(awk '$NF == "down" { print $1 }' <<<"$table")
  else
    STARTED+=("$name")
    # The second compiler of the JVM would compete with the tests for the processor for as long as they run.
    KAFKA_JVM=-XX:TieredStopAtLevel=1 ./dev kafka start --cluster "$name" --version "$version" --fresh || return
  fi
  env=$(./dev kafka env --cluster "$name" --prefix "$prefix") || return
  eval "$env"
}

# Their data is made anew at the next start, so they need not end in order.
stop_started() {
  local name
  release_postgres || true
  for name in "${STARTED[@]}"; do ./dev kafka stop --cluster "$name" --kill || true; done
}

# --- PostgreSQL

POSTGRES='' # ours, or there before

have_postgres() {
  local env
  if ./dev postgres status >/dev/null 2>&1; then
    note "using the PostgreSQL that already runs"
    POSTGRES=theirs
  else
    POSTGRES=ours
    ./dev postgres start --fresh || return
  fi
  env=$(./dev postgres env) || return
  eval "$env"
}

# Every test makes a database of its own, `t_…`.
release_postgres() {
  case $POSTGRES in
    ours) ./dev postgres stop ;;
    theirs)
      ./dev postgres psql -qAt -c "SELECT format('DROP DATABASE %I WITH (FORCE);', datname) FROM pg_database WHERE datname LIKE 't\_%'" |
        ./dev postgres psql -q >/dev/null
      ;;
  esac
}

# What speaks to brokers or to a store is tested beside its code too.
wants_store() { wants any '^(store|runtime|services)::'; }
wants_brokers() { wants any '^kafka::|(^|::)(kafka|jvm)_tests::'; }
wants_old_brokers() { wants none 3_9 3_9; }

# wants any|none PATTERN [PATTERN]: is a test selected that matches the first in the library's binary, or the second in
# another one's (`any`: every test of another one)?
wants() {
  local kind name executable others=$1 of_library=$2 of_others=${3:-}
  while read -r kind name executable; do
    case $kind in
      lib) selects "$executable" "$of_library" && return ;;
      test)
        if [[ $others == any ]]; then matches "$executable" && return; fi
        if [[ -n $of_others ]]; then selects "$executable" "$of_others" && return; fi
        ;;
    esac
  done <"$STATE/test/binaries"
  return 1
}
# shellcheck disable=SC2086  # no filter is no argument
selects() { [[ -n $2 ]] && "$1" --list $filter 2>/dev/null | grep -E "$2" >/dev/null; }
# Lists are read to their ends: who writes one fails when its reader has seen enough.
matches() { [[ -z $filter ]] || "$1" --list "$filter" 2>/dev/null | grep ': test$' >/dev/null; }

# --- what judges our documents, beside Graphviz: packages for Node.js

wants_judges() { wants none '' '^export::'; }

# Installed once for a lock file; the scripts stand beside the packages that they import.
have_judges() {
  local folder=$STATE/npm
  mkdir -p "$folder"
  if ! cmp -s tests/npm/package-lock.json "$folder/installed"; then
    cp tests/npm/package.json tests/npm/package-lock.json "$folder"
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || return
    cp tests/npm/package-lock.json "$folder/installed"
  fi
  cp tests/npm/*.mjs "$folder"
  export KAFKAFLOW_TEST_NPM=$folder
}

# --- what judges our HTTP and takes our mail: packages for Python

wants_python() { wants none '' '^(order_api|notification)::'; }

have_python() {
  local venv=$STATE/python
  if ! cmp -s tests/python/requirements.txt "$venv/installed"; then
    note "installing $(paste -sd' ' tests/python/requirements.txt)"
    rm -rf "$venv"
    python3 -m venv "$venv" || return
    "$venv/bin/pip" install -q --disable-pip-version-check -r tests/python/requirements.txt || return
    cp tests/python/requirements.txt "$venv/installed"
  fi
  export KAFKAFLOW_TEST_PYTHON=$venv/bin
}

# --- what judges our records: programs on Spring Kafka and Debezium

wants_jvm() { wants none '^runtime::jvm_tests::'; }

# Jars and classes, made once for what tests/jvm holds.
have_jvm() {
  local folder=$STATE/jvm sum log=$STATE/test/maven.log
  sum=$(cat tests/jvm/* | sha256sum) || return
  export KAFKAFLOW_TEST_JVM=$folder
  [[ $(cat "$folder/made-of" 2>/dev/null) != "$sum" ]] || return 0
  note "resolving Spring Kafka and Debezium with Maven"
  rm -rf "$folder"
  mkdir -p "$folder"
  if ! mvn -q -B -f tests/jvm/pom.xml dependency:copy-dependencies -DoutputDirectory="$folder/lib" >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    return 1
  fi
  javac --release 17 -d "$folder/classes" -cp "$folder/lib/*" tests/jvm/*.java || return
  cp tests/jvm/run "$folder"
  echo "$sum" >"$folder/made-of"
}

# --- run

# Directly, not by `cargo test`: RUSTC_BOOTSTRAP lets a stable libtest print times, but cargo would rebuild all for it.
run_tests() {
  local kind name executable ran=''
  while read -r -u 4 kind name executable; do
    matches "$executable" || continue
    ran=1
    phase "tests: $kind $name" run_binary "$name" "$executable"
  done 4<"$STATE/test/binaries"
  [[ -n $ran || -z $filter ]] || { note "no test's name contains '$filter'" && FAILED+=("no test"); }
}

run_binary() { # NAME EXECUTABLE
  local args=(-Z unstable-options --report-time)
  [[ $1 != faults ]] || args+=(--test-threads=1)
  # shellcheck disable=SC2086  # no filter is no argument
  CARGO_MANIFEST_DIR=$ROOT RUSTC_BOOTSTRAP=1 "$2" "${args[@]}" $filter "${libtest_args[@]}" 4<&- | tee -a "$STATE/test/output"
}

slowest() { # COUNT
  [[ -s $STATE/test/output ]] || return 0
  local times
  # Not `head`: it ends before `sort` has written all, which then fails by SIGPIPE.
  times=$(sed -nE 's/^test (.*) \.\.\. .*<([0-9.]+)s>$/\2 \1/p' "$STATE/test/output" | sort -rn | sed -n "1,$1p")
  [[ -z $times ]] || note "the slowest tests, in seconds:"$'\n'"$times"
}
