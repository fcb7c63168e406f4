# One PostgreSQL server: its directory, its user, its port.

PG=$STATE/postgres # port, home: where its data is
PG_PORT=25432

# The newest version that is installed; Debian keeps these off the PATH.
postgres_bin() {
  local bin
  bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)
  if [[ -z $bin ]] && command -v pg_ctl >/dev/null; then bin=$(dirname "$(readlink -f "$(command -v pg_ctl)")"); fi
  echo "$bin"
}

# Runs a command as the server's user, in a folder that it may enter.
as_postgres() {
  if ((EUID == 0)); then
    (cd / && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

postgres_home() { cat "$PG/home" 2>/dev/null || true; }
postgres_port() { cat "$PG/port" 2>/dev/null || true; }
postgres_url() { echo "postgres://kafkaflow:kafkaflow@127.0.0.1:$(postgres_port)/$1"; } # DATABASE

postgres_serves() {
  local bin
  bin=$(postgres_bin)
  [[ -n $bin && -n $(postgres_port) ]] && "$bin/pg_isready" -q -h 127.0.0.1 -p "$(postgres_port)" -t 2
}

start_postgres() { # PORT FRESH
  local port=${1:-} fresh=$2 bin home began
  bin=$(postgres_bin) began=$(now_ms)
  mkdir -p "$PG"
  exec 8>"$PG/lock"
  flock -w 120 8 || die "another ./dev postgres holds $PG/lock"
  port=${port:-$(postgres_port)}
  port=${port:-$PG_PORT}
  [[ $port =~ ^[0-9]+$ ]] && ((port >= 1024 && port <= 65535)) || usage_error "--port must be 1024 to 65535"
  if [[ -n $fresh ]]; then wipe_postgres; fi
  if postgres_serves; then
    [[ $port == "$(postgres_port)" ]] || die "it already runs on port $(postgres_port): ./dev postgres stop first"
    note "PostgreSQL already runs: $(postgres_url postgres)"
    return
  fi
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    die "port $port is taken by another process; choose one: ./dev postgres start --port P"
  fi
  make_postgres_home
  home=$(postgres_home)
  [[ -s $home/data/PG_VERSION ]] || init_postgres "$bin" "$home"
  echo "$port" >"$PG/port"
  # -w: returns when it serves. After a kill it looks at every file first, which takes a busy disk more than a minute.
  if ! (
    close_descriptors
    as_postgres "$bin/pg_ctl" -s -w -t 300 -D "$home/data" -l "$home/server.log" \
      -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='$home' -c max_connections=200" start </dev/null
  ); then
    tail -n 15 "$home/server.log" >&2
    die "PostgreSQL did not start; its log: $home/server.log"
  fi
  note "PostgreSQL serves: $(postgres_url postgres) ($(seconds_since "$began"))"
}

make_postgres_home() {
  local home=$PG/cluster
  if [[ -z $(postgres_home) || ! -d $(postgres_home) ]]; then
    mkdir -p "$home"
    if ((EUID == 0)); then
      id postgres >/dev/null 2>&1 || useradd --system --no-create-home postgres
      if ! as_postgres test -x "$home" 2>/dev/null; then home=/var/tmp/kafkaflow-postgres-$(cksum <<<"$ROOT" | cut -d' ' -f1) && mkdir -p "$home"; fi
      chown postgres "$home"
    fi
    chmod 700 "$home"
    echo "$home" >"$PG/home"
  fi
}

init_postgres() { # BIN HOME
  local password=$2/password
  rm -rf "$2/data"
  as_postgres sh -c "umask 077 && echo kafkaflow >'$password'"
  as_postgres "$1/initdb" -D "$2/data" -U kafkaflow --pwfile="$password" -A scram-sha-256 -E UTF8 --locale=C >"$PG/initdb.log" 2>&1 ||
    { tail -n 15 "$PG/initdb.log" >&2 && die "initdb failed"; }
  rm -f "$password"
}

stop_postgres() { # MODE: fast or kill
  local home pid children
  home=$(postgres_home)
  [[ -n $home && -f $home/data/postmaster.pid ]] || { note "PostgreSQL does not run" && return; }
  if [[ $1 == kill ]]; then
    pid=$(head -1 "$home/data/postmaster.pid")
    # Its children end when they miss it, and hold its shared memory until then: a new server does not start before.
    # They are counted while it stands still; once it is dead they are another's.
    kill -STOP "$pid" 2>/dev/null || true
    children=$(pgrep -P "$pid" || true)
    kill -KILL "$pid" 2>/dev/null || true
    for pid in "$pid" $children; do
      while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    done
    note "PostgreSQL killed"
  else
    as_postgres "$(postgres_bin)/pg_ctl" -s -w -t 60 -m "$1" -D "$home/data" stop || return
    note "PostgreSQL stopped"
  fi
}

wipe_postgres() {
  local home
  home=$(postgres_home)
  [[ -n $home ]] || return 0
  if [[ -f $home/data/postmaster.pid ]]; then
    as_postgres "$(postgres_bin)/pg_ctl" -s -w -m immediate -D "$home/data" stop 2>/dev/null || true
  fi
  rm -rf "$home/data"
}

postgres_status() {
  if postgres_serves; then
    echo "serving $(postgres_url postgres)"
  else
    echo "down"
    return 1
  fi
}

postgres_environment() { # PREFIX
  [[ $1 =~ ^[A-Z][A-Z0-9_]*_$ ]] || usage_error "--prefix must look like KAFKAFLOW_TEST_"
  [[ -n $(postgres_port) ]] || die "PostgreSQL was never started: ./dev postgres start"
  echo "export ${1}POSTGRES=$(postgres_url postgres)"
}
